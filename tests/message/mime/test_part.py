"""Tests of C{harakatw.message.mime.part}."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.message.header import Header
from harakatw.message.mime.part import Kind, Part, make_part


def part(*fields: bytes) -> Part:
    """A part with these fields."""
    return make_part(Header(b"".join(f + b"\r\n" for f in fields)), None, 0, 100)


class PartTests(SynchronousTestCase):
    """What a part says of itself, and what is made of nonsense."""

    def test_nothing(self) -> None:
        """A part that says nothing is text (RFC 2045 section 5.2)."""
        made = part()
        self.assertEqual(made.content_type, "text/plain")
        self.assertEqual((made.encoding, made.charset), ("7bit", ""))
        self.assertTrue(made.is_text)
        self.assertFalse(made.is_attachment)

    def test_nonsense(self) -> None:
        """A type that is none is text, too."""
        for value in b"", b"text", b"a/b/c", b"a b/c", b"/", b"\xff/x y":
            made = part(b"Content-Type: " + value)
            self.assertEqual(made.content_type, "text/plain", value)

    def test_case_and_comments(self) -> None:
        """Names are compared without regard to case and comments."""
        made = part(
            b"CONTENT-type: Text/HTML (really); Charset=UTF-8",
            b"content-TRANSFER-encoding: Base64 (so they say)",
        )
        self.assertEqual(made.content_type, "text/html")
        self.assertEqual((made.charset, made.encoding), ("UTF-8", "base64"))

    def test_first_counts(self) -> None:
        """Of several fields the first counts."""
        made = part(b"Content-Type: text/html", b"Content-Type: image/png")
        self.assertEqual(made.content_type, "text/html")

    def test_filename(self) -> None:
        """
        A name may stand in either field, encoded in any way (RFC 2183 section 2.3, RFC
        2231, RFC 2047).
        """
        for fields in (
            (b'Content-Disposition: attachment; filename="\xc3\xbc.exe"',),
            (b"Content-Disposition: x; filename*=utf-8''%C3%BC.exe",),
            (b"Content-Disposition: x; filename*0*=utf-8''%C3%BC; filename*1=.exe",),
            (b'Content-Type: a/b; name="=?utf-8?q?=C3=BC?=.exe"',),
        ):
            self.assertEqual(part(*fields).filename, "ü.exe", fields)

    def test_attachments(self) -> None:
        """Other types are attachments, and text whose sender says so."""
        for fields, expected in (
            ((b"Content-Type: text/html",), False),
            ((b"Content-Type: image/png",), True),
            ((b"Content-Type: image/png", b"Content-Disposition: inline"), True),
            ((b"Content-Disposition: ATTACHMENT",), True),
            ((b"Content-Type: message/delivery-status",), False),
            ((b"Content-Type: multipart/mixed",), True),  # without a boundary
            ((b"Content-Type: multipart/mixed; boundary=b",), False),
            ((b"Content-Type: message/rfc822",), False),
        ):
            self.assertEqual(part(*fields).is_attachment, expected, fields)

    def test_kinds(self) -> None:
        """Multiparts and messages are containers."""
        multi = part(b"Content-Type: multipart/x; boundary=b")
        self.assertIs(multi.kind, Kind.MULTIPART)
        self.assertEqual(multi.boundary, b"b")
        self.assertIs(part(b"Content-Type: message/rfc822").kind, Kind.MESSAGE)

    def test_many_sections(self) -> None:
        """Row 14: a name in ten thousand pieces is read up to the hundredth."""
        pieces = b"".join(b"; filename*%d=a" % number for number in range(9_999))
        made = part(b"Content-Disposition: attachment" + pieces)
        self.assertEqual(made.filename, "a" * 100)

    def test_many_words(self) -> None:
        """Row 14: ten thousand encoded words are read in one go."""
        words = b" ".join([b"=?utf-8?q?a?="] * 10_000)
        made = part(b'Content-Type: a/b; name="' + words + b'"')
        self.assertEqual(made.filename, "a" * 10_000)

    def test_comments(self) -> None:
        """Row 14: a hundred thousand open comments are no more than one."""
        made = part(b"Content-Type: text/html" + b"(" * 100_000)
        self.assertEqual(made.content_type, "text/html")
