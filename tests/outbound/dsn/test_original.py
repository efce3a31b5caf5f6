"""What comes back to the sender."""

from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.dsn.mime import Part
from harakatw.outbound.dsn.original import MAX_HEADER_OCTETS, Original, read_original

HEADER = b"From: a@b.example\r\nSubject: x\r\n y\r\n"
MESSAGE = HEADER + b"\r\nThe body.\r\n"


def content_type(part: Part | None) -> bytes:
    """What kind of part it is."""
    assert part is not None
    return part.head.partition(b": ")[2].partition(b"\r\n")[0]


class ReadTests(SynchronousTestCase):
    """How much is read."""

    def test_cut_anywhere(self) -> None:
        """The chunks may be cut anywhere."""
        for at in range(len(MESSAGE) + 1):
            original = read_original((MESSAGE[:at], MESSAGE[at:]), max_octets=1000)
            self.assertEqual(original, Original(HEADER, MESSAGE), at)

    def test_header_only(self) -> None:
        """Unless asked for, the message does not come back."""
        original = read_original((MESSAGE,), max_octets=0)
        self.assertEqual(original, Original(HEADER, None))

    def test_limit(self) -> None:
        """A message comes back up to the limit, and not in pieces."""
        size = len(MESSAGE)
        self.assertEqual(read_original((MESSAGE,), max_octets=size).whole, MESSAGE)
        self.assertIsNone(read_original((MESSAGE,), max_octets=size - 1).whole)

    def test_no_further_than_needed(self) -> None:
        """A large message is not read to its end."""
        read: list[int] = []

        def chunks() -> Iterator[bytes]:
            for number in range(1000):
                read.append(number)
                yield MESSAGE if not number else b"x" * 9998 + b"\r\n"

        for max_octets in (0, 100_000):
            read.clear()
            original = read_original(chunks(), max_octets=max_octets)
            self.assertEqual(original, Original(HEADER, None))
            self.assertLess(len(read), 20)

    def test_endless_header(self) -> None:
        """Of a header too long to come back, whole fields do."""
        field = b"X: " + b"y" * 900 + b"\r\n"
        original = read_original((field * 1000 + b"\r\nbody\r\n",), max_octets=0)
        self.assertGreater(len(original.header), MAX_HEADER_OCTETS - 1000)
        self.assertLessEqual(len(original.header), MAX_HEADER_OCTETS)
        self.assertEqual(original.header, field * (len(original.header) // len(field)))

    def test_line_ends(self) -> None:
        """What comes back has no bare line ends, as nothing that leaves."""
        original = read_original((b"A: b\nC: d\n\nx\ry",), max_octets=1000)
        self.assertEqual(original.whole, b"A: b\r\nC: d\r\n\r\nx\r\ny\r\n")
        self.assertEqual(original.header, b"A: b\r\nC: d\r\n")

    def test_lost(self) -> None:
        """If the message is lost, nothing comes back."""
        for max_octets in (0, 1000):
            original = read_original((), max_octets=max_octets)
            self.assertIsNone(original.part(is_utf8=False))
            self.assertEqual((original.subject, original.message_id), ("", ""))


class FieldTests(SynchronousTestCase):
    """What the report takes from the header."""

    def test_subject(self) -> None:
        """The first subject, decoded."""
        header = b"Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\nSubject: other\r\n"
        self.assertEqual(Original(header, None).subject, "grüße")

    def test_message_id(self) -> None:
        """The first id that has the form of one."""
        for value, found in (
            (b"<1.2@c.example>", "<1.2@c.example>"),
            (b"junk <1@c> <2@c>", "<1@c>"),
            (b"1@c", ""),
            (b"<1 @c>", ""),
            (b"<\xfc@c>", ""),
            (b"<" + b"x" * 300 + b">", ""),
        ):
            header = b"Message-Id: " + value + b"\r\n"
            self.assertEqual(Original(header, None).message_id, found)


class PartTests(SynchronousTestCase):
    """In which form it comes back (RFC 6522, RFC 6533 section 6)."""

    def test_types(self) -> None:
        """A message, or its header; in UTF-8 they have types of their own."""
        utf8 = "Subject: grüße\r\n".encode()
        for header, whole, is_utf8, kind in (
            (HEADER, None, False, b"text/rfc822-headers"),
            (HEADER, None, True, b"text/rfc822-headers"),
            (utf8, None, True, b"message/global-headers"),
            (utf8, None, False, b"text/rfc822-headers"),
            (HEADER, MESSAGE, False, b"message/rfc822"),
            (HEADER, MESSAGE, True, b"message/global"),
        ):
            part = Original(header, whole).part(is_utf8=is_utf8)
            self.assertEqual(content_type(part), kind)

    def test_header_is_ascii(self) -> None:
        """A header is encoded where it must be: the report passes every host."""
        part = Original("Subject: grüße\r\n".encode(), None).part(is_utf8=True)
        assert part is not None
        self.assertTrue(bytes(part).isascii())
        self.assertIn(b"Content-Transfer-Encoding: quoted-printable\r\n", part.head)
