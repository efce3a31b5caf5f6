"""Lines of a report that strangers had a hand in."""

from email.header import decode_header, make_header

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.dsn.text import clean_line, folded_field
from tests.abuse.inputs import HOSTILE_TEXTS


class CleanTests(SynchronousTestCase):
    """One line of printable text."""

    def test_blanks(self) -> None:
        """Line ends of all sorts become blanks, and runs of them one."""
        self.assertEqual(clean_line(" a\r\nb\u2028 \tc\x0bd\x85e "), "a b c d e")

    def test_controls(self) -> None:
        """Terminal escapes and turns of the writing direction become visible."""
        self.assertEqual(clean_line("\x1b[2J a\u202eb \0\x7f"), "?[2J a?b ??")

    def test_length(self) -> None:
        """A long text is cut off, and shows it."""
        self.assertEqual(clean_line("x" * 9, 9), "x" * 9)
        self.assertEqual(clean_line("x" * 10, 9), "x" * 6 + "...")

    def test_hostile(self) -> None:
        """Survey row 11: whatever it was, it is one line."""
        for text in HOSTILE_TEXTS:
            line = clean_line(text)
            self.assertTrue(line.isprintable(), ascii(text[:50]))
            self.assertLessEqual(len(line), 320)


class FieldTests(SynchronousTestCase):
    """Fields of a header."""

    def test_folded(self) -> None:
        """A long value goes on in another line, after a blank."""
        field = folded_field("Diagnostic-Code", "smtp; 550 " + "word " * 30)
        lines = field.split(b"\r\n")
        self.assertEqual(lines.pop(), b"")
        self.assertGreater(len(lines), 1)
        self.assertTrue(lines[0].startswith(b"Diagnostic-Code: smtp; 550 word"))
        for line in lines[1:]:
            self.assertTrue(line.startswith(b" word"))
            self.assertLessEqual(len(line), 78)

    def test_long_word(self) -> None:
        """A word longer than a line may be is cut; the first stays with the name."""
        lines = folded_field("X", "y" * 5000).split(b"\r\n")
        self.assertTrue(lines[0].startswith(b"X: yyy"))
        self.assertLessEqual(max(map(len, lines)), 998)

    def test_encoded(self) -> None:
        """Text beyond ASCII becomes encoded words, or UTF-8 where that may be."""
        field = folded_field("Subject", "Grüße an bob")
        self.assertTrue(field.isascii())
        value = field.decode("ascii").partition(":")[2].strip()
        self.assertEqual(str(make_header(decode_header(value))), "Grüße an bob")
        self.assertEqual(
            folded_field("Subject", "Grüße", utf8=True), "Subject: Grüße\r\n".encode()
        )

    @given(st.text(), st.booleans())
    def test_random(self, text: str, utf8: bool) -> None:
        """No text begins another field or the body, or is too long for a line."""
        field = folded_field("Subject", clean_line(text), utf8=utf8)
        *lines, last = field.split(b"\r\n")
        self.assertEqual(last, b"")
        for line in lines[1:]:
            self.assertRegex(line, rb"\A [^ ]")
        for line in lines:
            self.assertNotRegex(line, rb"[\r\n\0]")
            self.assertLessEqual(len(line), 998)
