"""What identifies a TLS channel, seen from both ends."""

import datetime
import hashlib
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL, crypto
from twisted.trial.unittest import SynchronousTestCase

from harakatw.net.binding import channel_binding


def certificate(function: Any) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """A certificate that is signed with this hash function, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.example")])
    begin = datetime.datetime(2026, 1, 1)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), 1, begin, begin.replace(year=2040)
    )
    return builder.sign(key, function), key


def connect(
    function: Any, version: int = SSL.TLS1_3_VERSION
) -> tuple[SSL.Connection, SSL.Connection]:
    """A server and a client after the handshake."""
    cert, key = certificate(function)
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_certificate(crypto.X509.from_cryptography(cert))
    context.use_privatekey(crypto.PKey.from_cryptography_key(key))
    context.set_max_proto_version(version)
    server = SSL.Connection(context, None)
    client = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
    server.set_accept_state()
    client.set_connect_state()
    for _ in range(4):
        for one, other in (client, server), (server, client):
            try:
                one.do_handshake()
            except SSL.WantReadError:
                pass
            try:
                other.bio_write(one.bio_read(65536))
            except SSL.WantReadError:
                pass
    return server, client


class BindingTests(SynchronousTestCase):
    """Both kinds of binding."""

    def test_end_point(self) -> None:
        """The hash of our certificate (RFC 5929 section 4.1)."""
        for function in (
            hashes.SHA256(),
            hashes.SHA384(),
        ):
            server, client = connect(function)
            seen = client.get_peer_certificate()
            assert seen is not None
            octets = seen.to_cryptography().public_bytes(serialization.Encoding.DER)
            self.assertEqual(
                channel_binding(server, "tls-server-end-point"),
                hashlib.new(function.name, octets).digest(),
            )

    def test_exporter(self) -> None:
        """A secret of this channel alone, which the client sees too (RFC 9266)."""
        server, client = connect(hashes.SHA256())
        bound = channel_binding(server, "tls-exporter")
        label = b"EXPORTER-Channel-Binding"
        self.assertEqual(bound, client.export_keying_material(label, 32, b""))
        other, _ = connect(hashes.SHA256())
        self.assertNotEqual(bound, channel_binding(other, "tls-exporter"))

    def test_old_protocol(self) -> None:
        """Not before TLS 1.3."""
        server, _ = connect(hashes.SHA256(), SSL.TLS1_2_VERSION)
        self.assertIsNone(channel_binding(server, "tls-exporter"))

    def test_none(self) -> None:
        """Not of a kind that nobody knows."""
        server, _ = connect(hashes.SHA256())
        self.assertIsNone(channel_binding(server, "tls-unique"))
