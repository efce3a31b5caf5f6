"""Tests of C{harakatw.message.seven_bit.fields}."""

from email import message_from_bytes, policy

from twisted.trial.unittest import SynchronousTestCase

from harakatw.message.seven_bit.errors import UnconvertibleError
from harakatw.message.seven_bit.fields import seven_bit_head


class HeadTests(SynchronousTestCase):
    """Fields in raw UTF-8, which some programs write."""

    def field(self, name: str, value: str) -> str:
        """What a mail reader makes of a field after it was encoded."""
        head = seven_bit_head(f"{name}: {value}\r\n".encode())
        self.assertTrue(head.isascii())
        return str(message_from_bytes(head, policy=policy.default)[name])

    def test_text(self) -> None:
        """A subject says what it said."""
        for name in ("Subject", "X-Comment", "Content-Description"):
            self.assertEqual(self.field(name, "Grüße, Jörg"), "Grüße, Jörg")

    def test_addresses(self) -> None:
        """
        A display name may be in quotes or not, and may hold a comma; the address stays
        as it is.
        """
        for written, meant in (
            ('"Müller, Jörg" <j@a.example>', '"Müller, Jörg" <j@a.example>'),
            ("Jörg Müller <j@a.example>", "Jörg Müller <j@a.example>"),
            ('"a \\" é" <j@a.example>', '"a \\" é" <j@a.example>'),
            ("A <a@b.example>, É <c@d.example>", "A <a@b.example>, É <c@d.example>"),
        ):
            self.assertEqual(self.field("To", written), meant)

    def test_comment(self) -> None:
        """A comment beside an address is encoded within its parentheses."""
        head = seven_bit_head("From: j@a.example (Jörg)\r\n".encode())
        self.assertEqual(head, b"From: j@a.example (=?utf-8?q?J=C3=B6rg?=)\r\n")

    def test_parameters(self) -> None:
        """A file's name becomes a parameter of RFC 2231."""
        head = seven_bit_head(
            'Content-Disposition: Attachment; size=7; filename="ü b.pdf"\r\n'.encode()
        )
        found = message_from_bytes(head, policy=policy.default)
        self.assertEqual(found.get_filename(), "ü b.pdf")
        self.assertIn(b'size="7"', head)

    def test_others_stay(self) -> None:
        """Fields in ASCII keep their octets, folds and all."""
        plain = b"X-Y:  a\r\n\tb\r\nDate: now\r\n"
        head = seven_bit_head(plain + "Subject: é\r\n".encode())
        self.assertEqual(head, plain + b"Subject: =?utf-8?b?w6k=?=\r\n")

    def test_impossible(self) -> None:
        """
        An address beyond ASCII, a field that is no text, another charset: there is no
        way to say these in ASCII.
        """
        for head in (
            "To: <é@a.example>\r\n".encode(),
            "To: é@a.example\r\n".encode(),
            'To: "é"@a.example\r\n'.encode(),
            "Message-ID: <é@a.example>\r\n".encode(),
            b"Subject: caf\xe9\r\n",
            "Subjéct: a\r\n".encode(),
            "Subject: \x01é\r\n".encode(),
        ):
            self.assertRaises(UnconvertibleError, seven_bit_head, head)
