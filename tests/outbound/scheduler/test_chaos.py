"""Everything at once, by chance: nothing lost, nothing twice."""

from collections import Counter
from random import Random
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import StoreError
from harakatw.interfaces.queue import Filter
from harakatw.outbound.attempt import AttemptResult, Work
from harakatw.outbound.scheduler.core import Target
from harakatw.outbound.scheduler.retry import RetryPolicy
from tests.outbound.scheduler.world import (
    DAY,
    World,
    delivered,
    greylisted,
    settings,
    unreachable,
)

OFTEN = RetryPolicy(intervals=(30.0,) * 100_000, max_lifetime=0.0)
DOMAINS = 12


class Chaos:
    """
    Hosts, a disk and a postmaster whose moods change.

    @ivar got: how often each item was delivered.
    @ivar running: items that are being delivered.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.got: Counter[int] = Counter()
        self.running: set[int] = set()
        self.dead: set[str] = set()
        self.offered = 0
        self.world = World(
            settings(
                retry=OFTEN,
                concurrency_max=8,
                sender_max=5,
                held_items=60,
                batch=10,
                routing_max=6,
            ),
            attempting=self.attempt,
        )

    def attempt(self, work: Work) -> "Deferred[AttemptResult]":
        """Deliver, or not, in a while."""
        number = work.item.id
        assert number not in self.running, "two attempts at the same time"
        assert not self.got[number], "delivered already"
        self.running.add(number)
        attempt: Deferred[Any] = Deferred()
        end = self.world.clock.callLater(
            self.random.random() * 3, attempt.callback, None
        )

        def cancelled(failure: Any) -> Any:
            failure.trap(CancelledError)
            end.cancel()
            self.running.discard(number)
            return failure

        return attempt.addCallbacks(lambda _: self.end(work), cancelled)

    def end(self, work: Work) -> AttemptResult:
        """What the host says."""
        self.running.discard(work.item.id)
        if work.site in self.dead:
            return unreachable(work)
        if self.random.random() < 0.3:
            return greylisted(work)
        self.got[work.item.id] += 1
        return delivered(work)

    def domain(self) -> str:
        """Any of them."""
        return f"d{self.random.randrange(DOMAINS)}.example"

    def do_something(self) -> None:
        """One change."""
        world, random, domain = self.world, self.random, self.domain()
        scheduler = world.scheduler
        match random.randrange(12):
            case 0:
                world.store.latency = random.choice((0.0, 0.01, 0.4))
            case 1:
                world.store.broken = random.random() < 0.4
            case 2:
                self.dead.symmetric_difference_update({domain})
            case 3:
                scheduler.pause(Target(site=domain))
            case 4:
                scheduler.resume(Target(site=domain))
            case 5:
                scheduler.flush(Filter()).addErrback(lambda each: each.trap(StoreError))
            case 6:
                random.choice((scheduler.pause, scheduler.resume))(Target())
            case 7:
                world.jumped += random.choice((-DAY, DAY, -60.0, 60.0))
            case _ if not world.store.broken:
                for _ in range(random.randrange(15)):
                    sender = f"s{random.randrange(3)}@s.example"
                    world.offer(domain, sender=sender)
                    self.offered += 1

    def run(self) -> None:
        """A long and then a calm time."""
        for _ in range(400):
            self.do_something()
            self.world.run(self.random.random() * 4)
            shown = self.world.scheduler.snapshot()
            assert shown.running <= 8, "too many attempts"
            assert shown.held <= 60, "too much in memory"
        self.world.store.broken, self.world.store.latency = False, 0.01
        self.dead.clear()
        self.world.scheduler.resume(Target())
        for number in range(DOMAINS):
            self.world.scheduler.resume(Target(site=f"d{number}.example"))
        self.world.run(3 * DAY)


class ChaosTests(SynchronousTestCase):
    """Survey rows 39 and 42 together."""

    def test_chaos(self) -> None:
        """
        Whatever hosts, disk, clock and postmaster do: each message is delivered once,
        and in the end nothing is left in the queue or in memory.
        """
        for seed in range(6):
            chaos = Chaos(seed)
            chaos.run()
            self.flushLoggedErrors(StoreError)
            self.assertEqual(len(chaos.got), chaos.offered, seed)
            self.assertEqual(set(chaos.got.values()), {1}, seed)
            self.assertEqual(chaos.world.store.items, {}, seed)
            shown = chaos.world.scheduler.snapshot()
            self.assertEqual((shown.held, shown.running, shown.unsettled), (0, 0, 0))
            self.assertEqual(shown.held_octets, 0)
            self.successResultOf(chaos.world.scheduler.stop())
            self.assertEqual(chaos.world.clock.getDelayedCalls(), [])
