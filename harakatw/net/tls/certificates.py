"""
A key and the certificates that go with it, read from PEM or PKCS #12.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

import attrs
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from harakatw.config.problems import BadFile

PrivateKey: TypeAlias = (
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
)
_KINDS: Final = (
    rsa.RSAPrivateKey,
    ec.EllipticCurvePrivateKey,
    ed25519.Ed25519PrivateKey,
    ed448.Ed448PrivateKey,
)

UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What a certificate may raise when it is looked at: most of it is parsed only then."""

_PEM: Final = re.compile(
    rb"-----BEGIN ([A-Z0-9 ]{1,40})-----[^-]{1,200000}-----END \1-----"
)
_DNS_NAME: Final = re.compile(r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")


@attrs.frozen(eq=False)
class KeyPair:
    """
    A certificate, those above it, and its key.

    @ivar place: the file of the certificate, as a postmaster names it.
    @ivar chain: our own first.
    """

    place: str
    key: PrivateKey
    chain: tuple[x509.Certificate, ...]

    def is_same(self, other: "KeyPair") -> bool:
        """Are certificates and key those of another?"""
        return self.chain == other.chain and _public_octets(
            self.key.public_key()
        ) == _public_octets(other.key.public_key())

    @property
    def certificate(self) -> x509.Certificate:
        """Our own."""
        return self.chain[0]

    @property
    def names(self) -> frozenset[str]:
        """Whom it is for: DNS names in lower case, some of them C{*.example.org}."""
        return frozenset(certificate_names(self.certificate))

    @property
    def starts(self) -> float:
        """From when on it is valid, in seconds since 1970."""
        return self.certificate.not_valid_before_utc.timestamp()

    @property
    def ends(self) -> float:
        """Until when it is valid, in seconds since 1970."""
        return self.certificate.not_valid_after_utc.timestamp()

    @property
    def kind(self) -> str:
        """The kind of its key: a context has room for one of each."""
        return next(kind.__name__ for kind in _KINDS if isinstance(self.key, kind))

    @property
    def chain_pem(self) -> bytes:
        """The certificates as a file holds them."""
        return b"".join(each.public_bytes(Encoding.PEM) for each in self.chain)


def certificate_names(certificate: x509.Certificate) -> Iterator[str]:
    """
    The DNS names of a certificate: those of its extension, and its common name.

    RFC 9525 does away with the common name for who checks a certificate. Here it only
    says for whom this one may be shown, as Haraka does (row CF80).
    """
    try:
        extension = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value
        alternatives = list(extension.get_values_for_type(x509.DNSName))
    except (x509.ExtensionNotFound, ValueError):
        alternatives = []
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    for name in (*alternatives, *(str(each.value) for each in common)):
        lowered = name.lower().removesuffix(".")
        if _DNS_NAME.fullmatch(lowered):
            yield lowered


@attrs.frozen(eq=False)
class Content:
    """
    What a PEM file holds, in its order.
    """

    keys: tuple[PrivateKey, ...] = ()
    certificates: tuple[x509.Certificate, ...] = ()


def read_pem(octets: bytes, passphrase: str = "") -> Content:
    """
    Find keys and certificates; other things in the file are passed by.

    @param passphrase: opens keys that are encrypted.
    @raise BadFile: if one of them cannot be used.
    """
    keys: list[PrivateKey] = []
    certificates: list[x509.Certificate] = []
    for found in _PEM.finditer(octets):
        line = octets.count(b"\n", 0, found.start()) + 1
        label = found[1]
        try:
            if label in (b"CERTIFICATE", b"X509 CERTIFICATE"):
                certificates.append(_certificate(found[0]))
            elif label.endswith(b"PRIVATE KEY"):
                keys.append(_key(found[0], passphrase))
        except UNREADABLE as error:
            kind = label.decode("ascii").lower()
            why = f"holds a {kind} that cannot be used: {error}"
            raise BadFile(why, line) from None
    return Content(tuple(keys), tuple(certificates))


def _certificate(pem: bytes) -> x509.Certificate:
    certificate = x509.load_pem_x509_certificate(pem)
    _public_octets(certificate.public_key())
    tuple(certificate_names(certificate))
    certificate.not_valid_after_utc.timestamp()
    return certificate


def _key(pem: bytes, passphrase: str) -> PrivateKey:
    is_locked = b"ENCRYPTED" in pem
    if is_locked and not passphrase:
        raise ValueError("it is encrypted, and there is no passphrase")
    key = load_pem_private_key(pem, passphrase.encode() if is_locked else None)
    if not isinstance(key, _KINDS):
        raise ValueError("TLS has no use for a key of this kind")
    return key


def read_pkcs12(octets: bytes, passphrase: str, place: str) -> KeyPair:
    """
    Read a PKCS #12 file.

    @raise BadFile: if it cannot be opened, or has no key or no certificate.
    """
    try:
        key, own, above = pkcs12.load_key_and_certificates(
            octets, passphrase.encode() if passphrase else None
        )
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        why = f"is no PKCS #12 file that the passphrase opens: {error}"
        raise BadFile(why) from None
    if not isinstance(key, _KINDS) or own is None:
        raise BadFile("holds no key with its certificate")
    return KeyPair(place, key, (own, *above))


def make_pair(
    place: str, keys: Iterable[PrivateKey], certificates: Iterable[x509.Certificate]
) -> KeyPair | None:
    """
    Find the certificate that belongs to one of the keys; the others come after it in
    their order.

    @param place: the file of the certificates.
    @return: L{None} if there is none.
    """
    return pair_of(place, by_public(keys), certificates)


def by_public(keys: Iterable[PrivateKey]) -> Mapping[bytes, PrivateKey]:
    """Keys, to be found by what a certificate has of them."""
    return {_public_octets(key.public_key()): key for key in keys}


def pair_of(
    place: str,
    keys: Mapping[bytes, PrivateKey],
    certificates: Iterable[x509.Certificate],
) -> KeyPair | None:
    """
    As L{make_pair}, with many keys.

    @param keys: from L{by_public}.
    """
    chain = tuple(certificates)
    for own in chain:
        key = keys.get(_public_octets(own.public_key()))
        if key is not None:
            above = tuple(each for each in chain if each is not own)
            return KeyPair(place, key, (own, *above))
    return None


def _public_octets(key: object) -> bytes:
    """A public key as octets, by which two can be compared."""
    to_octets = getattr(key, "public_bytes")  # noqa: B009  # every kind has its own type
    octets: bytes = to_octets(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return octets
