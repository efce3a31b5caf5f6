"""
The addresses of a host.

The host of an MX record may be an alias, as many are, against RFC 2181 section 10.3.

@see: RFC 1035 section 3.4.1 (A), RFC 3596 section 2.1 (AAAA)
"""

import ipaddress
from collections.abc import Iterable
from typing import Any, Final, Literal

import attrs
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.names import dns

from harakatw.dns.cache import LookupCache, Timed
from harakatw.dns.hosts import HostsFile
from harakatw.dns.records import RecordLookup, Records, Status

MAX_ADDRESSES: Final = 32
"""Addresses of one family that are taken from one answer."""

Preference = Literal["default", "v4", "v6"]

_HOSTS_FILE_SECONDS: Final = 30.0


@attrs.frozen
class Addresses:
    """
    Where a host can be reached.

    @ivar status: C{FOUND} if there is an address of either family; C{FAILED} if there
        may be one, and nobody knows.
    @ivar v6: IPv6 addresses, in the answer's order.
    @ivar v4: IPv4 addresses, likewise.
    """

    status: Status
    v6: tuple[str, ...] = ()
    v4: tuple[str, ...] = ()

    def ordered(self, prefer: Preference) -> tuple[str, ...]:
        """All of them: IPv6 first, unless C{v4} is preferred (Haraka row OB22)."""
        return self.v4 + self.v6 if prefer == "v4" else self.v6 + self.v4


def sort_addresses(ips: Iterable[str]) -> Addresses:
    """Addresses that are known otherwise."""
    known = tuple(ips)
    v6 = tuple(ip for ip in known if ":" in ip)
    v4 = tuple(ip for ip in known if ":" not in ip)
    status = Status.FOUND if known else Status.NO_NAME
    return Addresses(status, v6[:MAX_ADDRESSES], v4[:MAX_ADDRESSES])


class AddressLookup:
    """Looks A and AAAA records up; what stands in the hosts file counts first."""

    def __init__(
        self, records: RecordLookup, hosts: HostsFile, clock: IReactorTime
    ) -> None:
        """
        @param records: for names that the hosts file does not have.
        @param clock: for the age of what is remembered.
        """
        self._records = records
        self._hosts = hosts
        self._cache: LookupCache[Addresses] = LookupCache(clock, self._ask)

    def lookup_addresses(self, host: str) -> "Addresses | Deferred[Addresses]":
        """
        Find the addresses of a host.

        @param host: a name in lower case without the last dot, or an IP address.
        @return: the addresses, at once if they are known; never fails.
        """
        return self._cache.get(host)

    def _ask(self, host: str) -> "Deferred[Timed[Addresses]]":
        try:
            ipaddress.ip_address(host)
            ips: tuple[str, ...] = (host,)
        except ValueError:
            ips = self._hosts.addresses(host)
        if ips:
            return succeed(Timed(sort_addresses(ips), _HOSTS_FILE_SECONDS))
        return Deferred.fromCoroutine(self._ask_both(host))

    async def _ask_both(self, host: str) -> Timed[Addresses]:
        """Both at the same time: each await below only collects."""
        waiting6 = self._records.ask(host, dns.AAAA)
        waiting4 = self._records.ask(host, dns.A)
        found6, found4 = await waiting6, await waiting4
        addresses = Addresses(_status(found6, found4), _ips(found6), _ips(found4))
        return Timed(addresses, min(found6.seconds, found4.seconds))


def _status(*found: Records) -> Status:
    """What two answers come to: an address beats a failure, a failure beats none."""
    statuses = {each.status for each in found}
    order = (Status.FOUND, Status.FAILED, Status.NO_DATA, Status.NO_NAME)
    return next(status for status in order if status in statuses)


def _ips(found: Records) -> tuple[str, ...]:
    return tuple(str(_ip(payload)) for payload in found.payloads[:MAX_ADDRESSES])


def _ip(payload: Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(payload.address)
