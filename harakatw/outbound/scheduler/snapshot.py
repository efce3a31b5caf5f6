"""What the queue tools show of a scheduler."""

import attrs

from harakatw.outbound.scheduler.backoff import Health
from harakatw.outbound.scheduler.site import Site


@attrs.frozen(kw_only=True)
class SiteSnapshot:
    """
    One site, as it is now.

    @ivar ready: items in memory that wait for their turn.
    @ivar running: attempts on their way.
    @ivar connections: how many of these there may be.
    @ivar is_paused: by hand.
    @ivar is_rate_limited: does it wait for its rate?
    @ivar failures: attempts in a row that did not get through.
    @ivar asked_in: seconds until it is asked again, 0 unless it is left alone.
    @ivar why: what the last failure was, C{""} if there was none.
    """

    name: str
    ready: int
    running: int
    connections: int
    health: Health
    is_paused: bool
    is_rate_limited: bool
    failures: int
    asked_in: float
    why: str


@attrs.frozen(kw_only=True)
class Snapshot:
    """
    The whole.

    @ivar held: items in memory, in whatever stage.
    @ivar held_octets: of messages in memory.
    @ivar routing: look-ups of routes.
    @ivar running: attempts on their way.
    @ivar unproven: those among them at sites that have not answered of late.
    @ivar concurrency_max: how many attempts there may be.
    @ivar unsettled: items whose attempt has ended, and whose end is not on disk.
    @ivar is_paused: is nothing at all tried?
    @ivar is_disabled: do the settings say so?
    @ivar paused_sites: by name.
    @ivar paused_senders: in lower case.
    """

    held: int
    held_octets: int
    routing: int
    running: int
    unproven: int
    concurrency_max: int
    unsettled: int
    is_paused: bool
    paused_sites: frozenset[str]
    paused_senders: frozenset[str]
    sites: tuple[SiteSnapshot, ...]
    is_disabled: bool = False


def site_snapshot(site: Site, now: float) -> SiteSnapshot:
    """
    Show one site.

    @param now: by the scheduler's clock.
    """
    backoff = site.backoff
    is_down = backoff.is_backing_off(now)
    return SiteSnapshot(
        name=site.name,
        ready=len(site.ready),
        running=site.running,
        connections=site.limits.connections,
        health=backoff.health,
        is_paused=site.is_paused,
        is_rate_limited=site.rate_timer is not None,
        failures=backoff.failures,
        asked_in=backoff.until - now if is_down else 0.0,
        why=backoff.why.text if backoff.failures else "",
    )
