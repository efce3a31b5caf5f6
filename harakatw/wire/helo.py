"""
The argument of C{HELO} and C{EHLO}.

@see: RFC 5321 section 4.1.1.1
"""

import re
from typing import Final

from harakatw.errors import ProtocolError
from harakatw.reply import reply

MAX_HOST_OCTETS: Final = 255
"""RFC 5321 section 4.5.3.1.2."""

MISSING: Final = reply(501, "5.5.4", "HELO and EHLO need a host name")
UNPRINTABLE: Final = reply(501, "5.5.4", "Host name has characters that are not ASCII")
TOO_LONG: Final = reply(
    501, "5.5.4", f"Host name is longer than {MAX_HOST_OCTETS} octets"
)

_PRINTABLE = re.compile(rb"[ -~]*+")


def parse_helo(argument: bytes) -> str:
    """
    Read the name that a client gives itself.

    Any word is taken, also with underscores or without a dot: a wrong name is common,
    and for plugins to judge. What follows the first word is ignored, but not if it has
    control characters. U-labels are refused: RFC 6531 section 3.7.1 wants A-labels.

    @param argument: undecoded, without the CRLF.
    @return: the first word as it came.
    @raise ProtocolError: 501 5.5.4 if there is none, it is longer than 255 octets, or
        anything is not printable ASCII.
    @see: RFC 5321 section 4.1.1.1
    """
    words = argument.strip(b" \t")
    if not words:
        raise ProtocolError(MISSING)
    if not _PRINTABLE.fullmatch(words):
        raise ProtocolError(UNPRINTABLE, argument=words[:MAX_HOST_OCTETS])
    host = words.partition(b" ")[0]
    if len(host) > MAX_HOST_OCTETS:
        raise ProtocolError(TOO_LONG)
    return host.decode("ascii")
