"""How many in how much time: C{10/s}, and whether another one may go now."""

import re
from types import MappingProxyType
from typing import Final

import attrs

TOLERANCE_SECONDS: Final = 1e-6
"""
What counts as the same time: a sum of floats, such as now and the wait, falls short of
the time that was meant by less than this.
"""

UNLIMITED: Final = "none"

_RATE = re.compile(r"([0-9]{1,9})\s*/\s*(s|min|h|day)")
_SECONDS: Final = MappingProxyType({"s": 1, "min": 60, "h": 3600, "day": 86400})


@attrs.frozen
class Rate:
    """
    A limit.

    @ivar count: how many, at least 1.
    @ivar seconds: in how much time.
    """

    count: int
    seconds: int


def parse_rate(text: str) -> Rate | None:
    """
    Read a rate.

    @param text: such as C{10/s}, C{100/min}, C{5000/h} or C{20000/day}; C{""} or
        C{none} for no limit.
    @raise ValueError: if it is none.
    """
    compact = text.strip().lower()
    if compact in ("", UNLIMITED):
        return None
    found = _RATE.fullmatch(compact)
    if found is None or int(found[1]) < 1:
        raise ValueError(
            f"{text!r} is neither none nor a rate such as 10/s, 100/min, 5000/h or"
            " 20000/day"
        )
    return Rate(int(found[1]), _SECONDS[found[2]])


@attrs.define(eq=False)
class TokenBucket:
    """
    Spreads what may go evenly: C{100/min} is one each 0.6 seconds, not a hundred at the
    start of each minute. What was not used in a quiet time is lost, but for the amount
    of one second.

    Time is given by the caller and counts from any point; if it goes backwards, the
    bucket begins anew.
    """

    rate: Rate
    # The next one is due at _start + _taken * interval: one rounding, whatever the
    # number of them, so that a day's worth is exact.
    _start: float = attrs.field(default=float("-inf"), init=False)
    _taken: int = attrs.field(default=0, init=False)

    @property
    def interval(self) -> float:
        """Seconds from one to the next."""
        return self.rate.seconds / self.rate.count

    @property
    def burst(self) -> int:
        """How many may go at once after a quiet time."""
        return max(1, self.rate.count // self.rate.seconds)

    def wait_seconds(self, now: float) -> float:
        """How long until another one may go; 0 if it may now."""
        self._catch_up(now)
        wait = self._due(self._taken - self.burst + 1) - now
        return wait if wait > TOLERANCE_SECONDS else 0.0

    def take(self, now: float) -> float:
        """
        Ask to let one go.

        @return: 0 if it may, and then it counts as gone; else the seconds to wait.
        """
        wait = self.wait_seconds(now)
        if wait == 0:
            self._taken += 1
        return wait

    def _due(self, number: int) -> float:
        return self._start + number * self.rate.seconds / self.rate.count

    def _catch_up(self, now: float) -> None:
        """Begin anew after a quiet time, or when the clock was set back."""
        due = self._due(self._taken)
        was_set_back = due - now > (self.burst + 1) * self.interval
        if due < now - TOLERANCE_SECONDS or was_set_back:
            self._start, self._taken = now, 0
