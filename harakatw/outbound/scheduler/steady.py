"""The time of day, as a queue needs it: it never goes back."""

from collections.abc import Callable

import attrs
from twisted.internet.interfaces import IReactorTime

_SPEED_BEHIND = 0.5  # of a second, for each second, while ahead of the time of day


@attrs.define(eq=False)
class SteadyTime:
    """
    Seconds since 1970, by a clock that may be set at any time.

    What is due was written down in this time. When the clock is set forward, that is
    followed: the machine may have slept. When it is set back, the queue must neither
    stand still for that long nor, since L{due dates <Retry>} are made with the same
    time, run into a storm: time goes on at half its speed until the clock has caught
    up.
    """

    _now: Callable[[], float]
    _clock: IReactorTime
    _last: float = attrs.field(init=False)
    _ticks: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._last, self._ticks = self._now(), self._clock.seconds()

    def __call__(self) -> float:
        """What time is it? In seconds since 1970."""
        now, ticks = self._now(), self._clock.seconds()
        if now < self._last:
            now = self._last + max(0.0, ticks - self._ticks) * _SPEED_BEHIND
        self._last, self._ticks = now, ticks
        return now
