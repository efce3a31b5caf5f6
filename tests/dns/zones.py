"""A DNS made of a dictionary."""

from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.names import dns
from twisted.names.error import DNSNameError, DNSServerError

from harakatw.dns.records import RecordLookup

Zone = Mapping[str, Sequence[Any]]

BROKEN = ("server failure",)
"""In a zone: the server cannot answer."""

SILENT = ("nothing",)
"""In a zone: no answer ever comes."""


def mx(preference: int, host: str, ttl: int = 300) -> dns.Record_MX:
    """An MX record."""
    return dns.Record_MX(preference, host, ttl)


def a(ip: str, ttl: int = 300) -> dns.Record_A:
    """An address record."""
    return dns.Record_A(ip, ttl)


def aaaa(ip: str, ttl: int = 300) -> dns.Record_AAAA:
    """An IPv6 address record."""
    return dns.Record_AAAA(ip, ttl)


def alias(name: str, ttl: int = 300) -> dns.Record_CNAME:
    """A CNAME record."""
    return dns.Record_CNAME(name, ttl)


def soa(seconds: int) -> dns.RRHeader:
    """What says how long "there is none" holds."""
    record = dns.Record_SOA(minimum=seconds, ttl=seconds)
    return dns.RRHeader("test", dns.SOA, ttl=seconds, payload=record)


class FakeResolver:
    """
    Answers from a zone as a recursive server does.

    @ivar zone: records by name.
    @ivar asked: the questions, such as C{("example.org", "MX")}.
    @ivar pending: questions without an answer.
    @ivar negative_seconds: said with "there is none"; L{None} to say nothing.
    @ivar follows: are aliases followed, or left to whoever asks?
    """

    def __init__(self, zone: Zone) -> None:
        self.zone = dict(zone)
        self.asked: list[tuple[str, str]] = []
        self.pending: list[Deferred[Any]] = []
        self.negative_seconds: int | None = 60
        self.follows = True

    def query(
        self, query: dns.Query, timeout: Sequence[int] | None = None
    ) -> "Deferred[Any]":
        """Answer, or do not."""
        name = query.name.name.decode("ascii")
        self.asked.append((name, dns.QUERY_TYPES[query.type]))
        records = self.zone.get(name)
        if records is SILENT:
            self.pending.append(Deferred())
            return self.pending[-1]
        if records is BROKEN:
            return fail(DNSServerError(dns.Message()))
        if records is None:
            message = dns.Message()
            message.authority = self._authority()
            return fail(DNSNameError(message))
        answers = self._answers(name, query.type)
        return succeed((answers, [] if answers else self._authority(), []))

    def _authority(self) -> list[dns.RRHeader]:
        if self.negative_seconds is None:
            return []
        return [soa(self.negative_seconds)]

    def _answers(self, name: str, kind: int, left: int = 30) -> list[dns.RRHeader]:
        found = []
        records = self.zone.get(name, ())
        for record in () if records in (BROKEN, SILENT) else records:
            if record.TYPE not in (kind, dns.CNAME):
                continue
            found.append(
                dns.RRHeader(name, record.TYPE, ttl=record.ttl, payload=record)
            )
            if record.TYPE == dns.CNAME and self.follows and left:
                target = record.name.name.decode("ascii")
                found += self._answers(target, kind, left - 1)
        return found


def make_records(zone: Zone) -> tuple[FakeResolver, RecordLookup, Clock]:
    """Look-ups in a zone, which give up after five seconds."""
    clock = Clock()
    resolver = FakeResolver(zone)
    return resolver, RecordLookup(resolver, clock, 5.0), clock
