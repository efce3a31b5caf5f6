"""
With which host TLS is used, and what its certificate must say.

@see: Haraka rows OB35 to OB37
"""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from harakatw.address_grammar import GrammarError, canonical_domain
from harakatw.config.options import doc, whole_section
from harakatw.net.tls.options import MinVersion, are_ciphers, is_curve
from harakatw.outbound.hop import Hop, is_ip

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_SECTION: Final = "outbound"
_FILE: Final = "tls.ini"


@attrs.frozen(kw_only=True)
class TLSPolicy:
    """
    What one connection needs.

    @ivar wanted: use TLS if the server offers it.
    @ivar required: send nothing without TLS.
    @ivar verified: send nothing unless the certificate is valid and for one of
        C{names}.
    @ivar names: who the host may be; the hop's name if empty.
    """

    wanted: bool = True
    required: bool = False
    verified: bool = False
    names: tuple[str, ...] = ()


NO_TLS: Final = TLSPolicy(wanted=False)
"""In clear; also to try a host again whose TLS is broken."""

OPPORTUNISTIC: Final = TLSPolicy()
"""Against listeners, not against those who pose as the host (RFC 7435)."""


@attrs.frozen(kw_only=True)
class Hosts:
    """
    A list of hosts as C{tls.ini} has it: names, IP addresses and networks.
    """

    names: frozenset[str] = frozenset()
    networks: tuple[IPNetwork, ...] = ()

    def contain(self, name: str) -> bool:
        """Is a name, in any case, or an IP address among them?"""
        if not is_ip(name):
            return name.lower().removesuffix(".") in self.names
        address = ipaddress.ip_address(name)
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self.networks)


def parse_hosts(entries: Iterable[str]) -> Hosts:
    """
    Read a list of hosts.

    @raise ValueError: for an entry that is none; the message names it.
    """
    names: set[str] = set()
    networks: list[IPNetwork] = []
    for entry in entries:
        try:
            networks.append(ipaddress.ip_network(entry, strict=False))
        except ValueError:
            names.add(_name(entry))
    return Hosts(names=frozenset(names), networks=tuple(networks))


def _name(entry: str) -> str:
    try:
        return canonical_domain(entry.removesuffix("."))
    except GrammarError:
        raise ValueError(f"{entry!r} is no host, IP address or network") from None


def _are_hosts(instance: object, attribute: object, value: tuple[str, ...]) -> None:
    parse_hosts(value)


@attrs.frozen(kw_only=True)
class OutboundTLSOptions:
    """
    C{tls.ini} as far as it is about mail that leaves. What C{[outbound]} does not say
    C{[main]} does.
    """

    enable_tls: bool = attrs.field(
        default=True,
        metadata=doc(
            "Encrypt mail on its way to hosts that can do it.", file="outbound.ini"
        ),
    )
    no_tls_hosts: tuple[str, ...] = attrs.field(
        default=(),
        validator=_are_hosts,
        metadata=doc(
            "Hosts that get mail in clear: names, IP addresses, networks.",
            section=_SECTION,
            file=_FILE,
        ),
    )
    force_tls_hosts: tuple[str, ...] = attrs.field(
        default=(),
        validator=_are_hosts,
        metadata=doc(
            "Hosts and recipient domains that get mail only over TLS with a valid "
            "certificate; they win over no_tls_hosts and enable_tls.",
            section=_SECTION,
            file=_FILE,
        ),
    )
    reject_unauthorized: bool = attrs.field(
        default=False,
        metadata=doc(
            "Send nothing over TLS to a host without a valid certificate?",
            section=_SECTION,
            key="rejectUnauthorized",
            file=_FILE,
        ),
    )
    mutual_tls: bool = attrs.field(
        default=False,
        metadata=doc("Show our own certificate to other hosts?", file=_FILE),
    )
    key: str = attrs.field(
        default="",
        metadata=doc("The key for mutual_tls.", section=_SECTION, file=_FILE),
    )
    cert: str = attrs.field(
        default="",
        metadata=doc("The certificate for mutual_tls.", section=_SECTION, file=_FILE),
    )
    ca: str = attrs.field(
        default="",
        metadata=doc(
            "Certificates to trust, a PEM file; without it those of the system.",
            section=_SECTION,
            file=_FILE,
        ),
    )
    ciphers: str = attrs.field(
        default="",
        validator=are_ciphers,
        metadata=doc(
            "Ciphers up to TLS 1.2 as OpenSSL writes them.",
            section=_SECTION,
            file=_FILE,
        ),
    )
    min_version: MinVersion | None = attrs.field(
        default=None,
        metadata=doc(
            "The oldest version of TLS to use.",
            section=_SECTION,
            key="minVersion",
            file=_FILE,
        ),
    )
    ecdh_curve: str | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(is_curve),
        metadata=doc(
            "The only curve for the exchange of keys.",
            section=_SECTION,
            key="ecdhCurve",
            file=_FILE,
        ),
    )
    passphrase: str = attrs.field(
        default="",
        metadata=doc(
            "Opens an encrypted key.", section=_SECTION, file=_FILE, secret=True
        ),
    )
    mutual_auth_hosts: Mapping[str, str] = attrs.field(
        factory=dict,
        metadata=whole_section(
            "Hosts that are shown a certificate though mutual_tls is off: each with "
            "the name of the certificate, or nothing for the usual one.",
            "mutual_auth_hosts",
            file=_FILE,
        ),
    )
    mutual_auth_hosts_exclude: Mapping[str, str] = attrs.field(
        factory=dict,
        metadata=whole_section(
            "Hosts that are shown none though mutual_tls is on, one on each line.",
            "mutual_auth_hosts_exclude",
            file=_FILE,
        ),
    )


@attrs.frozen
class TLSRules:
    """
    Which policy holds for which host.

    @ivar options: what the files say.
    """

    options: OutboundTLSOptions
    _forced: Hosts = attrs.field(init=False)
    _spared: Hosts = attrs.field(init=False)

    @_forced.default
    def _read_forced(self) -> Hosts:
        return parse_hosts(self.options.force_tls_hosts)

    @_spared.default
    def _read_spared(self) -> Hosts:
        return parse_hosts(self.options.no_tls_hosts)

    def policy(self, hop: Hop, domain: str = "") -> TLSPolicy:
        """
        What a connection to a hop needs.

        @param domain: the recipients', if the hop does not say whose MX host it is.
        """
        domain = domain or hop.from_dns
        known_as = [name for name in (hop.host, hop.ip, domain) if name]
        if hop.tls == "strict" and hop.from_dns:
            return TLSPolicy(required=True, verified=True, names=(domain,))
        is_forced = any(map(self._forced.contain, known_as))
        if hop.tls in ("strict", "verify") or is_forced:
            names = tuple(name for name in (hop.name, domain) if name)
            return TLSPolicy(required=True, verified=True, names=names)
        if hop.tls == "must" or hop.implicit_tls:
            strict = self.options.reject_unauthorized
            return TLSPolicy(required=True, verified=strict)
        if hop.tls == "never" or hop.path:
            return NO_TLS
        is_spared = any(map(self._spared.contain, known_as))
        by_rule = hop.tls in ("default", "relaxed")
        if by_rule and (is_spared or not self.options.enable_tls):
            return NO_TLS
        is_strict = self.options.reject_unauthorized and hop.tls != "relaxed"
        return TLSPolicy(verified=is_strict)
