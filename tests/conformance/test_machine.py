"""The server and the model, side by side."""

from twisted.trial.unittest import SynchronousTestCase

from tests.conformance.lines import DATA, OPENING, QUIT
from tests.conformance.machine import ClientMachine
from tests.conformance.model import Model
from tests.conformance.values import Line, Message
from tests.properties import run_state_machine_as_test, settings

STEPS = 15
SESSIONS = 250


class MachineTests(SynchronousTestCase):
    """No order of commands and no cut of the network makes a difference."""

    def test_sessions(self) -> None:
        """
        Whatever clients say, and however it is cut, every answer is the one that
        follows from RFC 5321, and so is what the server has in hand then.
        """
        run_state_machine_as_test(
            ClientMachine,
            settings=settings(max_examples=SESSIONS, stateful_step_count=STEPS),
        )
        self.assertEqual(self.flushLoggedErrors(), [])


class ModelTests(SynchronousTestCase):
    """The model says what the RFC says: the dialogues of its appendix D."""

    def test_typical(self) -> None:
        """RFC 5321 appendix D.1: one recipient is unknown, two get the message."""
        model = Model(max_errors=9)
        stranger = Line(b"", "RCPT", mailbox="green@foo.example")
        codes = model.hear([*OPENING, stranger, OPENING[-1], DATA])
        self.assertEqual(codes, [250, 250, 250, 250, 550, 250, 354])
        self.assertEqual(model.take(b"..x\r\n"), 250)
        self.assertEqual(model.hear([QUIT, QUIT]), [221])
        both = ("b@here.example", "b@here.example")
        self.assertEqual(model.messages, [Message("a@b.example", both, b".x\r\n")])

    def test_aborted(self) -> None:
        """RFC 5321 appendix D.2: after RSET there is no transaction."""
        model = Model(max_errors=9)
        codes = model.hear([*OPENING, OPENING[1], DATA])
        self.assertEqual(codes, [250] * 5 + [503])
        self.assertIsNone(model.sender)

    def test_order(self) -> None:
        """RFC 5321 section 4.1.4: what may not come yet is 503."""
        model = Model(max_errors=9)
        mail, rcpt = OPENING[2:]
        self.assertEqual(model.hear([mail, rcpt, DATA]), [503] * 3)
        self.assertEqual(
            model.hear([OPENING[0], rcpt, mail, mail]), [250, 503, 250, 503]
        )

    def test_extended(self) -> None:
        """RFC 5321 section 4.1.1.11: parameters need EHLO."""
        model = Model(max_errors=9)
        line = Line(b"", "MAIL", is_extended=True)
        hello = Line(b"", "HELO")
        codes = model.hear([hello, line, OPENING[0], line])
        self.assertEqual(codes, [250, 555, 250, 250])

    def test_impatient(self) -> None:
        """RFC 2920 section 3.1: what comes with DATA is never taken for a message."""
        model = Model(max_errors=9)
        self.assertRaises(ValueError, model.hear_impatient, DATA)
        model.hear(OPENING)
        self.assertEqual(model.hear_impatient(DATA), [554])
        self.assertTrue(model.is_closed)

    def test_chunks(self) -> None:
        """RFC 3030 section 4.1, and section 2 for what may not come in between."""
        model = Model(max_errors=9)
        self.assertEqual(model.take_chunk(b"x", True), [502])
        self.assertEqual(model.hear(OPENING[:1]), [250])
        self.assertEqual(model.take_chunk(b"x", True), [503])
        model.hear(OPENING)
        self.assertEqual(model.take_chunk(b"x\r", False), [250])
        self.assertEqual(model.hear([OPENING[-1], DATA]), [503, 503])
        self.assertEqual(model.take_chunk(b"\n.\r\ny", True), [250])
        self.assertEqual(model.messages[0].octets, b"x\r\n.\r\ny\r\n")
        model.hear(OPENING)
        self.assertEqual(model.take_chunk(b"\n", True), [554])
        self.assertEqual(model.take_chunk(b"", True), [503])

    def test_too_many_errors(self) -> None:
        """The last mistake that is borne is answered, then the server closes."""
        model = Model(max_errors=2)
        self.assertEqual(model.hear([Line(b"")] * 3), [500, 500, 421])
        self.assertTrue(model.is_closed)

    def test_bodies(self) -> None:
        """RFC 5321 section 2.3.8: a line end that is none spoils the message."""
        for octets, code in (
            (b"", 250),
            (b"a\nb\r\n", 554),
            (b"a\r\r\n", 554),
            (b"x" * 4998 + b"\r\n", 250),
            (b"x" * 4999 + b"\r\n", 552),
            (b"." + b"x" * 4998 + b"\r\n", 250),
        ):
            model = Model(max_errors=9)
            model.hear([*OPENING, DATA])
            self.assertEqual(model.take(octets), code, octets[:9])
            self.assertFalse(model.is_reading)
