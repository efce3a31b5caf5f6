"""The parameters by which a sender asks for reports (RFC 3461 section 4)."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import ProtocolError
from harakatw.wire.dsn import (
    OriginalRecipient,
    encode_foreign,
    message_dsn,
    parse_envid,
    parse_notify,
    parse_orcpt,
    parse_ret,
    recipient_dsn,
)
from harakatw.wire.params import EMPTY_PARAMS, parse_params


class _RefusalCase(SynchronousTestCase):
    def assert_refused(
        self, function: Callable[..., object], *call: object, **by: object
    ) -> None:
        """The function raises, and the reply is 501 5.5.4."""
        error: ProtocolError = self.assertRaises(ProtocolError, function, *call, **by)
        self.assertEqual(error.reply.encoded[:10], b"501 5.5.4 ", ascii(call))


class NotifyTests(_RefusalCase):
    """When the sender wants to hear."""

    def test_words(self) -> None:
        """Some of the three words, in any order and case, or NEVER alone."""
        for value, words in (
            ("NEVER", {"NEVER"}),
            ("success", {"SUCCESS"}),
            ("FAILURE,DELAY", {"FAILURE", "DELAY"}),
            ("Delay,Success,Failure", {"SUCCESS", "FAILURE", "DELAY"}),
            ("SUCCESS,SUCCESS", {"SUCCESS"}),
        ):
            self.assertEqual(parse_notify(value), words, value)

    def test_malformed(self) -> None:
        """NEVER with others, other words, and no words are refused."""
        for value in (
            *(None, "", ",", "NEVER,", "NEVER,SUCCESS", "FAILURE,", "YES", "ALWAYS"),
            *("FAILURE;DELAY", "FAILURE DELAY", "never,never,delay", "SUCCESS\n"),
        ):
            self.assert_refused(parse_notify, value)


class RetTests(_RefusalCase):
    """How much of the message comes back."""

    def test_words(self) -> None:
        """FULL or HDRS, in any case."""
        for value, meaning in (("FULL", "FULL"), ("hdrs", "HDRS"), ("Full", "FULL")):
            self.assertEqual(parse_ret(value), meaning)

    def test_malformed(self) -> None:
        """Anything else is refused."""
        for value in (None, "", "HEADERS", "FULL,HDRS", "HDRS "):
            self.assert_refused(parse_ret, value)


class EnvelopeIdTests(_RefusalCase):
    """The sender's own name for the message."""

    def test_decoded(self) -> None:
        """It is xtext."""
        self.assertEqual(parse_envid("QQ314159"), "QQ314159")
        self.assertEqual(parse_envid("a+2Bb+3Dc+20d"), "a+b=c d")

    def test_length(self) -> None:
        """It has at most 100 characters as it comes."""
        self.assertEqual(parse_envid("x" * 100), "x" * 100)
        self.assert_refused(parse_envid, "x" * 101)
        self.assert_refused(parse_envid, "+2B" * 34)

    def test_malformed(self) -> None:
        """
        What is no xtext is refused, and what hides a line end that would be a field of
        the report (survey row 9).
        """
        for value in (None, "", "a+", "a+2", "a=b", "a b", "a+0D+0ABcc:+20x", "+C3+BC"):
            self.assert_refused(parse_envid, value)


class OriginalRecipientTests(_RefusalCase):
    """For whom the message was at first."""

    def test_types(self) -> None:
        """A type and an address in xtext; the type is compared without case."""
        for value, kind, address in (
            ("rfc822;bob@d.example", "rfc822", "bob@d.example"),
            ("RFC822;bob+2Bsales@d.example", "rfc822", "bob+sales@d.example"),
            ('rfc822;"a+20b"@d.example', "rfc822", '"a b"@d.example'),
            ("x400;/G+3DBob/C+3Dde/", "x400", "/G=Bob/C=de/"),
            ("rfc822;a;b", "rfc822", "a;b"),
        ):
            parsed = parse_orcpt(value, utf8=False)
            self.assertEqual(parsed, OriginalRecipient(kind, address))

    def test_foreign(self) -> None:
        """An address beyond ASCII has a type of its own (RFC 6533 section 3)."""
        for value in (
            "utf-8;b\\x{FC}cher@d.example",
            "UTF-8;b\\x{00fc}cher@d.example",
            "utf-8;bücher@d.example",
        ):
            parsed = parse_orcpt(value, utf8=True)
            self.assertEqual(parsed.address, "bücher@d.example")
        self.assertEqual(
            parse_orcpt("utf-8;a+2Bb\\x{1F600}@d.example", utf8=False).address,
            "a+b\U0001f600@d.example",
        )

    def test_foreign_needs_smtputf8(self) -> None:
        """Without SMTPUTF8 such an address must be encoded."""
        self.assert_refused(parse_orcpt, "utf-8;bücher@d.example", utf8=False)
        self.assert_refused(parse_orcpt, "rfc822;bücher@d.example", utf8=True)

    def test_length(self) -> None:
        """It has at most 500 characters, type and all."""
        address = "x" * 493
        self.assertEqual(parse_orcpt(f"rfc822;{address}", utf8=False).address, address)
        self.assert_refused(parse_orcpt, f"rfc822;{address}x", utf8=False)

    def test_malformed(self) -> None:
        """What has no type, is no xtext, or hides control characters is refused."""
        for value in (
            *(None, "", ";", "a@d.example", "rfc822;", ";a@d.example", "rfc 822;a"),
            *("rfc822;a+", "rfc822;a=b", "rfc822;a b", "rfc822;a+0D+0ABcc:+20z"),
            *("utf-8;\\x{0A}", "utf-8;\\x{110000}", "utf-8;\\x{D800}", "utf-8;\\x{}"),
            *("utf-8;a\\b", "utf-8;a+0A", "utf-8;\u2028", f"{'x' * 41};a"),
        ):
            for utf8 in (True, False):
                self.assert_refused(parse_orcpt, value, utf8=utf8)

    @given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1))
    def test_encoded_foreign(self, address: str) -> None:
        """What is written for programs of ASCII is read again as it was."""
        encoded = encode_foreign(address)
        self.assertTrue(encoded.isascii())
        if len(encoded) < 490:
            read = parse_orcpt(f"utf-8;{encoded}", utf8=False)
            self.assertEqual(read.address, address)

    @given(st.text(), st.booleans())
    def test_random(self, value: str, utf8: bool) -> None:
        """Whatever comes, there is an answer."""
        for text in (value, f"utf-8;{value}", f"rfc822;{value}"):
            try:
                self.assertTrue(parse_orcpt(text, utf8=utf8).address.isprintable())
            except ProtocolError as error:
                self.assertEqual(error.reply.code, 501)


class CommandTests(SynchronousTestCase):
    """What of the parameters of a whole command is queued."""

    def test_mail(self) -> None:
        """Those of MAIL are kept as they came, words in upper case."""
        params = parse_params(b"SIZE=1 ret=hdrs EnvID=a+2bb")
        self.assertEqual(message_dsn(params), ("HDRS", "a+2bb"))

    def test_rcpt(self) -> None:
        """Those of RCPT likewise."""
        params = parse_params(b"notify=success,Failure orcpt=RFC822;a+2bb@d.example")
        self.assertEqual(
            recipient_dsn(params), ("SUCCESS,FAILURE", "RFC822;a+2bb@d.example")
        )

    def test_none(self) -> None:
        """Who asks for nothing gets nothing queued."""
        self.assertEqual(message_dsn(EMPTY_PARAMS), ("", ""))
        self.assertEqual(recipient_dsn(EMPTY_PARAMS), ("", ""))
