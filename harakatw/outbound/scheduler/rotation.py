"""
Whose turn it is: one attempt for each site that may start, then the next round.

One site with a million messages gets one turn a round like all others (weakness WK11).
Sites that nobody knows to be alive get a share only, so that connections to dead hosts,
which hang for half a minute each, cannot take all there is.
"""

from collections import OrderedDict
from collections.abc import Mapping
from types import MappingProxyType

import attrs

from harakatw.outbound.scheduler.site import Place, Seat, Site

_Line = OrderedDict[Site, None]  # a queue that one can also leave from the middle


@attrs.frozen
class Shares:
    """
    How many attempts there may be at the same time.

    @ivar all: of any kind.
    @ivar unproven: at sites that have not answered of late.
    @ivar backlog: among these, of mail that has been waiting anyway.
    """

    all: int
    unproven: int
    backlog: int


def make_shares(concurrency_max: int) -> Shares:
    """Half for sites that nobody knows, and a quarter of that for new mail only."""
    unproven = max(1, concurrency_max // 2)
    return Shares(concurrency_max, unproven, max(1, unproven - unproven // 4))


_PARKING: Mapping[Seat, Place] = MappingProxyType(
    {Seat.FRESH: Place.PARKED_FRESH, Seat.BACKLOG: Place.PARKED_BACKLOG}
)


@attrs.define(eq=False)
class Rotation:
    """
    The sites that may start, in the order of their turns.

    @ivar shares: the limits.
    @ivar running: attempts on their way.
    @ivar unproven: those among them at sites that have not answered of late.
    @ivar backlog: those among these of mail that has been waiting.
    """

    shares: Shares
    running: int = 0
    unproven: int = 0
    backlog: int = 0
    _ring: _Line = attrs.field(factory=OrderedDict)
    _parked_fresh: _Line = attrs.field(factory=OrderedDict)
    _parked_backlog: _Line = attrs.field(factory=OrderedDict)

    @property
    def is_empty(self) -> bool:
        """Does no site wait for a turn?"""
        return not (self._ring or self._parked_fresh or self._parked_backlog)

    def enlist(self, site: Site, now: float) -> None:
        """Give a site a turn, after the others, if it may start and has none."""
        place = site.place
        if place is Place.RING or not site.may_start(now):
            return
        if place is not Place.NOWHERE:
            if _PARKING.get(site.seat(now)) is place:
                return  # what it waits for is the same
            self._leave(site)
        site.place = Place.RING
        self._ring[site] = None

    def next(self, now: float) -> Site | None:
        """Whose turn is it? L{None} if it is nobody's now. Its turn is over then."""
        while self.running < self.shares.all:
            site = self._first()
            if site is None:
                break
            if not site.may_start(now):
                continue
            seat = site.seat(now)
            if self._is_free(seat):
                return site
            self._park(site, seat)
        return None

    def started(self, seat: Seat) -> None:
        """Count an attempt that begins."""
        self.running += 1
        if seat is not Seat.PROVEN:
            self.unproven += 1
            self.backlog += seat is Seat.BACKLOG

    def ended(self, seat: Seat) -> None:
        """Count an attempt that ends."""
        self.running -= 1
        if seat is not Seat.PROVEN:
            self.unproven -= 1
            self.backlog -= seat is Seat.BACKLOG

    def _first(self) -> Site | None:
        """Who waited for a seat that is free now, new mail first; then the ring."""
        if self._parked_fresh and self._is_free(Seat.FRESH):
            line = self._parked_fresh
        elif self._parked_backlog and self._is_free(Seat.BACKLOG):
            line = self._parked_backlog
        elif self._ring:
            line = self._ring
        else:
            return None
        site, _ = line.popitem(last=False)
        site.place = Place.NOWHERE
        return site

    def _is_free(self, seat: Seat) -> bool:
        if seat is Seat.PROVEN:
            return True
        if self.unproven >= self.shares.unproven:
            return False
        return seat is Seat.FRESH or self.backlog < self.shares.backlog

    def _park(self, site: Site, seat: Seat) -> None:
        site.place = _PARKING[seat]
        (self._parked_fresh if seat is Seat.FRESH else self._parked_backlog)[site] = (
            None
        )

    def _leave(self, site: Site) -> None:
        line = (
            self._parked_fresh
            if site.place is Place.PARKED_FRESH
            else self._parked_backlog
        )
        del line[site]
        site.place = Place.NOWHERE
