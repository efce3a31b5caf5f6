"""The order of commands, as a table (RFC 5321 section 4.1.4)."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.wire.session import (
    CHUNKS_BEGUN,
    HELLO_FIRST,
    MAIL_FIRST,
    MUST_END_GROUP,
    NESTED_MAIL,
    REFUSALS,
    SHOULD_END_GROUP,
    Phase,
)

ANY_TIME = (b"HELO", b"EHLO", b"NOOP", b"HELP", b"VRFY", b"EXPN", b"RSET", b"QUIT")


class OrderTests(SynchronousTestCase):
    """Which command may come when."""

    def test_any_time(self) -> None:
        """These may come at any time (section 4.1.4)."""
        for phase in Phase:
            for verb in ANY_TIME:
                self.assertNotIn(verb, REFUSALS[phase])

    def test_refused(self) -> None:
        """What may not come, and why."""
        for phase, refused in (
            (
                Phase.START,
                dict.fromkeys((b"MAIL", b"RCPT", b"DATA", b"ETRN"), HELLO_FIRST),
            ),
            (Phase.READY, {b"RCPT": MAIL_FIRST, b"DATA": MAIL_FIRST}),
            (Phase.MAIL, {b"MAIL": NESTED_MAIL}),
            (Phase.RCPT, {b"MAIL": NESTED_MAIL}),
            (
                Phase.CHUNKS,
                {b"MAIL": NESTED_MAIL, b"RCPT": CHUNKS_BEGUN, b"DATA": CHUNKS_BEGUN},
            ),
        ):
            self.assertEqual(dict(REFUSALS[phase]), refused, phase)

    def test_codes(self) -> None:
        """All of it is 503 5.5.1."""
        for refused in REFUSALS.values():
            for answer in refused.values():
                self.assertEqual((answer.code, answer.enhanced), (503, "5.5.1"))

    def test_read_only(self) -> None:
        """Nobody can change the table."""
        with self.assertRaises(TypeError):
            REFUSALS[Phase.START][b"NOOP"] = HELLO_FIRST  # type: ignore[index]

    def test_pipelining(self) -> None:
        """MAIL, RCPT and RSET may stand anywhere in a group (RFC 2920 section 3.1)."""
        for verb in (b"MAIL", b"RCPT", b"RSET"):
            self.assertNotIn(verb, MUST_END_GROUP | SHOULD_END_GROUP)
        self.assertIn(b"DATA", MUST_END_GROUP)
        self.assertTrue({b"EHLO", b"QUIT", b"NOOP", b"VRFY"} <= SHOULD_END_GROUP)
