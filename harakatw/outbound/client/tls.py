"""
TLS as a client: one context for all connections, one handshake for each.

@see: RFC 3207 (STARTTLS), RFC 6125 (names), Haraka rows OB39 and OB40
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import attrs
from OpenSSL import SSL
from OpenSSL.crypto import X509
from OpenSSL.crypto import Error as CryptoError
from service_identity import CertificateError, VerificationError
from service_identity.pyopenssl import verify_hostname, verify_ip_address
from twisted.internet.error import VerifyError
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

from harakatw.errors import ConfigError
from harakatw.outbound.client.result import TLSState
from harakatw.outbound.client.tls_rules import OutboundTLSOptions, TLSPolicy
from harakatw.outbound.hop import is_ip

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.S)


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
        except (OSError, ValueError, VerifyError, SSL.Error, CryptoError) as error:
            why = getattr(error, "strerror", "") or str(error) or "no certificate"
            name = getattr(error, "filename", None) or "keys, certificates or ciphers"
            raise ConfigError(
                (f"config/tls.ini: [outbound]: {name}: {why}",)
            ) from error

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
            wanted["insecurelyLowerMinimumTo"] = _VERSIONS[oldest]
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


_VERSIONS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "TLSv1": TLSVersion.TLSv1_0,
        "TLSv1.1": TLSVersion.TLSv1_1,
        "TLSv1.2": TLSVersion.TLSv1_2,
        "TLSv1.3": TLSVersion.TLSv1_3,
    }
)

_PROBLEMS: Final[Mapping[int, str]] = MappingProxyType(
    {
        7: "is not signed by whom it names",
        9: "is not valid yet",
        10: "has expired",
        18: "is signed by itself",
        19: "leads to an authority that we do not trust",
        20: "is by an authority that we do not know",
        21: "comes without those above it",
        23: "was revoked",
    }
)
"""OpenSSL's numbers of the errors that are met most."""


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
            what = _PROBLEMS.get(error, f"is not valid (OpenSSL error {error})")
            self._problem = f"the certificate {what}"
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
