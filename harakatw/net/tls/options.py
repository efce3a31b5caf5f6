"""
C{tls.ini}, as far as it is about ourselves: keys, certificates, versions, ciphers.

@see: Haraka rows CF62 to CF79; RFC 9325 (what is safe)
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final, Literal, TypeAlias

import attrs
from attrs.validators import and_, ge, gt, le

from harakatw.config.networks import parse_networks
from harakatw.config.options import doc, other_sections, whole_section

MinVersion: TypeAlias = Literal["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]

FILE: Final = "tls.ini"

CURVES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "p-256": "secp256r1",
        "prime256v1": "secp256r1",
        "secp256r1": "secp256r1",
        "p-384": "secp384r1",
        "secp384r1": "secp384r1",
        "p-521": "secp521r1",
        "secp521r1": "secp521r1",
    }
)
"""Curves that can be chosen, in lower case, by the names that they go by."""

_NOT_OURS: Final = "the server sets it by itself"
_OF_SERVERS: Final = "only servers have such a thing"
_NO_REDIS: Final = "hosts that fail are remembered in memory"

_UNSUPPORTED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "secureProtocol": "it chose versions before minVersion did: write that",
        "requestOCSP": "responses of OCSP are not stapled; authorities give OCSP up",
        "enableOCSPStapling": "as requestOCSP",
        "sessionIdContext": _NOT_OURS,
        "ALPN": "there is no name for SMTP in ALPN",
        "ALPNProtocols": "there is no name for SMTP in ALPN",
        "session": _NOT_OURS,
        "isServer": _NOT_OURS,
        "secureContext": _NOT_OURS,
        "server": _NOT_OURS,
    }
)


def are_ciphers(instance: object, attribute: object, value: str) -> None:
    """
    A validator for a list of ciphers.

    @raise ValueError: for one that cannot be.
    """
    if value and not re.fullmatch(r"[A-Za-z0-9_+!:@=.,-]{1,2000}", value):
        raise ValueError(f"{value[:80]!r} is no list of ciphers as OpenSSL wants it")


def is_curve(instance: object, attribute: object, value: str) -> None:
    """
    A validator for the name of a curve.

    @raise ValueError: for one that cannot be chosen.
    """
    if value and value != "auto" and value.lower() not in CURVES:
        raise ValueError(f"{value[:80]!r} is none of auto, P-256, P-384, P-521")


def _are_ports(instance: object, attribute: object, value: frozenset[int]) -> None:
    for port in sorted(value):
        if not 0 < port <= 65535:
            raise ValueError(f"{port} is no port")


def _are_networks(
    instance: object, attribute: object, value: Mapping[str, str]
) -> None:
    parse_networks(value)


@attrs.frozen(kw_only=True)
class NameOptions:
    """
    A section of C{tls.ini} with the name of a certificate: what it does not say
    C{[main]} does.
    """

    unsupported: ClassVar[Mapping[str, str]] = _UNSUPPORTED

    key: tuple[str, ...] = attrs.field(
        default=(), metadata=doc("The key for this name, a PEM file.", split=False)
    )
    cert: tuple[str, ...] = attrs.field(
        default=(),
        metadata=doc(
            "The certificate for this name and those above it, a PEM file; without it "
            "the one that has this name.",
            split=False,
        ),
    )
    pfx: str = attrs.field(
        default="", metadata=doc("Key and certificates in one PKCS #12 file.")
    )
    passphrase: str = attrs.field(
        default="",
        metadata=doc("Opens the key or the PKCS #12 file.", secret=True),
    )
    ciphers: str | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(are_ciphers),
        metadata=doc("Ciphers as OpenSSL writes them."),
    )
    min_version: MinVersion | None = attrs.field(
        default=None, metadata=doc("The oldest version of TLS.", key="minVersion")
    )
    ecdh_curve: str | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(is_curve),
        metadata=doc("The only curve for the exchange of keys.", key="ecdhCurve"),
    )
    honor_cipher_order: bool | None = attrs.field(
        default=None,
        metadata=doc("Does our order of ciphers count?", key="honorCipherOrder"),
    )
    secure_options: int | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(ge(0)),
        metadata=doc("More of OpenSSL's SSL_OP_ bits to set.", key="secureOptions"),
    )
    dhparam: str | None = attrs.field(
        default=None, metadata=doc("A PEM file of Diffie-Hellman parameters.")
    )
    ca: str | None = attrs.field(
        default=None,
        metadata=doc("Authorities whose clients' certificates are good, a PEM file."),
    )
    crl: str | None = attrs.field(
        default=None, metadata=doc("Lists of revoked certificates, a PEM file.")
    )
    request_cert: bool | None = attrs.field(
        default=None,
        metadata=doc("Ask clients for a certificate?", key="requestCert"),
    )
    reject_unauthorized: bool | None = attrs.field(
        default=None,
        metadata=doc(
            "Refuse clients without a good certificate?", key="rejectUnauthorized"
        ),
    )


@attrs.frozen(kw_only=True)
class TLSOptions:
    """What C{tls.ini} says in C{[main]}, and in a section for each name."""

    config_file: ClassVar[str] = FILE
    unsupported: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            **{f"main.{key}": why for key, why in _UNSUPPORTED.items()},
            "inbound.*": "it moved to [main], for what goes out there is [outbound]",
            "outbound.dhparam": _OF_SERVERS,
            "outbound.honorCipherOrder": _OF_SERVERS,
            "outbound.requestCert": _OF_SERVERS,
            "outbound.requireAuthorized": _OF_SERVERS,
            "redis.host": _NO_REDIS,
            "redis.port": _NO_REDIS,
            "redis.db": _NO_REDIS,
            "redis.disable_expiry": _NO_REDIS,
        }
    )

    key: tuple[str, ...] = attrs.field(
        default=("tls_key.pem",),
        metadata=doc(
            "The server's key, a PEM file; several as key[], each for the cert[] in "
            "the same place.",
            split=False,
        ),
    )
    cert: tuple[str, ...] = attrs.field(
        default=("tls_cert.pem",),
        metadata=doc(
            "The server's certificate and those above it, a PEM file; several, such "
            "as one for RSA and one for ECDSA, as cert[].",
            split=False,
        ),
    )
    pfx: str = attrs.field(
        default="",
        metadata=doc(
            "Key and certificates in one PKCS #12 file, besides key and cert."
        ),
    )
    passphrase: str = attrs.field(
        default="",
        metadata=doc("Opens an encrypted key or PKCS #12 file.", secret=True),
    )
    ciphers: str = attrs.field(
        default="",
        validator=are_ciphers,
        metadata=doc(
            "Ciphers as OpenSSL writes them, those of TLS 1.3 too; without it those "
            "that RFC 9325 recommends, then older ones with forward secrecy."
        ),
    )
    min_version: MinVersion = attrs.field(
        default="TLSv1.2",  # RFC 8996
        metadata=doc("The oldest version of TLS to use.", key="minVersion"),
    )
    ecdh_curve: str = attrs.field(
        default="auto",
        validator=is_curve,
        metadata=doc(
            "The only curve for the exchange of keys: P-256, P-384 or P-521; auto is "
            "all that OpenSSL has, X25519 first.",
            key="ecdhCurve",
        ),
    )
    honor_cipher_order: bool = attrs.field(
        default=True,
        metadata=doc(
            "Does our order of ciphers count, and not the client's?",
            key="honorCipherOrder",
        ),
    )
    secure_options: int = attrs.field(
        default=0,
        validator=ge(0),
        metadata=doc(
            "More of OpenSSL's SSL_OP_ bits to set; what is set for safety stays.",
            key="secureOptions",
        ),
    )
    dhparam: str = attrs.field(
        default="dhparams.pem",
        metadata=doc(
            "A PEM file of Diffie-Hellman parameters; without that file there is no "
            "exchange of keys but on elliptic curves."
        ),
    )
    ca: str = attrs.field(
        default="",
        metadata=doc(
            "Authorities whose certificates are good, a PEM file; without it those of "
            "the system."
        ),
    )
    crl: str = attrs.field(
        default="",
        metadata=doc(
            "Lists of revoked certificates, a PEM file: one of each authority."
        ),
    )
    request_cert: bool = attrs.field(
        default=True,
        metadata=doc("Ask clients for a certificate?", key="requestCert"),
    )
    reject_unauthorized: bool = attrs.field(
        default=False,
        metadata=doc(
            "Refuse clients that use TLS without a good certificate?",
            key="rejectUnauthorized",
        ),
    )
    require_authorized: frozenset[int] = attrs.field(
        default=frozenset(),
        validator=_are_ports,
        metadata=doc(
            "Ports whose clients need a good certificate.", key="requireAuthorized"
        ),
    )
    no_starttls_ports: frozenset[int] = attrs.field(
        default=frozenset(),
        validator=_are_ports,
        metadata=doc("Ports at which STARTTLS is not offered."),
    )
    handshake_timeout: float = attrs.field(
        default=60,
        validator=and_(gt(0), le(3600)),
        metadata=doc("How long a handshake may take.", unit="seconds"),
    )
    no_tls_hosts: Mapping[str, str] = attrs.field(
        factory=dict,
        validator=_are_networks,
        metadata=whole_section(
            "Clients to whom STARTTLS is not offered, since theirs is broken: an IP "
            "address or a network on each line.",
            "no_tls_hosts",
        ),
    )
    disable_for_failed_hosts: bool = attrs.field(
        default=False,
        metadata=doc(
            "Offer no STARTTLS for a while to a client with whom the handshake failed? "
            "Its mail then comes, but in clear.",
            section="redis",
        ),
    )
    disable_inbound_expiry: float = attrs.field(
        default=3600,
        validator=ge(0),
        metadata=doc("How long that is.", section="redis", unit="seconds"),
    )
    names: Mapping[str, NameOptions] = attrs.field(
        factory=dict,
        metadata=other_sections(
            "For clients that ask for this name.", example="mail.example.org"
        ),
    )
