"""Taking mail out of the scheduler's hands."""

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import StoreError
from harakatw.interfaces.queue import Filter, ItemState
from harakatw.outbound.control.tool import Changed, Engine, QueueTool
from harakatw.outbound.options import SiteLimits
from harakatw.testing.threads import NoThreads
from tests.outbound.scheduler.world import World, settings


class RecallTests(SynchronousTestCase):
    """What waits for its turn can be held; what is being tried cannot."""

    def setUp(self) -> None:
        """Have a site that takes one message at a time, each for a minute."""
        limits = SiteLimits(connections=1)
        self.world = World(settings(limits=lambda site: limits), seconds=60.0)

    def recall(self, which: Filter) -> "Deferred[tuple[int, ...]]":
        """Recall items."""
        return self.world.scheduler.recall(which)

    def states(self) -> dict[int, ItemState]:
        """How the items stand in the store."""
        return {item.id: item.state for item in self.world.store.items.values()}

    def test_waiting(self) -> None:
        """Mail that waits is held in the store, and is not tried any more."""
        runs, *waits = [self.world.offer("a.example").id for _ in range(3)]
        recalled = self.successResultOf(self.recall(Filter()))
        self.assertEqual(recalled, tuple(waits))
        held = [self.states()[number] for number in waits]
        self.assertEqual(held, [ItemState.HELD, ItemState.HELD])
        self.world.run(3600.0)
        tried = [each.work.item.id for each in self.world.started]
        self.assertEqual(tried, [runs])
        snapshot = self.world.scheduler.snapshot()
        self.assertEqual((snapshot.held, snapshot.held_octets), (0, 0))

    def test_what_is_meant(self) -> None:
        """Other mail goes on."""
        self.world.offer("a.example")
        spam = self.world.offer("a.example", sender="spam@ours.example").id
        ham = self.world.offer("a.example").id
        which = Filter(sender="spam@*", state=ItemState.LEASED)
        self.assertEqual(self.successResultOf(self.recall(which)), (spam,))
        self.world.run(3600.0)
        tried = [each.work.item.id for each in self.world.started]
        self.assertIn(ham, tried)
        self.assertNotIn(spam, tried)

    def test_nothing(self) -> None:
        """When nothing waits, nothing is written."""
        self.world.offer("a.example")
        before = self.world.store.calls["settle"]
        self.assertEqual(self.successResultOf(self.recall(Filter())), ())
        self.assertEqual(self.world.store.calls["settle"], before)

    def test_released(self) -> None:
        """Released again, it is tried as if nothing had been."""
        self.world.offer("a.example")
        number = self.world.offer("a.example").id
        self.recall(Filter())
        self.world.store.change(Filter(), ItemState.READY, self.world.now())
        self.world.scheduler.look()
        self.world.run(120.0)
        tried = [each.work.item.id for each in self.world.started]
        self.assertEqual(tried[1:], [number])

    def test_by_the_tools(self) -> None:
        """C{haraka queue hold} works on a real scheduler."""
        engine: Engine = self.world.scheduler
        tool = QueueTool(
            store=self.world.store,
            now=self.world.now,
            settled=self.world.settled,
            threads=NoThreads(),
            engine=engine,
        )
        self.world.offer("a.example")
        self.world.offer("a.example")
        self.world.queue("b.example", due=self.world.now() + 9999.0)
        holding = Deferred.fromCoroutine(tool.hold(Filter()))
        self.assertEqual(
            self.successResultOf(holding), Changed(changed=2, in_delivery=1)
        )
        releasing = Deferred.fromCoroutine(tool.release(Filter()))
        self.assertEqual(self.successResultOf(releasing).changed, 2)
        self.world.run(300.0)
        self.assertEqual(sorted(self.world.sites()), ["a.example"] * 2 + ["b.example"])

    def test_full_disk(self) -> None:
        """What cannot be written is told, and the mail is delivered after all."""
        self.world.offer("a.example")
        number = self.world.offer("a.example").id
        self.world.store.broken = True
        self.failureResultOf(self.recall(Filter()), StoreError)
        self.world.store.broken = False
        self.world.run(7200.0)
        tried = [each.work.item.id for each in self.world.started]
        self.assertEqual(tried.count(number), 1)
        self.flushLoggedErrors(StoreError)
