"""The time in a C{Date} field that anybody may have written."""

import calendar
import re
from collections.abc import Mapping
from email.utils import mktime_tz, parsedate_tz
from types import MappingProxyType
from typing import Final

MAX_CHARACTERS: Final = 200
"""Of a field that are looked at."""

_NAMES: Final = "janfebmaraprmayjunjulaugsepoctnovdec"
_MONTHS: Final[Mapping[str, int]] = MappingProxyType(
    {_NAMES[3 * month : 3 * month + 3]: month + 1 for month in range(12)}
)
_USUAL = re.compile(
    r"(?:[A-Za-z]{3}, )?([0-9]{1,2}) ([A-Za-z]{3}) ([0-9]{4})"
    r" ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})(?: \([A-Z]+\))?"
)


def parse_date(text: str) -> float | None:
    """
    Read a date, also in the obsolete forms of RFC 5322 section 4.3.

    @return: seconds since 1970; L{None} if it is none.
    """
    usual = _USUAL.fullmatch(text)
    month = _MONTHS.get(usual[2].lower()) if usual else None
    if usual and month:  # nearly all, and many times faster
        return _seconds(usual, month)
    try:
        found = parsedate_tz(text[:MAX_CHARACTERS])
        return None if found is None else float(mktime_tz(found))
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _seconds(found: re.Match[str], month: int) -> float | None:
    day, year, hour, minute, second = map(int, found.group(1, 3, 4, 5, 6))
    if not (1 <= day <= 31 and hour < 24 and minute < 60 and second <= 60):
        return None
    east = (int(found[8]) * 60 + int(found[9])) * 60
    local = calendar.timegm((year, month, day, hour, minute, second))
    return float(local - east if found[7] == "+" else local + east)
