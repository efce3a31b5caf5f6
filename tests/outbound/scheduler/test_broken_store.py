"""A disk that is full, and other troubles of the store."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import StoreError
from harakatw.interfaces.queue import Filter
from tests.outbound.scheduler.world import DAY, HOUR, World, greylisted, rejected


class BrokenStoreTests(SynchronousTestCase):
    """Nothing is lost, and nothing is delivered twice by one process."""

    def tearDown(self) -> None:
        """The log tells of it."""
        self.assertGreater(len(self.flushLoggedErrors(StoreError)), 0)

    def test_delivered(self) -> None:
        """
        What was delivered while the disk was full is remembered until it can be
        written, also when its lease has run out meanwhile.
        """
        world = World()
        world.store.broken = True
        world.scheduler.offer(world.queue("d.example", 20), None)
        self.assertEqual(len(world.started), 20)
        self.assertEqual(world.scheduler.snapshot().unsettled, 20)
        world.run(2 * HOUR)
        world.store.broken = False
        world.run(2 * HOUR)
        self.assertEqual(len(world.started), 20)
        self.assertEqual(world.store.items, {})
        self.assertEqual(world.scheduler.snapshot().unsettled, 0)

    def test_lease_runs_out(self) -> None:
        """The store may lend such an item again: it is known, and not tried."""
        world = World()
        world.store.poison.add(1)
        world.offer("d.example")
        world.run(3 * HOUR)
        self.assertEqual(len(world.started), 1)
        world.store.poison.clear()
        world.run(60)
        self.assertEqual(world.store.items, {})

    def test_one_damaged_item(self) -> None:
        """An item that cannot be written keeps no other from being settled."""
        world = World(seconds=1.0)
        world.store.latency = 0.1
        world.store.poison.add(7)
        for number in range(30):
            world.offer(f"d{number}.example")
        world.run(30)
        self.assertEqual(set(world.store.items), {7})

    def test_bounces(self) -> None:
        """A bounce is made once, although its item stays for a while."""
        world = World(answer=rejected)
        world.store.poison.add(1)
        world.offer("d.example")
        world.run(HOUR)
        self.assertEqual(len(world.settlements), 1)

    def test_reading(self) -> None:
        """A queue that cannot be read for a while is read later."""
        world = World(answer=greylisted)
        world.offer("d.example")
        world.store.broken = True
        world.run(600)
        self.assertEqual(len(world.started), 1)
        world.store.broken = False
        world.run(15)
        self.assertEqual(len(world.started), 2)

    def test_leasing(self) -> None:
        """So is one that gives nothing out."""
        world = World()
        world.store.latency = 0.5
        world.queue("d.example", 5)
        world.scheduler.flush(Filter())
        world.run(1.7)
        world.store.broken = True
        world.run(10)
        self.assertEqual(world.started, [])
        world.store.broken = False
        world.run(DAY)
        self.assertEqual(len(world.started), 5)
        self.assertEqual(world.store.items, {})


class DamagedItemTests(SynchronousTestCase):
    """An item that the store does not take for a long time."""

    def test_patience(self) -> None:
        """It is tried once a minute, and told a few times, not all the time."""
        world = World()
        world.store.poison.add(1)
        for _ in range(120):
            world.offer("d.example")
            world.run(10)
        self.assertLess(world.store.calls["settle"], 120 + 30)
        self.assertEqual(set(world.store.items), {1})
        logged = len(self.flushLoggedErrors(StoreError))
        self.assertTrue(1 <= logged <= 4, logged)

    def test_store_raises(self) -> None:
        """A bug in the store holds up that item, and no other."""
        world = World()
        world.store.bug_for.add(1)
        world.offer("d.example")
        world.offer("d.example")
        world.run(10)
        self.assertEqual(set(world.store.items), {1})
        self.assertGreater(len(self.flushLoggedErrors(ValueError)), 0)
