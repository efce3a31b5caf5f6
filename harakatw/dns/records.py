"""
Records of one type for one name, with aliases followed.

@see: RFC 1034 section 3.6.2 (aliases), RFC 2308 (how long "there is none" holds)
"""

import enum
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.names import dns
from twisted.names.error import DNSNameError
from twisted.python.failure import Failure

MAX_ALIASES: Final = 10
"""How long a chain of CNAME records may be."""

FAILED_SECONDS: Final = 10.0
"""
How long it is remembered that nobody knew, or that there is nothing when the answer
does not say for how long. RFC 2308 section 7 allows five minutes; a postmaster who has
mended the DNS should not wait.
"""

_MAX_SECONDS: Final = 86400.0
_MAX_NEGATIVE_SECONDS: Final = 10800.0  # RFC 2308 section 5: one to three hours
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")


class Status(enum.Enum):
    """What the DNS says."""

    FOUND = "found"
    NO_DATA = "no such records"
    NO_NAME = "no such name"
    FAILED = "no answer"


@attrs.frozen
class Records:
    """
    What there is.

    @ivar payloads: records as C{twisted.names.dns} has them, in the answer's order;
        empty unless C{status} is C{FOUND}.
    @ivar seconds: how long this holds.
    @ivar detail: for the log: why there is no answer.
    """

    status: Status
    payloads: tuple[Any, ...] = ()
    seconds: float = 0.0
    detail: str = ""


class QueryResolver(Protocol):
    """The part of C{twisted.internet.interfaces.IResolver} that is used here."""

    def query(
        self, query: dns.Query, timeout: Sequence[int] | None = None
    ) -> "Deferred[Any]":
        """Ask; fires with answers, authority and additional records."""


def is_host_name(name: str) -> bool:
    """
    Can this be asked for, in lower case and without the last dot?

    Underscores may stand in it: they must not in a host's name (RFC 952), but do.
    """
    return _HOST.fullmatch(name) is not None


@attrs.frozen
class _Answer:
    """
    One answer of a server: aliases by name, records by name.

    @ivar status: what holds for names without records.
    """

    status: Status
    aliases: dict[str, str] = attrs.field(factory=dict)
    payloads: dict[str, list[Any]] = attrs.field(factory=dict)
    seconds: float = 0.0
    detail: str = ""


class RecordLookup:
    """Asks for records; remembers nothing."""

    def __init__(
        self, resolver: QueryResolver, clock: IReactorTime, timeout_seconds: float
    ) -> None:
        """
        @param resolver: such as C{twisted.names.client.Resolver}, which asks again over
            TCP when an answer does not fit into a datagram.
        @param timeout_seconds: for one look-up in all, aliases included.
        """
        self._resolver = resolver
        self._clock = clock
        self._timeout = timeout_seconds

    def ask(self, name: str, kind: int) -> "Deferred[Records]":
        """
        Look records up.

        @param name: in ASCII.
        @param kind: such as C{dns.MX}.
        @return: never fails.
        """
        found = Deferred.fromCoroutine(self._follow(name.lower(), kind))
        return found.addTimeout(self._timeout, self._clock)

    async def _follow(self, name: str, kind: int) -> Records:
        """Go from alias to alias until there are records, or none."""
        seconds = _MAX_SECONDS
        left = MAX_ALIASES
        while is_host_name(name):
            answer = await self._query(name, kind)
            seconds = min(seconds, answer.seconds)
            if answer.status is Status.FAILED:
                return Records(Status.FAILED, (), FAILED_SECONDS, answer.detail)
            asked = name
            while name in answer.aliases and left >= 0:
                name, left = answer.aliases[name], left - 1
            if left < 0:
                detail = f"more than {MAX_ALIASES} aliases"
                return Records(Status.FAILED, (), FAILED_SECONDS, detail)
            if name in answer.payloads:
                payloads = tuple(answer.payloads[name])
                return Records(Status.FOUND, payloads, seconds)
            # A server that is told of the alias only leaves the rest to us.
            if name == asked or answer.status is Status.NO_NAME:
                return Records(answer.status, (), seconds)
        return Records(Status.NO_NAME, (), seconds, "not the name of a host")

    def _query(self, name: str, kind: int) -> "Deferred[_Answer]":
        asked = self._resolver.query(dns.Query(name.encode("ascii"), kind, dns.IN))
        return asked.addCallback(_read, kind).addErrback(_read_failure)


def _read(sections: Sequence[Iterable[Any]], kind: int) -> _Answer:
    """What an answer without an error says; records of other names do no harm."""
    aliases: dict[str, str] = {}
    payloads: dict[str, list[Any]] = {}
    seconds: list[float] = []
    for record in sections[0]:
        owner = record_name(record.name)
        if record.cls != dns.IN or record.payload is None:
            continue
        if record.type == kind:
            payloads.setdefault(owner, []).append(record.payload)
            seconds.append(record.ttl)
        elif record.type == dns.CNAME:
            aliases[owner] = record_name(record.payload.name)
            seconds.append(record.ttl)
    if not payloads:
        seconds += _negative_seconds(sections[1])
    lasts = _capped(min(seconds, default=FAILED_SECONDS))
    return _Answer(Status.NO_DATA, aliases, payloads, lasts)


def _read_failure(failure: Failure) -> _Answer:
    """Whatever happened to a question is an answer, too."""
    error = failure.value
    if not isinstance(error, DNSNameError):
        return _Answer(Status.FAILED, detail=repr(error)[:200])
    authority = getattr(error.args[0] if error.args else None, "authority", ())
    lasts = min(_negative_seconds(authority), default=FAILED_SECONDS)
    return _Answer(Status.NO_NAME, seconds=_capped(lasts))


def record_name(name: dns.Name) -> str:
    """A name in lower case, without the last dot; foreign octets become C{?}."""
    text: str = name.name.decode("ascii", "replace").lower()
    return text.removesuffix(".").replace("\ufffd", "?")


def _negative_seconds(authority: Iterable[Any]) -> list[float]:
    """
    How long it holds that there is nothing, if the answer says so.

    @see: RFC 2308 section 5
    """
    return [
        float(min(record.ttl, record.payload.minimum, _MAX_NEGATIVE_SECONDS))
        for record in authority
        if record.type == dns.SOA
    ]


def _capped(seconds: float) -> float:
    return max(0.0, min(float(seconds), _MAX_SECONDS))
