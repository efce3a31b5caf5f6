"""A scheduler, its queue, and hosts that answer as a test says, in virtual time."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

import attrs
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from harakatw.interfaces.queue import (
    NewItem,
    QueuedMessage,
    QueuedRecipient,
    QueueItem,
)
from harakatw.outbound.attempt import (
    AttemptResult,
    Contact,
    Routed,
    Settlement,
    Undelivered,
    Work,
)
from harakatw.outbound.scheduler.core import Scheduler
from harakatw.outbound.scheduler.retry import RetryPolicy
from harakatw.outbound.scheduler.settings import SchedulerSettings
from harakatw.reply import Reply, reply
from tests.outbound.scheduler.fake_store import FakeStore

EPOCH: Final = 1_700_000_000.0
MINUTE: Final = 60.0
HOUR: Final = 3600.0
DAY: Final = 86400.0

GREYLISTED: Final = reply(450, "4.2.0", "Greylisted")
NO_SUCH_USER: Final = reply(550, "5.1.1", "No such user")
REFUSED: Final = reply(451, "4.4.1", "Connection refused")
POLICY: Final = RetryPolicy(intervals=(60.0, 300.0, 900.0), jitter=0.0)

Answer = Callable[[Work], AttemptResult]


def delivered(work: Work) -> AttemptResult:
    """Everybody has got it."""
    return AttemptResult(delivered=work.item.recipients)


def undelivered(work: Work, why: Reply) -> tuple[Undelivered, ...]:
    """Nobody has got it."""
    return tuple(
        Undelivered(recipient=each, reply=why) for each in work.item.recipients
    )


def greylisted(work: Work) -> AttemptResult:
    """Everybody may get it later."""
    return AttemptResult(deferred=undelivered(work, GREYLISTED))


def rejected(work: Work) -> AttemptResult:
    """Nobody will ever get it."""
    return AttemptResult(failed=undelivered(work, NO_SUCH_USER))


def unreachable(work: Work) -> AttemptResult:
    """There is nobody there."""
    deferred = undelivered(work, REFUSED)
    return AttemptResult(deferred=deferred, contact=Contact.FAILED)


def settings(**changes: Any) -> SchedulerSettings:
    """Settings with a short list of intervals and without chance."""
    return SchedulerSettings(**{"retry": POLICY, **changes})


def recipients(domain: str, count: int = 1) -> tuple[QueuedRecipient, ...]:
    """Recipients of a domain."""
    return tuple(QueuedRecipient(f"user{number}@{domain}") for number in range(count))


@attrs.frozen
class Started:
    """
    An attempt.

    @ivar at: in seconds since the test began.
    @ivar has_body: was the message in memory?
    """

    at: float
    work: Work
    has_body: bool

    @property
    def site(self) -> str:
        """Where to."""
        return self.work.site


@attrs.define(eq=False)
class World:
    """
    Everything around a scheduler.

    @ivar answer: what hosts say, unless C{answers} has something for the site.
    @ivar seconds: how long an attempt takes, unless C{takes} has something for the
        site; 0 is at once, L{None} for ever.
    @ivar routing: says where items go, instead of C{site_of}.
    @ivar attempting: tries to deliver, instead of all these.
    @ivar reporting: is told what followed.
    @ivar site_of: the site of a domain, if it is not called the same.
    @ivar started: the attempts.
    @ivar settlements: what followed from them.
    @ivar jumped: by how much the time of day was set.
    """

    options: SchedulerSettings = attrs.field(factory=settings)
    answer: Answer = delivered
    answers: dict[str, Answer] = attrs.field(factory=dict)
    seconds: float | None = 0.0
    takes: dict[str, float | None] = attrs.field(factory=dict)
    site_of: dict[str, str] = attrs.field(factory=dict)
    started: list[Started] = attrs.field(factory=list)
    settlements: list[Settlement] = attrs.field(factory=list)
    routing: Callable[[Work], Any] | None = None
    attempting: Callable[[Work], Any] | None = None
    reporting: Callable[[Work, Settlement], Any] | None = None
    jumped: float = 0.0
    most_running: int = 0
    is_idle: bool = False
    _running: int = 0
    clock: Clock = attrs.field(factory=Clock)
    store: FakeStore = attrs.field(init=False)
    scheduler: Scheduler = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.store = FakeStore(self.clock, self.now)
        self.scheduler = self.make_scheduler()
        if not self.is_idle:
            self.scheduler.start()

    def make_scheduler(self) -> Scheduler:
        """Make a scheduler, as after a restart."""
        return Scheduler(
            store=self.store,
            route=self.route,
            attempt=self.attempt,
            settled=self.settled,
            settings=self.options,
            clock=self.clock,
            now=self.now,
            random=lambda: 0.5,
        )

    # ---- what the scheduler is given -------------------------------------------------

    def now(self) -> float:
        """The time of day."""
        return EPOCH + self.clock.seconds() + self.jumped

    def route(self, work: Work) -> Any:
        """At once, unless the test says otherwise."""
        if self.routing is not None:
            return self.routing(work)
        domain = work.item.domain
        return Routed(self.site_of.get(domain, domain))

    def attempt(self, work: Work) -> Any:
        """As the test says."""
        has_body = work.body is not None
        self.started.append(Started(self.clock.seconds(), work, has_body))
        if self.attempting is not None:
            return self.attempting(work)
        self._running += 1
        self.most_running = max(self.most_running, self._running)
        seconds = self.takes.get(work.site, self.seconds)
        if seconds == 0:
            return succeed(self._end(None, work))
        running: Deferred[None] = Deferred()
        if seconds is not None:
            call = self.clock.callLater(seconds, running.callback, None)
            running.addErrback(self._cancelled, call)
        return running.addBoth(self._end, work)

    def _cancelled(self, failure: Failure, call: Any) -> Failure:
        failure.trap(CancelledError)
        call.cancel()
        return failure

    def _end(self, result: Any, work: Work) -> Any:
        self._running -= 1
        if isinstance(result, Failure):
            return result
        return self.answers.get(work.site, self.answer)(work)

    def settled(self, work: Work, settlement: Settlement) -> Any:
        """Write it down."""
        self.settlements.append(settlement)
        return self.reporting and self.reporting(work, settlement)

    # ---- mail ------------------------------------------------------------------------

    def message(self, **changes: Any) -> QueuedMessage:
        """A message that comes now."""
        values = {
            "uuid": "U.1",
            "sender": "a@sender.example",
            "size": 100,
            "queued_at": self.now(),
        }
        return QueuedMessage(**{**values, **changes})

    def queue(
        self, domain: str, count: int = 1, *, due: float = 0.0, **changes: Any
    ) -> list[QueueItem]:
        """Have messages in the store, as if they had been there before."""
        message = self.message(**changes)
        new = NewItem(
            domain=domain, recipients=recipients(domain), due=due or self.now()
        )
        return [self.store.put(message, new) for _ in range(count)]

    def offer(
        self,
        domain: str,
        body: bytes | None = b"Hello\r\n",
        users: int = 1,
        **changes: Any,
    ) -> QueueItem:
        """Queue a message and offer it, as the server does."""
        new = NewItem(domain=domain, recipients=recipients(domain, users))
        added: list[tuple[QueueItem, ...]] = []
        adding = self.store.add(self.message(**changes), [new], [])
        adding.addCallback(added.append)
        self.scheduler.offer(added[0], body)
        return added[0][0]

    # ---- time ------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        """Let time pass, each call at its time."""
        clock, end = self.clock, self.clock.seconds() + seconds
        while True:
            calls = clock.getDelayedCalls()
            first = min((call.getTime() for call in calls), default=end + 1)
            if first > end:
                break
            clock.rightNow = max(first, clock.rightNow)
            clock.advance(0)
        clock.rightNow = end

    # ---- what happened ---------------------------------------------------------------

    def times(self, site: str = "") -> list[float]:
        """When attempts began, in milliseconds' exactness."""
        return [round(each.at, 3) for each in self.started if site in ("", each.site)]

    def sites(self) -> list[str]:
        """Where the attempts went, in order."""
        return [each.site for each in self.started]

    def gaps(self) -> list[float]:
        """Seconds between attempts."""
        return [after - before for before, after in pairwise(self.times())]

    def tried_twice(self) -> set[int]:
        """Items with more than one attempt."""
        seen: set[int] = set()
        twice: set[int] = set()
        for each in self.started:
            number = each.work.item.id
            (twice if number in seen else seen).add(number)
        return twice
