"""
Where mail must not go because the DNS says so.

Anybody may point an MX record at any address: at ours, which makes a loop, or at a
service that trusts whoever reaches it from here.

@see: RFC 5321 section 5.1, Haraka row OB24
"""

import enum
import ipaddress
from collections.abc import Iterable
from typing import Final

import attrs

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_THIS_NETWORK: Final = ipaddress.IPv4Network("0.0.0.0/8")  # RFC 1122 section 3.2.1.3
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052 section 2.1
_V4_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")  # RFC 4291 section 2.5.5.1


class Finding(enum.Enum):
    """What an address is."""

    USABLE = "usable"
    OURS = "ours"
    FORBIDDEN = "forbidden"


def _parsed(addresses: Iterable[str]) -> frozenset[IPAddress]:
    return frozenset(map(ipaddress.ip_address, addresses))


@attrs.frozen(kw_only=True)
class Guard:
    """
    Knows who we are, and which addresses are no mail host's.

    @ivar names: ours, in lower case; MX records with these are ours.
    @ivar addresses: ours.
    @ivar local_ok: let mail go to this machine, loopback included.
    @ivar private_ok: let mail go to private addresses.
    """

    names: frozenset[str] = frozenset()
    addresses: frozenset[IPAddress] = attrs.field(
        default=frozenset(), converter=_parsed
    )
    local_ok: bool = False
    private_ok: bool = True

    def is_our_name(self, host: str) -> bool:
        """Is this host, in lower case, this server?"""
        return not self.local_ok and host in self.names

    def judge(self, ip: str) -> Finding:
        """
        May mail go to an address that the DNS has given?

        An IPv4 address that is wrapped into an IPv6 address is judged as what it is:
        that is where the packets go.

        @param ip: IPv4 or IPv6.
        """
        address = _unwrapped(ipaddress.ip_address(ip))
        if address in self.addresses and not address.is_loopback:
            return Finding.USABLE if self.local_ok else Finding.OURS
        if address.is_loopback:
            return Finding.USABLE if self.local_ok else Finding.FORBIDDEN
        if _is_no_host(address):
            return Finding.FORBIDDEN
        if not (address.is_global or self.private_ok):
            return Finding.FORBIDDEN
        return Finding.USABLE


def _unwrapped(address: IPAddress) -> IPAddress:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    mapped = address.ipv4_mapped or address.sixtofour
    if mapped is None and int(address) > 0xFFFF and address in _V4_COMPATIBLE:
        mapped = ipaddress.IPv4Address(int(address))
    if mapped is None and address in _NAT64:
        mapped = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return mapped or address


def _is_no_host(address: IPAddress) -> bool:
    """Addresses of nobody, of everybody, and of the link, where clouds keep secrets."""
    return (
        address.is_unspecified
        or address.is_multicast
        or address.is_link_local
        or (address.version == 4 and (address in _THIS_NETWORK or address.is_reserved))
    )
