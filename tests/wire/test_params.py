"""The parameters of C{MAIL FROM} and C{RCPT TO}."""

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import ProtocolError
from harakatw.wire.params import (
    EMPTY_PARAMS,
    MAX_PARAMS,
    decode_xtext,
    encode_xtext,
    parse_body,
    parse_params,
    parse_size,
)
from tests.properties import given, st


class _ReplyCase(SynchronousTestCase):
    def refusal(
        self, function: Callable[..., object], *call: object, **by: object
    ) -> bytes:
        """Code and status of the reply with which the function refuses."""
        error: ProtocolError = self.assertRaises(ProtocolError, function, *call, **by)
        return error.reply.encoded[:9]


class ParseTests(_ReplyCase):
    """Names and values."""

    def test_names(self) -> None:
        """Names are compared without case, values are kept as they came."""
        params = parse_params(b"Size=12 body=8BitMime SMTPUTF8")
        self.assertEqual(
            dict(params), {"SIZE": "12", "BODY": "8BitMime", "SMTPUTF8": None}
        )

    def test_none(self) -> None:
        """Blanks alone are no parameters, and cost nothing."""
        for text in (b"", b" ", b" \t "):
            self.assertIs(parse_params(text), EMPTY_PARAMS)

    def test_values(self) -> None:
        """A value may have any printable character but the equals sign."""
        value = "".join(map(chr, range(33, 127))).replace("=", "")
        self.assertEqual(parse_params(f"X={value}".encode())["X"], value)

    def test_malformed(self) -> None:
        """Empty values, bad names and control characters are refused."""
        for text in (
            b"=1",
            b"A=",
            b"-A=1",
            b"A_B=1",
            b"A=1=2",
            b"A=\x001",
            b"A=1\x0bB=2",
            b"A\r\nB",
            b"A=\x7f",
            b"A=\xfc",
            b"\xfc=1",
            b"A" * 65 + b"=1",
        ):
            self.assertEqual(self.refusal(parse_params, text), b"501 5.5.4", text)

    def test_utf8(self) -> None:
        """With SMTPUTF8 a value may be UTF-8, and nothing else; a name never is."""
        self.assertEqual(parse_params("A=ü".encode(), utf8=True)["A"], "ü")
        for text in (b"A=\xfc", "Ü=1".encode()):
            refusal = self.refusal(parse_params, text, utf8=True)
            self.assertEqual(refusal, b"501 5.5.4", text)

    def test_twice(self) -> None:
        """Row 24: two sizes are one too many, in whatever case."""
        self.assertEqual(self.refusal(parse_params, b"SIZE=1 size=99"), b"501 5.5.4")
        self.assertEqual(self.refusal(parse_params, b"A A"), b"501 5.5.4")

    def test_count(self) -> None:
        """There is an end to parameters."""
        words = [b"P%d" % number for number in range(MAX_PARAMS + 1)]
        self.assertEqual(len(parse_params(b" ".join(words[:-1]))), MAX_PARAMS)
        self.assertEqual(self.refusal(parse_params, b" ".join(words)), b"501 5.5.4")

    def test_fixed(self) -> None:
        """A plugin cannot change what the client said, least of all for others."""
        for params in (EMPTY_PARAMS, parse_params(b"A=1")):
            with self.assertRaises(TypeError):
                params["A"] = "2"  # type: ignore[index]


class SizeTests(_ReplyCase):
    """The declared size (RFC 1870)."""

    def test_number(self) -> None:
        """A size up to the limit is taken."""
        for value, size in (("0", 0), ("007", 7), ("1000", 1000)):
            self.assertEqual(parse_size(value, 1000), size)

    def test_no_limit(self) -> None:
        """A limit of 0 is no limit, and 20 digits are the most there can be."""
        self.assertEqual(parse_size("9" * 20, 0), 10**20 - 1)

    def test_too_big(self) -> None:
        """Row 24: a message that says it is too big is refused at once."""
        self.assertEqual(self.refusal(parse_size, "1001", 1000), b"552 5.3.4")
        self.assertEqual(self.refusal(parse_size, "9" * 20, 1000), b"552 5.3.4")

    def test_no_number(self) -> None:
        """Row 24: signs, exponents, foreign digits, and 30 digits are no size."""
        for value in (None, "", "-1", "+1", "1e9", "0x1", "1.0", "²", "٣", "1" * 30):
            self.assertEqual(self.refusal(parse_size, value, 0), b"501 5.5.4", value)


class BodyTests(_ReplyCase):
    """The declared body type (RFC 6152, RFC 3030)."""

    def test_types(self) -> None:
        """Types are compared without case."""
        for value in ("7BIT", "7bit", "8BITMIME", "8bitmime"):
            self.assertEqual(parse_body(value, binary=False), value.upper())

    def test_binary(self) -> None:
        """BINARYMIME is refused unless it was announced."""
        self.assertEqual(parse_body("BinaryMIME", binary=True), "BINARYMIME")
        refusal = self.refusal(parse_body, "BINARYMIME", binary=False)
        self.assertEqual(refusal, b"501 5.5.4")

    def test_unknown(self) -> None:
        """Another type, or none, is refused."""
        for value in (None, "", "9BIT", "8BITMIME "):
            for binary in (True, False):
                refusal = self.refusal(parse_body, value, binary=binary)
                self.assertEqual(refusal, b"501 5.5.4", value)


class XtextTests(_ReplyCase):
    """Encoded values (RFC 3461 section 4)."""

    def test_decode(self) -> None:
        """A plus sign and two digits stand for an octet, in either case."""
        for value, text in (
            ("bob@d.example", "bob@d.example"),
            ("bob+2Bsales@d", "bob+sales@d"),
            ("a+3Db+3dc", "a=b=c"),
            ("a+20b", "a b"),
        ):
            self.assertEqual(decode_xtext(value), text)

    def test_hidden_controls(self) -> None:
        """Row 9: an encoded line end does not get into a log, a header or a bounce."""
        for value in ("a+0D+0ABcc:x", "+0a", "+00", "a+1B[2J", "+7F", "+09"):
            self.assertEqual(self.refusal(decode_xtext, value), b"501 5.5.4", value)
            refusal = self.refusal(decode_xtext, value, utf8=True)
            self.assertEqual(refusal, b"501 5.5.4", value)

    def test_malformed(self) -> None:
        """Half an octet, an equals sign, a blank or nothing is no xtext."""
        for value in (None, "", "+", "a+2", "a+2G", "a=b", "a b", "ü", "a\n", "+++"):
            self.assertEqual(self.refusal(decode_xtext, value), b"501 5.5.4", value)

    def test_octets_beyond_ascii(self) -> None:
        """Encoded UTF-8 is text where the caller wants it, and is refused elsewhere."""
        self.assertEqual(self.refusal(decode_xtext, "+C3+BC"), b"501 5.5.4")
        self.assertEqual(decode_xtext("+C3+BC", utf8=True), "ü")
        for value in ("+C3", "+FF", "+C2+85", "+E2+80+A8"):
            refusal = self.refusal(decode_xtext, value, utf8=True)
            self.assertEqual(refusal, b"501 5.5.4", value)

    def test_encode(self) -> None:
        """What cannot stand in a value is encoded, with capital digits."""
        self.assertEqual(encode_xtext("a+b=c d\r\nü"), "a+2Bb+3Dc+20d+0D+0A+C3+BC")

    @given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1))
    def test_round_trip(self, text: str) -> None:
        """Printable text survives."""
        self.assertEqual(decode_xtext(encode_xtext(text)), text)
        self.assertEqual(
            parse_params(f"X={encode_xtext(text)}".encode())["X"], encode_xtext(text)
        )

    @given(st.text())
    def test_random(self, value: str) -> None:
        """Whatever comes, there is an answer."""
        for utf8 in (True, False):
            try:
                self.assertTrue(decode_xtext(value, utf8=utf8).isprintable())
            except ProtocolError as error:
                self.assertEqual(error.reply.code, 501)
