"""
The hosts that take the mail for a domain.

@see: RFC 5321 section 5.1, RFC 7505 (null MX)
"""

from collections.abc import Iterable
from typing import Any, Final

import attrs
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.names import dns

from harakatw.dns.cache import LookupCache, Timed
from harakatw.dns.hosts import HostsFile, is_localhost
from harakatw.dns.records import (
    RecordLookup,
    Records,
    Status,
    is_host_name,
    record_name,
)

MAX_RECORDS: Final = 100
"""MX records that are taken of one domain, those of the best preference."""

_LOCALHOST_SECONDS: Final = 86400.0


@attrs.frozen(order=True)
class MXRecord:
    """
    One host of a domain.

    @ivar preference: lower ones come first.
    @ivar exchange: its name in lower case, without the last dot.
    """

    preference: int
    exchange: str


@attrs.frozen
class MXAnswer:
    """
    Who takes the mail for a domain.

    @ivar status: C{FOUND}, C{NO_NAME} or C{FAILED}.
    @ivar records: sorted; empty if there is no MX record that can be used.
    @ivar is_null: does the domain say that it takes no mail?
    @ivar is_implicit: is the record made up, because the domain has none?
    @ivar detail: for the log.
    """

    domain: str
    status: Status
    records: tuple[MXRecord, ...] = ()
    is_null: bool = False
    is_implicit: bool = False
    detail: str = ""


class MXLookup:
    """Looks MX records up; a domain without any is its own host."""

    def __init__(
        self, records: RecordLookup, hosts: HostsFile, clock: IReactorTime
    ) -> None:
        """
        @param hosts: makes a domain exist that the DNS does not have.
        @param clock: for the age of what is remembered.
        """
        self._records = records
        self._hosts = hosts
        self._cache: LookupCache[MXAnswer] = LookupCache(clock, self._ask)

    def lookup_mx(self, domain: str) -> "MXAnswer | Deferred[MXAnswer]":
        """
        Find the hosts of a domain.

        @param domain: A-labels in lower case, no address literal.
        @return: the answer, at once if it is known; never fails.
        """
        return self._cache.get(domain)

    def _ask(self, domain: str) -> "Deferred[Timed[MXAnswer]]":
        if is_localhost(domain):  # RFC 6761 section 6.3: the DNS is not asked
            return succeed(Timed(_implicit(domain), _LOCALHOST_SECONDS))
        return self._records.ask(domain, dns.MX).addCallback(self._answer, domain)

    def _answer(self, found: Records, domain: str) -> Timed[MXAnswer]:
        if found.status is Status.FOUND:
            answer = read_mx(domain, found.payloads)
        elif found.status is Status.NO_DATA or self._is_known_here(found, domain):
            answer = _implicit(domain)
        else:
            answer = MXAnswer(domain, found.status, detail=found.detail)
        return Timed(answer, found.seconds)

    def _is_known_here(self, found: Records, domain: str) -> bool:
        # Only where the DNS is sure: a time-out must not lead mail past the MX hosts.
        return found.status is Status.NO_NAME and bool(self._hosts.addresses(domain))


def _implicit(domain: str) -> MXAnswer:
    record = MXRecord(0, domain)
    return MXAnswer(domain, Status.FOUND, (record,), is_implicit=True)


def read_mx(domain: str, payloads: Iterable[Any]) -> MXAnswer:
    """
    Read MX records.

    A C{.} beside other records does not count (RFC 7505 section 3 wants it to be
    alone), nor does a name that no host can have. A host named twice keeps the better
    preference.

    @param payloads: of type C{dns.Record_MX}, at least one.
    """
    best: dict[str, int] = {}
    names = []
    for payload in payloads:
        name = record_name(payload.name)
        names.append(name)
        if is_host_name(name):
            best[name] = min(best.get(name, 0xFFFF), payload.preference)
    records = sorted(MXRecord(preference, name) for name, preference in best.items())
    is_null = not any(names)
    return MXAnswer(domain, Status.FOUND, tuple(records[:MAX_RECORDS]), is_null)
