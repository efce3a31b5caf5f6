"""Tests of C{harakatw.message.charset}."""

import codecs
import encodings

from twisted.trial.unittest import SynchronousTestCase

from harakatw.message import charset
from harakatw.message.charset import decode_octets


class CharsetTests(SynchronousTestCase):
    """Octets of charsets that messages name."""

    def test_spellings(self) -> None:
        """A charset is known by all the names that mailers use for it."""
        for name in ("iso-8859-1", "ISO_8859-1", "latin1", " L1 ", "cp819"):
            self.assertEqual(decode_octets(b"\xe9", name), "é")
        self.assertEqual(decode_octets(b"\xcf\xf0", "Windows-1251"), "Пр")
        self.assertEqual(decode_octets(b"\xc4\xe3", "GB2312"), "你")
        self.assertEqual(decode_octets(b'\x1b$B$"\x1b(B', "iso-2022-jp"), "あ")

    def test_unknown(self) -> None:
        """An unknown charset is read as UTF-8, and what that cannot be as U+FFFD."""
        for name in ("", "x-unknown", "default", "é", "utf-8\x00", "a" * 10_000):
            self.assertEqual(decode_octets("é".encode() + b"\xff", name), "é\ufffd")

    def test_not_charsets(self) -> None:
        """Codecs of Python that are no charsets are not run on what strangers send."""
        for name in (
            "zlib",
            "bz2",
            "hex",
            "rot13",
            "punycode",
            "idna",
            "undefined",
            "unicode_escape",
            "raw_unicode_escape",
            "mbcs",
        ):
            self.assertEqual(decode_octets(b"6869", name), "6869")

    def test_names_are_not_kept(self) -> None:
        """
        A stranger cannot fill the memory with names of charsets that do not exist.
        """
        before = len(vars(encodings)["_cache"])
        for number in range(50):
            decode_octets(b"a", f"x-{number}")
        self.assertEqual(len(vars(encodings)["_cache"]), before)

    def test_list(self) -> None:
        """Every codec of the list exists under this name and makes text of octets."""
        for name in vars(charset)["_CODECS"]:
            found = codecs.lookup(name)
            self.assertIsInstance(b"a+".decode(found.name, "replace"), str)
