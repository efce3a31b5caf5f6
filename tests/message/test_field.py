"""Tests of C{harakatw.message.field}."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.message.encoded_words import decode_words
from harakatw.message.field import is_field_name, make_field
from harakatw.message.header import Header
from tests.properties import given, st

FORBIDDEN = "\x00\x07\n\r\x0b\x0c\x1c\x1d\x1e\x7f\x85\x9f\u2028\u2029\ud800"


class MakeTests(SynchronousTestCase):
    """Fields that plugins add."""

    def test_simple(self) -> None:
        """A short value stands as it is, without blanks around it."""
        self.assertEqual(make_field("X-A", " b  c\t"), b"X-A: b  c\r\n")
        self.assertEqual(make_field("X-A", ""), b"X-A:\r\n")

    def test_injection(self) -> None:
        """
        No value brings a second field with it, not even for a program that has strange
        ideas of what a line is (survey row 10, CVE-2024-6923).
        """
        for character in FORBIDDEN:
            for value in (f"a{character}Bcc: x", f"a{character}", f"{character}a"):
                error = self.assertRaises(ValueError, make_field, "X-Why", value)
                self.assertIn("X-Why", str(error))

    def test_injection_behind_fold(self) -> None:
        """The lines of a folded value are checked too."""
        for value in ("a\r\n b\nc: d", "a\r\n\r\n b", "a\r\n b\r", "a\r\r\n b"):
            self.assertRaises(ValueError, make_field, "X-A", value)

    def test_blank_line(self) -> None:
        """No line of blanks is made: some programs would end the header there."""
        self.assertRaises(ValueError, make_field, "X-A", "a\r\n \r\n b")

    def test_names(self) -> None:
        """A name that cannot be one is refused."""
        for name in ("", "a b", "a:", "é", "a\r\n", "a\n", "\x7f", "x" * 501):
            self.assertFalse(is_field_name(name))
            self.assertRaises(ValueError, make_field, name, "x")
        for name in ("__class__", "__proto__", "items", "X-A", "!", "x" * 70):
            self.assertEqual(make_field(name, "b"), f"{name}: b\r\n".encode())

    def test_keeps_folds(self) -> None:
        """A value that a plugin folded keeps its folds; a bare LF becomes CRLF."""
        field = make_field("X-A", "a;\r\n\tb;\n  c" + "d" * 100)
        self.assertEqual(field, b"X-A: a;\r\n\tb;\r\n  c" + b"d" * 100 + b"\r\n")
        value = "a\r\n " + "word " * 100 + "end"
        self.assertEqual(make_field("X-A", value), f"X-A: {value}\r\n".encode())

    def test_folds(self) -> None:
        """
        A long value is folded before blanks, so that nothing but line ends is new.
        """
        value = " ".join(["word"] * 100) + "  \t end"
        field = make_field("Subject", value)
        for line in field.split(b"\r\n"):
            self.assertLessEqual(len(line), 78)
        self.assertEqual(field.replace(b"\r\n", b""), f"Subject: {value}".encode())

    def test_long_word(self) -> None:
        """A word is never cut; one that is too long for any line is refused."""
        field = make_field("X-A", "a " + "b" * 997)
        self.assertEqual(field, b"X-A: a\r\n " + b"b" * 997 + b"\r\n")
        self.assertRaises(ValueError, make_field, "X-A", "b" * 998)
        name = "x" * 100
        self.assertEqual(make_field(name, ""), f"{name}:\r\n".encode())
        self.assertEqual(make_field(name, "b c"), f"{name}: b\r\n c\r\n".encode())

    def test_foreign(self) -> None:
        """Text that is not ASCII is encoded and folded, and reads as it was."""
        value = "Ünïcödé " * 50
        field = make_field("Subject", value)
        for line in field.split(b"\r\n"):
            self.assertLessEqual(len(line), 78)
        self.assertEqual(Header(field).get_decoded("subject"), value.strip())

    @given(
        st.text(st.characters(exclude_characters="=")),
        st.sampled_from(["A", "X-Long-Name"]),
    )
    def test_anything(self, value: str, name: str) -> None:
        """A field is refused, or is one field of one name that reads as it was."""
        try:
            field = make_field(name, value)
        except ValueError:
            return
        self.assertTrue(field.isascii() and field.endswith(b"\r\n"))
        for line in field[:-2].split(b"\r\n")[1:]:
            self.assertIn(line[:1], (b" ", b"\t"))
            self.assertNotEqual(line.strip(b" \t"), b"")
        header = Header(field)
        self.assertEqual(header.names(), [name])
        if "\n" not in value:
            self.assertEqual(decode_words(header.get(name)), value.strip(" \t"))
