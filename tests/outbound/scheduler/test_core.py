"""A message's way through the scheduler."""

from typing import Any

import attrs
from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.errors import PermanentFailure, TemporaryFailure
from harakatw.interfaces.queue import IQueueStore, ItemState
from harakatw.outbound.attempt import (
    EXPIRED,
    TOO_OFTEN,
    AttemptResult,
    Settlement,
    Work,
)
from harakatw.outbound.scheduler.core import Target
from harakatw.outbound.scheduler.retry import RetryPolicy, unchanged
from tests.outbound.scheduler.world import (
    DAY,
    HOUR,
    NO_SUCH_USER,
    POLICY,
    World,
    delivered,
    greylisted,
    rejected,
    settings,
)


class DeliveryTests(SynchronousTestCase):
    """A message that was just queued is tried at once."""

    def test_store(self) -> None:
        """The tests' queue is one."""
        verifyObject(IQueueStore, World().store)

    def test_delivered(self) -> None:
        """What was delivered leaves the queue, and nothing of it stays in memory."""
        world = World()
        item = world.offer("d.example")
        self.assertEqual(world.started[0].work.item, item)
        self.assertEqual(world.started[0].at, 0.0)
        self.assertEqual(world.store.items, {})
        snapshot = world.scheduler.snapshot()
        self.assertEqual((snapshot.held, snapshot.held_octets), (0, 0))
        self.assertEqual(snapshot.running, 0)

    def test_body(self) -> None:
        """A small message is sent from memory: the disk need not be read."""
        world = World(seconds=None)
        world.offer("d.example", b"Hello\r\n")
        self.assertEqual(world.started[0].work.body, b"Hello\r\n")
        self.assertEqual(world.scheduler.snapshot().held_octets, 7)

    def test_body_in_store(self) -> None:
        """A large one is read when it is sent."""
        world = World()
        world.offer("d.example", None)
        self.assertIsNone(world.started[0].work.body)

    def test_rejected(self) -> None:
        """What a host refuses for good bounces, and leaves the queue."""
        world = World(answer=rejected)
        world.offer("d.example", users=2)
        (settlement,) = world.settlements
        self.assertEqual(
            [each.recipient.address for each in settlement.bounces],
            ["user0@d.example", "user1@d.example"],
        )
        self.assertEqual(settlement.gave_up, "")
        self.assertEqual(world.store.items, {})

    def test_found_at_start(self) -> None:
        """What was in the queue before the server started is tried."""
        world = World(is_idle=True)
        world.queue("d.example", 3)
        world.scheduler.start()
        self.assertEqual(world.times(), [0.0, 0.0, 0.0])
        self.assertEqual(world.store.items, {})

    def test_offered_before_start(self) -> None:
        """What comes before the engine runs waits in the store, and is not lost."""
        world = World(is_idle=True)
        world.offer("d.example")
        self.assertEqual(world.started, [])
        world.scheduler.start()
        world.run(2)
        self.assertEqual(len(world.started), 1)

    def test_not_due(self) -> None:
        """A message that somebody queued for later waits for its time, exactly."""
        world = World(is_idle=True)
        world.queue("d.example", due=world.now() + 1234.5)
        world.scheduler.start()
        world.run(1300)
        self.assertEqual(world.times(), [1234.5])


class RetryTests(SynchronousTestCase):
    """The whole life of a message that nobody takes."""

    def test_intervals(self) -> None:
        """It is tried again after each of the intervals, then it bounces."""
        world = World(answer=greylisted)
        world.offer("d.example")
        world.run(DAY)
        self.assertEqual(world.times(), [0.0, 60.0, 360.0, 1260.0])
        last = world.settlements[-1]
        self.assertEqual(last.gave_up, TOO_OFTEN)
        self.assertEqual(last.bounces[0].reply.code, 450)
        self.assertEqual(world.store.items, {})

    def test_five_days(self) -> None:
        """
        After five days it is tried once more, and then it bounces; its sender is warned
        once, at the first attempt after four hours.
        """
        policy = RetryPolicy(intervals=(HOUR,) * 1000, jitter=0.0)
        world = World(settings(retry=policy), answer=greylisted)
        world.offer("d.example")
        world.run(6 * DAY)
        self.assertEqual(len(world.started), 121)
        self.assertEqual(world.times()[-1], 5 * DAY)
        self.assertEqual(world.settlements[-1].gave_up, EXPIRED)
        warned = [
            at
            for at, told in zip(world.times(), world.settlements, strict=True)
            if told.warnings
        ]
        self.assertEqual(warned, [4 * HOUR])
        self.assertEqual(world.store.items, {})

    def test_restart(self) -> None:
        """Attempts are counted beyond a restart, and each waits for its time."""
        world = World(answer=greylisted)
        world.offer("d.example")
        world.run(70)
        world.scheduler.stop()
        world.run(10)
        world.scheduler = world.make_scheduler()
        world.scheduler.start()
        world.run(DAY)
        self.assertEqual(world.times(), [0.0, 60.0, 360.0, 1260.0])

    def test_delivered_at_last(self) -> None:
        """A greylisted message is delivered when it comes again."""
        world = World(answer=greylisted)
        world.offer("d.example")
        world.answer = delivered
        world.run(DAY)
        self.assertEqual(world.times(), [0.0, 60.0])
        self.assertEqual(world.store.items, {})

    def test_some_recipients(self) -> None:
        """Who has got a message does not get it again."""
        world = World()
        world.answer = lambda work: AttemptResult(
            delivered=work.item.recipients[:1],
            deferred=greylisted(work).deferred[1:2],
            failed=rejected(work).failed[2:],
        )
        item = world.offer("d.example", users=3)
        left = world.store.items[item.id]
        self.assertEqual(
            [each.address for each in left.recipients], ["user1@d.example"]
        )
        self.assertEqual(left.recipients[0].last_reply, "450 4.2.0 Greylisted")
        self.assertEqual(left.last_error, "450 4.2.0 Greylisted")
        (told,) = world.settlements
        self.assertEqual(told.bounces[0].recipient.address, "user2@d.example")

    def test_plugin_delays(self) -> None:
        """A plugin may say when, and whether that was an attempt."""
        world = World()
        world.answer = lambda work: AttemptResult(
            deferred=greylisted(work).deferred, retry_after=7.0, counts=False
        )
        item = world.offer("d.example")
        world.run(20)
        self.assertEqual(world.times(), [0.0, 7.0, 14.0])
        self.assertEqual(world.store.items[item.id].attempts, 0)

    def test_plugin_drops(self) -> None:
        """A plugin may have a message forgotten that would be tried again."""
        world = World()
        world.answer = lambda work: AttemptResult(
            deferred=greylisted(work).deferred, drop=True
        )
        world.offer("d.example")
        self.assertEqual(world.store.items, {})
        self.assertEqual(world.settlements[0].bounces, ())

    def test_set_aside(self) -> None:
        """A message that cannot be read is kept for the postmaster."""
        world = World()
        world.answer = lambda work: AttemptResult(set_aside="its file is gone")
        item = world.offer("d.example")
        world.run(DAY)
        left = world.store.items[item.id]
        self.assertIs(left.state, ItemState.DEAD)
        self.assertEqual(left.last_error, "its file is gone")
        self.assertEqual(left.recipients, item.recipients)
        self.assertEqual(len(world.started), 1)


class TroubleTests(SynchronousTestCase):
    """Whatever those raise who route, deliver or report: no message gets lost."""

    def failing_attempt(self, error: Exception) -> World:
        """Have an attempt fail as a whole."""
        world = World(attempting=lambda work: fail(error))
        world.offer("d.example")
        return world

    def test_bug(self) -> None:
        """An error in our own code is logged; the message is tried again."""
        world = self.failing_attempt(ZeroDivisionError())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        (item,) = world.store.items.values()
        self.assertEqual(item.attempts, 1)
        self.assertEqual(item.last_error, "451 4.3.0 Local error, to be tried again")

    def test_raises_at_once(self) -> None:
        """So is one that comes before there is anything to wait for."""
        world = World(attempting=lambda work: 1 / 0)
        world.offer("d.example")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(len(world.store.items), 1)
        self.assertEqual(world.scheduler.snapshot().running, 0)

    def test_temporary_failure(self) -> None:
        """A temporary failure keeps the message (RFC 5321 section 4.5.4.1)."""
        world = self.failing_attempt(TemporaryFailure(NO_SUCH_USER))
        self.assertEqual(len(world.store.items), 1)

    def test_permanent_failure(self) -> None:
        """A permanent one bounces it."""
        world = self.failing_attempt(PermanentFailure(NO_SUCH_USER))
        self.assertEqual(world.store.items, {})
        self.assertEqual(world.settlements[0].bounces[0].reply, NO_SUCH_USER)

    def test_result_without_recipients(self) -> None:
        """Recipients of whom nothing is said are tried again."""
        world = World(answer=lambda work: AttemptResult())
        item = world.offer("d.example", users=2)
        left = world.store.items[item.id]
        self.assertEqual(left.recipients[1].address, "user1@d.example")
        self.assertIn("Nothing is known", left.last_error)

    def test_no_route(self) -> None:
        """A domain that does not exist bounces without an attempt."""
        world = World(routing=rejected)
        world.offer("d.example")
        self.assertEqual(world.started, [])
        self.assertEqual(world.settlements[0].bounces[0].reply, NO_SUCH_USER)
        self.assertEqual(world.store.items, {})

    def test_attempt_without_end(self) -> None:
        """An attempt that hangs is given up before its lease ends."""
        world = World(seconds=None)
        item = world.offer("d.example")
        world.run(HOUR - 150)
        self.assertEqual(len(world.started), 1)
        self.assertEqual(world.store.items[item.id].attempts, 1)
        self.assertIn("took too long", world.store.items[item.id].last_error)


class ReportTests(SynchronousTestCase):
    """A bounce is in the queue before its message leaves it."""

    def test_order(self) -> None:
        """The item stays leased until the report is on disk."""
        reported: Deferred[None] = Deferred()
        world = World(answer=rejected, reporting=lambda *_: reported)
        item = world.offer("d.example")
        self.assertIn(item.id, world.store.items)
        reported.callback(None)
        self.assertEqual(world.store.items, {})

    def test_disk_full(self) -> None:
        """A report that cannot be written is made again; the mail is not sent again."""
        outcomes: list[Any] = [fail(ZeroDivisionError()), None]
        world = World(answer=rejected, reporting=lambda *_: outcomes.pop(0))
        item = world.offer("d.example")
        self.assertIn(item.id, world.store.items)
        self.assertEqual(world.scheduler.snapshot().unsettled, 1)
        world.run(5)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(world.store.items, {})
        self.assertEqual(len(world.started), 1)

    def test_reporter_raises(self) -> None:
        """A bug of who reports does not lose the message either."""
        world = World(answer=rejected, reporting=lambda *_: 1 / 0)
        item = world.offer("d.example")
        world.run(5)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 3)
        self.assertIn(item.id, world.store.items)
        world.reporting = None
        world.run(60)
        self.assertEqual(world.store.items, {})

    def test_another_settlement(self) -> None:
        """Who reports may decide otherwise: a double bounce is kept."""

        def keep(work: Work, told: Settlement) -> Settlement:
            dead = unchanged(work.item, work.site, 0.0)
            return attrs.evolve(told, retry=attrs.evolve(dead, state=ItemState.DEAD))

        world = World(answer=rejected, reporting=keep)
        item = world.offer("d.example")
        self.assertIs(world.store.items[item.id].state, ItemState.DEAD)


class SnapshotTests(SynchronousTestCase):
    """What the queue tools show."""

    def test_snapshot(self) -> None:
        """Sites with what runs and waits, and the whole."""
        world = World(settings(concurrency_max=3), seconds=None)
        for _ in range(7):
            world.offer("d.example")
        world.scheduler.pause(Target(site="e.example"))
        world.offer("e.example")
        shown = world.scheduler.snapshot()
        self.assertEqual((shown.held, shown.running, shown.unproven), (8, 1, 1))
        self.assertEqual(shown.concurrency_max, 3)
        self.assertEqual(shown.paused_sites, {"e.example"})
        first, second = shown.sites
        self.assertEqual((first.name, first.ready, first.running), ("d.example", 6, 1))
        self.assertEqual((second.ready, second.is_paused), (1, True))

    def test_configure(self) -> None:
        """New limits hold from now on."""
        world = World(settings(concurrency_max=2), seconds=None)
        for _ in range(7):
            world.offer("d.example")
        self.assertEqual(world.scheduler.snapshot().running, 1)
        world.scheduler.configure(settings(concurrency_max=8, retry=POLICY))
        self.assertEqual(world.scheduler.snapshot().running, 4)
