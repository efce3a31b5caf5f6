"""Taking from the store what is due."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.attempt import Work
from harakatw.outbound.options import SiteLimits
from harakatw.outbound.scheduler.appetite import (
    FULL,
    NONE,
    UNPROVEN_BATCH,
    Appetite,
    appetite_of,
)
from harakatw.outbound.scheduler.backoff import UNREACHABLE, BackoffSettings
from harakatw.outbound.scheduler.core import Target
from harakatw.outbound.scheduler.site import Site, make_site
from tests.outbound.scheduler.world import HOUR, MINUTE, World, greylisted, settings
from tests.outbound.test_attempt import ITEM


class AppetiteTests(SynchronousTestCase):
    """How much a site could do with."""

    def setUp(self) -> None:
        """A site that nobody knows."""
        limits = SiteLimits(connections=20)
        self.site: Site = make_site("d.example", limits, BackoffSettings())

    def appetite(self, now: float = 0.0) -> Appetite:
        """Ask it."""
        return appetite_of(self.site, now, 100)

    def test_unknown(self) -> None:
        """A few are enough to see how it is."""
        self.assertEqual(self.appetite(), Appetite(UNPROVEN_BATCH, is_untried=True))

    def test_proven(self) -> None:
        """A site that answers gets many."""
        self.site.backoff.answered(0.0)
        self.assertEqual(self.appetite(), Appetite(100))

    def test_full(self) -> None:
        """Not before half of them are gone."""
        self.site.backoff.answered(0.0)
        for _ in range(51):
            self.site.push(Work(ITEM))
        self.assertEqual(self.appetite(), FULL)
        self.site.pop()
        self.assertEqual(self.appetite(), Appetite(100))

    def test_paused(self) -> None:
        """A paused site gets nothing until somebody says so."""
        self.site.is_paused = True
        self.assertEqual(self.appetite(), NONE)

    def test_down(self) -> None:
        """
        For a site that is down all that is due is taken once, to be put off, and then
        nothing until it is asked again.
        """
        self.site.backoff.failed(0.0, UNREACHABLE)
        self.site.is_swept = False
        self.assertEqual(self.appetite(), Appetite(100, is_untried=True))
        self.site.is_swept = True
        self.assertEqual(self.appetite(20.0), Appetite(0, again_in=40.0))


class FeederTests(SynchronousTestCase):
    """The store is asked no more than is needed."""

    def test_idle(self) -> None:
        """Nothing to do costs a question each minute."""
        world = World()
        world.run(HOUR)
        self.assertEqual(world.store.calls["due_sites"], 61)
        self.assertEqual(world.store.calls["lease"], 0)

    def test_waiting(self) -> None:
        """Mail that waits for its time costs no more."""
        world = World(answer=greylisted)
        for number in range(50):
            world.offer(f"d{number}.example")
        world.run(59)
        self.assertEqual(world.store.calls["due_sites"], 1)

    def test_paused(self) -> None:
        """Nor does mail that is due and must not be tried."""
        world = World(is_idle=True)
        for number in range(50):
            world.queue(f"d{number}.example", 10)
        world.scheduler.pause(Target())
        world.scheduler.start()
        world.run(10 * MINUTE)
        self.assertEqual(world.store.calls["due_sites"], 11)
        self.assertEqual(world.store.calls["lease"], 0)

    def test_draining(self) -> None:
        """
        A backlog for a site that answers is taken as fast as it goes out, in large
        pieces: 20 attempts at the same time of 50 ms each are 400 a second.
        """
        world = World(seconds=0.05, is_idle=True)
        world.store.latency = 0.01
        world.queue("d.example", 3000)
        world.scheduler.start()
        world.run(9)
        self.assertEqual(len(world.started), 3000)
        self.assertEqual(world.store.items, {})
        self.assertLess(world.store.calls["lease"], 70)
        self.assertLess(world.store.calls["settle"], 500)

    def test_many_queues(self) -> None:
        """More queues than one answer of the store has are all found."""
        world = World(settings(untried_per_second=1e6), seconds=0.1, is_idle=True)
        for number in range(2500):
            world.queue(f"d{number}.example")
        world.scheduler.start()
        world.run(60)
        self.assertEqual(world.store.items, {})

    def test_untried_per_second(self) -> None:
        """Mail for unknown sites is taken at a rate that leaves the store time."""
        world = World(settings(untried_per_second=50), is_idle=True)
        for number in range(40):
            world.queue(f"d{number}.example", 10)
            world.takes[f"d{number}.example"] = None
        world.scheduler.start()
        self.assertEqual(world.scheduler.snapshot().held, 50)
        world.run(1.5)
        self.assertEqual(world.scheduler.snapshot().held, 100)
