"""One destination: what waits for it, what runs, and what it may have."""

import enum
from collections import deque
from typing import Final

import attrs
from twisted.internet.interfaces import IDelayedCall

from harakatw.outbound.attempt import Work
from harakatw.outbound.options import SiteLimits
from harakatw.outbound.rates import TokenBucket
from harakatw.outbound.scheduler.backoff import Backoff, BackoffSettings, Health

UNPROVEN_CONNECTIONS: Final = 5
"""Attempts at the same time at a site that has not answered of late."""


class Seat(enum.Enum):
    """What an attempt is counted as."""

    PROVEN = "proven"
    """The site has answered a short time ago."""
    FRESH = "fresh"
    """Nobody knows about the site, but the message has just come."""
    BACKLOG = "backlog"
    """Nobody knows about the site, and the message has been waiting anyway."""


class Place(enum.Enum):
    """Where a site stands in L{the rotation<rotation.Rotation>}."""

    NOWHERE = "nowhere"
    RING = "ring"
    PARKED_FRESH = "parked fresh"
    PARKED_BACKLOG = "parked backlog"


@attrs.define(eq=False)
class Site:
    """
    The ready queue of one site.

    @ivar name: as in L{Routed<harakatw.outbound.attempt.Routed>}.
    @ivar limits: what it may have.
    @ivar backoff: how it is.
    @ivar pace: counts its attempts, if they are limited.
    @ivar ready: what may be tried now, first come, first served.
    @ivar fresh: how many of these have just come, and not from the store.
    @ivar running: attempts that are on their way.
    @ivar is_paused: did somebody say that it is not to be tried?
    @ivar is_swept: while it is left alone: has all that was due when it failed been
        taken from the store, and put off?
    @ivar place: the rotation's.
    @ivar rate_timer: set while its rate is used up.
    @ivar used_at: when it had something to do, by the scheduler's clock.
    """

    name: str
    limits: SiteLimits
    backoff: Backoff
    pace: TokenBucket | None
    ready: deque[Work] = attrs.field(factory=deque)
    fresh: int = 0
    running: int = 0
    is_paused: bool = False
    is_swept: bool = True
    place: Place = Place.NOWHERE
    rate_timer: IDelayedCall | None = None
    used_at: float = 0.0
    _lowly: int = attrs.field(default=0, init=False)  # ready ones below the usual

    def may_start(self, now: float) -> bool:
        """May one more of its items be tried, as far as the site is concerned?"""
        if not self.ready or self.is_paused or self.rate_timer is not None:
            return False
        backoff = self.backoff
        if now < backoff.proven_until and backoff.health is Health.HEALTHY:
            return self.running < self.limits.connections
        if backoff.is_backing_off(now):
            return False
        return self.running < self._unproven_limit()

    def _unproven_limit(self) -> int:
        """One is enough to learn how it is; new mail need not wait for a slow one."""
        if self.backoff.health is Health.PROBING or not self.fresh:
            return 1
        return min(UNPROVEN_CONNECTIONS, self.limits.connections)

    def seat(self, now: float) -> Seat:
        """What the next attempt is counted as."""
        if self.backoff.is_proven(now):
            return Seat.PROVEN
        return Seat.FRESH if self.fresh else Seat.BACKLOG

    def push(self, work: Work) -> None:
        """Let an item wait behind the others, but for those of lower priority."""
        priority = work.item.message.demands.priority
        if priority or self._lowly:
            self._insert(work, priority)
        else:
            self.ready.append(work)
        if not work.queue:
            self.fresh += 1

    def push_back(self, work: Work) -> None:
        """Let an item that was taken be the first again."""
        self.ready.appendleft(work)
        self._lowly += work.item.message.demands.priority < 0
        if not work.queue:
            self.fresh += 1

    def pop(self) -> Work:
        """Take the first item. There must be one."""
        work = self.ready.popleft()
        if self._lowly:
            self._lowly -= work.item.message.demands.priority < 0
        if not work.queue:
            self.fresh -= 1
        return work

    def _insert(self, work: Work, priority: int) -> None:
        """
        Find the place of an item by its priority (RFC 6710 section 4): from the front
        if it is urgent, from the back if not, since most items are neither.
        """
        ready = self.ready
        if priority > 0:
            place = 0
            while place < len(ready) and _priority(ready[place]) >= priority:
                place += 1
        else:
            place = len(ready)
            while place and _priority(ready[place - 1]) < priority:
                place -= 1
        ready.insert(place, work)
        self._lowly += priority < 0

    @property
    def is_idle(self) -> bool:
        """Has it nothing to do?"""
        return not self.ready and not self.running and self.rate_timer is None


def _priority(work: Work) -> int:
    return work.item.message.demands.priority


def make_site(name: str, limits: SiteLimits, backoff: BackoffSettings) -> Site:
    """Make the queue of a site that was not heard of before."""
    return Site(name, limits, Backoff(backoff), make_pace(limits))


def make_pace(limits: SiteLimits) -> TokenBucket | None:
    """Make what counts the attempts at one site."""
    return None if limits.rate is None else TokenBucket(limits.rate)
