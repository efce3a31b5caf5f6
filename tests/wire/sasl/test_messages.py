"""Messages of the mechanisms other than SCRAM."""

import json

from twisted.trial.unittest import SynchronousTestCase

from harakatw.wire.sasl.bearer import (
    BearerMessage,
    bearer_error,
    parse_oauthbearer,
    parse_xoauth2,
)
from harakatw.wire.sasl.cram import (
    cram_digest,
    is_cram_digest,
    make_cram_challenge,
    parse_cram,
)
from harakatw.wire.sasl.plain import PlainMessage, is_sane, parse_plain
from harakatw.wire.sasl.text import SASLError, decode_base64, saslprep
from tests.properties import given, st


class PlainTests(SynchronousTestCase):
    """PLAIN (RFC 4616)."""

    def test_examples(self) -> None:
        """The examples of section 4."""
        self.assertEqual(
            parse_plain(b"\0tim\0tanstaaftanstaaf"),
            PlainMessage("", "tim", "tanstaaftanstaaf"),
        )
        self.assertEqual(
            parse_plain(b"Ursel\0Kurt\0xipj3plmq"),
            PlainMessage("Ursel", "Kurt", "xipj3plmq"),
        )

    def test_malformed(self) -> None:
        """Too few parts, too many, or no UTF-8."""
        for message in b"", b"a", b"a\0b", b"a\0b\0c\0", b"\0\xff\0a", b"\0a\0\xc3":
            with self.assertRaises(SASLError, msg=message):
                parse_plain(message)

    def test_not_shown(self) -> None:
        """A message that ends up in a log does not show the password."""
        self.assertNotIn("geheim", repr(parse_plain(b"\0tim\0geheim")))

    def test_sane(self) -> None:
        """Nothing, and control characters, are no names."""
        for text in "", "a\0", "\r\n", "a\x7f":
            self.assertFalse(is_sane(text))
        self.assertTrue(is_sane("*)(uid=*"))


class CramTests(SynchronousTestCase):
    """CRAM-MD5 (RFC 2195)."""

    CHALLENGE = b"<1896.697170952@postoffice.reston.mci.net>"

    def test_example(self) -> None:
        """The example of section 2."""
        user, digest = parse_cram(b"tim b913a602c7eda7a495b4e6e7334d3890")
        self.assertEqual(user, "tim")
        self.assertTrue(is_cram_digest(digest, "tanstaaftanstaaf", self.CHALLENGE))
        self.assertFalse(is_cram_digest(digest, "tanstaaf", self.CHALLENGE))

    def test_user_with_blank(self) -> None:
        """The digest is what stands after the last blank."""
        digest = cram_digest("x", self.CHALLENGE)
        self.assertEqual(parse_cram(b"tim b " + digest)[0], "tim b")

    def test_malformed(self) -> None:
        """No digest, or half of one."""
        for answer in b"", b"tim", b"tim 00", b"tim " + b"g" * 32, b"\xff " + b"0" * 32:
            with self.assertRaises(SASLError, msg=answer):
                parse_cram(answer)

    def test_challenge(self) -> None:
        """A challenge has the form of a message id, whatever our name is."""
        self.assertEqual(make_cram_challenge("a.example", "f", 1.5), b"<f.1@a.example>")
        self.assertEqual(make_cram_challenge(">\r\n", "f", 1.5), b"<f.1@localhost>")


class BearerTests(SynchronousTestCase):
    """OAUTHBEARER (RFC 7628) and XOAUTH2."""

    def test_example(self) -> None:
        """The example of RFC 7628 section 4.1."""
        message = (
            b"n,a=user@example.com,\x01host=server.example.com\x01port=587\x01"
            b"auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01"
        )
        self.assertEqual(
            parse_oauthbearer(message),
            BearerMessage(
                "user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="
            ),
        )

    def test_xoauth2(self) -> None:
        """As Google describes it."""
        message = b"user=someuser@example.com\x01auth=Bearer ya29.vF9dft4\x01\x01"
        self.assertEqual(
            parse_xoauth2(message),
            BearerMessage("someuser@example.com", "ya29.vF9dft4"),
        )

    def test_malformed(self) -> None:
        """No token (RFC 6750 section 2.1), no end, a key twice, channel binding."""
        for message in (
            b"", b"\x01\x01", b"auth=Bearer a\x01", b"auth=Basic a\x01\x01",
            b"auth=Bearer a b\x01\x01", b"auth=Bearer a\x01auth=Bearer b\x01\x01",
            b"auth=Bearer a\x01x\x01\x01", b"auth=Bearer \xff\x01\x01",
        ):  # fmt: skip
            with self.assertRaises(SASLError, msg=message):
                parse_xoauth2(message)
            with self.assertRaises(SASLError, msg=message):
                parse_oauthbearer(b"n,,\x01" + message)
        with self.assertRaises(SASLError):
            parse_oauthbearer(b"p=tls-exporter,,\x01auth=Bearer a\x01\x01")
        with self.assertRaises(SASLError):
            parse_oauthbearer(b"n,,auth=Bearer a\x01\x01")

    def test_not_shown(self) -> None:
        """A message that ends up in a log does not show the token."""
        self.assertNotIn("geheim", repr(parse_xoauth2(b"auth=Bearer geheim\x01\x01")))

    def test_error(self) -> None:
        """Why a token is not taken, as JSON (section 3.2.2)."""
        told = json.loads(bearer_error("invalid_token", "mail", "https://a.example/"))
        self.assertEqual(
            told,
            {
                "status": "invalid_token",
                "scope": "mail",
                "openid-configuration": "https://a.example/",
            },
        )
        self.assertEqual(json.loads(bearer_error("x")), {"status": "x"})


class TextTests(SynchronousTestCase):
    """Base64 and SASLprep."""

    def test_base64(self) -> None:
        """One spelling only: nothing else in it, and the right padding."""
        self.assertEqual(decode_base64(b""), b"")
        self.assertEqual(decode_base64(b"AGE="), b"\0a")
        for text in (
            b"A",
            b"AGE",
            b"AGE==",
            b"QUJD=",
            b"QUJD====",
            b"AG E=",
            b"AGE=AGE=",
            b"=AGE",
            b"AG-_",
            b"*",
        ):
            with self.assertRaises(SASLError, msg=text):
                decode_base64(text)

    def test_saslprep(self) -> None:
        """The examples of RFC 4013 section 3."""
        self.assertEqual(saslprep("I\u00adX"), "IX")
        self.assertEqual(saslprep("user"), "user")
        self.assertEqual(saslprep("\u00aa"), "a")
        self.assertEqual(saslprep("\u2168"), "IX")
        for text in "\x07", "\u06271":
            with self.assertRaises(SASLError):
                saslprep(text)


class RandomTests(SynchronousTestCase):
    """Whatever a client sends is read, or said to make no sense."""

    @given(st.binary(max_size=100))
    def test_any_octets(self, message: bytes) -> None:
        """Octets at random."""
        for parse in parse_plain, parse_cram, parse_xoauth2, parse_oauthbearer:
            try:
                parse(message)
            except SASLError:
                continue

    @given(st.text("nya=,\x01authBer Z.=", max_size=40))
    def test_nearly(self, message: str) -> None:
        """Messages that nearly make sense."""
        for parse in parse_xoauth2, parse_oauthbearer:
            try:
                found = parse(message.encode())
            except SASLError:
                continue
            self.assertTrue(found.token)
