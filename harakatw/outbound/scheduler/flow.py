"""
The way of an item through memory, from its lease to the end of its lease.

@see: weaknesses WK07 (never twice) and WK11 (bounded memory)
"""

from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import Final

import attrs
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from harakatw.interfaces.queue import IQueueStore, ItemState, QueueItem, Retry
from harakatw.outbound.attempt import (
    AttemptResult,
    Contact,
    Settlement,
    Stage,
    Work,
)
from harakatw.outbound.scheduler.again import Again
from harakatw.outbound.scheduler.appetite import Appetite
from harakatw.outbound.scheduler.desk import Answer, Route, RoutingDesk
from harakatw.outbound.scheduler.dispatcher import Dispatcher
from harakatw.outbound.scheduler.feeder import Feeder
from harakatw.outbound.scheduler.ledger import Batch, Ledger
from harakatw.outbound.scheduler.reports import Reports, Settled
from harakatw.outbound.scheduler.retry import Moment, decide, everybody, unchanged
from harakatw.outbound.scheduler.settings import SchedulerSettings
from harakatw.outbound.scheduler.site import Site
from harakatw.outbound.scheduler.steady import SteadyTime

POSTPONED_SECONDS: Final = 300.0
"""How long mail of a paused sender stays in the store before it is looked at again."""

_STALE_SHARE = 0.5  # of a lease: an item goes back that did not get its turn
_STUCK_SHARE = 0.95  # of a lease: an attempt is given up

Attempt = Callable[[Work], "Deferred[AttemptResult]"]


@attrs.define(eq=False, kw_only=True)
class Flow:
    """
    All items in memory, and the parts that they pass through.

    An item is held from the time that it is leased until the store has it back or has
    forgotten it, so that whatever is leased again meanwhile is recognised.

    @ivar settings: what to keep to.
    @ivar time: seconds since 1970.
    @ivar held: by id, the oldest first.
    @ivar held_octets: of their messages.
    @ivar is_open: are items taken?
    """

    settings: SchedulerSettings
    _store: IQueueStore
    _clock: IReactorTime
    time: SteadyTime
    _random: Callable[[], float]
    _route: Route
    _attempt: Attempt
    _settled: Settled
    is_open: bool = False
    held: dict[int, Work] = attrs.field(factory=dict)
    held_octets: int = 0
    _leased: int = 0  # of those held: how many come from the store
    again: Again = attrs.field(init=False)
    desk: RoutingDesk = attrs.field(init=False)
    dispatcher: Dispatcher = attrs.field(init=False)
    ledger: Ledger = attrs.field(init=False)
    reports: Reports = attrs.field(init=False)
    feeder: Feeder = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        settings, clock, store = self.settings, self._clock, self._store
        self.again = Again(clock)
        self.desk = RoutingDesk(settings.routing_max, self._route, self._answered)
        self.dispatcher = Dispatcher(settings, clock, self._attempt, self)
        self.ledger = Ledger(store, self.again, self._on_disk)
        self.reports = Reports(self._settled, self.ledger, Again(clock))
        self.feeder = Feeder(settings, store, clock, self.time, self)

    # ---- items come ------------------------------------------------------------------

    def offer(self, items: Iterable[QueueItem], body: bytes | None) -> None:
        """Take items that were just added to the store. Hot: once for each message."""
        now = self._clock.seconds()
        for item in items:
            if item.due and item.due > self.time():
                self._send_back(item)  # its sender wants it to be sent later
            elif self.is_open and len(self.held) < self.settings.held_items:
                work = Work(item, self._kept(body), "", now)
                self.held[item.id] = work
                self.desk.submit(work)
            else:
                self._send_back(item)

    def take_leased(self, items: Iterable[QueueItem], queue: str) -> int:
        """See L{Eater<harakatw.outbound.scheduler.feeder.Eater>}."""
        now = self._clock.seconds()
        taken = 0
        for item in items:
            if item.id in self.held:
                continue  # the lease ran out: it is not to be tried twice
            if not self.is_open or len(self.held) >= self.settings.held_items:
                self._send_back(item)
                continue
            work = Work(item, None, queue, now)
            self.held[item.id] = work
            self._leased += 1
            taken += 1
            self.desk.submit(work)
        return taken

    def _kept(self, body: bytes | None) -> bytes | None:
        if body is None or self.held_octets + len(body) > self.settings.held_octets:
            return None
        self.held_octets += len(body)
        return body

    def _answered(self, work: Work, answer: Answer) -> None:
        """The desk knows where an item goes."""
        if isinstance(answer, AttemptResult):
            self.attempted(work, answer)
            return
        if work.queue and work.queue != answer.site:
            self.feeder.routed(work.queue, answer.site)
        self.dispatcher.place(work, answer)
        self.dispatcher.dispatch()

    # ---- what becomes of them: the dispatcher's owner --------------------------------

    def attempted(self, work: Work, result: AttemptResult) -> None:
        """An attempt has ended, or none could be made."""
        work.stage = Stage.SETTLING
        item = work.item
        if (
            result.failed
            or result.deferred
            or len(result.delivered) < len(item.recipients)
        ):
            settlement = self._decide(work, result)
        else:
            settlement = Settlement(item, result)
        self.reports.tell(work, settlement)

    def _decide(self, work: Work, result: AttemptResult) -> Settlement:
        now, not_before = self.time(), 0.0
        site = self.dispatcher.sites.get(work.site)
        ticks = self._clock.seconds()
        if site is not None and site.backoff.is_backing_off(ticks):
            not_before = now + site.backoff.until - ticks
        moment = Moment(
            now=now, random=self._random, site=work.site, not_before=not_before
        )
        return decide(work.item, result, self.settings.retry, moment)

    def refused(self, work: Work, site: Site) -> None:
        """The site is down: that is as good as an attempt."""
        deferred = everybody(work.item.recipients, site.backoff.why)
        self.attempted(work, AttemptResult(deferred=deferred, contact=Contact.NONE))

    def overflowed(self, work: Work) -> None:
        """So many wait for the site that this one waits in the store."""
        self.give_back(work)

    def postponed(self, work: Work) -> None:
        """The sender is paused."""
        work.stage = Stage.SETTLING
        due = self.time() + POSTPONED_SECONDS
        self.ledger.retry((unchanged(work.item, work.site, due),))

    def room(self) -> int:
        """How many more items may be held?"""
        return self.settings.held_items - len(self.held)

    # ---- the feeder's eater ----------------------------------------------------------

    def appetite(self, site: str) -> Appetite:
        """See L{Eater<harakatw.outbound.scheduler.feeder.Eater>}."""
        return self.dispatcher.appetite(site)

    def leased_room(self) -> int:
        """Half of what is held may come from the store: new mail finds room."""
        return min(self.settings.held_items // 2 - self._leased, self.room())

    def swept(self, site: str) -> None:
        """See L{Eater<harakatw.outbound.scheduler.feeder.Eater>}."""
        self.dispatcher.swept(site)

    # ---- items go --------------------------------------------------------------------

    def give_back(self, work: Work) -> None:
        """Put an item back that was not tried."""
        work.stage = Stage.RETURNED
        self._forget_body(work)
        self.ledger.retry((_as_it_was(work),))

    def _send_back(self, item: QueueItem) -> None:
        self.ledger.retry((unchanged(item, item.site, item.due),))

    def _on_disk(self, batch: Batch) -> None:
        for item_id in batch.done:
            self._release(item_id)
        dues = []
        for retry in batch.retries:
            self._release(retry.id)
            if retry.state is ItemState.READY:
                dues.append(retry.due)
        if dues:
            self.feeder.expect(min(dues))

    def _release(self, item_id: int) -> None:
        work = self.held.pop(item_id, None)
        if work is None:
            return  # it was never taken
        self._forget_body(work)
        if work.queue:
            self._leased -= 1
            self.feeder.gone(work.queue)

    def _forget_body(self, work: Work) -> None:
        if work.body is not None:
            self.held_octets -= len(work.body)
            work.body = None

    def return_stale(self) -> None:
        """Let no lease run out: give back what waits, give up what takes too long."""
        now, lease = self._clock.seconds(), self.settings.lease_seconds
        stale, stuck = now - lease * _STALE_SHARE, now - lease * _STUCK_SHARE
        works = self.held.values()
        for work in tuple(takewhile(lambda each: each.since <= stale, works)):
            if work.stage is Stage.RUNNING:
                if work.since <= stuck:
                    self.dispatcher.running[work].cancel()
            elif work.stage in (Stage.READY, Stage.WAITING) or (
                work.stage is Stage.ROUTING and not self.desk.give_up(work)
            ):
                self.give_back(work)

    def hold(
        self, is_meant: Callable[[QueueItem], bool]
    ) -> "Deferred[tuple[int, ...]]":
        """
        Put items back that wait for their turn, as C{HELD}.

        @return: which ones, once that is on disk.
        """
        works = [
            work
            for work in self.held.values()
            if work.stage in (Stage.READY, Stage.WAITING) and is_meant(work.item)
        ]
        if not works:
            return succeed(())
        for work in works:
            work.stage = Stage.RETURNED
            self._forget_body(work)
        holding = self._store.settle(
            (), (attrs.evolve(_as_it_was(each), state=ItemState.HELD) for each in works)
        )
        return holding.addCallbacks(
            self._on_hold,
            self._not_on_hold,
            callbackArgs=(works,),
            errbackArgs=(works,),
        )

    def _on_hold(self, _: None, works: Iterable[Work]) -> tuple[int, ...]:
        ids = tuple(work.item.id for work in works)
        for item_id in ids:
            self._release(item_id)
        return ids

    def _not_on_hold(self, failure: Failure, works: Iterable[Work]) -> Failure:
        self.ledger.retry(map(_as_it_was, works))
        return failure

    def return_waiting(self) -> None:
        """Give everything back that is not being tried."""
        self.is_open = False
        for work in self.desk.clear():
            self.give_back(work)
        for work in tuple(self.held.values()):
            if work.stage is Stage.READY or work.stage is Stage.WAITING:
                self.give_back(work)
        self.dispatcher.clear()

    def return_running(self) -> None:
        """Wait for no attempt any longer."""
        for attempt in tuple(self.dispatcher.running.values()):
            attempt.cancel()
        left, self.dispatcher.running = tuple(self.dispatcher.running), {}
        for work in left:
            self.give_back(work)


def _as_it_was(work: Work) -> Retry:
    return unchanged(work.item, work.site, work.item.due)
