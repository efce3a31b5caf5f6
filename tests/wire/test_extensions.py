"""Tests of C{harakatw.wire.extensions}: what is announced is what is taken."""

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import ProtocolError
from harakatw.wire.extensions import EXTENSIONS, NOTHING, Offer, Terms, make_offer
from harakatw.wire.params import parse_params
from tests.properties import given, st

ALL = tuple(EXTENSIONS)


def mail_reply(offer: Offer, text: bytes, *, utf8: bool = False) -> str:
    """How a MAIL with these parameters is refused, C{""} if it is not."""
    return _refusal(lambda: offer.check_mail(parse_params(text, utf8=utf8)))


def rcpt_reply(offer: Offer, text: bytes, *, utf8: bool = False) -> str:
    """Likewise a RCPT."""
    params = parse_params(text, utf8=utf8)
    return _refusal(lambda: offer.check_rcpt(params, utf8=utf8))


def _refusal(check: Callable[[], None]) -> str:
    try:
        check()
    except ProtocolError as error:
        return f"{error.reply.code} {error.reply.enhanced}"
    return ""


SAMPLES = {
    "8BITMIME": b"BODY=8BITMIME",
    "AUTH": b"AUTH=a+2Bb@c.example",
    "DELIVERBY": b"BY=120;R",
    "DSN": b"RET=FULL ENVID=x",
    "FUTURERELEASE": b"HOLDFOR=60",
    "MT-PRIORITY": b"MT-PRIORITY=3",
    "REQUIRETLS": b"REQUIRETLS",
    "SIZE": b"SIZE=1",
    "SMTPUTF8": b"SMTPUTF8",
}
"""What MAIL may have with each keyword."""


class OfferTests(SynchronousTestCase):
    """A keyword brings its parameters, and goes with them."""

    def test_keywords(self) -> None:
        """The first word of each line counts, in any case; the rest is for clients."""
        offer = make_offer(("size 1000", "8BitMIME", "X-OURS a b", " "), Terms())
        self.assertEqual(offer.keywords, {"SIZE", "8BITMIME", "X-OURS"})
        self.assertEqual(set(offer.mail), {"SIZE", "BODY"})

    def test_every_row(self) -> None:
        """There is a sample for each row of the table."""
        self.assertEqual(set(SAMPLES), set(ALL))

    @given(st.sets(st.sampled_from(ALL)))
    def test_any_list(self, keywords: set[str]) -> None:
        """Whatever is announced, that is taken, and nothing else."""
        offer = make_offer(keywords, Terms(max_hold_seconds=100))
        for keyword, text in SAMPLES.items():
            refusal = "" if keyword in keywords else "555 5.5.4"
            self.assertEqual(mail_reply(offer, text), refusal, keyword)

    def test_named(self) -> None:
        """Who used what was not announced is told its name."""
        params = parse_params(b"foo=1")
        error = self.assertRaises(ProtocolError, NOTHING.check_mail, params)
        self.assertIn("FOO", error.reply.text)

    def test_mail_and_rcpt(self) -> None:
        """What is for one command is not taken with the other."""
        offer = make_offer(ALL, Terms())
        self.assertEqual(mail_reply(offer, b"NOTIFY=NEVER"), "555 5.5.4")
        self.assertEqual(rcpt_reply(offer, b"RET=FULL"), "555 5.5.4")
        self.assertEqual(rcpt_reply(offer, b"NOTIFY=NEVER ORCPT=rfc822;a"), "")

    def test_nothing(self) -> None:
        """After HELO there are no parameters."""
        self.assertEqual(mail_reply(NOTHING, b""), "")
        self.assertEqual(mail_reply(NOTHING, b"SIZE=1"), "555 5.5.4")
        self.assertEqual(rcpt_reply(NOTHING, b"NOTIFY=NEVER"), "555 5.5.4")

    def test_bad_values(self) -> None:
        """What a parameter cannot say gets 501, or 552 if it is too much."""
        offer = make_offer(ALL, Terms(max_bytes=1000))
        for text in (
            b"SIZE",
            b"SIZE=x",
            b"BODY",
            b"BODY=X",
            b"BODY=BINARYMIME",
            b"SMTPUTF8=yes",
            b"RET",
            b"RET=X",
            b"ENVID",
            b"ENVID=+0A",
            b"AUTH",
            b"AUTH=a+0Ab",
            b"REQUIRETLS=1",
            b"MT-PRIORITY=10",
            b"BY=0;R",
            b"HOLDFOR=0",
            b"HOLDUNTIL=never",
        ):
            self.assertEqual(mail_reply(offer, text), "501 5.5.4", text)
        self.assertEqual(mail_reply(offer, b"SIZE=1001"), "552 5.3.4")
        self.assertEqual(mail_reply(offer, b"AUTH=<>"), "")
        for text in (b"NOTIFY", b"NOTIFY=X", b"ORCPT", b"ORCPT=a", b"ORCPT=rfc822;+0A"):
            self.assertEqual(rcpt_reply(offer, text), "501 5.5.4", text)

    def test_hold(self) -> None:
        """A message is held as long as is allowed, by one parameter (RFC 4865)."""
        terms = Terms(max_hold_seconds=100, now=lambda: 1_700_000_000.0)
        offer = make_offer(("FUTURERELEASE", "DELIVERBY"), terms)
        for text, refusal in (
            (b"HOLDFOR=100", ""),
            (b"HOLDFOR=101", "501 5.5.4"),
            (b"HOLDUNTIL=2023-11-14T22:15:00Z", ""),
            (b"HOLDUNTIL=2023-11-14T22:15:01Z", "501 5.5.4"),
            (b"HOLDUNTIL=2001-01-01T00:00:00Z", ""),
            (b"HOLDFOR=1 HOLDUNTIL=2023-11-14T22:15:00Z", "501 5.5.4"),
            (b"HOLDUNTIL=2023-11-14T22:15:00Z HOLDFOR=1", "501 5.5.4"),
            (b"HOLDFOR=50 BY=50;R", ""),
            (b"HOLDFOR=51 BY=50;R", "501 5.5.4"),
            (b"BY=50;R HOLDUNTIL=2023-11-14T22:15:00Z", "501 5.5.4"),
        ):
            self.assertEqual(mail_reply(offer, text), refusal, text)

    def test_utf8(self) -> None:
        """ORCPT may be UTF-8 in a transaction that has SMTPUTF8 (RFC 6533)."""
        offer = make_offer(("DSN", "SMTPUTF8"), Terms())
        self.assertTrue(offer.utf8)
        text = "ORCPT=utf-8;ü@d.example".encode()
        self.assertEqual(rcpt_reply(offer, text, utf8=True), "")
        self.assertFalse(make_offer(("DSN",), Terms()).utf8)

    @given(
        st.sampled_from(sorted(make_offer(ALL, Terms()).mail)),
        st.text('!"#<>;,.+-0123456789ABRNTZYESx:', max_size=30),
    )
    def test_random_values(self, name: str, value: str) -> None:
        """Whatever a value is, it is taken or refused, and nothing breaks."""
        offer = make_offer(ALL, Terms(max_bytes=1000))
        text = f"{name}={value}".encode()
        self.assertIn(mail_reply(offer, text)[:3], ("", "501", "552"))
