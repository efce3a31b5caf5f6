"""Nobody holds up the others."""

from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.options import SiteLimits
from harakatw.outbound.rates import Rate
from harakatw.outbound.scheduler.settings import SchedulerSettings
from tests.outbound.scheduler.world import World, settings

SITES = 10


def limited(connections: int = 20, rate: Rate | None = None) -> SchedulerSettings:
    """The same limits for each site."""
    limits = SiteLimits(connections=connections, rate=rate)
    return settings(limits=lambda site: limits)


class FairnessTests(SynchronousTestCase):
    """Sites take turns."""

    def test_one_busy_site(self) -> None:
        """
        A site with a hundred thousand messages gets as many turns as each of the
        others, as long as these have something to send (survey row 42).
        """
        world = World(settings(concurrency_max=10), seconds=1.0, is_idle=True)
        world.queue("busy.example", 100_000)
        for number in range(SITES - 1):
            world.queue(f"d{number}.example", 200)
        world.scheduler.start()
        world.run(100)
        # A round of all sites takes a second. It takes as long to see who is alive.
        counts = Counter(world.sites()[-900:])
        self.assertEqual(set(counts.values()), {90})
        self.assertEqual(len(counts), SITES)

    def test_new_mail_for_another_site(self) -> None:
        """What comes for another site has the next turn: it is behind no queue."""
        world = World(settings(concurrency_max=2), seconds=1.0)
        for _ in range(500):
            world.offer("busy.example")
        world.run(10)
        world.offer("d.example")
        world.run(1.1)
        self.assertEqual(len(world.times("d.example")), 1)

    def test_first_come(self) -> None:
        """Among messages for one site the first is the first."""
        world = World(limited(connections=1), seconds=1.0)
        ids = [world.offer("d.example").id for _ in range(20)]
        world.run(30)
        self.assertEqual([each.work.item.id for each in world.started], ids)

    def test_connections(self) -> None:
        """No site has more attempts at the same time than it may have."""
        world = World(limited(connections=3), seconds=1.0)
        world.offer("d.example")
        world.run(2)
        for _ in range(100):
            world.offer("d.example")
        world.run(10)
        self.assertEqual(world.most_running, 3)
        self.assertEqual(len(world.started), 1 + 3 * 11)

    def test_concurrency(self) -> None:
        """Nor have all of them together."""
        world = World(settings(concurrency_max=7), seconds=1.0)
        for number in range(200):
            world.offer(f"d{number % 20}.example")
        world.run(100)
        self.assertEqual(world.most_running, 7)
        self.assertEqual(len(world.started), 200)


class RateTests(SynchronousTestCase):
    """So many in so much time."""

    def test_per_second(self) -> None:
        """Ten a second are ten at once after a quiet time, and then one each 0.1 s."""
        world = World(limited(rate=Rate(10, 1)), seconds=0.0)
        for _ in range(40):
            world.offer("d.example")
        world.run(2.95)
        steady = [round(0.1 * number, 3) for number in range(1, 30)]
        self.assertEqual(world.times(), [0.0] * 10 + steady)

    def test_per_minute(self) -> None:
        """Six a minute are one each ten seconds."""
        world = World(limited(rate=Rate(6, 60)), seconds=0.5)
        for _ in range(10):
            world.offer("d.example")
        world.run(60)
        self.assertEqual(world.times(), [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0])

    def test_other_sites(self) -> None:
        """A site that waits for its rate holds up nobody."""
        rates = {"slow.example": Rate(1, 3600)}
        options = settings(
            concurrency_max=1,
            limits=lambda site: SiteLimits(connections=5, rate=rates.get(site)),
        )
        world = World(options, seconds=1.0)
        for _ in range(10):
            world.offer("slow.example")
            world.offer("d.example")
        world.run(30)
        self.assertEqual(len(world.times("slow.example")), 1)
        self.assertEqual(len(world.times("d.example")), 10)

    def test_from_the_store(self) -> None:
        """The rate also holds for what waits in the store."""
        world = World(limited(rate=Rate(60, 60)), is_idle=True)
        world.queue("d.example", 500)
        world.scheduler.start()
        world.run(300)
        self.assertEqual(world.times(), [float(second) for second in range(301)])


class SenderTests(SynchronousTestCase):
    """A customer's mass mailing leaves something for the others."""

    def test_limit(self) -> None:
        """A sender has no more attempts at the same time than one may have."""
        world = World(settings(sender_max=2), seconds=10.0)
        for number in range(6):
            world.offer(f"d{number}.example", sender="bulk@sender.example")
        world.offer("d.example", sender="b@sender.example")
        world.run(9)
        self.assertEqual(world.sites(), ["d0.example", "d1.example", "d.example"])
        world.run(21)
        self.assertEqual(len(world.started), 7)
        self.assertEqual(world.store.items, {})

    def test_same_site(self) -> None:
        """Others' mail for the same site overtakes what waits for its sender."""
        world = World(settings(sender_max=1), seconds=10.0)
        for _ in range(4):
            world.offer("d.example", sender="bulk@sender.example")
        world.offer("d.example", sender="b@sender.example")
        world.run(5)
        senders = [each.work.item.message.sender for each in world.started]
        self.assertEqual(senders, ["bulk@sender.example", "b@sender.example"])
        world.run(60)
        self.assertEqual(world.store.items, {})
