"""Networks out of a postmaster's list, made to be asked often."""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Final

import attrs

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_EXPECTED: Final = "an IP address or a network such as 192.0.2.0/24 or 2001:db8::/32"


def parse_network(entry: str) -> IPNetwork:
    """
    Read an address, which is a network of one, or a network in CIDR notation.

    Bits set beyond the prefix do not matter: C{192.0.2.1/24} is C{192.0.2.0/24}.

    @raise ValueError: if it is neither; the message quotes it.
    @see: RFC 4632 section 3.1, RFC 4291 section 2.3
    """
    try:
        network = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        raise ValueError(f"{entry!r} is not {_EXPECTED}") from None
    return _as_ipv4(network) or network


def _as_ipv4(network: IPNetwork) -> ipaddress.IPv4Network | None:
    """The IPv4 network that is written as C{::ffff:192.0.2.0/120}, if it is one."""
    address = network.network_address
    if isinstance(address, ipaddress.IPv6Address) and network.prefixlen >= 96:
        mapped = address.ipv4_mapped
        if mapped is not None:
            return ipaddress.IPv4Network((mapped, network.prefixlen - 96))
    return None


@attrs.frozen
class Networks:
    """
    A set of networks. To ask it takes one look-up for each length of prefix in it.

    @ivar v4: networks by the number of bits that follow the prefix, each as the number
        that the prefix is.
    @ivar v6: likewise.
    """

    v4: Mapping[int, frozenset[int]] = attrs.field(factory=dict)
    v6: Mapping[int, frozenset[int]] = attrs.field(factory=dict)

    def __bool__(self) -> bool:
        return bool(self.v4 or self.v6)

    @property
    def hold_everybody(self) -> bool:
        """Is every address of one family in here?"""
        return 32 in self.v4 or 128 in self.v6

    def contains(self, ip: str) -> bool:
        """
        Is this address in one of the networks?

        An IPv4 address written as IPv6, C{::ffff:192.0.2.1}, is an IPv4 address.

        @param ip: as of a connection; what is no address, such as C{""} for a unix
            socket, is in none.
        """
        try:
            address = ipaddress.ip_address(ip.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address):
            mapped = address.ipv4_mapped
            if mapped is None:
                return _holds(self.v6, int(address))
            address = mapped
        return _holds(self.v4, int(address))


def _holds(networks: Mapping[int, frozenset[int]], address: int) -> bool:
    return any(address >> bits in known for bits, known in networks.items())


def parse_networks(entries: Iterable[str]) -> Networks:
    """
    Read a list.

    @raise ValueError: as L{parse_network}.
    """
    found: dict[int, dict[int, set[int]]] = {4: {}, 6: {}}
    for entry in entries:
        network = parse_network(entry)
        bits = network.max_prefixlen - network.prefixlen
        prefix = int(network.network_address) >> bits
        found[network.version].setdefault(bits, set()).add(prefix)
    v4, v6 = (
        {bits: frozenset(known) for bits, known in found[version].items()}
        for version in (4, 6)
    )
    return Networks(v4, v6)


def check_networks(
    instance: object, attribute: "attrs.Attribute[tuple[str, ...]]", value: object
) -> None:
    """
    An attrs validator for a list of networks.

    @raise ValueError: as L{parse_network}.
    """
    if isinstance(value, tuple):
        parse_networks(value)
