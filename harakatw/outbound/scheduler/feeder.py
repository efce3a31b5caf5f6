"""
Take from the store what is due, no more than there is use for.

A million queued messages cost nothing here: a few of each queue are in memory, and the
next come when these are gone.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final, Protocol

import attrs
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from harakatw.interfaces.queue import IQueueStore, QueueItem, SiteCount
from harakatw.outbound.scheduler.appetite import FULL, Appetite
from harakatw.outbound.scheduler.settings import SchedulerSettings
from harakatw.outbound.scheduler.steady import SteadyTime

MIN_POLL_SECONDS: Final = 1.0
MAX_POLL_SECONDS: Final = 60.0
"""The clock may have been set forward, or another host may have added something."""

FAILED_POLL_SECONDS: Final = 10.0
"""How long to leave the store alone that could not be read."""

_MAX_LEASES = 8  # that the store works on at the same time
_QUEUES_PER_POLL = 1000


class Eater(Protocol):
    """Where the items go."""

    def appetite(self, site: str) -> Appetite:
        """What could a site do with, as far as its limits go?"""

    def leased_room(self) -> int:
        """How many more items from the store may be in memory?"""

    def take_leased(self, items: Iterable[QueueItem], queue: str) -> int:
        """
        Have items that were leased.

        @return: how many of them were not in memory already.
        """

    def swept(self, site: str) -> None:
        """All that was due for a site that is down was taken."""


@attrs.define(eq=False)
class Queue:
    """
    A queue of the store, as long as something of it is due or in memory.

    @ivar name: a site, or a domain while nobody has asked for its site.
    @ivar site: where its items went last.
    @ivar leased: how many of its items are in memory.
    @ivar has_more: is more of it due?
    @ivar is_leasing: is the store at it?
    @ivar is_lined: does it stand in line to be looked at?
    """

    name: str
    site: str
    leased: int = 0
    has_more: bool = False
    is_leasing: bool = False
    is_lined: bool = False


@attrs.define(eq=False)
class Feeder:
    """Keeps the ready queues from running dry."""

    settings: SchedulerSettings
    _store: IQueueStore
    _clock: IReactorTime
    _time: SteadyTime
    _eater: Eater
    _queues: dict[str, Queue] = attrs.field(factory=dict)
    _line: deque[Queue] = attrs.field(factory=deque)
    _leases: int = 0
    _untried: float = 0.0  # how many of these may be taken until the next poll
    _again_in: float = MAX_POLL_SECONDS
    _passed_over: int = 0  # queues of the last poll that were not wanted
    _timer: IDelayedCall | None = None
    _polled_at: float = 0.0
    _is_polling: bool = False
    _is_feeding: bool = False
    _is_running: bool = False
    _log = Logger()

    @property
    def leases(self) -> int:
        """How many leases the store is at."""
        return self._leases

    def start(self) -> None:
        """Look for what is due, now and from now on."""
        self._is_running = True
        self._polled_at = self._clock.seconds() - MIN_POLL_SECONDS
        self._poll()

    def stop(self) -> None:
        """Take nothing any more; what the store is giving out comes back to it."""
        self._is_running = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def expect(self, due: float) -> None:
        """
        Something in the store becomes due.

        @param due: in seconds since 1970.
        """
        self._wake_in(max(0.0, due - self._time()))

    def gone(self, name: str) -> None:
        """An item of a queue is in memory no more."""
        queue = self._queues[name]
        queue.leased -= 1
        if queue.has_more:
            self._stand_in_line(queue)
        else:
            self._forget_if_empty(queue)
        if self._line:
            self._feed()

    def routed(self, name: str, site: str) -> None:
        """An item of a queue goes to this site: likely the others do, too."""
        self._queues[name].site = site

    # ---- which queues ----------------------------------------------------------------

    def _poll(self) -> None:
        self._timer = None
        self._is_polling = True
        now, seconds = self._time(), self._clock.seconds()
        self._untried = self.settings.untried_per_second
        self._polled_at, self._again_in = seconds, MAX_POLL_SECONDS
        if len(self._line) > _QUEUES_PER_POLL // 2:
            self._feed()  # there are enough for now
            self._polled(None)
            return
        limit = _QUEUES_PER_POLL + self._passed_over
        polling = self._store.due_sites(now, limit)
        polling.addCallback(self._found, limit)
        polling.addCallback(self._ask_when, now)
        polling.addCallbacks(self._polled, self._poll_failed)

    def _found(self, counts: tuple[SiteCount, ...], limit: int) -> None:
        for count in counts:
            self._note(count.site)
        if len(counts) >= limit:
            self._again_in = MIN_POLL_SECONDS
        self._passed_over = 0
        self._feed()

    def _ask_when(self, _: object, now: float) -> "Deferred[float | None]":
        """The next poll is when something is due, if there is a next one."""
        return self._store.next_due(now) if self._is_running else succeed(None)

    def _polled(self, due: float | None) -> None:
        self._is_polling = False
        wait = self._again_in
        if due is not None:
            wait = min(wait, max(0.0, due - self._time()))
        if self._line:
            wait = 0.0  # that is, as soon as may be
        self._wake_in(wait)

    def _poll_failed(self, failure: Failure) -> None:
        self._is_polling = False
        if self._is_running:  # a queue that was closed meanwhile is no fault
            self._log.failure("the queue cannot be read", failure)
        self._wake_in(FAILED_POLL_SECONDS)

    def _wake_in(self, wait: float) -> None:
        if self._is_polling:
            self._again_in = min(self._again_in, wait)
            return
        if not self._is_running:
            return
        since = self._clock.seconds() - self._polled_at
        wait = min(max(wait, MIN_POLL_SECONDS - since, 0.0), MAX_POLL_SECONDS)
        timer = self._timer
        if timer is None:
            self._timer = self._clock.callLater(wait, self._poll)
        elif timer.getTime() > self._clock.seconds() + wait:
            timer.reset(wait)

    # ---- how many of each ------------------------------------------------------------

    def _note(self, name: str) -> None:
        """Something is due in a queue."""
        queue = self._queues.get(name)
        if queue is None:
            queue = self._queues[name] = Queue(name, name)
        queue.has_more = True
        self._stand_in_line(queue)

    def _stand_in_line(self, queue: Queue) -> None:
        if not queue.is_lined and not queue.is_leasing:
            queue.is_lined = True
            self._line.append(queue)

    def _feed(self) -> None:
        """Lease for those in line; who does not want anything now leaves it."""
        if self._is_feeding:
            return  # the store answered at once: the loop below is still at it
        self._is_feeding = True
        while self._line and self._leases < _MAX_LEASES and self._is_running:
            room = self._eater.leased_room()
            if room <= 0:
                break
            queue = self._line.popleft()
            queue.is_lined = False
            items = self._wanted(queue)
            if items:
                self._lease(queue, min(items, room))
        self._is_feeding = False

    def _wanted(self, queue: Queue) -> int:
        appetite = self._eater.appetite(queue.site)
        if queue.leased and (appetite is FULL or queue.leased * 2 > appetite.items > 0):
            return 0  # it stands in line again when one of these is gone
        items = appetite.items
        if appetite.is_untried:
            items = min(items, int(self._untried))
        if not items:
            self._pass_over(queue, appetite.again_in)
            return 0
        if appetite.is_untried:
            self._untried -= items
        return items

    def _pass_over(self, queue: Queue, again_in: float | None) -> None:
        self._passed_over += 1
        queue.has_more = False  # a poll finds it again
        if again_in is not None:
            self._wake_in(again_in)
        self._forget_if_empty(queue)

    def _forget_if_empty(self, queue: Queue) -> None:
        if not (queue.leased or queue.has_more or queue.is_leasing):
            self._queues.pop(queue.name, None)

    def _lease(self, queue: Queue, items: int) -> None:
        queue.is_leasing, queue.has_more = True, False
        self._leases += 1
        seconds = self.settings.lease_seconds
        leasing = self._store.lease(self._time(), queue.name, items, seconds)
        leasing.addCallbacks(
            self._leased,
            self._not_leased,
            callbackArgs=(queue, items),
            errbackArgs=(queue,),
        )

    def _leased(self, leased: tuple[QueueItem, ...], queue: Queue, asked: int) -> None:
        queue.leased += len(leased)  # at first: some may be gone at once
        taken = self._eater.take_leased(leased, queue.name)
        queue.leased -= len(leased) - taken
        if len(leased) < asked:
            self._eater.swept(queue.name)
        self._end_lease(queue, has_more=len(leased) >= asked)

    def _not_leased(self, failure: Failure, queue: Queue) -> None:
        self._log.failure("nothing can be taken from the queue", failure)
        self._end_lease(queue, has_more=False)
        self._wake_in(FAILED_POLL_SECONDS)

    def _end_lease(self, queue: Queue, *, has_more: bool) -> None:
        self._leases -= 1
        queue.is_leasing = False
        queue.has_more |= has_more  # somebody may have found more meanwhile
        if queue.has_more:
            self._stand_in_line(queue)
        self._forget_if_empty(queue)
        self._feed()
