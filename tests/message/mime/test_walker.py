"""Tests of C{harakatw.message.mime.walker}: the rules of RFC 2046 section 5."""

from collections.abc import Iterable
from itertools import pairwise

from twisted.trial.unittest import SynchronousTestCase

from harakatw.message.header import Header
from harakatw.message.mime import walker
from harakatw.message.mime.limits import MIMELimits
from tests.message.mime.walks import multipart, samples, walk
from tests.message.specimens import cuts, testdata, whole_message
from tests.properties import given, st

TWO = multipart(b"\r\none", b"Content-Type: text/html\r\n\r\ntwo")

PIECES = st.lists(
    st.sampled_from(
        (
            b"--b",
            b"--b--",
            b"--bc",
            b"--",
            b"-",
            b"\r\n",
            b"\r",
            b" ",
            b"x",
            b"A: b\r\n",
            b"Content-Type: multipart/mixed; boundary=b\r\n",
            b'Content-Type: multipart/digest; boundary="bc"\r\n',
            b"Content-Type: message/rfc822\r\n",
        )
    ),
    max_size=40,
).map(b"".join)


def chunks_at(octets: bytes, places: Iterable[int]) -> list[bytes]:
    """The octets, cut at these places."""
    inside = sorted(place % (len(octets) + 1) for place in places)
    return [octets[a:b] for a, b in pairwise([0, *inside, len(octets)])]


class StructureTests(SynchronousTestCase):
    """What is a part, and what is its content."""

    def test_plain(self) -> None:
        """A message without structure is one part, with its header and its body."""
        noted, walked = walk([b"A: b\r\n\r\nbody\r\n--x\r\n"])
        self.assertEqual(
            noted.events,
            [
                ("begin", 0, b"A: b\r\n\r\n"),
                ("content", 0, b"body\r\n--x\r\n"),
                ("end", 0, b""),
            ],
        )
        self.assertEqual(noted.leaves, [("text/plain", b"body\r\n--x\r\n")])
        self.assertEqual(walked.part_count, 1)

    def test_multipart(self) -> None:
        """The line end before a boundary belongs to the boundary."""
        noted, _ = walk([TWO])
        self.assertEqual(
            noted.events[1:],
            [
                ("between", -1, b"--b\r\n"),
                ("begin", 1, b"\r\n"),
                ("content", 1, b"one"),
                ("end", 1, b""),
                ("between", -1, b"\r\n--b\r\n"),
                ("begin", 2, b"Content-Type: text/html\r\n\r\n"),
                ("content", 2, b"two"),
                ("end", 2, b""),
                ("between", -1, b"\r\n--b--\r\n"),
                ("end", 0, b""),
            ],
        )
        self.assertTrue(noted.parts[0].is_closed)

    def test_preamble_and_epilogue(self) -> None:
        """
        What stands before the first boundary is the multipart's own, what stands behind
        the last one nobody's, even if it looks like another part.
        """
        octets = TWO.replace(b"\r\n\r\n--b", b"\r\n\r\nHello\r\n--b", 1)
        octets += b"bye\r\n--b\r\n\r\nhidden\r\n"
        noted, walked = walk([octets])
        self.assertEqual(noted.contents(0), b"Hello")
        self.assertEqual(walked.part_count, 3)
        tail = b"\r\n--b--\r\nbye\r\n--b\r\n\r\nhidden\r\n"
        self.assertEqual(noted.events[-2], ("between", -1, tail))

    def test_no_closing_boundary(self) -> None:
        """A message that breaks off has the parts that came."""
        noted, _ = walk([multipart(b"\r\none", b"\r\ntwo", end=False)])
        self.assertEqual(noted.contents(2), b"two\r\n")
        self.assertFalse(noted.parts[0].is_closed)
        self.assertEqual(noted.ended, [1, 2, 0])

    def test_blanks_behind_boundary(self) -> None:
        """Blanks that were added behind a boundary on the way do not matter."""
        octets = TWO.replace(b"--b\r\n", b"--b \t \r\n").replace(b"--b--", b"--b-- ")
        self.assertEqual(
            walk([octets])[0].leaves, [("text/plain", b"one"), ("text/html", b"two")]
        )

    def test_no_final_line_end(self) -> None:
        """The last boundary may end the message without a line end."""
        noted, _ = walk([TWO.removesuffix(b"\r\n")])
        self.assertTrue(noted.parts[0].is_closed)

    def test_not_quite_a_boundary(self) -> None:
        """A line that only begins with the boundary, or is shorter, is content."""
        content = b"--bb\r\n--\r\n--b-\r\n -- b\r\n--B\r\n--b --x"
        noted, _ = walk([multipart(b"\r\n" + content)])
        self.assertEqual(noted.leaves, [("text/plain", content)])

    def test_prefix(self) -> None:
        """A boundary within may begin with the one without, and the other way round."""
        for outer, inner in ("b", "bc"), ("bc", "b"), ("b", "b--"):
            within = multipart(b"\r\nx", b"\r\ny", boundary=inner)
            noted, _ = walk([multipart(within, b"\r\nz", boundary=outer)])
            contents = [content for _, content in noted.leaves]
            self.assertEqual(contents, [b"x", b"y", b"z"], (outer, inner))

    def test_same_boundary(self) -> None:
        """Where a multipart has its parent's boundary, the parent goes on."""
        noted, walked = walk([multipart(multipart(b"\r\nx", b"\r\ny"))])
        self.assertEqual(
            [(part.content_type, part.depth) for part in noted.parts],
            [
                ("multipart/mixed", 0),
                ("multipart/mixed", 1),
                ("text/plain", 1),
                ("text/plain", 1),
            ],
        )
        self.assertEqual(noted.contents(2), b"x")
        self.assertEqual(walked.part_count, 4)

    def test_outer_ends_inner(self) -> None:
        """A boundary of the outer multipart ends one within that was never closed."""
        inner = multipart(b"\r\nx", boundary="i", end=False)
        noted, _ = walk([multipart(inner, b"\r\nz")])
        self.assertEqual([each[1] for each in noted.leaves], [b"x\r\n", b"z"])

    def test_no_boundary(self) -> None:
        """A multipart whose boundary is missing, empty or endless is not parted."""
        for parameter in b"", b"; boundary=", b'; boundary=""', b'; boundary=" "':
            octets = b"Content-Type: multipart/mixed" + parameter + b"\r\n\r\n--\r\nx"
            noted, _ = walk([octets])
            self.assertEqual(noted.leaves, [("multipart/mixed", b"--\r\nx")])
        long = multipart(b"\r\nx", boundary="b" * 251)
        self.assertEqual(len(walk([long])[0].parts), 1)

    def test_odd_boundaries(self) -> None:
        """Boundaries are compared as they stand, whatever their octets are."""
        for boundary in "=?utf-8?q?a?=", "a b", "ü", "'()+_,-./:=?", "x" * 250:
            noted, _ = walk([multipart(b"\r\nx", boundary=boundary)])
            self.assertEqual(noted.leaves, [("text/plain", b"x")], boundary)

    def test_empty_parts(self) -> None:
        """A part may lack content, blank line, header, or all of it."""
        octets = multipart(b"", b"\r\n", b"A: b", b"A: b\r\n", b"no header")
        noted, _ = walk([octets])
        self.assertEqual(noted.octets, octets)
        contents = [content for _, content in noted.leaves]
        self.assertEqual(contents, [b"", b"", b"", b"", b"no header"])

    def test_boundary_right_behind_boundary(self) -> None:
        """Between boundaries on lines that follow each other is an empty part."""
        octets = b"Content-Type: multipart/x; boundary=b\r\n\r\n--b\r\n--b\r\n--b--"
        noted, _ = walk([octets])
        self.assertEqual(noted.ended, [1, 2, 0])

    def test_message(self) -> None:
        """A message within a message is walked like any other."""
        for kind in b"message/rfc822", b"Message/Global":
            inner = b"Content-Type: " + kind + b"\r\n\r\nSubject: in\r\n\r\ntext"
            noted, _ = walk([multipart(inner, b"\r\nz")])
            self.assertEqual([part.depth for part in noted.parts], [0, 1, 2, 1])
            self.assertEqual(noted.parts[2].header.get("Subject"), "in")
            self.assertEqual(noted.contents(2), b"text")

    def test_encoded_message(self) -> None:
        """A message in base64 is an attachment: what stands there is no header."""
        inner = (
            b"Content-Type: message/rfc822\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\nQTogYg0K"
        )
        noted, _ = walk([multipart(inner)])
        self.assertEqual(noted.leaves, [("message/rfc822", b"QTogYg0K")])
        self.assertTrue(noted.parts[1].is_attachment)

    def test_digest(self) -> None:
        """In a digest, parts are messages unless they say otherwise."""
        octets = multipart(
            b"\r\nSubject: a\r\n\r\nx",
            b"Content-Type: text/plain\r\n\r\ny",
            subtype="digest",
        )
        noted, _ = walk([octets])
        self.assertEqual(
            [part.content_type for part in noted.parts],
            ["multipart/digest", "message/rfc822", "text/plain", "text/plain"],
        )

    def test_header_without_blank_line(self) -> None:
        """What cannot be a field ends the header, as everywhere in this server."""
        octets = b"A: b\r\nnot a field\r\n\r\nbody\r\n"
        noted, _ = walk([octets])
        self.assertEqual(noted.events[0], ("begin", 0, b"A: b\r\n"))
        self.assertEqual(noted.contents(0), b"not a field\r\n\r\nbody\r\n")

    def test_header_known(self) -> None:
        """If the header is known already, only the body is fed."""
        header = Header(b"Content-Type: multipart/mixed; boundary=b\r\n")
        body = TWO.partition(b"\r\n\r\n")[2]
        noted, _ = walk([body], header=header)
        self.assertEqual(noted.octets, body)
        self.assertEqual(len(noted.parts), 3)


class LimitTests(SynchronousTestCase):
    """Row 13: a message cannot make us do or keep more than is allowed."""

    def test_depth(self) -> None:
        """What is deeper than allowed is content of the part at the limit."""
        octets = b"Content-Type: message/rfc822\r\n\r\n" * 10_000 + b"A: b\r\n\r\nx"
        noted, walked = walk([octets])
        self.assertTrue(walked.is_too_deep)
        self.assertEqual(walked.part_count, 101)
        self.assertTrue(noted.parts[-1].is_too_deep)
        self.assertEqual(noted.octets, octets)

    def test_multipart_depth(self) -> None:
        """Likewise for multiparts within each other; all are ended in order."""
        octets = b"x"
        for number in range(120):
            octets = multipart(octets, boundary=f"b{number}")
        noted, walked = walk([octets])
        self.assertTrue(walked.is_too_deep)
        self.assertEqual(max(part.depth for part in noted.parts), 100)
        self.assertEqual(noted.octets, octets)
        self.assertEqual(noted.ended, list(range(100, -1, -1)))

    def test_parts(self) -> None:
        """After as many parts as are allowed, the rest is passed over unread."""
        octets = multipart(*[b"\r\nx"] * 100_000)
        noted, walked = walk([octets])
        self.assertTrue(walked.has_too_many_parts)
        self.assertEqual(walked.part_count, 1000)
        self.assertEqual(noted.octets, octets)

    def test_just_enough_parts(self) -> None:
        """Exactly as many are no reproach."""
        limits = MIMELimits(max_parts=4)
        for count, too_many in (3, False), (4, True):
            _, walked = walk([multipart(*[b"\r\nx"] * count)], limits)
            self.assertEqual(walked.has_too_many_parts, too_many)

    def test_header_octets(self) -> None:
        """A part's header that is too long goes on as content; no field is parted."""
        limits = MIMELimits(max_header_octets=20)
        octets = multipart(b"A: 123456789\r\nB: 123456789\r\n\r\nx")
        noted, _ = walk([octets], limits)
        self.assertTrue(noted.parts[1].is_cut)
        self.assertEqual(noted.events[2], ("begin", 1, b"A: 123456789\r\n"))
        self.assertEqual(noted.octets, octets)

    def test_all_header_octets(self) -> None:
        """The headers of all parts together are limited, too."""
        limits = MIMELimits(max_all_header_octets=100)
        _, walked = walk([multipart(*[b"A: 1234567890\r\n\r\nx"] * 50)], limits)
        self.assertTrue(walked.has_too_many_parts)
        self.assertLess(walked.part_count, 10)


class CutTests(SynchronousTestCase):
    """However a message is cut on its way, it has the same parts."""

    def setUp(self) -> None:
        """Look at each chunk as it comes."""
        self.patch(walker, "STEP_OCTETS", 1)

    def test_every_offset(self) -> None:
        """Cut in two at every octet, and into single octets."""
        nested = multipart(TWO, b"Content-Type: message/rfc822\r\n\r\n" + TWO)
        expected = walk([nested])[0].events
        for chunks in cuts(nested):
            self.assertEqual(walk(chunks)[0].events, expected, chunks)

    @given(PIECES, st.lists(st.integers(0, 1000), max_size=5))
    def test_anything(self, octets: bytes, places: list[int]) -> None:
        """Pieces of boundaries and headers in any order; no octet is lost."""
        expected, walked = walk([octets])
        self.assertEqual(expected.octets, octets)
        self.assertEqual(len(expected.ended), walked.part_count)
        self.assertEqual(walk(chunks_at(octets, places))[0].events, expected.events)
        single = [octets[at : at + 1] for at in range(len(octets))]
        self.assertEqual(walk(single)[0].events, expected.events)

    @given(PIECES)
    def test_same_header(self, octets: bytes) -> None:
        """The message's header ends where it ends for the rest of the server."""
        begun = walk([octets])[0].events[0][2]
        blank = b"\r\n" if begun.endswith(b"\r\n\r\n") or begun == b"\r\n" else b""
        header = whole_message(octets).raw_header
        self.assertEqual(begun.removesuffix(blank), header)


class SampleTests(SynchronousTestCase):
    """Mail of other projects, much of it broken on purpose."""

    if not testdata().is_dir():
        skip = "the sample messages are not here"

    def test_samples(self) -> None:
        """Every message passes octet by octet, cut at every octet or not."""
        self.patch(walker, "STEP_OCTETS", 1)
        for name, octets in samples():
            noted, walked = walk([octets])
            self.assertEqual(noted.octets, octets, name)
            self.assertEqual(sorted(noted.ended), list(range(walked.part_count)))
            single = [octets[at : at + 1] for at in range(len(octets))]
            self.assertEqual(walk(single)[0].events, noted.events, name)

    def test_known(self) -> None:
        """A message that other programs agree on has the parts that they see."""
        octets = dict(samples())["mime-cpython-test_email/msg_02.txt"]
        self.assertEqual(
            [part.content_type for part in walk([octets])[0].parts][:5],
            [
                "multipart/mixed",
                "text/plain",
                "text/plain",
                "multipart/digest",
                "message/rfc822",
            ],
        )
