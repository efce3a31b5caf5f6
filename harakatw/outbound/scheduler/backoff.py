"""
Leave a site alone that does not answer, and ask now and then whether it is back.

Without this, every message for a dead host costs a connection that hangs for half a
minute (Haraka weakness WK10).
"""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from harakatw.reply import Reply, reply

PROVEN_SECONDS: Final = 600.0
"""How long after its last answer a site is taken to be alive."""

UNREACHABLE: Final = reply(451, "4.4.1", "The host could not be reached")

_TOLERATED: Final = 3  # failures in a row of a site that answered a moment ago


class Health(enum.Enum):
    """Whether a site may be asked."""

    __hash__ = object.__hash__  # by identity: Enum's own is a Python call each time

    HEALTHY = "healthy"
    BACKING_OFF = "backing off"
    """Not before a certain time."""
    PROBING = "probing"
    """One attempt at a time, until one shows how the site is."""


class _Event(enum.Enum):
    __hash__ = object.__hash__

    ANSWERED = 1
    FAILED_ONCE = 2
    FAILED_TOO_OFTEN = 3
    TIME_PASSED = 4


_NEXT: Final[Mapping[tuple[Health, _Event], Health]] = MappingProxyType(
    {
        (Health.HEALTHY, _Event.FAILED_TOO_OFTEN): Health.BACKING_OFF,
        (Health.PROBING, _Event.FAILED_ONCE): Health.BACKING_OFF,
        (Health.PROBING, _Event.FAILED_TOO_OFTEN): Health.BACKING_OFF,
        (Health.PROBING, _Event.ANSWERED): Health.HEALTHY,
        # An attempt that began before may come to an end now.
        (Health.BACKING_OFF, _Event.ANSWERED): Health.HEALTHY,
        (Health.BACKING_OFF, _Event.TIME_PASSED): Health.PROBING,
    }
)
"""Whatever does not stand here changes nothing."""


@attrs.frozen(kw_only=True)
class BackoffSettings:
    """
    @ivar first_seconds: how long a site is left alone at first; each time that a probe
        fails it is twice as long.
    @ivar max_seconds: but never longer than this.
    """

    first_seconds: float = 60.0
    max_seconds: float = 900.0


@attrs.define(eq=False)
class Backoff:
    """
    The health of one site. Times are of the clock that the scheduler was given.

    @ivar health: as of the last call of anything here.
    @ivar until: when it is asked again.
    @ivar failures: attempts that failed since the last answer.
    @ivar why: what the last failure was.
    @ivar proven_until: until when it is taken to be alive.
    """

    _settings: BackoffSettings
    health: Health = Health.HEALTHY
    until: float = 0.0
    failures: int = 0
    why: Reply = UNREACHABLE
    proven_until: float = 0.0
    _seconds: float = 0.0

    def is_backing_off(self, now: float) -> bool:
        """Must the site be left alone?"""
        if self.health is not Health.BACKING_OFF:
            return False
        if not 0 < self.until - now <= self._seconds:  # over, or the clock was set back
            self._change(_Event.TIME_PASSED)
        return self.health is Health.BACKING_OFF

    def is_proven(self, now: float) -> bool:
        """Did it answer a short time ago, and is there no trouble since?"""
        return now < self.proven_until and self.health is Health.HEALTHY

    def answered(self, now: float) -> None:
        """An attempt got through to it."""
        self.proven_until = now + PROVEN_SECONDS
        if self.failures or self.health is not Health.HEALTHY:
            self.failures, self._seconds = 0, 0.0
            self._change(_Event.ANSWERED)

    def failed(self, now: float, why: Reply) -> bool:
        """
        An attempt did not get through.

        @return: does it begin to be left alone, now?
        """
        self.failures += 1
        self.why = why
        tolerated = _TOLERATED if now < self.proven_until else 1
        often = self.failures >= tolerated
        before = self.health
        self._change(_Event.FAILED_TOO_OFTEN if often else _Event.FAILED_ONCE)
        begins = self.health is Health.BACKING_OFF and before is not self.health
        if begins:
            self._begin(now)
        return begins

    def ask_again(self) -> None:
        """Do not wait any longer: somebody says that the site is back."""
        self._change(_Event.TIME_PASSED)

    def _begin(self, now: float) -> None:
        settings = self._settings
        doubled = self._seconds * 2 or settings.first_seconds
        self._seconds = min(doubled, settings.max_seconds)
        self.until = now + self._seconds
        self.proven_until = 0.0

    def _change(self, event: _Event) -> None:
        self.health = _NEXT.get((self.health, event), self.health)
