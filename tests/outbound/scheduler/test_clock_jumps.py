"""The time of day is set by a day, forward or back (survey row 39)."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.scheduler.retry import RetryPolicy
from tests.outbound.scheduler.world import DAY, HOUR, World, greylisted, settings

HOURLY = RetryPolicy(intervals=(HOUR,) * 1000, jitter=0.0)


class ClockJumpTests(SynchronousTestCase):
    """No storm, nothing lost, and no day without an attempt."""

    def make_world(self) -> World:
        """A hundred messages that nobody takes, tried once an hour."""
        world = World(settings(retry=HOURLY), answer=greylisted)
        for number in range(100):
            world.offer(f"d{number % 10}.example")
        world.run(2.5 * HOUR)
        self.assertEqual(len(world.started), 300)
        return world

    def test_back(self) -> None:
        """After a day back the queue goes on, more slowly until the clocks agree."""
        world = self.make_world()
        world.jumped = -DAY
        world.run(4.1 * HOUR)
        self.assertEqual(len(world.started), 500)
        self.assertEqual(len(world.store.items), 100)

    def test_back_and_agree(self) -> None:
        """When they agree again all is as before."""
        world = self.make_world()
        world.jumped = -DAY
        world.run(2 * DAY + HOUR)
        before = len(world.started)
        world.run(10 * HOUR)
        self.assertEqual(len(world.started) - before, 1000)

    def test_forward(self) -> None:
        """After a day forward all is due once, not once for each hour of the day."""
        world = self.make_world()
        world.jumped = DAY
        world.run(120)
        self.assertEqual(len(world.started), 400)
        world.run(3.5 * HOUR)
        self.assertEqual(len(world.started), 700)
        self.assertEqual(len(world.store.items), 100)

    def test_lifetime(self) -> None:
        """Messages still live for their five days, by the clock as it is then."""
        world = self.make_world()
        world.jumped = DAY
        world.run(4 * DAY)
        self.assertEqual(world.store.items, {})
        self.assertEqual(
            {told.gave_up for told in world.settlements[-100:]} - {""},
            {"delivery time expired"},
        )
