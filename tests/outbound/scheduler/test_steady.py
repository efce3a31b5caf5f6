"""A time that never goes back."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.scheduler.steady import SteadyTime

DAY = 86400.0


class SteadyTimeTests(SynchronousTestCase):
    """What the queue takes for the time of day."""

    def setUp(self) -> None:
        """Noon."""
        self.clock = Clock()
        self.now = 10 * DAY
        self.time = SteadyTime(lambda: self.now, self.clock)

    def advance(self, seconds: float) -> float:
        """Let both clocks go on."""
        self.clock.advance(seconds)
        self.now += seconds
        return self.time()

    def test_as_the_clock(self) -> None:
        """It is the time of day."""
        self.assertEqual(self.time(), 10 * DAY)
        self.assertEqual(self.advance(5), 10 * DAY + 5)

    def test_forward(self) -> None:
        """A clock that is set forward is followed."""
        self.now += DAY
        self.assertEqual(self.time(), 11 * DAY)

    def test_back(self) -> None:
        """After it was set back, time goes on, at half its speed."""
        self.now -= DAY
        self.assertEqual(self.time(), 10 * DAY)
        self.assertEqual(self.advance(100), 10 * DAY + 50)
        self.assertEqual(self.advance(100), 10 * DAY + 100)

    def test_agree_again(self) -> None:
        """After twice the jump the clocks agree again, without another jump."""
        self.now -= 100
        self.assertEqual(self.advance(200), 10 * DAY + 100)
        self.assertEqual(self.time(), self.now)
        self.assertEqual(self.advance(10), self.now)

    def test_both_jump(self) -> None:
        """A reactor whose clock jumps, too, does not make it go back."""
        self.now -= DAY
        self.clock.rightNow -= DAY
        self.assertEqual(self.time(), 10 * DAY)
        self.assertEqual(self.advance(10), 10 * DAY + 5)
