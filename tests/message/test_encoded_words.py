"""Tests of C{harakatw.message.encoded_words}."""

from email.header import decode_header, make_header

from twisted.trial.unittest import SynchronousTestCase

from harakatw.message.encoded_words import decode_words, encode_text
from tests.properties import given, st

TEXT = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=300
).filter(lambda text: "=?" not in text)


class DecodingTests(SynchronousTestCase):
    """Encoded words, as mailers write them."""

    def test_examples(self) -> None:
        """The examples of RFC 2047 section 8 read as it says."""
        for encoded, text in (
            ("(=?ISO-8859-1?Q?a?=)", "(a)"),
            ("(=?ISO-8859-1?Q?a?= b)", "(a b)"),
            ("(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"),
            ("(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)"),
            ("(=?ISO-8859-1?Q?a_b?=)", "(a b)"),
            ("(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"),
            (
                "=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?= <keld@dkuug.dk>",
                "Keld Jørn Simonsen <keld@dkuug.dk>",
            ),
        ):
            self.assertEqual(decode_words(encoded), text)

    def test_language(self) -> None:
        """A language may follow the charset (RFC 2231 section 5)."""
        self.assertEqual(decode_words("=?us-ascii*en-us?q?this_is?="), "this is")

    def test_character_in_two_words(self) -> None:
        """A character whose octets some mailer put into two words is put together."""
        words = "=?utf-8?b?w6k=?= =?UTF-8?q?=C3?= =?utf-8?q?=A9?="
        self.assertEqual(decode_words(words), "éé")

    def test_two_charsets(self) -> None:
        """Words that follow each other may have different charsets."""
        words = "=?iso-8859-1?q?=E9?= =?koi8-r?q?=C1?= =?iso-8859-1?q?=E9?="
        self.assertEqual(decode_words(words), "éаé")

    def test_broken(self) -> None:
        """What is no encoded word stays; bad base64 gives what can be had of it."""
        for text in ("=?utf-8?x?a?=", "=?utf-8?q?a", "=??q?a?=", "a = ? b", "=?=?=?"):
            self.assertEqual(decode_words(text), text)
        for text in ("=?utf-8?b?aGk?=", "=?utf-8?b?aGk=!?=", "=?utf-8?b?aGkAA?="):
            self.assertTrue(decode_words(text).startswith("hi"))
        self.assertEqual(decode_words("=?utf-8?b?a?="), "")
        self.assertEqual(decode_words("=?utf-8?q?=zz=?="), "=zz")

    def test_control_characters(self) -> None:
        """
        Decoded text holds no line end, so that a subject cannot bring a second field or
        a second log line with it.
        """
        decoded = decode_words("=?utf-8?q?a=0D=0ABcc:_x=00=1B?=")
        self.assertEqual(decoded, "a\ufffd\ufffdBcc: x\ufffd\ufffd")

    def test_many(self) -> None:
        """Ten thousand encoded words are read in one go (survey row 14)."""
        self.assertEqual(decode_words("=?utf-8?q?a?= " * 10_000), "a" * 10_000 + " ")
        hostile = "=?utf-8?q?" * 50_000
        self.assertEqual(decode_words(hostile), hostile)
        self.assertEqual(decode_words("=?" * 100_000), "=?" * 100_000)

    @given(st.text())
    def test_anything(self, text: str) -> None:
        """No header makes decoding fail."""
        decode_words(text)
        decode_words(f"=?{text}?q?{text}?= =?utf-8?b?{text}?=")


class EncodingTests(SynchronousTestCase):
    """Text that a plugin puts into a header."""

    def test_ascii(self) -> None:
        """What is ASCII stays, also what a plugin encoded itself."""
        for text in ("", "[SPAM]  hello", "=?utf-8?q?done?="):
            self.assertEqual(encode_text(text), text)

    def test_only_foreign_words(self) -> None:
        """Addresses beside a foreign name stay readable for programs."""
        encoded = encode_text("Jörg Müller <jm@e.example>")
        self.assertEqual(encoded, "=?utf-8?q?J=C3=B6rg_M=C3=BCller?= <jm@e.example>")

    def test_other_script(self) -> None:
        """Text of another script is written in base64, which is shorter."""
        self.assertEqual(encode_text("Привет"), "=?utf-8?b?0J/RgNC40LLQtdGC?=")

    @given(TEXT)
    def test_round_trip(self, text: str) -> None:
        """Any text comes back as it was, and no word is longer than allowed."""
        encoded = encode_text(text)
        self.assertTrue(encoded.isascii())
        self.assertEqual(decode_words(encoded), text)
        for word in encoded.split(" "):
            if word.startswith("=?"):
                self.assertLessEqual(len(word), 75)

    @given(TEXT.map(str.strip).filter(lambda text: not text.isascii()))
    def test_others_can_read(self, text: str) -> None:
        """Python's own mail package reads each encoded word as we meant it."""
        encoded = encode_text(text.replace(" ", "\u00e9"))
        read = str(make_header(decode_header(encoded)))
        self.assertEqual(read, text.replace(" ", "\u00e9"))
