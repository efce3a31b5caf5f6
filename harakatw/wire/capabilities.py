"""
What a server offers in its reply to EHLO or LHLO.

@see: RFC 5321 section 4.1.1.1
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from harakatw.wire.answer import Answer

_KEYWORD = re.compile(r"[A-Z0-9][A-Z0-9-]*+", re.ASCII)
_MECHANISM = re.compile(r"[A-Z0-9_-]{1,20}+", re.ASCII)  # RFC 4422 section 3.1
_LIMIT = re.compile(r"([A-Z0-9-]{1,40}+)=([1-9][0-9]{0,5}+)", re.ASCII)
_SIZE = re.compile(r"[0-9]{1,20}+", re.ASCII)


@attrs.frozen(kw_only=True)
class Capabilities:
    """
    Extensions of one session; those in use are looked at for each message.

    @ivar keywords: all of them, in upper case, each with what stands after it.
    @ivar pipelining: RFC 2920.
    @ivar max_size: RFC 1870: the largest message in octets, 0 for no limit that is
        known; L{None} if SIZE is not offered.
    @ivar eight_bit: RFC 6152, C{8BITMIME}.
    @ivar binary: RFC 3030, both C{CHUNKING} and C{BINARYMIME}.
    @ivar smtputf8: RFC 6531.
    @ivar dsn: RFC 3461.
    @ivar most_recipients: RFC 9422, C{RCPTMAX}: of one message; 0 if it is not said.
    @ivar most_messages: RFC 9422, C{MAILMAX}: of one connection; likewise.
    @ivar starttls: RFC 3207.
    @ivar auth: RFC 4954: mechanisms in upper case.
    """

    keywords: Mapping[str, str] = MappingProxyType({})
    pipelining: bool = False
    max_size: int | None = None
    eight_bit: bool = False
    binary: bool = False
    smtputf8: bool = False
    dsn: bool = False
    most_recipients: int = 0
    most_messages: int = 0
    starttls: bool = False
    auth: frozenset[str] = frozenset()


NO_CAPABILITIES: Final = Capabilities()
"""Of a server that knows HELO only."""


def parse_capabilities(answer: Answer) -> Capabilities:
    """
    Read the reply to EHLO.

    A line that is no capability is passed over: there are servers that chat there.

    @param answer: its first line is the server's name and greeting.
    """
    keywords: dict[str, str] = {}
    auth: set[str] = set()
    for line in answer.raw[1:]:
        keyword, _, value = line.decode("ascii", "replace").strip().partition(" ")
        keyword = keyword.upper()
        if keyword.startswith("AUTH="):  # as servers said it before RFC 2554
            value = f"{keyword[5:]} {value}"
            keyword = "AUTH"
        if keyword == "AUTH":
            auth.update(filter(_MECHANISM.fullmatch, value.upper().split()))
        if _KEYWORD.fullmatch(keyword):
            keywords.setdefault(keyword, value.strip())
    limits = _limits(keywords.get("LIMITS", ""))
    return Capabilities(
        keywords=MappingProxyType(keywords),
        pipelining="PIPELINING" in keywords,
        max_size=_max_size(keywords.get("SIZE")),
        eight_bit="8BITMIME" in keywords,
        binary="CHUNKING" in keywords and "BINARYMIME" in keywords,
        smtputf8="SMTPUTF8" in keywords,
        dsn="DSN" in keywords,
        most_recipients=limits.get("RCPTMAX", 0),
        most_messages=limits.get("MAILMAX", 0),
        starttls="STARTTLS" in keywords,
        auth=frozenset(auth),
    )


def _limits(value: str) -> Mapping[str, int]:
    """
    @see: RFC 9422 section 3
    """
    found = (_LIMIT.fullmatch(word) for word in value.upper().split())
    return {limit[1]: int(limit[2]) for limit in found if limit}


def _max_size(value: str | None) -> int | None:
    if value is None:
        return None
    return int(value) if _SIZE.fullmatch(value) else 0
