"""Do again later what the disk would not take."""

from collections.abc import Callable
from typing import Final

import attrs
from twisted.internet.interfaces import IDelayedCall, IReactorTime

FIRST_SECONDS: Final = 1.0
MAX_SECONDS: Final = 60.0


@attrs.define(eq=False)
class Again:
    """
    A list of what is to be done again, after a wait that doubles until something works.
    """

    _clock: IReactorTime
    _calls: list[Callable[[], None]] = attrs.field(factory=list)
    _timer: IDelayedCall | None = None
    _seconds: float = FIRST_SECONDS

    def __len__(self) -> int:
        return len(self._calls)

    def later(self, call: Callable[[], None]) -> None:
        """Call this after a while; it comes back here if it fails again."""
        self._calls.append(call)
        if self._timer is None:
            self._timer = self._clock.callLater(self._seconds, self._now)
            self._seconds = min(self._seconds * 2, MAX_SECONDS)

    def worked(self) -> None:
        """Something was done: the next wait is a short one."""
        self._seconds = FIRST_SECONDS

    def hurry(self) -> None:
        """Do not wait any longer; if it fails again, begin with a short wait."""
        self._seconds = FIRST_SECONDS
        if self._timer is not None:
            self._timer.cancel()
            self._now()

    def stop(self) -> None:
        """Forget it all."""
        self._calls.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _now(self) -> None:
        self._timer = None
        calls, self._calls = self._calls, []
        for call in calls:
            call()
