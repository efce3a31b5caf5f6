"""Tests of C{harakatw.message.seven_bit.convert}."""

from base64 import b64decode
from email import message_from_bytes, policy
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from harakatw.message.seven_bit.convert import LIMITS, to_seven_bit
from harakatw.message.seven_bit.errors import UnconvertibleError
from tests.message.specimens import foreign_messages
from tests.properties import given, st

MIXED = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"


def leaves(octets: bytes) -> list[tuple[str, bytes]]:
    """Type and content of each part, as a mail reader has them."""
    message = message_from_bytes(octets, policy=policy.compat32)
    return [(each.get_content_type(), _content(each)) for each in message.walk()]


def _content(part: "Message[str, str]") -> bytes:
    content = part.get_payload(decode=True)
    return b"" if part.is_multipart() else bytes(content)


class ConversionTestCase(SynchronousTestCase):
    """A test that converts."""

    def converted(self, octets: bytes) -> bytes:
        """It, which must be ASCII then, and mean what it meant."""
        converted = to_seven_bit(octets)
        self.assertTrue(converted.isascii())
        self.assertEqual(leaves(converted), leaves(octets))
        return converted

    def fails(self, octets: bytes) -> None:
        """It cannot be converted."""
        self.assertRaises(UnconvertibleError, to_seven_bit, octets)


class SinglePartTests(ConversionTestCase):
    """Messages without parts."""

    def test_text(self) -> None:
        """The encoding takes the place of the one that was declared."""
        converted = self.converted(
            b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n"
            b"Content-Type: text/plain; charset=iso-8859-1\r\n\r\nCaf\xe9 is open.\r\n"
        )
        self.assertEqual(
            converted,
            b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n"
            b"Content-Type: text/plain; charset=iso-8859-1\r\n\r\nCaf=E9 is open.\r\n",
        )

    def test_no_mime(self) -> None:
        """
        A message without MIME becomes one: in UTF-8 if that is what it is, else in a
        charset that nobody knows (RFC 1428).
        """
        for body, charset in (
            ("Grüße an alle".encode(), "utf-8"),
            (b"Gr\xfc\xdfe an alle im Haus", "unknown-8bit"),
        ):
            converted = to_seven_bit(b"Subject: x\r\n\r\n" + body + b"\r\n")
            found = message_from_bytes(converted, policy=policy.compat32)
            self.assertEqual(found["MIME-Version"], "1.0")
            self.assertEqual(found.get_content_charset(), charset)
            self.assertEqual(found.get_payload(decode=True), body + b"\r\n")

    def test_ascii(self) -> None:
        """What is ASCII already stays, and is not called 8bit any more."""
        head = b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: %b\r\n\r\nHello\r\n"
        self.assertEqual(to_seven_bit(head % b"8BIT"), head % b"7bit")
        self.assertEqual(to_seven_bit(head % b"base64"), head % b"base64")

    def test_binary(self) -> None:
        """Binary content is encoded even if it is ASCII, unless it is lines."""
        head = b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        for body in (b"a\nb", b"x" * 999, b"\0"):
            converted = self.converted(head + body)
            self.assertIn(b"Encoding: base64\r\n", converted)
        self.assertIn(b"Encoding: 7bit\r\n", to_seven_bit(head + b"a\r\nb\r\n"))

    def test_no_blank_line(self) -> None:
        """A header that goes over into text without a blank line gets one."""
        converted = to_seven_bit("Subject: a\r\nGrüße an alle im Haus\r\n".encode())
        self.assertIn(b"\r\n\r\nGr=C3=BC=C3=9Fe an alle im Haus\r\n", converted)

    def test_header_only(self) -> None:
        """There may be nothing but a header."""
        self.assertEqual(
            to_seven_bit("Subject: é".encode()), b"Subject: =?utf-8?b?w6k=?=\r\n"
        )

    def test_mislabelled(self) -> None:
        """What says it is encoded and is not is left to the sender."""
        for name in (b"base64", b"quoted-printable", b"x-uuencode"):
            self.fails(b"Content-Transfer-Encoding: %b\r\n\r\n\xe9\r\n" % name)

    def test_long_header(self) -> None:
        """A header without an end is not searched without end."""
        self.fails(b"X: " + b"a" * (1 << 20) + b"\r\n\r\n\xe9")


class MultipartTests(ConversionTestCase):
    """Messages of several parts."""

    def test_parts(self) -> None:
        """Each part is encoded as fits it; those in ASCII keep their octets."""
        plain = b"--x\r\nContent-Type: text/plain\r\n\r\nplain = text \r\n"
        converted = self.converted(
            MIXED
            + b"pre\r\n"
            + plain
            + "--x\r\nContent-Type: text/html\r\n\r\n<p>Café is open</p>\r\n".encode()
            + b"--x\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n\r\n--x--\r\npost\r\n"
        )
        self.assertIn(plain, converted)
        self.assertEqual(converted.count(b"quoted-printable"), 1)
        self.assertEqual(converted.count(b"base64"), 1)
        self.assertTrue(converted.endswith(b"--x--\r\npost\r\n"))

    def test_declared(self) -> None:
        """A multipart is as wide as its widest part, which is narrow now."""
        converted = self.converted(
            b"Content-Transfer-Encoding: 8bit\r\n"
            + MIXED
            + b"--x\r\n\r\nCaf\xe9 is open\r\n--x--\r\n"
        )
        self.assertTrue(converted.startswith(b"Content-Transfer-Encoding: 7bit\r\n"))

    def test_between(self) -> None:
        """What stands around parts is read by nobody, and becomes question marks."""
        converted = to_seven_bit(
            MIXED + b"\xe9\r\n--x\r\n\r\n\xe9\r\n--x--\r\n\xe9\r\n"
        )
        self.assertTrue(converted.startswith(MIXED + b"?\r\n--x\r\n"))
        self.assertTrue(converted.endswith(b"--x--\r\n?\r\n"))

    def test_nested(self) -> None:
        """Multiparts stand in multiparts and messages; an outer boundary ends all."""
        inner = MIXED.replace(b"boundary=x", b'boundary="y z"')
        part = b"\r\n--y z \r\n\r\nCaf\xe9 is open\r\n"
        self.converted(MIXED + b"--x\r\n" + inner + part + b"--y z--\r\n--x--\r\n")
        converted = self.converted(
            MIXED + b"--x\r\n" + inner + part + b"--x\r\n\r\n\xe9\r\n--x--\r\n"
        )
        self.assertEqual(len(leaves(converted)), 4)

    def test_messages(self) -> None:
        """
        A message within the message is converted by its parts, since it may not be
        encoded as a whole (RFC 2046 section 5.2.1); so is each of a digest.
        """
        inner = "Subject: é\r\n\r\nCafé is open\r\n".encode()
        converted = to_seven_bit(
            MIXED
            + b"--x\r\nContent-Type: message/rfc822\r\n\r\n"
            + inner
            + b"--x--\r\n"
        )
        self.assertIn(b"Subject: =?utf-8?b?w6k=?=\r\n", converted)
        self.assertIn(b"\r\n\r\nCaf=C3=A9 is open", converted)
        digest = MIXED.replace(b"mixed", b"digest")
        converted = to_seven_bit(digest + b"--x\r\n\r\n" + inner + b"--x--\r\n")
        self.assertIn(b"\r\n\r\nCaf=C3=A9 is open", converted)

    def test_sealed(self) -> None:
        """A signed part is not touched: the message passes if it needs not be."""
        signed = MIXED.replace(b"mixed", b"signed")
        rest = b"--x\r\nContent-Transfer-Encoding: 8bit\r\n\r\nplain \r\n--x--\r\n\xe9"
        self.fails(signed + b"--x\r\n\r\n\xe9\r\n--x--\r\n")
        self.fails(signed + b"--x\r\nSubject: \xe9\r\n\r\na\r\n--x--\r\n")
        self.fails(
            signed
            + b"--x\r\n"
            + MIXED.replace(b"=x", b"=y")
            + b"--y\r\n\r\n\xe9\r\n--y--\r\n--x--\r\n"
        )
        outer = MIXED.replace(b"=x", b"=y")
        kept = signed + rest[:-1]
        converted = self.converted(
            outer + b"--y\r\n" + kept + b"\r\n--y\r\n\r\n\xe9\r\n--y--\r\n"
        )
        self.assertIn(kept, converted)

    def test_reports(self) -> None:
        """
        The machine's part of a report may not be encoded (RFC 3464 section 2.1), that
        of an internationalised one may (RFC 6533 section 3).
        """
        part = b"--x\r\nContent-Type: message/%b\r\n\r\nX: \xc3\xa9\r\n--x--\r\n"
        for kind in (b"delivery-status", b"partial", b"external-body"):
            self.fails(MIXED + part % kind)
        converted = to_seven_bit(MIXED + part % b"global-delivery-status")
        self.assertIn(b"Content-Transfer-Encoding: ", converted)

    def test_global(self) -> None:
        """
        A message whose addresses are beyond ASCII may stand encoded in another (RFC
        6532 section 3.5), parts and all.
        """
        inner = "From: <é@é.example>\r\n".encode() + MIXED.replace(b"=x", b"=y")
        inner += "--y\r\n\r\né\r\n--y--\r\n".encode()
        head = b"--x\r\nContent-Type: message/global\r\n"
        converted = to_seven_bit(MIXED + head + b"\r\n" + inner + b"\r\n--x--\r\n")
        _, _, encoded = converted.partition(head)
        name, _, encoded = encoded.partition(b"\r\n\r\n")
        self.assertEqual(name, b"Content-Transfer-Encoding: base64")
        encoded, _, rest = encoded.partition(b"\r\n--x--\r\n")
        self.assertEqual((b64decode(encoded), rest), (inner, b""))

    def test_no_boundary(self) -> None:
        """A multipart without a boundary has no parts that could be encoded."""
        self.fails(b"Content-Type: multipart/mixed\r\n\r\n\xe9\r\n")

    def test_no_parts(self) -> None:
        """Nor has one in which the boundary never comes: all of it may be text."""
        self.fails(MIXED + b"\xe9\r\n")
        self.fails(MIXED + b"--x\r\n" + MIXED.replace(b"=x", b"=y") + b"\xe9\r\n--x--")

    def test_empty_parts(self) -> None:
        """Parts without content, without a header, without either."""
        self.converted(
            MIXED
            + b"--x\r\nX: a\r\n--x\r\n\r\n--x\r\n--x\r\nX: b\r\n\r\n"
            + b"--x\r\n\r\n\xe9\r\n--x--"
        )


class LimitTests(ConversionTestCase):
    """Messages that were made to hurt."""

    def test_parts(self) -> None:
        """There may be a thousand parts."""
        for parts, is_ok in ((LIMITS.max_parts - 1, True), (LIMITS.max_parts, False)):
            octets = MIXED + b"--x\r\n\r\n\xe9\r\n" * parts + b"--x--\r\n"
            if is_ok:
                self.assertEqual(to_seven_bit(octets).count(b"base64"), parts)
            else:
                self.fails(octets)

    def test_depth(self) -> None:
        """Fifty multiparts may stand in one another, and messages like parts."""

        def nested(depth: int) -> bytes:
            heads = (MIXED.replace(b"=x", b"=x%d" % each) for each in range(depth))
            opened = (b"%b--x%d\r\n" % (head, at) for at, head in enumerate(heads))
            return b"".join(opened) + b"\r\n\xe9\r\n"

        self.assertTrue(to_seven_bit(nested(LIMITS.max_depth)).isascii())
        self.fails(nested(LIMITS.max_depth + 1))
        self.fails(b"Content-Type: message/rfc822\r\n\r\n" * LIMITS.max_parts)

    def test_dashes(self) -> None:
        """A message of nothing but lines that could be delimiters."""
        octets = MIXED + b"--y\r\n" * 100_000 + b"--x\r\n\r\n\xe9\r\n--x--\r\n"
        self.assertEqual(to_seven_bit(octets).count(b"base64"), 1)

    def test_same_boundary(self) -> None:
        """A part with the boundary of the whole is read as what comes first."""
        octets = MIXED + b"--x\r\n" + MIXED + b"--x\r\n\r\n\xe9\r\n--x--\r\n--x--\r\n"
        self.assertTrue(to_seven_bit(octets).isascii())


class AnyMessageTests(ConversionTestCase):
    """Whatever comes."""

    def test_samples(self) -> None:
        """
        Messages of other projects, with octets above 127 put into their text, mean the
        same afterwards.
        """
        samples = foreign_messages()
        if not samples:
            raise SkipTest("the sample messages are not beside the checkout")
        done = 0
        for name, octets in samples.items():
            head, blank, body = octets.partition(b"\r\n\r\n")
            wide = head + blank + body.replace(b" the ", b" th\xe9 ")
            try:
                converted = to_seven_bit(wide)
            except UnconvertibleError:
                continue
            done += 1
            self.assertTrue(converted.isascii(), name)
            self.assertEqual(leaves(converted), leaves(wide), name)
        self.assertGreater(done, len(samples) // 2)

    @given(st.binary(max_size=300))
    def test_octets(self, octets: bytes) -> None:
        """Any octets are converted or refused."""
        try:
            converted = to_seven_bit(octets)
        except UnconvertibleError:
            return
        self.assertTrue(converted.isascii())

    @given(
        st.recursive(
            st.tuples(
                st.sampled_from(("text/plain", "text/html", "image/png")),
                st.binary(max_size=60).map(lambda it: it.replace(b"\r", b"")),
            ),
            lambda parts: st.lists(parts, min_size=1, max_size=3),
            max_leaves=8,
        )
    )
    def test_trees(self, tree: object) -> None:
        """Any tree of parts means the same afterwards, however it is nested."""
        octets = _built(tree).as_bytes(policy=policy.compat32.clone(linesep="\r\n"))
        self.converted(octets + b"\r\n")


def _built(tree: object) -> "Message[str, str]":
    if isinstance(tree, list):
        whole = MIMEMultipart()
        for part in tree:
            whole.attach(_built(part))
        return whole
    assert isinstance(tree, tuple)
    kind, content = tree
    leaf = MIMENonMultipart(*kind.split("/"))
    leaf["Content-Transfer-Encoding"] = "8bit"
    leaf.set_payload(content.decode("ascii", "surrogateescape"))
    return leaf
