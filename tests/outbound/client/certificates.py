"""Certificates for tests: an authority, and what it signs."""

import datetime
import ipaddress

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_START = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
_NEVER = datetime.datetime(2120, 1, 1, tzinfo=datetime.UTC)


@attrs.frozen
class Signed:
    """
    A certificate and its key.

    @ivar certificate: in PEM, as is C{key}.
    """

    certificate: bytes
    key: bytes


@attrs.frozen
class Authority:
    """Who signs."""

    key: ec.EllipticCurvePrivateKey
    _name: x509.Name
    certificate: bytes

    def sign(self, *hosts: str, ends: datetime.datetime = _NEVER) -> Signed:
        """A certificate for some names and IP addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_common_name(hosts[0]), self._name, key, ends)
        names = x509.SubjectAlternativeName(map(_general_name, hosts))
        certificate = builder.add_extension(names, False).sign(
            self.key, hashes.SHA256()
        )
        return Signed(_pem(certificate), _key_pem(key))


def make_authority(name: str = "An authority for tests") -> Authority:
    """An authority that nobody knows but whoever is given its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = _common_name(name)
    builder = _builder(issuer, issuer, key, _NEVER)
    is_ca = x509.BasicConstraints(ca=True, path_length=None)
    certificate = builder.add_extension(is_ca, True).sign(key, hashes.SHA256())
    return Authority(key, issuer, _pem(certificate))


def expired() -> datetime.datetime:
    """A time that is over."""
    return _START + datetime.timedelta(days=1)


def _common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    ends: datetime.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_START)
        .not_valid_after(ends)
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
