"""What a server offers."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.wire.answer import Answer
from harakatw.wire.capabilities import Capabilities, parse_capabilities


def offers(*lines: str) -> Capabilities:
    """The capabilities of a server that says these lines after its greeting."""
    raw = tuple(line.encode() for line in ("mx.example greets you", *lines))
    return parse_capabilities(Answer(250, raw))


class CapabilityTests(SynchronousTestCase):
    """Reading the reply to EHLO."""

    def test_usual(self) -> None:
        """What a usual server offers is known; mechanisms: RFC 4422 section 3.1."""
        found = offers(
            "PIPELINING",
            "SIZE 35882577",
            "STARTTLS",
            "AUTH PLAIN LOGIN",
            "8BITMIME",
            "DSN",
            "SMTPUTF8",
        )
        self.assertTrue(found.pipelining and found.starttls and found.eight_bit)
        self.assertTrue(found.dsn and found.smtputf8)
        self.assertEqual(found.max_size, 35882577)
        self.assertEqual(found.auth, {"PLAIN", "LOGIN"})
        self.assertEqual(found.keywords["SIZE"], "35882577")

    def test_nothing(self) -> None:
        """A server that offers nothing is taken at its word."""
        self.assertEqual(offers(), Capabilities())

    def test_greeting_is_no_offer(self) -> None:
        """The first line is a name and a greeting, whatever it looks like."""
        self.assertFalse(parse_capabilities(Answer(250, (b"PIPELINING",))).pipelining)

    def test_case(self) -> None:
        """Keywords have no case (RFC 5321 section 2.4)."""
        found = offers("pipelining", "Auth cram-md5")
        self.assertTrue(found.pipelining)
        self.assertEqual(found.auth, {"CRAM-MD5"})

    def test_size(self) -> None:
        """SIZE may come without a limit, with 0 for none, or with nonsense."""
        for line, limit in (
            ("SIZE", 0),
            ("SIZE 0", 0),
            ("SIZE lots", 0),
            (f"SIZE {'9' * 30}", 0),
            ("SIZE -1", 0),
            ("SIZE 5", 5),
        ):
            self.assertEqual(offers(line).max_size, limit, line)
        self.assertIsNone(offers("SIZES 5").max_size)

    def test_old_auth(self) -> None:
        """Servers that say AUTH= as before RFC 2554 are understood, said twice too."""
        self.assertEqual(
            offers("AUTH=LOGIN PLAIN", "AUTH CRAM-MD5").auth,
            {"LOGIN", "PLAIN", "CRAM-MD5"},
        )

    def test_chatter(self) -> None:
        """Lines that are no capabilities do no harm."""
        found = offers("", "  ", "Welcome, friend!", "\x1b[2J", "X-Ü 1", "DSN")
        self.assertEqual(set(found.keywords), {"DSN"})
