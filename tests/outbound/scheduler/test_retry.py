"""When an item is tried again, and when it is given up."""

from collections.abc import Iterable
from random import Random
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from harakatw.interfaces.queue import (
    Demands,
    ItemState,
    QueuedMessage,
    QueuedRecipient,
    QueueItem,
)
from harakatw.outbound.attempt import (
    EXPIRED,
    TOO_OFTEN,
    AttemptResult,
    Settlement,
    Undelivered,
)
from harakatw.outbound.scheduler.retry import (
    MIN_RETRY_SECONDS,
    Moment,
    RetryPolicy,
    decide,
    interval,
    unchanged,
)
from harakatw.reply import Reply, reply

QUEUED_AT = 1_700_000_000.0
LATER = reply(450, "4.2.0", "Later")
NEVER = reply(550, "5.1.1", "Never")
A, B, C = (QueuedRecipient(f"{name}@d.example") for name in "abc")
POLICY = RetryPolicy(
    intervals=(60.0, 300.0), max_lifetime=1000.0, delay_warning=500.0, jitter=0.1
)


def make_item(*recipients: QueuedRecipient, attempts: int = 0) -> QueueItem:
    """A message for some recipients."""
    message = QueuedMessage(
        uuid="U.1", sender="s@s.example", size=9, queued_at=QUEUED_AT
    )
    return QueueItem(
        id=7,
        message_id=1,
        message=message,
        domain="d.example",
        site="d.example",
        recipients=recipients or (A,),
        attempts=attempts,
        due=QUEUED_AT,
    )


def told(recipients: Iterable[QueuedRecipient], why: Reply) -> tuple[Undelivered, ...]:
    """All were told the same."""
    return tuple(Undelivered(recipient=each, reply=why) for each in recipients)


def decided(
    item: QueueItem,
    result: AttemptResult,
    *,
    age: float = 0.0,
    chance: float = 0.5,
    policy: RetryPolicy = POLICY,
    not_before: float = 0.0,
) -> Settlement:
    """Decide when the message has a certain age."""
    moment = Moment(
        now=QUEUED_AT + age,
        random=lambda: chance,
        site="mx.example",
        not_before=QUEUED_AT + not_before,
    )
    return decide(item, result, policy, moment)


def due(settlement: Settlement) -> float:
    """When it is tried again, in seconds after it was queued."""
    assert settlement.retry is not None
    return settlement.retry.due - QUEUED_AT


DEFERRED = AttemptResult(deferred=told([A], LATER))


class DueTests(SynchronousTestCase):
    """The time of the next attempt."""

    def test_intervals(self) -> None:
        """The first interval after the first attempt, and so on."""
        dues = [due(decided(make_item(attempts=done), DEFERRED)) for done in (0, 1)]
        self.assertEqual(dues, [60.0, 300.0])

    def test_jitter(self) -> None:
        """Up to a tenth earlier or later, so that not all come at the same time."""
        early, late = (
            due(decided(make_item(), DEFERRED, chance=chance)) for chance in (0.0, 1.0)
        )
        self.assertAlmostEqual(early, 54.0)
        self.assertAlmostEqual(late, 66.0)

    @given(seed=st.integers(0, 10**6), attempts=st.integers(1, 2))
    def test_jitter_bounds(self, seed: int, attempts: int) -> None:
        """Never more than that."""
        seconds = interval(attempts, POLICY, Random(seed).random)
        nominal = POLICY.intervals[attempts - 1]
        self.assertTrue(0.9 * nominal <= seconds <= 1.1 * nominal)

    def test_last_attempt(self) -> None:
        """No attempt is planned for after the lifetime: the last one is at its end."""
        settlement = decided(make_item(attempts=1), DEFERRED, age=900.0)
        self.assertEqual(due(settlement), 1000.0)

    def test_not_before(self) -> None:
        """A site that is left alone is not asked before its time."""
        settlement = decided(make_item(), DEFERRED, not_before=200.0)
        self.assertEqual(due(settlement), 200.0)

    def test_not_before_and_lifetime(self) -> None:
        """But the lifetime ends when it does."""
        settlement = decided(make_item(), DEFERRED, age=950.0, not_before=1800.0)
        self.assertEqual(due(settlement), 1000.0)

    def test_plugin(self) -> None:
        """A plugin's wait is exact, but never shorter than a second."""
        for asked, given_seconds in ((33.0, 33.0), (-5.0, MIN_RETRY_SECONDS)):
            result = attrs.evolve(DEFERRED, retry_after=asked)
            self.assertEqual(due(decided(make_item(), result)), given_seconds)

    def test_does_not_count(self) -> None:
        """What was no attempt is not counted, also if there are no intervals."""
        policy = RetryPolicy(intervals=())
        settlement = decided(
            make_item(), attrs.evolve(DEFERRED, counts=False), policy=policy
        )
        assert settlement.retry is not None
        self.assertEqual(settlement.retry.attempts, 0)
        self.assertEqual(due(settlement), MIN_RETRY_SECONDS)


class GiveUpTests(SynchronousTestCase):
    """Trying ends."""

    def test_too_often(self) -> None:
        """The attempt after the last interval is the last one."""
        settlement = decided(make_item(attempts=2), DEFERRED)
        self.assertIsNone(settlement.retry)
        self.assertEqual(settlement.gave_up, TOO_OFTEN)
        self.assertEqual(settlement.bounces, DEFERRED.deferred)

    def test_no_intervals(self) -> None:
        """With C{none} there is one attempt (row TE26)."""
        settlement = decided(make_item(), DEFERRED, policy=RetryPolicy(intervals=()))
        self.assertEqual(settlement.gave_up, TOO_OFTEN)

    def test_expired(self) -> None:
        """The lifetime is over, whatever attempts are left."""
        settlement = decided(make_item(), DEFERRED, age=1000.0)
        self.assertEqual((settlement.gave_up, settlement.retry), (EXPIRED, None))

    def test_no_lifetime(self) -> None:
        """0 is for ever."""
        policy = attrs.evolve(POLICY, max_lifetime=0.0)
        settlement = decided(make_item(), DEFERRED, age=1e9, policy=policy)
        self.assertIsNotNone(settlement.retry)

    def test_with_others(self) -> None:
        """Who was refused bounces together with who was given up."""
        result = AttemptResult(failed=told([A], NEVER), deferred=told([B], LATER))
        settlement = decided(make_item(A, B), result, age=1000.0)
        replies = [(each.recipient, each.reply) for each in settlement.bounces]
        self.assertEqual(replies, [(A, NEVER), (B, LATER)])


class WarningTests(SynchronousTestCase):
    """The sender is told of the delay."""

    def test_once(self) -> None:
        """At the first attempt after the time; the item remembers."""
        early = decided(make_item(), DEFERRED, age=499.0)
        self.assertEqual(early.warnings, ())
        late = decided(make_item(), DEFERRED, age=500.0)
        self.assertEqual(late.warnings, DEFERRED.deferred)
        self.assertEqual(late.expires_at, QUEUED_AT + 1000.0)
        assert late.retry is not None and early.retry is not None
        self.assertEqual((early.retry.warned, late.retry.warned), (False, True))
        item = attrs.evolve(make_item(), warned=True)
        again = decided(item, DEFERRED, age=600.0)
        self.assertEqual(again.warnings, ())
        assert again.retry is not None
        self.assertTrue(again.retry.warned)

    def test_off(self) -> None:
        """0 is never."""
        policy = attrs.evolve(POLICY, delay_warning=0.0)
        settlement = decided(make_item(), DEFERRED, age=900.0, policy=policy)
        self.assertEqual(settlement.warnings, ())


class DemandTests(SynchronousTestCase):
    """Mail whose sender has said when it is to be there (RFC 2852, RFC 4865)."""

    def item(self, **demands: Any) -> QueueItem:
        """A message with demands."""
        item = make_item()
        message = attrs.evolve(item.message, demands=Demands(**demands))
        return attrs.evolve(item, message=message)

    def test_returned(self) -> None:
        """The last attempt is when the time is over; then it comes back: 5.4.7."""
        item = self.item(deliver_by=QUEUED_AT + 30, returns_late=True)
        self.assertEqual(due(decided(item, DEFERRED)), 30.0)
        settlement = decided(item, DEFERRED, age=30.0)
        (bounce,) = settlement.bounces
        self.assertEqual((bounce.reply.code, bounce.reply.enhanced), (554, "5.4.7"))
        self.assertIn("450 4.2.0 Later", bounce.reply.text)
        self.assertIsNone(settlement.retry)

    def test_lifetime_first(self) -> None:
        """A time beyond the lifetime makes it live no longer."""
        item = self.item(deliver_by=QUEUED_AT + 10**6, returns_late=True)
        self.assertNotEqual(decided(item, DEFERRED, age=1000.0).bounces, ())

    def test_reported(self) -> None:
        """With N the warning is when the time is over, neither sooner nor twice."""
        item = self.item(deliver_by=QUEUED_AT + 700)
        self.assertEqual(decided(item, DEFERRED, age=600.0).warnings, ())
        self.assertEqual(due(decided(item, DEFERRED, age=690.0)), 700.0)
        late = decided(item, DEFERRED, age=700.0)
        self.assertEqual(len(late.warnings), 1)
        assert late.retry is not None
        self.assertTrue(late.retry.warned)
        warned = attrs.evolve(item, warned=True)
        self.assertEqual(decided(warned, DEFERRED, age=800.0).warnings, ())

    def test_held(self) -> None:
        """What is held until a time is as old as that time is past."""
        item = self.item(released_at=QUEUED_AT + 10**6)
        self.assertEqual(decided(item, DEFERRED, age=10**6).bounces, ())
        self.assertEqual(decided(item, DEFERRED, age=10**6 + 400).warnings, ())
        self.assertEqual(len(decided(item, DEFERRED, age=10**6 + 500).warnings), 1)
        self.assertEqual(len(decided(item, DEFERRED, age=10**6 + 1000).bounces), 1)


class RecipientTests(SynchronousTestCase):
    """Each recipient has a fate."""

    def test_left(self) -> None:
        """Only the deferred ones are tried again, each with what it was told."""
        result = AttemptResult(
            delivered=(A,), failed=told([B], NEVER), deferred=told([C], LATER)
        )
        settlement = decided(make_item(A, B, C), result)
        assert settlement.retry is not None
        (left,) = settlement.retry.recipients
        self.assertEqual(left, attrs.evolve(C, last_reply="450 4.2.0 Later"))
        self.assertEqual(settlement.retry.site, "mx.example")
        self.assertEqual([each.recipient for each in settlement.bounces], [B])

    def test_forgotten(self) -> None:
        """One of whom nothing is said is tried again, also if it stands there twice."""
        settlement = decided(make_item(A, A, B), AttemptResult(delivered=(A,)))
        assert settlement.retry is not None
        left = [each.address for each in settlement.retry.recipients]
        self.assertEqual(sorted(left), [A.address, B.address])

    def test_put_off(self) -> None:
        """A plugin that puts a message off is named as the reason."""
        settlement = decided(make_item(), AttemptResult(counts=False, retry_after=9.0))
        assert settlement.retry is not None
        self.assertEqual(settlement.retry.last_error, "451 4.3.0 Put off by a plugin")

    def test_dropped(self) -> None:
        """Dropped ones are forgotten; who was refused is still told."""
        result = AttemptResult(
            failed=told([A], NEVER), deferred=told([B], LATER), drop=True
        )
        settlement = decided(make_item(A, B), result)
        self.assertIsNone(settlement.retry)
        self.assertEqual([each.recipient for each in settlement.bounces], [A])

    def test_set_aside(self) -> None:
        """What cannot be tried is kept for the postmaster, and does not count."""
        settlement = decided(make_item(A, B), AttemptResult(set_aside="unreadable"))
        assert settlement.retry is not None
        self.assertIs(settlement.retry.state, ItemState.DEAD)
        self.assertEqual(settlement.retry.recipients, (A, B))
        self.assertEqual(settlement.retry.attempts, 0)
        self.assertEqual(settlement.bounces, ())

    def test_long_reply(self) -> None:
        """A host's endless reply does not fill the queue."""
        endless = reply(450, "4.2.0", ["x" * 400] * 90)
        settlement = decided(make_item(), AttemptResult(deferred=told([A], endless)))
        assert settlement.retry is not None
        self.assertEqual(len(settlement.retry.last_error), 500)
        self.assertEqual(len(settlement.retry.recipients[0].last_reply), 500)

    def test_unchanged(self) -> None:
        """An item that nobody tried goes back as it was."""
        item = attrs.evolve(make_item(A, attempts=1), warned=True, last_error="e")
        retry = unchanged(item, "mx.example", 5.0)
        self.assertEqual((retry.id, retry.due, retry.site), (7, 5.0, "mx.example"))
        self.assertEqual(
            (retry.attempts, retry.warned, retry.last_error), (1, True, "e")
        )
        self.assertEqual(retry.recipients, (A,))
        self.assertIs(retry.state, ItemState.READY)
