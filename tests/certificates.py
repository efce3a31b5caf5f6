"""Keys and certificates that tests write into files."""

import datetime
import ssl
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.outbound.client.certificates import Authority, Signed, make_authority

NOW: Final = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

__all__ = [
    "NOW",
    "Authority",
    "Signed",
    "der",
    "encrypted_key",
    "make_authority",
    "own",
    "pkcs12_file",
    "revocations",
    "with_extension_twice",
    "write_pair",
]


def own(
    *names: str,
    days: float = 365,
    use_rsa: bool = False,
    common: str = "",
    purpose: x509.ObjectIdentifier | None = None,
) -> Signed:
    """
    A certificate that signs itself.

    @param days: until it ends, counted from L{NOW}.
    @param common: its common name, the first of C{names} if left out.
    @param purpose: what it says that it is for.
    """
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if use_rsa:
        key = rsa.generate_private_key(65537, 2048)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common or names[0])])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(days=400))
        .not_valid_after(NOW + datetime.timedelta(days=days))
    )
    if names:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(n) for n in names])
        builder = builder.add_extension(alternatives, False)
    if purpose is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), False)
    certificate = builder.sign(key, hashes.SHA256())
    return Signed(certificate.public_bytes(Encoding.PEM), _key_pem(key, NoEncryption()))


SERVER_ONLY: Final = ExtendedKeyUsageOID.SERVER_AUTH


def _key_pem(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    encryption: KeySerializationEncryption,
) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def encrypted_key(signed: Signed, passphrase: str) -> bytes:
    """The key, which the passphrase opens."""
    key = load_pem_private_key(signed.key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return _key_pem(key, BestAvailableEncryption(passphrase.encode()))


def pkcs12_file(signed: Signed, passphrase: str) -> bytes:
    """Key and certificate in one file."""
    key = load_pem_private_key(signed.key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    certificate = x509.load_pem_x509_certificate(signed.certificate)
    return pkcs12.serialize_key_and_certificates(
        None, key, certificate, None, BestAvailableEncryption(passphrase.encode())
    )


def revocations(authority: Authority, *revoked: Signed) -> bytes:
    """An authority's list of revoked certificates."""
    issuer = x509.load_pem_x509_certificate(authority.certificate).subject
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer)
        .last_update(NOW - datetime.timedelta(days=400))
        .next_update(NOW + datetime.timedelta(days=20000))
    )
    for signed in revoked:
        serial = x509.load_pem_x509_certificate(signed.certificate).serial_number
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(serial)
            .revocation_date(NOW - datetime.timedelta(days=1))
            .build()
        )
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def der(tag: int, content: bytes) -> bytes:
    """Content with its length (X.690 section 8.1)."""
    size = len(content)
    length = bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


def with_extension_twice(authority: Authority) -> Signed:
    """A certificate that no one should have signed: it breaks RFC 5280 section 4.2."""
    key = ec.generate_private_key(ec.SECP256R1())
    above = x509.load_pem_x509_certificate(authority.certificate)
    builder = x509.CertificateBuilder(
        above.subject,
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "twice.example")]),
        key.public_key(),
        x509.random_serial_number(),
        above.not_valid_before_utc,
        above.not_valid_after_utc,
    )
    for number in (4, 5):
        kind = x509.ObjectIdentifier(f"1.2.3.{number}")
        extension = x509.UnrecognizedExtension(kind, b"\x05\x00")
        builder = builder.add_extension(extension, False)
    once = builder.sign(authority.key, hashes.SHA256())
    content = once.tbs_certificate_bytes.replace(b"\x2a\x03\x05", b"\x2a\x03\x04")
    signature = authority.key.sign(content, ec.ECDSA(hashes.SHA256()))
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")  # ecdsa-with-SHA256
    octets = der(0x30, content + algorithm + der(0x03, b"\x00" + signature))
    pem = ssl.DER_cert_to_PEM_cert(octets).encode()
    return Signed(pem, _key_pem(key, NoEncryption()))


def write_pair(folder: Path, signed: Signed, stem: str = "tls_") -> None:
    """Write C{<stem>key.pem} and C{<stem>cert.pem}."""
    key, cert = folder / f"{stem}key.pem", folder / f"{stem}cert.pem"
    key.parent.mkdir(parents=True, exist_ok=True)
    key.write_bytes(signed.key)
    cert.write_bytes(signed.certificate)
