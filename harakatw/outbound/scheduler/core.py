"""
The scheduler: what of the queue is tried, and when.

An item comes from whoever has just queued it, or is leased from the store; it is
routed, waits for its turn, is tried, and its lease ends when the outcome is on disk.

@see: Haraka rows OB12 to OB19, weaknesses WK07, WK10 and WK11
"""

from collections.abc import Callable, Iterable
from typing import Final

import attrs
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from harakatw.interfaces.queue import Filter, IQueueStore, ItemState, QueueItem
from harakatw.outbound.scheduler.desk import Route
from harakatw.outbound.scheduler.flow import Attempt, Flow
from harakatw.outbound.scheduler.reports import Settled
from harakatw.outbound.scheduler.settings import SchedulerSettings
from harakatw.outbound.scheduler.snapshot import Snapshot, site_snapshot
from harakatw.outbound.scheduler.steady import SteadyTime
from harakatw.outbound.scheduler.stopping import Stopping
from harakatw.outbound.store.filters import matcher

TIDY_SECONDS: Final = 60.0


@attrs.frozen(kw_only=True)
class Target:
    """
    What is paused or resumed: one of these, or everything.

    @ivar site: by its name.
    @ivar sender: the reverse-path without brackets, in any case; C{<>} is the null
        path.
    """

    site: str = ""
    sender: str = ""

    def __attrs_post_init__(self) -> None:
        if self.site and self.sender:
            raise ValueError("either a site or a sender is paused, not both in one")


class Scheduler:
    """Decides which item is tried when."""

    def __init__(
        self,
        *,
        store: IQueueStore,
        route: Route,
        attempt: Attempt,
        settled: Settled,
        settings: SchedulerSettings,
        clock: IReactorTime,
        now: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        """
        @param store: lends items.
        @param route: finds the site and the route of an item, or what becomes of it if
            there is none; at once, as nearly always, or later.
        @param attempt: tries to deliver an item, within C{lease_seconds / 2}. It may
            be cancelled.
        @param settled: is told of each attempt, and queues what reports there are to
            be. The item stays leased until what it returns has fired, and it is told
            again if that fails. May return another settlement, instead.
        @param clock: should not jump when the time of day is set.
        @param now: seconds since 1970.
        @param random: makes numbers from 0 up to 1.
        """
        self._flow = Flow(
            settings=settings,
            store=store,
            clock=clock,
            time=SteadyTime(now, clock),
            random=random,
            route=route,
            attempt=attempt,
            settled=settled,
        )
        self._store, self._clock = store, clock
        self._is_paused = False  # by hand
        self._tidy_timer: IDelayedCall | None = None
        self._stopping: Stopping | None = None

    def start(self) -> None:
        """Take what is due from the store, now and from now on."""
        self._pause_all()
        self._flow.is_open = True
        self._flow.feeder.start()
        self._tidy_timer = self._clock.callLater(TIDY_SECONDS, self._tidy)

    def stop(self) -> "Deferred[None]":
        """
        Begin nothing, let attempts finish, give the rest back.

        @return: fires when the store has everything; not later than some seconds after
            C{stop_seconds}.
        """
        if self._stopping is None:
            flow = self._flow
            flow.feeder.stop()
            flow.return_waiting()
            flow.again.hurry()
            flow.reports.again.hurry()
            if self._tidy_timer is not None:
                self._tidy_timer.cancel()
                self._tidy_timer = None
            until = self._clock.seconds() + flow.settings.stop_seconds
            self._stopping = Stopping(flow, self._clock, until)
            self._stopping.look()
        done: Deferred[None] = Deferred()
        self._stopping.done.addCallback(self._tell_stopped, done)
        return done

    @staticmethod
    def _tell_stopped(_: None, done: "Deferred[None]") -> None:
        done.callback(None)

    def _tidy(self) -> None:
        self._tidy_timer = self._clock.callLater(TIDY_SECONDS, self._tidy)
        self._flow.return_stale()
        self._flow.dispatcher.forget_idle()

    def configure(self, settings: SchedulerSettings) -> None:
        """Keep to other settings from now on. What runs goes on."""
        flow = self._flow
        flow.settings = flow.feeder.settings = settings
        flow.desk.routing_max = settings.routing_max
        flow.dispatcher.configure(settings)
        self._pause_all()
        self.look()

    # ---- mail ------------------------------------------------------------------------

    def offer(self, items: Iterable[QueueItem], body: bytes | None) -> None:
        """
        Try items that were just added to the store, and are leased.

        What there is no room for goes back to the store, and is tried later.

        @param body: their message if it is in memory.
        """
        self._flow.offer(items, body)

    def flush(self, which: Filter) -> "Deferred[int]":
        """
        Try items now that wait for their time. What is in memory is not touched: it is
        tried or has its turn soon, and nothing is sent twice (weakness WK07).

        Sites that are left alone are asked again: the one that is meant, or all.

        @return: how many items are due now that were not; fails with
            L{harakatw.errors.StoreError}.
        """
        if which.state not in (None, ItemState.READY):
            return succeed(0)  # what is held or dead waits for something else
        ready = attrs.evolve(which, state=ItemState.READY)
        changing = self._store.change(ready, None, self._flow.time())
        return changing.addCallback(self._flushed, which.site)

    def _flushed(self, count: int, site: str) -> int:
        self._flow.dispatcher.ask_again("" if "*" in site else site.lower())
        self.look()
        return count

    def look(self) -> None:
        """Items may be due that were not: somebody has released them, say."""
        self._flow.feeder.expect(0.0)
        self._flow.dispatcher.dispatch()

    def recall(self, which: Filter) -> "Deferred[tuple[int, ...]]":
        """
        Put items that wait for their turn in memory back into the store, as C{HELD}, so
        that somebody can change them. What is being tried is left alone.

        @param which: to the store such items are C{LEASED}.
        @return: the ids, once that is on disk; fails with
            L{harakatw.errors.StoreError}.
        """
        if which.state not in (None, ItemState.LEASED):
            return succeed(())
        of_any_state = attrs.evolve(which, state=None)
        return self._flow.hold(matcher(of_any_state, self._flow.time()))

    # ---- by hand ---------------------------------------------------------------------

    def pause(self, target: Target) -> None:
        """
        Begin no attempt any more; those that run go on. Whoever calls remembers it
        beyond a restart.
        """
        dispatcher = self._flow.dispatcher
        if target.site:
            dispatcher.pause_site(target.site)
        elif target.sender:
            dispatcher.senders.pause(target.sender)
        else:
            self._is_paused = True
            self._pause_all()

    def resume(self, target: Target) -> None:
        """
        End a pause. The mail of a sender is looked at within five minutes.
        """
        dispatcher = self._flow.dispatcher
        if target.site:
            dispatcher.resume_site(target.site)
        elif target.sender:
            dispatcher.senders.resume(target.sender)
        else:
            self._is_paused = False
            self._pause_all()
        self.look()

    def _pause_all(self) -> None:
        """Nothing at all is tried if somebody or the settings say so, or at the end."""
        flow = self._flow
        is_wanted = self._is_paused or flow.settings.is_disabled
        flow.dispatcher.is_paused = is_wanted or self._stopping is not None

    def snapshot(self) -> Snapshot:
        """Show what is going on."""
        flow, now = self._flow, self._clock.seconds()
        dispatcher = flow.dispatcher
        sites = dispatcher.sites.values()
        return Snapshot(
            held=len(flow.held),
            held_octets=flow.held_octets,
            routing=flow.desk.pending,
            running=dispatcher.rotation.running,
            unproven=dispatcher.rotation.unproven,
            concurrency_max=flow.settings.concurrency_max,
            unsettled=flow.ledger.unsettled + flow.reports.pending,
            is_paused=dispatcher.is_paused,
            is_disabled=flow.settings.is_disabled,
            paused_sites=dispatcher.paused_sites,
            paused_senders=dispatcher.senders.paused,
            sites=tuple(site_snapshot(site, now) for site in sites),
        )
