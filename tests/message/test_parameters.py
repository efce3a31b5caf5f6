"""Tests of C{harakatw.message.parameters}."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.message.parameters import (
    MAX_SECTIONS,
    all_values,
    decode_parameters,
    parse_parameters,
    plain_parameter,
)
from tests.properties import given, st


class ParseTests(SynchronousTestCase):
    """Values with parameters."""

    def test_plain(self) -> None:
        """Names and the value itself are in lower case, quotes are taken off."""
        value = 'Text/Plain ; CHARSET="UTF-8"; format = flowed;; delsp=yes (a note)'
        expected = {"charset": "UTF-8", "format": "flowed", "delsp": "yes"}
        self.assertEqual(parse_parameters(value), ("text/plain", expected))

    def test_quoted(self) -> None:
        """
        A semicolon or an escaped quote inside quotes belongs to the value (RFC 2045
        section 5.1).
        """
        _, found = parse_parameters(r'a/b; name="x;y=\"z\" \\"; c=d')
        self.assertEqual(found, {"name": r'x;y="z" ' + "\\", "c": "d"})

    def test_empty(self) -> None:
        """A value may be empty, with or without quotes; a name without one is none."""
        self.assertEqual(parse_parameters('a; b=""; c=; d; =e')[1], {"b": "", "c": ""})
        self.assertEqual(parse_parameters(""), ("", {}))

    def test_unclosed_quote(self) -> None:
        """A quote that is never closed takes the rest, as in most mailers."""
        _, found = parse_parameters('a/b; boundary="x; c=d')
        self.assertEqual(found, {"boundary": "x; c=d"})

    def test_first_wins(self) -> None:
        """Of two parameters of one name, the first counts."""
        self.assertEqual(parse_parameters("a/b; c=1; C=2")[1], {"c": "1"})

    def test_sections(self) -> None:
        """The example of RFC 2231 section 4.1 reads as it says."""
        value = (
            "application/x-stuff; title*0*=us-ascii'en'This%20is%20even%20more%20; "
            'title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2="isn\'t it!"'
        )
        _, found = parse_parameters(value)
        self.assertEqual(found, {"title": "This is even more ***fun*** isn't it!"})

    def test_quotes_in_later_section(self) -> None:
        """Only the first section names a charset; later ones may hold apostrophes."""
        _, found = parse_parameters("a; n*0*=utf-8''%C3%A9; n*1*=b'c'd")
        self.assertEqual(found, {"n": "éb'c'd"})

    def test_charset(self) -> None:
        """A name in another charset is decoded (RFC 2231 section 4)."""
        _, found = parse_parameters("attachment; filename*=iso-8859-1'de'Gr%FC%DFe.exe")
        self.assertEqual(found, {"filename": "Grüße.exe"})

    def test_extended_wins(self) -> None:
        """The plain name beside an extended one is for old programs only."""
        value = "attachment; filename=x.txt; filename*=utf-8''%C3%A9.exe"
        self.assertEqual(parse_parameters(value)[1], {"filename": "é.exe"})

    def test_encoded_word(self) -> None:
        """An encoded word as a value is against RFC 2047 and common; it is decoded."""
        _, found = parse_parameters('attachment; filename="=?utf-8?q?=C3=A9?=.exe"')
        self.assertEqual(found, {"filename": "é.exe"})

    def test_order_and_gap(self) -> None:
        """Sections come in any order; after one that is missing the rest is dropped."""
        _, found = parse_parameters("a; n*1=b; n*0=a; n*3=d; n*=x")
        self.assertEqual(found, {"n": "ab"})

    def test_control_characters(self) -> None:
        """A decoded name holds no NUL and no line end."""
        _, found = parse_parameters("a; filename*=utf-8''a%00.txt%0D%0Ab")
        self.assertEqual(found, {"filename": "a\ufffd.txt\ufffd\ufffdb"})

    def test_many_sections(self) -> None:
        """Ten thousand sections are read up to the limit (survey row 14)."""
        value = "a" + "".join(f"; f*{number}=x" for number in range(10_000))
        self.assertEqual(parse_parameters(value)[1], {"f": "x" * MAX_SECTIONS})

    def test_hostile_forms(self) -> None:
        """Whatever is repeated, each character is looked at a few times (row 14)."""
        for unit in (
            ';a="',
            '"',
            ";",
            "\\",
            '"\\',
            "a*",
            ";a*0*=''",
            "(",
            " ",
            ";a ",
            "=;",
        ):
            main, _ = parse_parameters("x" + unit * (200_000 // len(unit)))
            self.assertTrue(main.startswith("x"))

    @given(st.text(), st.text(st.sampled_from("ab;=\"\\*0 '%(")))
    def test_anything(self, text: str, likely: str) -> None:
        """No value makes parsing fail."""
        for value in (text, likely, f"a;{likely}"):
            parse_parameters(value)
            decode_parameters(value)


class OneTests(SynchronousTestCase):
    """One parameter, for those who do not want all."""

    def test_plain_parameter(self) -> None:
        """A boundary is read as it stands: it is no text."""
        for value, expected in (
            ('a/b; c=d; Boundary="=?utf-8?q?x?="; boundary=e', "=?utf-8?q?x?="),
            (r'a/b; boundary="x\"y"', 'x"y'),
            ("a/b; boundary*0=x; boundary*1=y", "xy"),
            ("a/b; boundary", ""),
            ("a/b", ""),
        ):
            self.assertEqual(plain_parameter(value, "boundary"), expected, value)

    def test_all_values(self) -> None:
        """Of a name that is given several times, all are found."""
        value = 'x; n=a; N="b"; n*0=c; n*1=d; m=e; n==?utf-8?q?f?=; n=a'
        self.assertEqual(all_values(value, "n"), ["a", "b", "f", "cd"])
        self.assertEqual(all_values('x; n="=?utf-8?q?f?="', "n"), ["f"])
        self.assertEqual(all_values("n=a", "n"), [])


class DecodeTests(SynchronousTestCase):
    """Values for people to read."""

    def test_unchanged(self) -> None:
        """A value without extensions stays as it is, but for encoded words."""
        value = 'Attachment; filename="a*b"; size=5'
        self.assertEqual(decode_parameters(value), value)
        self.assertEqual(decode_parameters('x; n="=?utf-8?q?=C3=A9?="'), 'x; n="é"')

    def test_extended(self) -> None:
        """An extended value is written plainly, so that a pattern can find it."""
        value = "attachment; filename*0*=utf-8''%22a; filename*1=.exe"
        self.assertEqual(decode_parameters(value), 'attachment; filename="\\"a.exe"')
