"""
What follows from an attempt: whether an item is done, when it is tried again, and when
to give up.

@see: RFC 5321 section 4.5.4.1; Haraka rows OB14, OB15, OB43 and OB44
"""

from collections import Counter
from collections.abc import Callable
from typing import Final

import attrs

from harakatw.interfaces.queue import ItemState, QueuedRecipient, QueueItem, Retry
from harakatw.outbound.attempt import (
    EXPIRED,
    TOO_OFTEN,
    AttemptResult,
    Settlement,
    Undelivered,
)
from harakatw.reply import Reply, reply

MIN_RETRY_SECONDS: Final = 1.0
"""Whatever a plugin says: an item is not tried all the time."""

NO_RESULT: Final = reply(451, "4.3.0", "Nothing is known about the last attempt")
PUT_OFF: Final = reply(451, "4.3.0", "Put off by a plugin")
MAX_ERROR_CHARACTERS: Final = 500
"""Of an answer, kept with the item."""

_DAY: Final = 86400.0


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """
    How long, and how often.

    @ivar intervals: seconds before each attempt after the first; the attempt after the
        last is the last one. Empty: there is only one attempt.
    @ivar max_lifetime: seconds after which a message is given up; 0 is never.
    @ivar delay_warning: seconds after which its sender is warned; 0 is never.
    @ivar jitter: how much an interval differs by chance, as a share of it.
    """

    intervals: tuple[float, ...]
    max_lifetime: float = 5 * _DAY
    delay_warning: float = 4 * 3600.0
    jitter: float = 0.1

    def expires_at(self, item: QueueItem) -> float:
        """Until when an item is tried, in seconds since 1970."""
        lifetime = self.max_lifetime or float("inf")
        expires_at = item.message.waits_from + lifetime
        demands = item.message.demands
        return (
            min(expires_at, demands.deliver_by) if demands.returns_late else expires_at
        )

    def warns_at(self, item: QueueItem) -> float:
        """
        When its sender is told that it is late, in seconds since 1970: when it should
        have been there (RFC 2852 section 4.1), if the sender has said so.
        """
        demands = item.message.demands
        if demands.deliver_by and not demands.returns_late:
            return demands.deliver_by
        if not self.delay_warning:
            return float("inf")
        return item.message.waits_from + self.delay_warning


@attrs.frozen(kw_only=True)
class Moment:
    """
    What a decision depends on besides the attempt.

    @ivar now: in seconds since 1970.
    @ivar random: makes numbers from 0 up to 1.
    @ivar site: the queue that the item waits in from now on.
    @ivar not_before: when its site is tried again, in seconds since 1970.
    """

    now: float
    random: Callable[[], float]
    site: str
    not_before: float = 0.0


def decide(
    item: QueueItem, result: AttemptResult, policy: RetryPolicy, moment: Moment
) -> Settlement:
    """
    Say what becomes of an item.

    Who is deferred is tried again, unless that was the last attempt or the lifetime is
    over: the last attempt before that is made when it ends.
    """
    deferred = result.deferred + _forgotten(item, result)
    if result.drop or not deferred:
        return Settlement(item, result, bounces=result.failed)
    if result.set_aside:
        return _set_aside(item, result, deferred, moment)
    attempts = item.attempts + result.counts
    expires_at = policy.expires_at(item)
    gave_up = _why_give_up(attempts, expires_at, policy, moment)
    if gave_up:
        if item.message.demands.returns_late and gave_up is EXPIRED:
            deferred = tuple(map(_late, deferred))
        bounces = result.failed + deferred
        return Settlement(item, result, bounces=bounces, gave_up=gave_up)
    must_warn = moment.now >= policy.warns_at(item) and not item.warned
    tell = _when_to_tell(item, moment)
    retry = Retry(
        id=item.id,
        recipients=tuple(map(_remembering, deferred)),
        due=min(_due(attempts, result.retry_after, expires_at, policy, moment), tell),
        attempts=attempts,
        site=moment.site,
        warned=item.warned or must_warn,
        last_error=deferred[0].said[:MAX_ERROR_CHARACTERS],
    )
    return Settlement(
        item,
        result,
        bounces=result.failed,
        warnings=deferred if must_warn else (),
        retry=retry,
        expires_at=expires_at,
    )


def unchanged(item: QueueItem, site: str, due: float) -> Retry:
    """Put an item back that nobody tried, perhaps into another queue."""
    return Retry(
        id=item.id,
        recipients=item.recipients,
        due=due,
        attempts=item.attempts,
        site=site,
        warned=item.warned,
        last_error=item.last_error,
    )


def interval(attempts: int, policy: RetryPolicy, random: Callable[[], float]) -> float:
    """
    How long to wait after an attempt, in seconds.

    @param attempts: how many there were, at most as many as there are intervals.
    """
    seconds = policy.intervals[max(attempts, 1) - 1]
    return seconds * (1 + policy.jitter * (2 * random() - 1))


def _why_give_up(
    attempts: int, expires_at: float, policy: RetryPolicy, moment: Moment
) -> str:
    if moment.now >= expires_at:
        return EXPIRED
    return TOO_OFTEN if attempts > len(policy.intervals) else ""


def _when_to_tell(item: QueueItem, moment: Moment) -> float:
    """Who wants to know on time that it is late is told on time."""
    deliver_by = item.message.demands.deliver_by
    return deliver_by if deliver_by > moment.now else float("inf")


def _late(undelivered: Undelivered) -> Undelivered:
    """It was to be returned when it is late (RFC 2852 section 4.1.4)."""
    last = undelivered.recipient.last_reply or undelivered.said
    text = f"Not delivered in time; the last attempt: {last}"
    return attrs.evolve(undelivered, reply=reply(554, "5.4.7", text), peer=None)


def _due(
    attempts: int,
    retry_after: float | None,
    expires_at: float,
    policy: RetryPolicy,
    moment: Moment,
) -> float:
    if retry_after is not None:
        wait = max(retry_after, MIN_RETRY_SECONDS)
    elif policy.intervals:
        wait = interval(attempts, policy, moment.random)
    else:
        wait = MIN_RETRY_SECONDS
    return min(max(moment.now + wait, moment.not_before), expires_at)


def _set_aside(
    item: QueueItem,
    result: AttemptResult,
    left: tuple[Undelivered, ...],
    moment: Moment,
) -> Settlement:
    retry = Retry(
        id=item.id,
        recipients=tuple(each.recipient for each in left),
        due=moment.now,
        attempts=item.attempts,
        site=moment.site,
        warned=item.warned,
        last_error=result.set_aside[:MAX_ERROR_CHARACTERS],
        state=ItemState.DEAD,
    )
    return Settlement(item, result, bounces=result.failed, retry=retry)


def _forgotten(item: QueueItem, result: AttemptResult) -> tuple[Undelivered, ...]:
    """Recipients of whom the result says nothing: they must not get lost."""
    told = len(result.delivered) + len(result.failed) + len(result.deferred)
    if told >= len(item.recipients):
        return ()
    left = Counter(item.recipients)
    left.subtract(result.delivered)
    left.subtract(each.recipient for each in result.failed)
    left.subtract(each.recipient for each in result.deferred)
    why = NO_RESULT if result.counts else PUT_OFF
    return everybody(tuple((+left).elements()), why)


def _remembering(undelivered: Undelivered) -> QueuedRecipient:
    said = undelivered.said[:MAX_ERROR_CHARACTERS]
    return attrs.evolve(undelivered.recipient, last_reply=said)


def everybody(
    recipients: tuple[QueuedRecipient, ...], why: Reply
) -> tuple[Undelivered, ...]:
    """All these have not got it, for the same reason."""
    return tuple(Undelivered(recipient=each, reply=why) for each in recipients)
