"""How long a server may take."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.options import load_options
from harakatw.outbound.client.timeouts import ClientOptions, Deadline, Timeouts
from harakatw.wire.dialogue import Stage
from tests.config.folders import ConfigTestCase


class TimeoutsTests(SynchronousTestCase):
    """The times of RFC 5321 section 4.5.3.2."""

    def test_least(self) -> None:
        """No step has less than the RFC asks for."""
        times = Timeouts()
        minutes = [
            times.greeting,
            times.mail,
            times.rcpt,
            times.data_init,
            times.data_block,
            times.final,
        ]
        self.assertEqual(minutes, [300, 300, 300, 120, 180, 600])

    def test_every_stage(self) -> None:
        """Every answer that is waited for has a time."""
        times = Timeouts(final=700, rcpt=400)
        self.assertEqual(set(times.by_stage), set(Stage))
        self.assertEqual(times.by_stage[Stage.DOT], 700)
        self.assertEqual(times.by_stage[Stage.RCPT], 400)

    def test_large_message(self) -> None:
        """A large message may take longer."""
        times = Timeouts(transaction=100, min_rate=1000)
        self.assertEqual(times.for_message(50_000), 150)


class DeadlineTests(SynchronousTestCase):
    """The one timer of a connection."""

    def setUp(self) -> None:
        """A deadline that notes when it expires."""
        self.clock = Clock()
        self.expired: list[float] = []
        self.deadline = Deadline(
            self.clock, lambda: self.expired.append(self.clock.seconds())
        )

    def pump(self, seconds: int) -> None:
        """Let time pass second by second."""
        self.clock.pump([1] * seconds)

    def test_expires(self) -> None:
        """Time is up when it is, once."""
        self.deadline.within(300)
        self.pump(1000)
        self.assertEqual(self.expired, [300])

    def test_next_step(self) -> None:
        """A step that follows has its own time, longer or shorter."""
        for first, second, at in ((300, 600, 610), (600, 120, 130), (120, 120, 130)):
            self.setUp()
            self.deadline.within(first)
            self.pump(10)
            self.deadline.within(second)
            self.pump(1000)
            self.assertEqual(self.expired, [at])

    def test_one_timer(self) -> None:
        """A thousand steps have one timer."""
        for _ in range(1000):
            self.deadline.within(300)
            self.deadline.within(120)
            self.deadline.within(600)
            self.deadline.clear()
            self.assertEqual(len(self.clock.getDelayedCalls()), 1)

    def test_clear(self) -> None:
        """When nothing is waited for nothing expires."""
        self.deadline.within(300)
        self.deadline.clear()
        self.pump(1000)
        self.assertEqual((self.expired, self.clock.getDelayedCalls()), ([], []))

    def test_limit(self) -> None:
        """All steps together have a limit; the next message has its own."""
        self.deadline.limit(1000)
        for _ in range(20):
            self.deadline.within(300)
            self.pump(100)
        self.assertEqual(self.expired[:1], [1000])
        self.deadline.clear()
        self.expired.clear()
        self.deadline.within(5000)
        self.pump(4999)
        self.assertEqual(self.expired, [])

    def test_stop(self) -> None:
        """A connection that is closed leaves no timer."""
        self.deadline.within(300)
        self.deadline.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class OptionTests(ConfigTestCase):
    """What C{outbound.ini} says."""

    def test_read(self) -> None:
        """Haraka's C{connect_timeout} is read, and so are ours."""
        self.write(
            "outbound.ini",
            "connect_timeout=7\nmessages_per_connection=3\nconnection_age=2m\n"
            "connection_idle=0\n",
        )
        loaded = load_options(ClientOptions, self.files(), "client")
        self.assertEqual(loaded.problems, ())
        self.assertEqual(
            loaded.options,
            ClientOptions(
                connect_timeout=7,
                messages_per_connection=3,
                connection_age=120,
                connection_idle=0,
            ),
        )

    def test_wrong(self) -> None:
        """A connection that may take no time is a mistake."""
        self.write("outbound.ini", "connect_timeout=0\n")
        loaded = load_options(ClientOptions, self.files(), "client")
        self.assertEqual(loaded.options.connect_timeout, 30)
        self.assertEqual(len(loaded.problems), 1)
