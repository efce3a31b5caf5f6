"""Whatever comes, memory is bounded."""

from twisted.trial.unittest import SynchronousTestCase

from tests.outbound.scheduler.world import DAY, HOUR, World, greylisted, settings


class MemoryTests(SynchronousTestCase):
    """A million queued messages stay on disk."""

    def test_offers(self) -> None:
        """
        Of a flood for one site half of the room is taken, so that other sites find
        some; the rest goes back to the store, comes again, and nothing is lost.
        """
        world = World(settings(held_items=1000, batch=50), seconds=1.0)
        for _ in range(3000):
            world.offer("busy.example")
        self.assertEqual(world.scheduler.snapshot().held, 502)
        world.offer("d.example")
        self.assertEqual(world.sites()[-1], "d.example")
        world.run(HOUR)
        self.assertEqual(len(world.started), 3001)
        self.assertEqual(world.store.items, {})
        self.assertEqual(world.tried_twice(), set())

    def test_many_sites(self) -> None:
        """Nor are more items held when they are for many sites."""
        world = World(settings(held_items=500), seconds=5.0)
        for number in range(2000):
            world.offer(f"d{number}.example")
        self.assertEqual(world.scheduler.snapshot().held, 500)
        world.run(HOUR)
        self.assertEqual(len(world.started), 2000)
        self.assertEqual(world.store.items, {})

    def test_octets(self) -> None:
        """Messages are kept in memory as long as there is room for their octets."""
        world = World(settings(held_octets=1000), seconds=None)
        for _ in range(5):
            world.offer("d.example", b"x" * 300)
        self.assertEqual(world.scheduler.snapshot().held_octets, 900)
        kept = [each.has_body for each in world.started]
        self.assertEqual(kept, [True, True, True, False, False])

    def test_octets_return(self) -> None:
        """The room is free again when a message is gone."""
        world = World(settings(held_octets=1000), seconds=1.0)
        for _ in range(10):
            world.offer("d.example", b"x" * 900)
            world.run(2)
        self.assertTrue(all(each.has_body for each in world.started))
        self.assertEqual(world.scheduler.snapshot().held_octets, 0)

    def test_backlog(self) -> None:
        """Of what is due only so much is leased as will soon be tried."""
        world = World(settings(held_items=1000), seconds=1.0, is_idle=True)
        world.queue("d.example", 20_000)
        for number in range(300):
            world.queue(f"d{number}.example", 20)
        world.scheduler.start()
        most = 0
        for _ in range(100):
            world.run(1)
            most = max(most, world.scheduler.snapshot().held)
        self.assertLessEqual(most, 500 + 8 * 100)
        self.assertLessEqual(world.store.largest_lease, 100)

    def test_deferred(self) -> None:
        """What waits for its next attempt takes no memory."""
        world = World(answer=greylisted)
        for number in range(200):
            world.offer(f"d{number}.example")
        self.assertEqual(world.scheduler.snapshot().held, 0)
        self.assertEqual(len(world.store.items), 200)

    def test_idle_sites(self) -> None:
        """Sites are forgotten that nothing was sent to for a while."""
        world = World()
        for number in range(200):
            world.offer(f"d{number}.example")
        self.assertEqual(len(world.scheduler.snapshot().sites), 200)
        world.run(HOUR)
        self.assertEqual(world.scheduler.snapshot().sites, ())

    def test_waiting_for_long(self) -> None:
        """What did not get its turn goes back before its lease ends."""
        world = World(settings(concurrency_max=1), seconds=1000.0)
        for _ in range(10):
            world.offer("d.example")
        world.run(1900)
        self.assertLess(world.scheduler.snapshot().held, 10)
        world.run(DAY)
        self.assertEqual(len(world.started), 10)
        self.assertEqual(world.tried_twice(), set())
        self.assertEqual(world.store.items, {})
