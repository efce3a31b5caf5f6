"""Logins over TLS, with OpenSSL at both ends (RFC 4954 with RFC 3207)."""

import base64
import hashlib
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.x509 import load_pem_x509_certificate
from twisted.trial.unittest import SynchronousTestCase

from harakatw.auth.passwords import hash_password
from harakatw.config.listeners import Listener
from harakatw.plugins.auth.external import External, ExternalOptions
from harakatw.plugins.auth.flat_file import FlatFile, FlatFileOptions
from harakatw.plugins.tls import TLS
from harakatw.testing.server import MemoryServer
from harakatw.testing.threads import NoThreads
from harakatw.wire.sasl.scram_keys import client_key, hmac_sha256, salted_password
from tests.auth.sites import PUBLIC, b64, plain, unb64
from tests.certificates import own
from tests.tls_clients import EncryptedClient, client_connection, server_tls

NONCE = "client-nonce"


class OverTLSTestCase(SynchronousTestCase):
    """A server with a certificate and users."""

    listener = Listener(submission=True)

    def server(self, *plugins: object, **tls: Any) -> MemoryServer:
        """The server, for submission."""
        self.folder = Path(self.mktemp())
        options = server_tls(self.folder, **tls)
        listener = self.listener
        return MemoryServer([TLS(), *plugins], tls=options, listener=listener)

    def users(self, *methods: str) -> FlatFile:
        """One user, with keys of SCRAM."""
        users = {"ann": hash_password("pw", "scram-sha-256")}
        options = FlatFileOptions(users=users, methods=methods)
        return FlatFile("auth/flat_file", options=options, threads=NoThreads())

    def encrypted(self, server: MemoryServer, **connection: Any) -> EncryptedClient:
        """A client after STARTTLS and EHLO; it still has to read what was said."""
        clear = server.connect(PUBLIC)
        clear.say("EHLO client.example", "STARTTLS")
        clear.hear()
        peer = EncryptedClient(clear, client_connection(**connection))
        peer.shake_hands()
        peer.say("EHLO client.example")
        return peer


class ScramPlusTests(OverTLSTestCase):
    """SCRAM-SHA-256-PLUS (RFC 5802 section 6)."""

    def exchange(
        self, peer: EncryptedClient, header: str, bound: bytes, plus: bool = True
    ) -> str:
        """Hold it with the right password; what is said to that."""
        bare = f"n=ann,r={NONCE}"
        mechanism = "SCRAM-SHA-256" + "-PLUS" * plus
        peer.say(f"AUTH {mechanism} {b64(header + bare)}")
        said = peer.hear()
        if not said.startswith("334"):
            return said
        challenge = unb64(said).decode()
        nonce, salt, count = (part[2:] for part in challenge.split(","))
        binding = base64.b64encode(header.encode() + bound).decode()
        without = f"c={binding},r={nonce}"
        salted = salted_password("pw", base64.b64decode(salt), int(count))
        key = client_key(salted)
        message = f"{bare},{challenge},{without}".encode()
        signature = hmac_sha256(hashlib.sha256(key).digest(), message)
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        peer.say(b64(f"{without},p={b64(proof)}"))
        said = peer.hear()
        if said.startswith("334"):
            self.assertTrue(unb64(said).startswith(b"v="))
            peer.say("")
            said = peer.hear()
        peer.clear.protocol.context.clock.advance(2)  # type: ignore[attr-defined]
        return said or peer.hear()

    def exporter(self, peer: EncryptedClient) -> bytes:
        """What the client sees of the channel."""
        label = b"EXPORTER-Channel-Binding"
        return bytes(peer.tls.export_keying_material(label, 32, b""))

    def end_point(self, peer: EncryptedClient) -> bytes:
        """What it sees of the server's certificate."""
        certificate = peer.tls.get_peer_certificate(as_cryptography=True)
        assert certificate is not None
        return certificate.fingerprint(hashes.SHA256())

    def test_offered(self) -> None:
        """It is, before all others, as soon as there is TLS, and not before."""
        server = self.server(self.users())
        clear = server.connect(PUBLIC)
        clear.say("EHLO client.example")
        self.assertNotIn("AUTH", clear.hear())
        said = self.encrypted(server).hear()
        self.assertIn("AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN", said)

    def test_bound(self) -> None:
        """With either binding, when both see the same channel."""
        for name in "exporter", "end_point":
            peer = self.encrypted(self.server(self.users()))
            peer.hear()
            bound = getattr(self, name)(peer)
            kind = {"exporter": "tls-exporter", "end_point": "tls-server-end-point"}
            said = self.exchange(peer, f"p={kind[name]},,", bound)
            self.assertEqual(said[:3], "235", name)
            self.assertEqual(peer.clear.protocol.connection.notes["auth_user"], "ann")

    def test_somebody_between(self) -> None:
        """Who logs in through another channel gets nowhere with the same messages."""
        server = self.server(self.users())
        one, other = self.encrypted(server), self.encrypted(server)
        other.hear()
        said = self.exchange(other, "p=tls-exporter,,", self.exporter(one))
        self.assertEqual(said[:3], "535")

    def test_taken_away(self) -> None:
        """A client that did not see the PLUS that was offered is told no."""
        peer = self.encrypted(self.server(self.users()))
        peer.hear()
        self.assertEqual(self.exchange(peer, "y,,", b"", plus=False)[:9], "501 5.5.2")
        self.assertEqual(self.exchange(peer, "n,,", b"", plus=False)[:3], "235")

    def test_not_offered(self) -> None:
        """Where it is not offered, a client that says so is right."""
        peer = self.encrypted(self.server(self.users("SCRAM-SHA-256")))
        self.assertIn("AUTH SCRAM-SHA-256\r\n", peer.hear())
        self.assertEqual(self.exchange(peer, "y,,", b"", plus=False)[:3], "235")

    def test_unknown_binding(self) -> None:
        """A binding that we do not have is refused."""
        peer = self.encrypted(self.server(self.users()))
        peer.hear()
        said = self.exchange(peer, "p=tls-unique,,", b"x")
        self.assertEqual(said[:9], "501 5.5.2")


class SubmissionTests(OverTLSTestCase):
    """A port for users."""

    def test_login(self) -> None:
        """Nothing before TLS, nothing before the login."""
        server = self.server(self.users())
        clear = server.connect(PUBLIC)
        clear.say("EHLO client.example", plain("ann", "pw"), "MAIL FROM:<a@b.example>")
        self.assertEqual(clear.codes(), [220, 250, 538, 530])
        peer = self.encrypted(server)
        peer.say(
            "MAIL FROM:<a@b.example>", plain("ann", "pw"), "MAIL FROM:<a@b.example>"
        )
        self.assertEqual(peer.codes(), [250, 530, 235, 250])

    def test_announced(self) -> None:
        """
        Where TLS is needed no login is announced in clear, as it would be refused:
        not even to whom the plugin offers it without TLS (RFC 4954 section 4).
        """
        wanted = Listener(submission=True), Listener(submission=True, tls="required")
        for self.listener, in_clear in zip(wanted, (True, False), strict=True):
            server = self.server(self.users())
            offered = server.connect("10.0.0.1").ask("EHLO client.example")
            self.assertEqual("AUTH" in offered, in_clear)
            self.assertIn("AUTH", self.encrypted(server).hear())

    def test_login_before_tls(self) -> None:
        """Who logged in before STARTTLS is nobody after it (survey row 5)."""
        server = self.server(self.users())
        clear = server.connect("10.0.0.1")  # where AUTH is offered without TLS
        clear.say("EHLO client.example", plain("ann", "pw"), "STARTTLS")
        self.assertEqual(clear.codes(), [220, 250, 235, 220])
        peer = EncryptedClient(clear, client_connection())
        peer.shake_hands()
        peer.say("EHLO client.example", "MAIL FROM:<a@b.example>")
        self.assertEqual(peer.codes(), [250, 530])
        self.assertNotIn("auth_passwd", clear.protocol.connection.notes)


class CertificateTests(OverTLSTestCase):
    """EXTERNAL with a certificate that was shown in a handshake."""

    def test_fingerprint(self) -> None:
        """The certificate that is listed logs in; another is not offered to."""
        listed, other = own("printer.example"), own("printer.example")
        pem = listed.certificate
        fingerprint = load_pem_x509_certificate(pem).fingerprint(hashes.SHA256())
        options = ExternalOptions(fingerprints={"printer": fingerprint.hex()})
        server = self.server(External("ext", options=options), request_cert=True)
        peer = self.encrypted(server, shows=listed)
        self.assertIn("AUTH EXTERNAL", peer.hear())
        peer.say("AUTH EXTERNAL =", "MAIL FROM:<a@b.example>")
        self.assertEqual(peer.codes(), [235, 250])
        peer = self.encrypted(server, shows=other)
        self.assertNotIn("AUTH", peer.hear())
