"""A certificate that nobody has to be asked for, to try TLS with."""

import datetime
import ipaddress
from collections.abc import Iterable
from typing import Final

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

DAYS: Final = 365

_MAX_COMMON_NAME: Final = 64  # RFC 5280 appendix A.1


@attrs.frozen
class SelfSigned:
    """
    A key and its certificate, both in PEM.
    """

    key: bytes
    certificate: bytes


def self_signed(hosts: Iterable[str], now: float) -> SelfSigned:
    """
    Make a key and a certificate that it signs itself.

    @param hosts: names and IP addresses that it is for, the most important first.
    @param now: from when on it is valid, in seconds since 1970.
    """
    names = list(dict.fromkeys(hosts))
    key = ec.generate_private_key(ec.SECP256R1())
    common = names[0][:_MAX_COMMON_NAME]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    begin = datetime.datetime.fromtimestamp(int(now), datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin - datetime.timedelta(hours=1))  # clocks differ
        .not_valid_after(begin + datetime.timedelta(days=DAYS))
        .add_extension(
            x509.SubjectAlternativeName([_general_name(name) for name in names]), False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    return SelfSigned(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        certificate.public_bytes(Encoding.PEM),
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
