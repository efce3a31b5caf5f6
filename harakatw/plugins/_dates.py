"""The time in a C{Date} field that anybody may have written."""

from email.utils import mktime_tz, parsedate_tz
from typing import Final

MAX_CHARACTERS: Final = 200
"""Of a field that are looked at."""


def parse_date(text: str) -> float | None:
    """
    Read a date, also in the obsolete forms of RFC 5322 section 4.3.

    @return: seconds since 1970; L{None} if it is none.
    """
    try:
        found = parsedate_tz(text[:MAX_CHARACTERS])
        return None if found is None else float(mktime_tz(found))
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
