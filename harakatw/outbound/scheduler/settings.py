"""What a scheduler is told to keep to."""

from collections.abc import Callable
from typing import Final

import attrs

from harakatw.outbound.options import SiteLimits
from harakatw.outbound.scheduler.backoff import BackoffSettings
from harakatw.outbound.scheduler.retry import RetryPolicy

MEBIOCTET: Final = 1 << 20


def _same_for_all(site: str) -> SiteLimits:
    return SiteLimits(connections=20)


@attrs.frozen(kw_only=True)
class SchedulerSettings:
    """
    What holds for all sites.

    @ivar retry: see L{RetryPolicy}.
    @ivar backoff: see L{BackoffSettings}.
    @ivar limits: the limits of a site, by its name.
    @ivar concurrency_max: attempts at the same time. Half of them, at most, are for
        sites that have not answered of late; of that half a quarter is kept for mail
        that has just come.
    @ivar sender_max: attempts at the same time for one sender's mail; 0 is no limit.
    @ivar routing_max: items whose route is looked up at the same time.
    @ivar held_items: items in memory.
    @ivar held_octets: octets of messages in memory; beyond that they are read from the
        store when they are sent.
    @ivar batch: items of one queue that are leased at a time.
    @ivar untried_per_second: how many items of sites that are down, or that nobody
        knows, are taken from the store each second.
    @ivar lease_seconds: how long the store lends an item, also when it was added. One
        that waited for half of it goes back; so an attempt has the other half, and is
        given up then.
    @ivar is_disabled: is nothing to be tried, whatever is paused or resumed by hand?
    @ivar stop_seconds: how long running attempts may take when the server stops.
    """

    retry: RetryPolicy
    backoff: BackoffSettings = attrs.field(factory=BackoffSettings)
    limits: Callable[[str], SiteLimits] = _same_for_all
    concurrency_max: int = 100
    sender_max: int = 0
    routing_max: int = 200
    held_items: int = 10_000
    held_octets: int = 64 * MEBIOCTET
    batch: int = 100
    untried_per_second: float = 1000.0
    lease_seconds: float = 3600.0
    stop_seconds: float = 30.0
    is_disabled: bool = False
