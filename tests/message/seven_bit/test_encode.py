"""Tests of C{harakatw.message.seven_bit.encode}."""

import base64
import quopri

from twisted.trial.unittest import SynchronousTestCase

from harakatw.message.seven_bit.encode import encoded, is_lines
from tests.properties import given, st

LINES = st.lists(st.binary(max_size=200)).map(b"\r\n".join)
TEXT = LINES.filter(lambda text: b"\n" not in text.replace(b"\r\n", b""))


def decoded(name: str, octets: bytes) -> bytes:
    """What a reader makes of it."""
    if name == "base64":
        return base64.b64decode(octets)
    return quopri.decodestring(octets)


class EncodedTests(SynchronousTestCase):
    """Content of one part."""

    def test_text(self) -> None:
        """Text stays readable: what is ASCII is there as it was, but for some signs."""
        name, lines = encoded("Grüße = \r\nvon uns allen\r\n".encode(), is_text=True)
        self.assertEqual(name, "quoted-printable")
        self.assertEqual(lines, b"Gr=C3=BC=C3=9Fe =3D=20\r\nvon uns allen\r\n")

    def test_last_line(self) -> None:
        """A last line without an end gets none, and a blank at its end survives."""
        self.assertEqual(encoded(b"caf\xe9 is there ", is_text=True)[1][-4:], b"e=20")

    def test_foreign_text(self) -> None:
        """Text in another alphabet would be three times as long: it is base64."""
        name, lines = encoded("Доброе утро".encode(), is_text=True)
        self.assertEqual(name, "base64")
        self.assertEqual(base64.b64decode(lines).decode(), "Доброе утро")

    def test_other(self) -> None:
        """What is no text is base64, whatever it is."""
        self.assertEqual(encoded(b"abcdefgh\xe9", is_text=False)[0], "base64")

    def test_bare_line_ends(self) -> None:
        """Binary content that is called text keeps its octets, line ends and all."""
        content = b"one\ntwo\rthree\r\n\xe9 and so on until it is long enough"
        name, lines = encoded(content, is_text=True)
        self.assertEqual((name, decoded(name, lines)), ("base64", content))

    @given(st.binary(max_size=2000), st.booleans())
    def test_any(self, content: bytes, is_text: bool) -> None:
        """Whatever it is, it comes out again, and the lines are fit for any host."""
        name, lines = encoded(content, is_text=is_text)
        self.assertTrue(lines.isascii() and is_lines(lines))
        self.assertLessEqual(max(map(len, lines.split(b"\r\n"))), 76)
        self.assertEqual(decoded(name, lines), content)

    @given(TEXT)
    def test_any_text(self, content: bytes) -> None:
        """So does text in lines."""
        name, lines = encoded(content, is_text=True)
        self.assertTrue(lines.isascii() and is_lines(lines))
        self.assertEqual(decoded(name, lines), content)


class LinesTests(SynchronousTestCase):
    """What may be sent without an encoding."""

    def test_lines(self) -> None:
        """Lines of up to 998 octets that end in CRLF."""
        for content, expected in (
            (b"", True),
            (b"a\r\nb", True),
            (b"x" * 998 + b"\r\n" + b"y" * 998, True),
            (b"x" * 999, False),
            (b"a\nb", False),
            (b"a\rb", False),
            (b"a\0b", False),
        ):
            self.assertEqual(is_lines(content), expected, content[:10])
