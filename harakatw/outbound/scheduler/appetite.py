"""How much of what is due a site could do with."""

from typing import Final

import attrs

from harakatw.outbound.scheduler.site import Site

UNPROVEN_BATCH: Final = 10
"""Items leased at a time for a site that nobody knows to be alive."""

LOOK_AGAIN_SECONDS: Final = 1.0


@attrs.frozen
class Appetite:
    """
    What a site could do with.

    @ivar items: how many; 0 if it is full, or is not to be tried at present.
    @ivar is_untried: are these for a site that is down, or that nobody knows?
    @ivar again_in: seconds until it is to be asked again, if it gets none now; L{None}
        if somebody will say so.
    """

    items: int
    is_untried: bool = False
    again_in: float | None = LOOK_AGAIN_SECONDS


NONE: Final = Appetite(0, again_in=None)
UNKNOWN: Final = Appetite(UNPROVEN_BATCH, is_untried=True)
FULL: Final = Appetite(0)


def appetite_of(site: Site, now: float, batch: int) -> Appetite:
    """
    Ask one site.

    @param now: by the scheduler's clock.
    @param batch: items that are leased at a time.
    """
    if site.is_paused:
        return NONE
    if site.backoff.is_backing_off(now):
        if not site.is_swept:
            return Appetite(batch, is_untried=True)
        return Appetite(0, again_in=site.backoff.until - now)
    is_proven = site.backoff.is_proven(now)
    items = batch if is_proven else min(batch, UNPROVEN_BATCH)
    if len(site.ready) * 2 > items:
        return FULL
    return Appetite(items, is_untried=not is_proven)
