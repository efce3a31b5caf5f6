"""The ready queues, and who is tried next."""

from collections.abc import Callable
from typing import Final, Protocol

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from harakatw.outbound.attempt import (
    AttemptResult,
    Contact,
    Routed,
    Stage,
    Work,
)
from harakatw.outbound.scheduler.appetite import (
    NONE,
    UNKNOWN,
    Appetite,
    appetite_of,
)
from harakatw.outbound.scheduler.backoff import UNREACHABLE
from harakatw.outbound.scheduler.rotation import Rotation, make_shares
from harakatw.outbound.scheduler.senders import Senders
from harakatw.outbound.scheduler.settings import SchedulerSettings
from harakatw.outbound.scheduler.site import (
    Place,
    Seat,
    Site,
    make_pace,
    make_site,
)
from harakatw.outbound.scheduler.troubles import result_of

IDLE_SECONDS: Final = 900.0
"""How long a site is remembered that has nothing to do."""


class Owner(Protocol):
    """Whose items they are: where the dispatcher hands them back."""

    def attempted(self, work: Work, result: AttemptResult) -> None:
        """An attempt has ended."""

    def refused(self, work: Work, site: Site) -> None:
        """The site is being left alone, and the item is as good as tried."""

    def overflowed(self, work: Work) -> None:
        """So much waits for the site already that the item should be in the store."""

    def postponed(self, work: Work) -> None:
        """Nothing of this sender is sent at present."""

    def room(self) -> int:
        """How many more items may be held in memory?"""


@attrs.define(eq=False)
class Dispatcher:
    """
    Starts attempts, as many as may run and in fair order.

    @ivar settings: what to keep to.
    @ivar sites: by name.
    @ivar running: what is on its way.
    @ivar senders: limits by sender.
    @ivar is_paused: is nothing at all to be tried?
    """

    settings: SchedulerSettings
    _clock: IReactorTime
    _attempt: "Callable[[Work], Deferred[AttemptResult]]"
    _owner: Owner
    sites: dict[str, Site] = attrs.field(factory=dict)
    running: "dict[Work, Deferred[AttemptResult]]" = attrs.field(factory=dict)
    senders: Senders = attrs.field(init=False)
    rotation: Rotation = attrs.field(init=False)
    is_paused: bool = False
    _paused_sites: set[str] = attrs.field(factory=set)
    _is_busy: bool = False
    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self.senders = Senders(self.settings.sender_max)
        self.rotation = Rotation(make_shares(self.settings.concurrency_max))

    # ---- items come ------------------------------------------------------------------

    def place(self, work: Work, routed: Routed) -> None:
        """Let an item wait for its turn. L{dispatch} is to be called then."""
        work.routed = routed
        site = self.sites.get(routed.site) or self._make_site(routed.site)
        now = self._clock.seconds()
        if site.backoff.is_backing_off(now):
            self._owner.refused(work, site)
        elif len(site.ready) >= self.settings.batch and self._is_full(site):
            self._owner.overflowed(work)
        else:
            work.stage = Stage.READY
            site.push(work)
            self.rotation.enlist(site, now)

    def _is_full(self, site: Site) -> bool:
        # A queue may be as long as what is free for all others. So one that grows and
        # grows gets half the memory, two get a third each, and a new one finds room.
        return site.is_paused or len(site.ready) >= self._owner.room()

    def _make_site(self, name: str) -> Site:
        settings = self.settings
        site = make_site(name, settings.limits(name), settings.backoff)
        site.is_paused = name in self._paused_sites
        site.used_at = self._clock.seconds()
        self.sites[name] = site
        return site

    # ---- items go --------------------------------------------------------------------

    def dispatch(self) -> None:
        """Start what may start."""
        if self._is_busy or self.is_paused or self.rotation.is_empty:
            return  # an attempt that ends at once comes here from the loop below
        self._is_busy = True
        try:
            now = self._clock.seconds()
            while (site := self.rotation.next(now)) is not None:
                self._start_from(site, now)
        finally:
            self._is_busy = False

    def _start_from(self, site: Site, now: float) -> None:
        seat = site.seat(now)
        work = self._take(site)
        if work is None:
            return
        if site.pace is not None and (wait := site.pace.take(now)) > 0:
            site.push_back(work)
            site.rate_timer = self._clock.callLater(wait, self._rate_allows, site)
            return
        self._start(work, site, seat)
        if site.ready:
            self.rotation.enlist(site, now)

    def _take(self, site: Site) -> Work | None:
        while site.ready:
            work = site.pop()
            if work.stage is not Stage.READY:
                continue  # it went back to the store
            if self.senders.is_paused(work):
                self._owner.postponed(work)
            elif not self.senders.must_wait(work):
                return work
        return None

    def _rate_allows(self, site: Site) -> None:
        site.rate_timer = None
        self.rotation.enlist(site, self._clock.seconds())
        self.dispatch()

    def _start(self, work: Work, site: Site, seat: Seat) -> None:
        work.stage = Stage.RUNNING
        site.running += 1
        self.rotation.started(seat)
        self.senders.started(work)
        try:
            attempt = self._attempt(work)
        except Exception:
            attempt = Deferred()
            attempt.errback(Failure())
        self.running[work] = attempt
        attempt.addCallbacks(
            self._ended,
            self._failed,
            callbackArgs=(work, site, seat),
            errbackArgs=(work, site, seat),
        )

    def _failed(self, failure: Failure, work: Work, site: Site, seat: Seat) -> None:
        self._ended(result_of(failure, work.item, self._log), work, site, seat)

    def _ended(self, result: AttemptResult, work: Work, site: Site, seat: Seat) -> None:
        if self.running.pop(work, None) is None:
            return  # the server stops, and could not wait for this
        now = self._clock.seconds()
        site.running -= 1
        site.used_at = now
        self.rotation.ended(seat)
        self.senders.ended(work)
        is_failing = self._learn(site, result, now)
        self._owner.attempted(work, result)
        if is_failing:
            site.is_swept = False
            self._refuse_all(site)
        if site.ready:
            self.rotation.enlist(site, now)
        if self.senders.has_waiting:
            self._hand_out(work.item.message.sender, now)
        self.dispatch()

    def _hand_out(self, sender: str, now: float) -> None:
        """What waited for its sender's turn may start, until something can."""
        while (work := self.senders.next(sender)) is not None:
            if self._wait_for_site(work, now):
                break

    def _wait_for_site(self, work: Work, now: float) -> bool:
        """Let an item wait for its site's turn again. Can it have one now?"""
        site = self.sites.get(work.site) or self._make_site(work.site)
        if site.backoff.is_backing_off(now):
            self._owner.refused(work, site)
            return False
        work.stage = Stage.READY
        site.push_back(work)
        self.rotation.enlist(site, now)
        return site.place is not Place.NOWHERE

    # ---- what is learnt about sites --------------------------------------------------

    def _learn(self, site: Site, result: AttemptResult, now: float) -> bool:
        """Does this attempt show that the site is down?"""
        if result.contact is Contact.ANSWERED:
            site.backoff.answered(now)
            return False
        if result.contact is Contact.NONE:
            return False
        why = result.deferred[0].reply if result.deferred else UNREACHABLE
        return site.backoff.failed(now, why)

    def _refuse_all(self, site: Site) -> None:
        """One attempt has spoken for all that wait."""
        while (work := self._take(site)) is not None:
            self._owner.refused(work, site)

    def ask_again(self, name: str) -> None:
        """Try a site that is left alone now, or with C{""} all of them."""
        for site in self._named(name):
            site.backoff.ask_again()

    def appetite(self, name: str) -> Appetite:
        """How many more items could a site do with?"""
        if self.is_paused or name in self._paused_sites:
            return NONE
        site = self.sites.get(name)
        if site is None:
            return UNKNOWN
        return appetite_of(site, self._clock.seconds(), self.settings.batch)

    def swept(self, name: str) -> None:
        """All that was due for a site that is down was taken from the store."""
        for site in self._named(name):
            site.is_swept = True

    def _named(self, name: str) -> tuple[Site, ...]:
        if not name:
            return tuple(self.sites.values())
        return (self.sites[name],) if name in self.sites else ()

    # ---- by hand ---------------------------------------------------------------------

    @property
    def paused_sites(self) -> frozenset[str]:
        """Those that are not to be tried."""
        return frozenset(self._paused_sites)

    def pause_site(self, name: str) -> None:
        """Try nothing at a site from now on."""
        self._paused_sites.add(name)
        for site in self._named(name):
            site.is_paused = True

    def resume_site(self, name: str) -> None:
        """Try a site again. L{dispatch} is to be called."""
        self._paused_sites.discard(name)
        for site in self._named(name):
            site.is_paused = False
            self.rotation.enlist(site, self._clock.seconds())

    def configure(self, settings: SchedulerSettings) -> None:
        """Keep to other limits; what runs goes on. L{dispatch} is to be called."""
        self.settings, now = settings, self._clock.seconds()
        self.rotation.shares = make_shares(settings.concurrency_max)
        self.senders.most = settings.sender_max
        for work in self.senders.release():
            self._wait_for_site(work, now)
        for site in self.sites.values():
            limits = settings.limits(site.name)
            if limits != site.limits:
                site.limits, site.pace = limits, make_pace(limits)
            self.rotation.enlist(site, now)

    def forget_idle(self) -> None:
        """Forget sites that had nothing to do for a long time."""
        now = self._clock.seconds()
        for name, site in tuple(self.sites.items()):
            is_down = site.backoff.is_backing_off(now)
            if site.is_idle and not is_down and now - site.used_at > IDLE_SECONDS:
                del self.sites[name]

    def clear(self) -> None:
        """Start nothing any more, and forget what waits."""
        self.is_paused = True
        self.senders.release()
        for site in self.sites.values():
            site.ready.clear()
            site.fresh = 0
            if site.rate_timer is not None:
                site.rate_timer.cancel()
                site.rate_timer = None
