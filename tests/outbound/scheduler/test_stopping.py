"""The end of the server."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.attempt import Routed
from tests.outbound.scheduler.world import World, settings


class StopTests(SynchronousTestCase):
    """Stopping loses nothing and repeats nothing (row OB19)."""

    def test_idle(self) -> None:
        """There is nothing to wait for, and nothing ticks any more."""
        world = World()
        self.successResultOf(world.scheduler.stop())
        self.assertEqual(world.clock.getDelayedCalls(), [])

    def test_running(self) -> None:
        """Attempts may finish; the rest is in the store, due as it was."""
        world = World(settings(concurrency_max=2), seconds=10.0)
        for _ in range(5):
            world.offer("d.example")
        stopped = world.scheduler.stop()
        self.assertNoResult(stopped)
        world.run(11)
        self.successResultOf(stopped)
        self.assertEqual(len(world.started), 1)
        self.assertEqual(len(world.store.items), 4)
        self.assertEqual(world.store.leased_until, {})
        self.assertEqual(world.clock.getDelayedCalls(), [])

    def test_hanging(self) -> None:
        """One that does not end is given up, and is tried again after the restart."""
        world = World(seconds=None)
        world.offer("d.example")
        stopped = world.scheduler.stop()
        world.run(29)
        self.assertNoResult(stopped)
        world.run(2)
        self.successResultOf(stopped)
        (item,) = world.store.items.values()
        self.assertEqual(world.store.leased_until, {})
        self.assertIn("took too long", item.last_error)

    def test_cannot_be_cancelled(self) -> None:
        """Even if it cannot be told to end."""
        endless: list[Deferred[Any]] = []

        def attempt(work: Any) -> Any:
            inner: Deferred[Any] = Deferred(lambda _: None)
            outer: Deferred[Any] = Deferred()
            endless.append(outer)
            inner.addErrback(lambda _: Deferred())
            outer.callback(None)
            outer.addCallback(lambda _: inner)
            return outer

        world = World(attempting=attempt)
        item = world.offer("d.example")
        stopped = world.scheduler.stop()
        world.run(40)
        self.successResultOf(stopped)
        self.assertEqual(world.store.items[item.id].attempts, 0)
        self.assertEqual(world.store.leased_until, {})

    def test_after(self) -> None:
        """What is queued meanwhile stays in the store."""
        world = World()
        world.scheduler.stop()
        world.offer("d.example")
        self.assertEqual(world.started, [])
        self.assertEqual(len(world.store.items), 1)
        self.assertEqual(world.store.leased_until, {})

    def test_being_leased(self) -> None:
        """What the store is just giving out goes back to it."""
        world = World(is_idle=True)
        world.store.latency = 1.0
        world.queue("d.example", 5)
        world.scheduler.start()
        world.run(1.5)
        stopped = world.scheduler.stop()
        world.run(10)
        self.successResultOf(stopped)
        self.assertEqual(world.store.leased_until, {})
        self.assertEqual((world.started, len(world.store.items)), ([], 5))

    def test_looking_for_routes(self) -> None:
        """What waits for a route goes back, too."""
        world = World(settings(routing_max=2), routing=lambda work: Deferred())
        for number in range(5):
            world.offer(f"d{number}.example")
        self.assertEqual(world.scheduler.snapshot().routing, 2)
        self.successResultOf(world.scheduler.stop())
        self.assertEqual(world.store.leased_until, {})
        self.assertEqual(len(world.store.items), 5)

    def test_sender_waits(self) -> None:
        """And what waits for its sender's turn."""
        world = World(settings(sender_max=1), seconds=5.0)
        for number in range(5):
            world.offer(f"d{number}.example")
        stopped = world.scheduler.stop()
        world.run(6)
        self.successResultOf(stopped)
        self.assertEqual(world.store.leased_until, {})
        self.assertEqual(len(world.store.items), 4)

    def test_twice(self) -> None:
        """Whoever asks twice is told twice."""
        world = World(seconds=5.0)
        world.offer("d.example")
        stopped = world.scheduler.stop(), world.scheduler.stop()
        world.run(6)
        for each in stopped:
            self.successResultOf(each)

    def test_disk_was_full(self) -> None:
        """What could not be written is tried once more at once."""
        world = World()
        world.store.broken = True
        world.scheduler.offer(world.queue("d.example"), None)
        world.run(200)
        world.store.broken = False
        self.successResultOf(world.scheduler.stop())
        self.assertEqual(world.store.items, {})
        self.assertGreater(len(self.flushLoggedErrors()), 0)

    def test_disk_full(self) -> None:
        """A store that takes nothing does not keep the server from stopping."""
        world = World()
        world.store.broken = True
        world.routing = lambda work: Routed("d.example")
        world.scheduler.offer(world.queue("d.example"), None)
        stopped = world.scheduler.stop()
        self.assertNoResult(stopped)
        world.run(36)
        self.successResultOf(stopped)
        self.assertEqual(world.clock.getDelayedCalls(), [])
        self.assertGreater(len(self.flushLoggedErrors()), 0)
