"""Sites that do not answer."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.attempt import TOO_OFTEN
from harakatw.outbound.scheduler.backoff import Health
from harakatw.outbound.scheduler.retry import RetryPolicy
from tests.outbound.scheduler.world import (
    DAY,
    HOUR,
    MINUTE,
    World,
    delivered,
    settings,
    unreachable,
)

HOURLY = RetryPolicy(intervals=(HOUR,) * 200, jitter=0.0)
OFTEN = RetryPolicy(intervals=(10.0,) * 100_000, jitter=0.0)


class BackoffTests(SynchronousTestCase):
    """A dead site is left alone, and asked now and then."""

    def test_doubling(self) -> None:
        """
        One attempt after a minute, two minutes, four, eight, and then every fifteen,
        however many messages there are and however often they are to be tried.
        """
        world = World(settings(retry=OFTEN), answer=unreachable, seconds=5.0)
        for _ in range(50):
            world.offer("dead.example")
        world.run(2 * HOUR)
        first, *others = world.times()
        # The first five begin together: nobody knows that the site is dead.
        self.assertEqual(first, 0.0)
        self.assertEqual(others[:4], [0.0] * 4)
        waits = [round(gap - 5) for gap in world.gaps()[4:]]
        self.assertEqual(waits[:5], [60, 120, 240, 480, 900])
        self.assertEqual(set(waits[5:]), {900})

    def test_as_good_as_tried(self) -> None:
        """
        One attempt speaks for all messages that are due, in memory and in the store:
        they wait for their next time, and give up when theirs is over.
        """
        world = World(answer=unreachable, is_idle=True)
        world.queue("dead.example", 5000)
        world.scheduler.start()
        world.run(20)
        self.assertEqual(len(world.started), 1)
        attempts = {item.attempts for item in world.store.items.values()}
        self.assertEqual(attempts, {1})
        world.run(DAY)
        self.assertEqual(world.store.items, {})
        gave_up = [told for told in world.settlements if told.gave_up == TOO_OFTEN]
        self.assertEqual(len(gave_up), 5000)
        self.assertLess(len(world.started), 20)

    def test_new_mail(self) -> None:
        """New mail for a dead site does not wait for an attempt either."""
        world = World(answer=unreachable)
        world.offer("dead.example")
        world.run(1)
        item = world.offer("dead.example")
        self.assertEqual(len(world.started), 1)
        left = world.store.items[item.id]
        self.assertEqual((left.attempts, left.due), (1, world.now() + MINUTE))
        self.assertEqual(left.last_error, "451 4.4.1 Connection refused")

    def test_back_again(self) -> None:
        """When an attempt gets through, all that is due goes out at once."""
        world = World(settings(retry=OFTEN), answer=unreachable)
        for _ in range(30):
            world.offer("d.example")
        world.run(30)
        world.answer = delivered
        world.run(60)
        self.assertEqual(world.store.items, {})
        (shown,) = world.scheduler.snapshot().sites
        self.assertIs(shown.health, Health.HEALTHY)
        self.assertEqual(shown.failures, 0)

    def test_probe_is_one(self) -> None:
        """As long as nobody knows, one attempt is made and the others wait for it."""
        world = World(settings(retry=OFTEN), answer=unreachable)
        for _ in range(30):
            world.offer("d.example")
        world.run(30)
        world.seconds = None
        world.run(60)
        for _ in range(5):
            world.offer("d.example")
        (shown,) = world.scheduler.snapshot().sites
        self.assertIs(shown.health, Health.PROBING)
        self.assertEqual(shown.running, 1)

    def test_due(self) -> None:
        """The store knows when: it need not show what cannot be tried yet."""
        world = World(settings(retry=OFTEN), answer=unreachable)
        item = world.offer("dead.example")
        self.assertEqual(world.store.items[item.id].due, world.now() + MINUTE)

    def test_busy_site_fails_once(self) -> None:
        """A site that answered a moment ago may fail once or twice."""
        world = World()
        world.offer("d.example")
        for failures in (1, 2):
            world.answer = unreachable
            world.offer("d.example")
            (shown,) = world.scheduler.snapshot().sites
            self.assertEqual((shown.failures, shown.health), (failures, Health.HEALTHY))
        world.offer("d.example")
        (shown,) = world.scheduler.snapshot().sites
        self.assertIs(shown.health, Health.BACKING_OFF)
        self.assertEqual((shown.asked_in, shown.why), (60.0, "Connection refused"))


class ManyDeadSitesTests(SynchronousTestCase):
    """Ten thousand dead domains do not slow the others down."""

    def make_world(self, domains: int, each: int) -> World:
        """A backlog for hosts where each connection hangs for half a minute."""
        world = World(settings(retry=HOURLY), is_idle=True)
        for number in range(domains):
            name = f"dead{number}.example"
            world.queue(name, each)
            world.answers[name], world.takes[name] = unreachable, 30.0
        world.scheduler.start()
        world.run(5)
        return world

    def test_first_attempt(self) -> None:
        """New mail for a site that nobody knows is tried at once."""
        world = self.make_world(1000, 5)
        world.offer("live.example")
        self.assertEqual(world.sites()[-1], "live.example")
        self.assertEqual(world.times()[-1], 5.0)

    def test_share(self) -> None:
        """Dead sites get at most half of the attempts, and the backlog less."""
        world = self.make_world(1000, 5)
        shown = world.scheduler.snapshot()
        self.assertEqual((shown.running, shown.unproven), (38, 38))
        for number in range(100):
            name = f"new{number}.example"
            world.takes[name] = None
            world.offer(name)
        self.assertEqual(world.scheduler.snapshot().running, 50)

    def test_live_site_flows(self) -> None:
        """A site that answers gets the rest."""
        world = World(settings(retry=HOURLY), seconds=1.0)
        world.offer("live.example")
        world.run(2)
        for number in range(1000):
            name = f"dead{number}.example"
            world.answers[name], world.takes[name] = unreachable, 30.0
            world.offer(name)
        for _ in range(200):
            world.offer("live.example")
        world.run(11)
        self.assertEqual(len(world.times("live.example")), 201)
        self.assertEqual(world.scheduler.snapshot().unproven, 50)

    def test_all_in_the_end(self) -> None:
        """Each dead site is asked, and no message is forgotten."""
        world = self.make_world(300, 3)
        world.run(10 * MINUTE)
        self.assertEqual(len(set(world.sites())), 300)
        attempts = {item.attempts for item in world.store.items.values()}
        self.assertEqual(attempts, {1})
        self.assertEqual(len(world.store.items), 900)

    def test_shared_hosts(self) -> None:
        """Domains with the same hosts share their fate: one attempt for all of them."""
        world = World(answer=unreachable, is_idle=True)
        for number in range(50):
            name = f"d{number}.example"
            world.site_of[name] = "mx.example"
            world.queue(name, 3)
        world.scheduler.start()
        world.run(30)
        self.assertEqual(world.sites(), ["mx.example"])
        sites = {item.site for item in world.store.items.values()}
        self.assertEqual(sites, {"mx.example"})
        attempts = {item.attempts for item in world.store.items.values()}
        self.assertEqual(attempts, {1})
