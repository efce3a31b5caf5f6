"""
OpenSSL's contexts, for servers and clients alike: made once, shared by all connections.

@see: RFC 9325 (versions, ciphers, compression, renegotiation, tickets)
"""

import tempfile
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import attrs
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL, crypto

from harakatw.config.problems import BadFile
from harakatw.net.tls.certificates import KeyPair
from harakatw.net.tls.options import CURVES, MinVersion
from harakatw.net.tls.trust import Trusted, reason

CIPHERS: Final = (
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:ECDHE+AES"
    ":!AESCCM:!aNULL:!eNULL:!PSK:!SRP:!DSS"
)
"""
Up to TLS 1.2: those of RFC 9325 section 4.2, then CBC with forward secrecy. A mail
server that can do no more would else send its mail in clear.
"""

_VERSIONS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "TLSv1": SSL.TLS1_VERSION,
        "TLSv1.1": SSL.TLS1_1_VERSION,
        "TLSv1.2": SSL.TLS1_2_VERSION,
        "TLSv1.3": SSL.TLS1_3_VERSION,
    }
)

_CURVES: Final[Mapping[str, type[ec.EllipticCurve]]] = MappingProxyType(
    {"secp256r1": ec.SECP256R1, "secp384r1": ec.SECP384R1, "secp521r1": ec.SECP521R1}
)

_ALWAYS: Final = (
    SSL.OP_NO_COMPRESSION  # CRIME; RFC 9325 section 3.3
    | SSL.OP_NO_RENEGOTIATION  # RFC 9325 section 3.5
    | SSL.OP_SINGLE_DH_USE
    | SSL.OP_SINGLE_ECDH_USE
    | SSL.OP_NO_SSLv2
    | SSL.OP_NO_SSLv3
)

_SESSION_ID: Final = b"harakatw"
_SESSION_SECONDS: Final = 7200
_SECURITY_LEVEL_OF_OLD: Final = "@SECLEVEL=0"


@attrs.frozen(kw_only=True)
class Wanted:
    """
    What a context is to be, apart from keys and certificates.

    @ivar ciphers: as OpenSSL writes them; C{""} for L{CIPHERS}.
    @ivar curve: of L{CURVES}; C{""} or C{auto} for all.
    @ivar server_order: does our order of ciphers count?
    @ivar more_options: more bits of C{SSL_OP_}.
    @ivar dhparam: a file's name; C{""} for none.
    @ivar asks: are clients asked for a certificate?
    @ivar named: the authorities that are named to them; none for any.
    """

    ciphers: str = ""
    min_version: MinVersion = "TLSv1.2"
    curve: str = ""
    server_order: bool = True
    more_options: int = 0
    dhparam: str = ""
    asks: bool = False
    named: tuple[x509.Certificate, ...] = ()


def server_context(pairs: Iterable[KeyPair], wanted: Wanted) -> SSL.Context:
    """
    Make a context for servers.

    Sessions can be taken up again by tickets, unless clients are asked for a
    certificate: a ticket does not tell whether that was good.

    @param pairs: one for each kind of key.
    @raise BadFile: if OpenSSL does not take one of these.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    # Some releases of OpenSSL choose a group themselves where none is given.
    without = "" if wanted.dhparam else ":!kDHE"
    _common(context, pairs, wanted, CIPHERS + without)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)  # else it keeps 20,000 of them
    context.set_session_id(_SESSION_ID)
    context.set_timeout(_SESSION_SECONDS)
    if wanted.server_order:
        context.set_options(SSL.OP_CIPHER_SERVER_PREFERENCE)
    if wanted.dhparam:
        _load_dh(context, wanted.dhparam)
    if wanted.asks:
        context.set_options(SSL.OP_NO_TICKET)
        for authority in wanted.named:
            context.add_client_ca(authority)
        context.set_verify(SSL.VERIFY_PEER, _take_any)
    return context


def _take_any(*_: object) -> bool:
    """
    Let the handshake go on whatever a client shows: it is judged afterwards, so that
    who is refused can be told so in SMTP.
    """
    return True


def client_context(
    pairs: Iterable[KeyPair], wanted: Wanted, trusted: Trusted
) -> SSL.Context:
    """
    Make a context for clients.

    What is to be verified is for each connection to say.

    @param pairs: what to show to servers that ask.
    @param trusted: who may have signed their certificates.
    @raise BadFile: as L{server_context}.
    """
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    _common(context, pairs, wanted, CIPHERS)
    trusted.fill(context)
    return context


def _common(
    context: SSL.Context, pairs: Iterable[KeyPair], wanted: Wanted, usual: str
) -> None:
    context.set_options(_ALWAYS | wanted.more_options)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)  # an idle connection keeps none
    context.set_min_proto_version(_VERSIONS[wanted.min_version])
    _set_ciphers(context, wanted.ciphers or usual, wanted.min_version)
    curve = CURVES.get(wanted.curve.lower())
    if curve is not None:
        context.set_tmp_ecdh(_CURVES[curve]())
    for pair in pairs:
        _use(context, pair)


def _set_ciphers(context: SSL.Context, ciphers: str, oldest: MinVersion) -> None:
    """TLS 1.3 has a list of its own; Haraka and its users write both into one."""
    words = ciphers.split(":")
    newest = [word for word in words if word.startswith("TLS_")]
    older = [word for word in words if word not in newest]
    if oldest in ("TLSv1", "TLSv1.1"):
        older.append(_SECURITY_LEVEL_OF_OLD)  # OpenSSL 3 has them at no other level
    try:
        if any(not word.startswith("@") for word in older):
            context.set_cipher_list(":".join(older).encode("ascii"))
        if newest:
            context.set_tls13_ciphersuites(":".join(newest).encode("ascii"))
    except SSL.Error:
        raise BadFile("ciphers: OpenSSL knows none of these") from None


def _use(context: SSL.Context, pair: KeyPair) -> None:
    """
    OpenSSL has one chain for each kind of key, but pyOpenSSL only reads such from a
    file: certificates are no secret, so they may stand in one for a moment.
    """
    try:
        with tempfile.NamedTemporaryFile(prefix="chain-", suffix=".pem") as file:
            file.write(pair.chain_pem)
            file.flush()
            context.use_certificate_chain_file(file.name)
        context.use_privatekey(pair.key)
        context.check_privatekey()
    except (SSL.Error, crypto.Error) as error:
        why = f"OpenSSL does not take {pair.place}: {reason(error)}"
        raise BadFile(why) from None


def _load_dh(context: SSL.Context, file: str) -> None:
    try:
        context.load_tmp_dh(file)
    except (SSL.Error, crypto.Error, OSError) as error:
        raise BadFile(f"dhparam: cannot be used: {reason(error)}") from None
