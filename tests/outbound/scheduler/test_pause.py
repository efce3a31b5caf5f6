"""Pausing, resuming and flushing by hand."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.interfaces.queue import Filter, ItemState
from harakatw.outbound.scheduler.core import Target
from tests.outbound.scheduler.world import (
    DAY,
    HOUR,
    MINUTE,
    World,
    delivered,
    greylisted,
    settings,
    unreachable,
)

EVERYTHING = Target()


class PauseTests(SynchronousTestCase):
    """A postmaster may hold mail back, and let it go again."""

    def test_all(self) -> None:
        """Nothing is tried, new mail or old; what runs goes on (row OB16)."""
        world = World(seconds=10.0)
        world.offer("a.example")
        world.scheduler.pause(EVERYTHING)
        world.offer("b.example")
        world.queue("c.example", 5)
        world.run(30)
        self.assertEqual(world.sites(), ["a.example"])
        self.assertEqual(len(world.settlements), 1)
        self.assertTrue(world.scheduler.snapshot().is_paused)
        world.scheduler.resume(EVERYTHING)
        world.run(30)
        self.assertEqual(len(world.started), 7)
        self.assertEqual(world.store.items, {})

    def test_site(self) -> None:
        """One site waits; the others go on."""
        world = World(is_idle=True)
        site = Target(site="a.example")
        world.scheduler.pause(site)
        world.scheduler.start()
        world.queue("a.example", 5)
        world.offer("a.example")
        world.offer("b.example")
        world.run(HOUR)
        self.assertEqual(world.sites(), ["b.example"])
        world.scheduler.resume(site)
        world.run(2)
        self.assertEqual(len(world.times("a.example")), 6)

    def test_site_for_days(self) -> None:
        """What waits for a paused site waits in the store, and is not lost."""
        world = World()
        world.scheduler.pause(Target(site="mx.example"))
        world.site_of["a.example"] = "mx.example"
        for _ in range(300):
            world.offer("a.example")
        self.assertEqual(world.scheduler.snapshot().held, 100)
        world.run(2 * DAY)
        self.assertEqual(world.scheduler.snapshot().held, 0)
        self.assertEqual(len(world.store.items), 300)
        world.scheduler.resume(Target(site="mx.example"))
        world.run(5)
        self.assertEqual(world.store.items, {})
        self.assertEqual(world.tried_twice(), set())

    def test_sender(self) -> None:
        """One sender's mail waits, in any case of the address; others' goes out."""
        world = World()
        world.scheduler.pause(Target(sender="Bulk@Sender.example"))
        world.offer("a.example", sender="bulk@sender.example")
        world.offer("a.example", sender="b@sender.example")
        world.run(HOUR)
        self.assertEqual(len(world.started), 1)
        self.assertEqual(world.scheduler.snapshot().held, 0)
        shown = world.scheduler.snapshot()
        self.assertEqual(shown.paused_senders, {"bulk@sender.example"})
        world.scheduler.resume(Target(sender="bulk@sender.example"))
        world.run(5 * MINUTE)
        self.assertEqual(world.store.items, {})

    def test_bounces(self) -> None:
        """The null path is a sender like others."""
        world = World()
        world.scheduler.pause(Target(sender="<>"))
        world.offer("a.example", sender="")
        world.run(HOUR)
        self.assertEqual(world.started, [])

    def test_sender_with_much_mail(self) -> None:
        """A paused sender's mail does not take the memory that others need."""
        world = World(settings(held_items=100, batch=20), is_idle=True)
        world.scheduler.pause(Target(sender="bulk@sender.example"))
        world.queue("a.example", 2000, sender="bulk@sender.example")
        world.queue("a.example", 10, sender="b@sender.example")
        world.scheduler.start()
        world.run(10)
        self.assertEqual(len(world.started), 10)
        self.assertEqual(len(world.store.items), 2000)

    def test_either_or(self) -> None:
        """A pause is for a site or for a sender."""
        with self.assertRaisesRegex(ValueError, "either a site or a sender"):
            Target(site="a.example", sender="b@sender.example")


class FlushTests(SynchronousTestCase):
    """Trying now what waits for its time (row OB17), and never twice (WK07)."""

    def test_due_now(self) -> None:
        """What was deferred is tried at once, and counts how much that is."""
        world = World(answer=greylisted)
        for _ in range(3):
            world.offer("d.example")
        world.run(10)
        world.answer = delivered
        flushed = world.scheduler.flush(Filter(domain="d.example"))
        self.assertEqual(self.successResultOf(flushed), 3)
        world.run(1)
        self.assertEqual(len(world.started), 6)
        self.assertEqual(world.store.items, {})

    def test_running(self) -> None:
        """What is being delivered, or is about to be, is not delivered twice."""
        world = World(settings(concurrency_max=2), seconds=10.0)
        world.queue("e.example", 5)
        for _ in range(5):
            world.offer("d.example")
        world.run(2)
        for _ in range(5):
            self.successResultOf(world.scheduler.flush(Filter()))
            world.run(1)
        world.run(DAY)
        self.assertEqual(len(world.started), 10)
        self.assertEqual(world.tried_twice(), set())

    def test_slow_store(self) -> None:
        """Nor if the disk is slow, so that all of this happens at the same time."""
        world = World(seconds=0.3)
        world.store.latency = 0.5
        for _ in range(30):
            world.offer("d.example")
            world.scheduler.flush(Filter())
            world.run(0.1)
        world.run(HOUR)
        self.assertEqual(len(world.started), 30)
        self.assertEqual(world.store.items, {})

    def test_dead_site(self) -> None:
        """A site that is left alone is asked again, once."""
        world = World(answer=unreachable)
        for _ in range(5):
            world.offer("d.example")
        world.run(10)
        world.answer = delivered
        self.successResultOf(world.scheduler.flush(Filter(site="d.example")))
        world.run(1.5)
        self.assertEqual(world.store.items, {})

    def test_dead_site_again(self) -> None:
        """If it is still dead, that is one attempt for all, and a longer wait."""
        world = World(answer=unreachable)
        for _ in range(5):
            world.offer("d.example")
        world.run(10)
        before = len(world.started)
        self.successResultOf(world.scheduler.flush(Filter()))
        world.run(1.5)
        self.assertEqual(len(world.started), before + 1)
        (shown,) = world.scheduler.snapshot().sites
        self.assertGreater(shown.asked_in, 115)

    def test_held(self) -> None:
        """What the postmaster holds stays held."""
        world = World(answer=greylisted)
        world.offer("d.example")
        world.store.change(Filter(), ItemState.HELD)
        flushed = world.scheduler.flush(Filter())
        self.assertEqual(self.successResultOf(flushed), 0)
        flushed = world.scheduler.flush(Filter(state=ItemState.HELD))
        self.assertEqual(self.successResultOf(flushed), 0)
        world.run(DAY)
        self.assertEqual(len(world.started), 1)
