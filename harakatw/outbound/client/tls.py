"""
TLS as a client: when, with whom, and what the certificate must say.

@see: RFC 3207 (STARTTLS), RFC 6125 (names), Haraka rows OB35 to OB40
"""

import ipaddress
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Literal

import attrs
from OpenSSL import SSL
from OpenSSL.crypto import X509
from service_identity import CertificateError, VerificationError
from service_identity.pyopenssl import verify_hostname, verify_ip_address
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import (
    AcceptableCiphers,
    Certificate,
    CertificateOptions,
    PrivateCertificate,
    TLSVersion,
    platformTrust,
    trustRootFromCertificates,
)
from zope.interface import implementer

from harakatw.address_grammar import GrammarError, canonical_domain
from harakatw.config.options import doc
from harakatw.errors import ConfigError
from harakatw.outbound.client.result import TLSState
from harakatw.outbound.hop import Hop, is_ip

MinVersion = Literal["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]

_SECTION: Final = "outbound"
_FILE: Final = "tls.ini"
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.S)
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


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


def _are_ciphers(instance: object, attribute: object, value: str) -> None:
    if value and not re.fullmatch(r"[A-Za-z0-9_+!:@=.,-]{1,2000}", value):
        raise ValueError(f"{value[:80]!r} is no list of ciphers as OpenSSL wants it")


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
        validator=_are_ciphers,
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
    main_key: str = attrs.field(
        default="tls_key.pem",
        metadata=doc("The server's key, a PEM file.", key="key", file=_FILE),
    )
    main_cert: str = attrs.field(
        default="tls_cert.pem",
        metadata=doc(
            "The server's certificate and those above it, a PEM file.",
            key="cert",
            file=_FILE,
        ),
    )
    main_ciphers: str = attrs.field(
        default="",
        validator=_are_ciphers,
        metadata=doc(
            "Ciphers up to TLS 1.2 as OpenSSL writes them.", key="ciphers", file=_FILE
        ),
    )
    main_min_version: MinVersion | None = attrs.field(
        default=None,
        metadata=doc(
            "The oldest version of TLS to use.", key="minVersion", file=_FILE
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

        @param domain: the recipients', if the hop is one of its MX hosts.
        """
        known_as = [name for name in (hop.host, hop.ip, domain) if name]
        if hop.tls == "verify" or any(map(self._forced.contain, known_as)):
            names = tuple(name for name in (hop.name, domain) if name)
            return TLSPolicy(required=True, verified=True, names=names)
        if hop.tls == "must" or hop.implicit_tls:
            strict = self.options.reject_unauthorized
            return TLSPolicy(required=True, verified=strict)
        if hop.tls == "never" or hop.path:
            return NO_TLS
        is_spared = any(map(self._spared.contain, known_as))
        if hop.tls == "default" and (is_spared or not self.options.enable_tls):
            return NO_TLS
        return TLSPolicy(verified=self.options.reject_unauthorized)


class ClientTLS:
    """What all connections of a server have in common: certificates and ciphers."""

    def __init__(
        self, options: OutboundTLSOptions, directory: Path, trust_root: Any = None
    ) -> None:
        """
        @param directory: what file names are relative to, the C{config/} of an
            instance.
        @param trust_root: an C{IOpenSSLTrustRoot} instead of what C{ca} says.
        @raise ConfigError: if a file cannot be read, or is not what it should be.
        """
        self._options = options
        try:
            self._context = self._make_context(directory, trust_root)
        except (OSError, ValueError, SSL.Error) as error:
            why = getattr(error, "strerror", "") or str(error) or "no certificate"
            name = getattr(error, "filename", None) or "keys, certificates or ciphers"
            raise ConfigError((f"config/tls.ini: [outbound]: {name}: {why}",)) from error

    def _make_context(self, directory: Path, trust_root: Any) -> SSL.Context:
        options = self._options
        wanted: dict[str, Any] = {}
        if options.mutual_tls:
            wanted = _own_certificate(
                directory / (options.key or options.main_key),
                directory / (options.cert or options.main_cert),
            )
        ciphers = options.ciphers or options.main_ciphers
        if ciphers:
            wanted["acceptableCiphers"] = AcceptableCiphers.fromOpenSSLCipherString(
                ciphers
            )
        oldest = options.min_version or options.main_min_version
        if oldest is not None:
            wanted["insecurelyLowerMinimumTo"] = _version(oldest)
        if trust_root is None:
            trust_root = _trust(directory, options.ca)
        context: SSL.Context = CertificateOptions(
            trustRoot=trust_root, **wanted
        ).getContext()
        return context

    def handshake(self, policy: TLSPolicy, host: str) -> "Handshake":
        """
        Prepare TLS for one connection.

        @param host: its name or IP address; a name is sent as SNI.
        """
        sni = "" if is_ip(host) or not host.isascii() else host
        names = policy.names or (host,)
        return Handshake(self._context, sni, names, policy.verified)


def _version(name: MinVersion) -> Any:
    return getattr(TLSVersion, name.replace(".", "_"))


def _trust(directory: Path, ca: str) -> Any:
    if not ca:
        return platformTrust()
    return trustRootFromCertificates(_certificates(directory / ca))


def _certificates(path: Path) -> list[Certificate]:
    found = _PEM.findall(path.read_bytes())
    if not found:
        raise ValueError(f"{path.name} holds no certificate")
    return [Certificate.loadPEM(each) for each in found]


def _own_certificate(key: Path, cert: Path) -> dict[str, Any]:
    own, *above = _certificates(cert)
    pair = PrivateCertificate.loadPEM(key.read_bytes() + b"\n" + own.dumpPEM())
    return {
        "privateKey": pair.privateKey.original,
        "certificate": pair.original,
        "extraCertChain": [each.original for each in above],
    }


@implementer(IOpenSSLClientConnectionCreator)
@attrs.define(eq=False)
class Handshake:
    """
    TLS for one connection.

    @ivar names: who the host may be.
    @ivar must_verify: does the handshake fail without a valid certificate?
    """

    _context: SSL.Context
    _sni: str
    names: tuple[str, ...]
    must_verify: bool
    _connection: SSL.Connection | None = None
    _problem: str = ""

    def clientConnectionForTLS(self, protocol: object) -> SSL.Connection:
        """Make the connection for Twisted; its context is shared and not changed."""
        connection = SSL.Connection(self._context, None)
        if self._sni:
            connection.set_tlsext_host_name(self._sni.encode("ascii"))
        connection.set_verify(SSL.VERIFY_PEER, self._judge)
        self._connection = connection
        return connection

    def _judge(
        self, connection: SSL.Connection, _: X509, error: int, depth: int, ok: int
    ) -> bool:
        if not ok and not self._problem:
            self._problem = f"the certificate is not valid (OpenSSL error {error})"
        return bool(ok) or not self.must_verify

    @property
    def problem(self) -> str:
        """What was wrong with the certificate; C{""} before it came."""
        return self._problem

    def state(self) -> TLSState:
        """
        How the connection is encrypted, once the handshake is done.

        Whoever sets L{must_verify} has to look at C{verified}: the name is checked
        here, and not by the handshake.
        """
        connection = self._connection
        if connection is None:
            raise ValueError("the handshake has not begun")
        problem = self._problem or _wrong_name(connection, self.names)
        return TLSState(
            version=connection.get_protocol_version_name(),
            cipher=connection.get_cipher_name() or "",
            verified=not problem,
            problem=problem,
        )


def _wrong_name(connection: SSL.Connection, names: Iterable[str]) -> str:
    """Why the certificate is for none of these, or C{""}."""
    for name in names:
        try:
            if is_ip(name):
                verify_ip_address(connection, name)
            else:
                verify_hostname(connection, name)
        except (VerificationError, CertificateError, ValueError):
            continue
        return ""
    return f"the certificate is not for {' or '.join(names)}"
