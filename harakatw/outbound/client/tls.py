"""
TLS as a client: one context for all connections, one handshake for each.

@see: RFC 3207 (STARTTLS), RFC 6125 (names), Haraka rows OB39 and OB40
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import attrs
from OpenSSL import SSL
from OpenSSL.crypto import X509
from service_identity import CertificateError, VerificationError
from service_identity.pyopenssl import verify_hostname, verify_ip_address
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from zope.interface import implementer

from harakatw.config.files import ConfigFiles, read_octets
from harakatw.config.problems import BadFile
from harakatw.errors import ConfigError
from harakatw.net.tls.certificates import Content, KeyPair, make_pair, read_pem
from harakatw.net.tls.context import Wanted, client_context
from harakatw.net.tls.load import pairs_by_name
from harakatw.net.tls.options import TLSOptions
from harakatw.net.tls.trust import Trusted, problem_text, read_authorities
from harakatw.outbound.client.result import TLSState
from harakatw.outbound.client.tls_rules import OutboundTLSOptions, TLSPolicy
from harakatw.outbound.hop import is_ip


class ClientTLS:
    """What all connections of a server have in common: certificates and ciphers."""

    def __init__(
        self,
        options: OutboundTLSOptions,
        directory: Path,
        main: TLSOptions | None = None,
    ) -> None:
        """
        @param directory: what file names are relative to, the C{config/} of an
            instance.
        @param main: what C{[main]} says, where C{[outbound]} says nothing.
        @raise ConfigError: if a file cannot be read, or is not what it should be.
        """
        self._options = options
        self._main = main or TLSOptions()
        self._directory = directory
        try:
            self._trusted = self._read_trusted()
            self._nameless = self._context(())
            self._by_host = dict(self._of_hosts())
            self._usual = self._nameless
            if options.mutual_tls:
                self._usual = self._context((self._own_pair(),))
        except BadFile as error:
            raise ConfigError(
                (f"config/tls.ini: [outbound]: {error.message}",)
            ) from error

    def _of_hosts(self) -> Iterator[tuple[str, SSL.Context]]:
        """The contexts for hosts that C{tls.ini} names (row CF77)."""
        options = self._options
        for host in options.mutual_auth_hosts_exclude:
            yield _host_key(host), self._nameless
        known: dict[str, SSL.Context] = {}
        pairs = (
            pairs_by_name(self._main, ConfigFiles(self._directory))
            if any(options.mutual_auth_hosts.values())
            else {}
        )
        for host, name in options.mutual_auth_hosts.items():
            if name not in known:
                if name and name.lower() not in pairs:
                    raise BadFile(f"there is no certificate of {name} for {host}")
                own = pairs[name.lower()] if name else (self._own_pair(),)
                known[name] = self._context(own)
            yield _host_key(host), known[name]

    def _context(self, pairs: Iterable[KeyPair]) -> SSL.Context:
        options, main = self._options, self._main
        return client_context(
            pairs,
            Wanted(
                ciphers=options.ciphers or main.ciphers,
                min_version=options.min_version or main.min_version,
                curve=options.ecdh_curve or main.ecdh_curve,
            ),
            self._trusted,
        )

    def _read_trusted(self) -> Trusted:
        name = self._options.ca
        if not name:
            return Trusted()
        try:
            return Trusted(read_authorities(self._octets(name)))
        except BadFile as error:
            raise _named(name, error) from None

    def _own_pair(self) -> KeyPair:
        options, main = self._options, self._main
        passphrase = options.passphrase or main.passphrase
        cert = options.cert or main.cert[0]
        key = options.key or main.key[0]
        chain = self._pem(cert).certificates
        keys = self._pem(key, passphrase).keys
        pair = make_pair(cert, keys, chain)
        if pair is None:
            raise BadFile(f"the key in {key} is not for the certificate in {cert}")
        return pair

    def _pem(self, name: str, passphrase: str = "") -> Content:
        try:
            return read_pem(self._octets(name), passphrase)
        except BadFile as error:
            raise _named(name, error) from None

    def _octets(self, name: str) -> bytes:
        octets = read_octets(self._directory / name)
        if octets is None:
            raise BadFile("is not there")
        return octets

    def handshake(self, policy: TLSPolicy, host: str) -> "Handshake":
        """
        Prepare TLS for one connection.

        @param host: its name or IP address; a name is sent as SNI.
        """
        sni = "" if is_ip(host) or not host.isascii() else host
        names = policy.names or (host,)
        context = self._usual
        if self._by_host:
            context = self._by_host.get(_host_key(host), context)
        return Handshake(context, sni, names, policy.verified)


def _named(name: str, error: BadFile) -> BadFile:
    """Say of which file it is; C{[outbound]} of C{tls.ini} is where it is named."""
    return BadFile(f"{name} {error.message}")


def _host_key(host: str) -> str:
    return host.lower().removesuffix(".")


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
            self._problem = problem_text(error)
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
