"""
What few senders ask for with MAIL: not before, not after, sooner than others.

@see: RFC 2852 (DELIVERBY), RFC 4865 (FUTURERELEASE), RFC 6710 (MT-PRIORITY)
"""

import re
from datetime import UTC, datetime
from typing import Final

import attrs

from harakatw.errors import ProtocolError
from harakatw.reply import reply

BAD_BY: Final = reply(
    501, "5.5.4", "BY must be seconds;N or seconds;R, and more than none with R"
)
BAD_HOLDFOR: Final = reply(501, "5.5.4", "HOLDFOR must be seconds, 1 to 9 digits")
BAD_HOLDUNTIL: Final = reply(
    501, "5.5.4", "HOLDUNTIL must be like 2026-12-24T18:00:00Z"
)
BAD_PRIORITY: Final = reply(501, "5.5.4", "MT-PRIORITY must be -9 to 9")

_BY = re.compile(r"([+-]?[0-9]{1,9}+);([NR])(T?)", re.ASCII | re.IGNORECASE)
_SECONDS = re.compile(r"0*+[1-9][0-9]{0,8}+", re.ASCII)
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII | re.IGNORECASE,
)
_PRIORITY = re.compile(r"-?[1-9]|0", re.ASCII)
_MAX_DETAIL = 80  # characters of a refused value that the log gets


@attrs.frozen
class DeliverBy:
    """
    When a message shall be there.

    @ivar seconds: from now on; not positive if that is over.
    @ivar returns: what is late comes back, instead of being reported as late?
    @ivar is_traced: is each host to report that it has passed the message on?
    """

    seconds: int
    returns: bool
    is_traced: bool


def parse_by(value: str | None) -> DeliverBy:
    """
    Read BY.

    @param value: what stood after C{BY=}, such as C{120;R}.
    @raise ProtocolError: 501 5.5.4 if it is anything else, or asks to return what is
        late already.
    @see: RFC 2852 section 4
    """
    found = _BY.fullmatch(value or "")
    if found is None:
        raise ProtocolError(BAD_BY, value=_shortened(value))
    by = DeliverBy(int(found[1]), found[2] in "rR", bool(found[3]))
    if by.returns and by.seconds <= 0:
        raise ProtocolError(BAD_BY, value=_shortened(value))
    return by


def parse_hold_for(value: str | None) -> int:
    """
    Read HOLDFOR.

    @return: for how many seconds the message is to be kept.
    @raise ProtocolError: 501 5.5.4 if it is no such number.
    @see: RFC 4865 section 3
    """
    if value is None or not _SECONDS.fullmatch(value):
        raise ProtocolError(BAD_HOLDFOR, value=_shortened(value))
    return int(value)


def parse_hold_until(value: str | None) -> float:
    """
    Read HOLDUNTIL.

    @return: until when the message is to be kept, in seconds since 1970.
    @raise ProtocolError: 501 5.5.4 if it is no point in time.
    @see: RFC 4865 section 3 and its erratum 2040, RFC 3339 section 5.6
    """
    try:
        if value is not None and _DATE_TIME.fullmatch(value):
            return datetime.fromisoformat(value.upper()).timestamp()
    except (ValueError, OverflowError):
        pass  # the 31st of February, say
    raise ProtocolError(BAD_HOLDUNTIL, value=_shortened(value))


def parse_priority(value: str | None) -> int:
    """
    Read MT-PRIORITY.

    @return: -9 to 9; more is sooner.
    @raise ProtocolError: 501 5.5.4 if it is anything else.
    @see: RFC 6710 section 3
    """
    if value is None or not _PRIORITY.fullmatch(value):
        raise ProtocolError(BAD_PRIORITY, value=_shortened(value))
    return int(value)


def date_time(seconds: float) -> str:
    """
    A point in time as FUTURERELEASE announces it: RFC 3339, UTC.

    @param seconds: since 1970.
    """
    moment = datetime.fromtimestamp(int(seconds), UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _shortened(value: str | None) -> str:
    return (value or "")[:_MAX_DETAIL]
