"""
How long to wait between attempts.

@see: RFC 5321 section 4.5.4.1, Haraka rows CF53, CF54 and TE26
"""

import re
from types import MappingProxyType
from typing import Final

MIN_SECONDS: Final = 5
"""The shortest interval that may be written down."""

MAX_INTERVALS: Final = 1000
"""The longest list that may be written down."""

MAX_SECONDS: Final = 30 * 86400
"""The longest interval."""

NONE: Final = "none"

_STEP = re.compile(r"([0-9]{1,9})(s|m|h|d)(?:\*([0-9]{1,9}))?")
_UNITS: Final = MappingProxyType({"s": 1, "m": 60, "h": 3600, "d": 86400})


def parse_intervals(text: str) -> tuple[int, ...]:
    """
    Read a list of intervals, such as C{1m, 5m*2, 1h*3}.

    @param text: numbers with C{s}, C{m}, C{h} or C{d}, each of them perhaps with a
        C{*} and how many times it is used; or C{none}, for one attempt only.
    @return: seconds, in the order in which they are used.
    @raise ValueError: if it is no such list; the message says what is wrong.
    """
    compact = re.sub(r"\s*([,*])\s*", r"\1", text.strip().lower())
    if compact == NONE:
        return ()
    intervals: list[int] = []
    for step in compact.split(","):
        seconds, times = _step(step)
        if len(intervals) + times > MAX_INTERVALS:
            raise ValueError(f"{text!r} has more than {MAX_INTERVALS} intervals")
        intervals += [seconds] * times
    return tuple(intervals)


def _step(step: str) -> tuple[int, int]:
    """An interval in seconds, and how often it is used."""
    found = _STEP.fullmatch(step)
    if found is None:
        raise ValueError(f"{step!r} is not an interval such as 30s, 5m or 1h*3")
    seconds, times = int(found[1]) * _UNITS[found[2]], int(found[3] or 1)
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise ValueError(
            f"{step!r} is out of range: an interval is {MIN_SECONDS} seconds to "
            f"{MAX_SECONDS // 86400} days"
        )
    if times < 1:
        raise ValueError(f"{step!r}: there must be at least one of it")
    return seconds, times


def doubling_intervals(attempts: int) -> tuple[int, ...]:
    """
    The intervals of somebody who said only how many attempts there are: 64 seconds and
    from there on twice as long each time, up to L{MAX_SECONDS}.

    @param attempts: at least 1; one more than there are intervals.
    """
    return tuple(min(64 << step, MAX_SECONDS) for step in range(attempts - 1))
