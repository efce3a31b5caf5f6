"""
What identifies a TLS channel, so that a login through it is worth nothing elsewhere.

@see: RFC 5929 section 4 (tls-server-end-point), RFC 9266 (tls-exporter)
"""

from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from OpenSSL.SSL import Connection

END_POINT: Final = "tls-server-end-point"
EXPORTER: Final = "tls-exporter"

_LABEL: Final = b"EXPORTER-Channel-Binding"
_OCTETS: Final = 32
_WEAK: Final = (hashes.MD5, hashes.SHA1)


def channel_binding(handle: Connection, kind: str) -> bytes | None:
    """
    Ask a server's end of an encrypted connection.

    @param kind: L{END_POINT} or L{EXPORTER}.
    @return: L{None} if there is none of that kind.
    """
    if kind == END_POINT:
        certificate = handle.get_certificate()
        return None if certificate is None else _hash(certificate.to_cryptography())
    if kind == EXPORTER and handle.get_protocol_version_name() == "TLSv1.3":
        # Before 1.3 it is worth something with the extended master secret only (RFC
        # 9266 section 4.2), and whether that was agreed on cannot be asked.
        return bytes(handle.export_keying_material(_LABEL, _OCTETS, b""))
    return None


def _hash(certificate: x509.Certificate) -> bytes | None:
    """
    The certificate's hash, with the function of its signature; not with a broken one.
    """
    function = certificate.signature_hash_algorithm
    if function is None:
        return None
    if isinstance(function, _WEAK):
        function = hashes.SHA256()
    digest = hashes.Hash(function)
    digest.update(certificate.public_bytes(serialization.Encoding.DER))
    return digest.finalize()
