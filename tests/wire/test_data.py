"""The message after DATA, by chunk: its end, its dots, and its line ends."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

import attrs
from twisted.trial.unittest import SynchronousTestCase

from harakatw.wire.data import DataDecoder, find_leading_dot, repair_newlines
from tests.abuse.inputs import FALSE_ENDS
from tests.properties import given, st

MAX_LINE = 8


@attrs.frozen
class Decoded:
    """
    What became of a stream.

    @ivar message: the octets of the message.
    @ivar rest: what followed its end; L{None} if the end did not come.
    @ivar long_line: in a message without bare CR or LF; the others are not measured.
    """

    message: bytes
    rest: bytes | None
    bare_newline: bool
    long_line: bool


def decode(pieces: Iterable[bytes], max_line_octets: int = MAX_LINE) -> Decoded:
    """Feed a decoder; what comes after the end is not fed."""
    decoder = DataDecoder(max_line_octets)
    message, rest = [], None
    for piece in pieces:
        if rest is not None:
            rest += piece
        elif piece:
            part, rest = decoder.feed(piece)
            message.append(part)
    return Decoded(
        b"".join(message),
        rest,
        decoder.bare_newline,
        decoder.long_line and not decoder.bare_newline,
    )


def by_line(stream: bytes, max_line_octets: int = MAX_LINE) -> Decoded | None:
    """
    The same, line by line as RFC 5321 section 4.5.2 tells it.

    @return: L{None} if the end does not come.
    """
    lines = stream.split(b"\r\n")
    if b"." not in lines[:-1]:
        return None
    end = lines.index(b".")
    body, rest = lines[:end], b"\r\n".join(lines[end + 1 :])
    clear = [line[1:] if line.startswith(b".") else line for line in body]
    is_bare = any(b"\r" in line or b"\n" in line for line in body)
    return Decoded(
        b"".join(line + b"\r\n" for line in clear),
        rest,
        is_bare,
        not is_bare and any(len(line) > max_line_octets for line in clear),
    )


STREAMS: Sequence[bytes] = (
    b".\r\n",
    b"a\r\n.\r\n",
    b"..\r\n.\r\n",
    b"a\r\n..\r\n...\r\n.\r\n",
    b".a\r\n.\r\nQUIT\r\n",
    b"\r\n.\r\n.\r\n",
    b"\r\n\r\n..\r\n\r\n.\r\n",
    b"a\n.\nb\r\n.\r\n",
    b"\r.\r\n.\r\n",
    b"a\r\n.\rb\r\n.\r\n",
    b"a\r\n.\nb\r\n.\r\n",
    b"12345678\r\n.\r\n",
    b"123456789\r\n.\r\n",
    b"..2345678\r\n.\r\n",
    b"..23456789\r\n.\r\n",
    b"1234567\r8\r\n.\r\n",
    b"123456789",
    b"a\r\n.",
    b"a\r\n.\r",
)


class DataDecoderTests(SynchronousTestCase):
    """The same message, however it came."""

    def test_whole(self) -> None:
        """In one piece."""
        for stream in STREAMS:
            wanted = by_line(stream)
            if wanted is not None:
                self.assertEqual(decode([stream]), wanted, stream)
            else:
                self.assertIsNone(decode([stream]).rest, stream)

    def test_cut_anywhere(self) -> None:
        """Cut at every place, and at every two."""
        for stream in STREAMS:
            whole = by_line(stream)
            if whole is None:
                continue
            for first in range(len(stream) + 1):
                for second in range(first, len(stream) + 1):
                    pieces = stream[:first], stream[first:second], stream[second:]
                    self.assertEqual(decode(pieces), whole, pieces)

    def test_octet_by_octet(self) -> None:
        """An octet at a time."""
        for stream in STREAMS:
            octets = [stream[at : at + 1] for at in range(len(stream))]
            whole = by_line(stream)
            if whole is not None:
                self.assertEqual(decode(octets), whole, stream)
            else:
                self.assertIsNone(decode(octets).rest)

    def test_false_ends(self) -> None:
        """
        Row 1: no sequence but CRLF, dot, CRLF ends the message, at whatever place it
        is cut in two or in three; a CR or LF alone is noted.
        """
        for end in FALSE_ENDS:
            stream = b"a" + end + b"MAIL\r\n.\r\nrest"
            whole = by_line(stream)
            assert whole is not None
            self.assertEqual(whole.rest, b"rest")
            self.assertEqual(
                whole.bare_newline,
                re.search(rb"\r(?!\n)|(?<!\r)\n", stream) is not None,
            )
            for first in range(len(stream) + 1):
                for second in range(first, len(stream) + 1):
                    pieces = stream[:first], stream[first:second], stream[second:]
                    self.assertEqual(decode(pieces), whole, pieces)

    @given(
        st.lists(
            st.sampled_from(
                [b"\r", b"\n", b".", b"\r\n", b"\r\n.", b"\r\n.\r\n", b"a", b"bcdefgh"]
            ),
            max_size=30,
        ),
        st.lists(st.integers(0, 120), max_size=12),
        st.sampled_from([0, 1, 3, 8, 998]),
    )
    def test_random(self, parts: list[bytes], places: list[int], limit: int) -> None:
        """Random streams, cut at random places, against the decoder by line."""
        stream = b"".join(parts)
        bounds = [0, *sorted(min(place, len(stream)) for place in places), len(stream)]
        pieces = [stream[a:b] for a, b in pairwise(bounds)]
        wanted = by_line(stream, limit or len(stream))
        found = decode(pieces, limit)
        if wanted is None:
            self.assertIsNone(found.rest)
        else:
            self.assertEqual(found, wanted)

    def test_any_line(self) -> None:
        """With limit 0 no line is too long."""
        self.assertFalse(decode([b"a" * 10_000, b"\r\n.\r\n"], 0).long_line)

    def test_long_line_in_pieces(self) -> None:
        """A line that is too long is noted however it is cut; others never are."""
        for length, is_long in ((998, False), (999, True), (5000, True)):
            line = b"a" * length + b"\r\n"
            stream = b"b\r\n" + line + b".\r\n"
            for size in (1, 7, 100, 997, 998, 999, 1000, 1001, 6000):
                pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
                found = decode(pieces, 998)
                self.assertEqual(found.long_line, is_long, (length, size))

    def test_held_back_is_bounded(self) -> None:
        """What may be the beginning of the end is held back: 4 octets at most."""
        for tail in (b"\r", b"\r\n", b"\r\n.", b"\r\n.\r", b"\r\r", b"\n."):
            decoder = DataDecoder(0)
            piece, rest = decoder.feed(b"abc" + tail)
            self.assertIsNone(rest)
            self.assertLessEqual(len(b"abc" + tail) - len(piece), 4, tail)
            self.assertTrue(piece.startswith(b"abc"))


class RepairTests(SynchronousTestCase):
    """Making every line end a CRLF."""

    def test_repair(self) -> None:
        """CR, LF and CRLF each become one CRLF."""
        for data, repaired in (
            (b"", b""),
            (b"a\r\nb", b"a\r\nb"),
            (b"a\nb\rc\r\n", b"a\r\nb\r\nc\r\n"),
            (b"\n\n\r\r", b"\r\n\r\n\r\n\r\n"),
            (b"\r\r\n\n", b"\r\n\r\n\r\n"),
        ):
            self.assertEqual(repair_newlines(data), repaired, data)

    @given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a"])))
    def test_random(self, parts: list[bytes]) -> None:
        """Afterwards no CR or LF stands alone, and doing it again changes nothing."""
        repaired = repair_newlines(b"".join(parts))
        self.assertIsNone(re.search(rb"\r(?!\n)|(?<!\r)\n", repaired))
        self.assertEqual(repair_newlines(repaired), repaired)


class LeadingDotTests(SynchronousTestCase):
    """Where a line begins with a dot."""

    def test_found(self) -> None:
        """The first such line is found, however many other dots there are."""
        for dots in (0, 1, 15, 16, 17, 40):
            before = b"a.b" * dots
            for data, place in (
                (before + b"x\r\n.y\r\n.", len(before) + 1),
                (before + b"x\r\ny", -1),
                (before + b"\n.\r.", -1),
            ):
                self.assertEqual(find_leading_dot(data), place, data)

    def test_at_the_beginning(self) -> None:
        """A dot without a line end in front begins no line here."""
        for data in (b"", b".", b"..", b"\n.", b"a\n.", b".\r\n"):
            self.assertEqual(find_leading_dot(data), -1, data)
        self.assertEqual(find_leading_dot(b"\r\n."), 0)
