"""TLS as a client, with a server in memory."""

from pathlib import Path

from OpenSSL import SSL
from twisted.internet.ssl import PrivateCertificate
from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import ConfigError
from harakatw.net.tls.options import TLSOptions
from harakatw.outbound.client.tls import ClientTLS, Handshake
from harakatw.outbound.client.tls_rules import (
    OPPORTUNISTIC,
    OutboundTLSOptions,
    TLSPolicy,
)
from tests.outbound.client.certificates import (
    Authority,
    Signed,
    expired,
    make_authority,
)

VERIFIED = TLSPolicy(required=True, verified=True)


def server_for(
    signed: Signed, wants_certificate: bool = False, newest: int = SSL.TLS1_3_VERSION
) -> SSL.Connection:
    """A server with a certificate, in memory."""
    pair = PrivateCertificate.loadPEM(signed.key + signed.certificate)
    context = pair.options().getContext()
    context.set_verify(
        SSL.VERIFY_PEER if wants_certificate else SSL.VERIFY_NONE, lambda *_: True
    )
    context.set_max_proto_version(newest)
    connection = SSL.Connection(context, None)
    connection.set_accept_state()
    return connection


def shake_hands(handshake: Handshake, server: SSL.Connection) -> None:
    """
    Carry octets between client and server until both are content.

    @raise SSL.Error: if one is not.
    """
    client = handshake.clientConnectionForTLS(None)
    client.set_connect_state()
    for _ in range(10):
        for end, other in ((client, server), (server, client)):
            try:
                end.do_handshake()
            except SSL.WantReadError:
                pass
            try:
                other.bio_write(end.bio_read(1 << 16))
            except SSL.WantReadError:
                pass


class TLSTestCase(SynchronousTestCase):
    """A test with an authority that the client trusts."""

    authority: Authority

    def setUp(self) -> None:
        """Make a folder with the authority's certificate."""
        self.authority = make_authority()
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        (self.folder / "ca.pem").write_bytes(self.authority.certificate)

    def client(self, **options: object) -> ClientTLS:
        """What a client of that authority has."""
        chosen = OutboundTLSOptions(ca="ca.pem", **options)  # type: ignore[arg-type]
        return ClientTLS(chosen, self.folder)


class HandshakeTests(TLSTestCase):
    """Who is taken for whom."""

    def test_verified(self) -> None:
        """A certificate of an authority that we trust, for the host's name."""
        handshake = self.client().handshake(VERIFIED, "mx.example")
        shake_hands(handshake, server_for(self.authority.sign("mx.example")))
        state = handshake.state()
        self.assertTrue(state.verified)
        self.assertEqual((state.version, state.problem), ("TLSv1.3", ""))
        self.assertIn("AES", state.cipher)

    def test_names(self) -> None:
        """
        Any name of the policy does; patterns cover one label; addresses count (RFC 6125
        section 6.4).
        """
        for names, host, good in (
            (("mx.example",), "mx.example", True),
            (("d.example", "mx.example"), "mx.example", True),
            (("a.mx.example",), "*.mx.example", True),
            (("mx.example",), "*.mx.example", False),
            (("b.a.mx.example",), "*.mx.example", False),
            (("other.example",), "mx.example", False),
            (("192.0.2.1",), "192.0.2.1", True),
            (("192.0.2.2",), "192.0.2.1", False),
        ):
            policy = TLSPolicy(verified=True, names=names)
            handshake = self.client().handshake(policy, "mx.example")
            shake_hands(handshake, server_for(self.authority.sign(host)))
            self.assertEqual(handshake.state().verified, good, (names, host))

    def test_wrong_name(self) -> None:
        """A certificate for another host says so."""
        handshake = self.client().handshake(VERIFIED, "mx.example")
        shake_hands(handshake, server_for(self.authority.sign("evil.example")))
        self.assertEqual(
            handshake.state().problem, "the certificate is not for mx.example"
        )

    def test_strangers(self) -> None:
        """
        Certificates that prove nothing: where one is needed the handshake fails, and
        where not it is noted.
        """
        stranger = make_authority("Somebody").sign("mx.example")
        forged = make_authority().sign("mx.example")
        old = self.authority.sign("mx.example", ends=expired())
        for signed, word in (
            (stranger, "do not know"),
            (forged, "not signed by"),
            (old, "expired"),
        ):
            strict = self.client().handshake(VERIFIED, "mx.example")
            self.assertRaises(SSL.Error, shake_hands, strict, server_for(signed))
            self.assertIn(word, strict.problem)
            lenient = self.client().handshake(OPPORTUNISTIC, "mx.example")
            shake_hands(lenient, server_for(signed))
            state = lenient.state()
            self.assertFalse(state.verified)
            self.assertIn(word, state.problem)

    def test_sni(self) -> None:
        """The host's name is sent as SNI; an address is not (row OB40)."""
        for host, sni in (("mx.example", b"mx.example"), ("192.0.2.1", None)):
            server = server_for(self.authority.sign("mx.example"))
            shake_hands(self.client().handshake(OPPORTUNISTIC, host), server)
            self.assertEqual(server.get_servername(), sni)

    def test_apart(self) -> None:
        """Two connections at a time do not know of each other."""
        tls = self.client()
        first = tls.handshake(VERIFIED, "mx.example")
        second = tls.handshake(OPPORTUNISTIC, "mx.example")
        stranger = make_authority().sign("mx.example")
        shake_hands(second, server_for(stranger))
        shake_hands(first, server_for(self.authority.sign("mx.example")))
        self.assertTrue(first.state().verified)
        self.assertFalse(second.state().verified)

    def test_not_begun(self) -> None:
        """Before the handshake there is nothing to tell."""
        handshake = self.client().handshake(OPPORTUNISTIC, "mx.example")
        self.assertRaises(ValueError, handshake.state)


class FileTests(TLSTestCase):
    """Keys, certificates and ciphers."""

    def test_own_certificate(self) -> None:
        """With C{mutual_tls} the host is shown who we are (row OB39)."""
        own = self.authority.sign("me.example")
        (self.folder / "tls_key.pem").write_bytes(own.key)
        (self.folder / "tls_cert.pem").write_bytes(own.certificate)
        for mutual in (True, False):
            server = server_for(self.authority.sign("mx.example"), True)
            tls = self.client(mutual_tls=mutual)
            shake_hands(tls.handshake(OPPORTUNISTIC, "mx.example"), server)
            shown = server.get_peer_certificate()
            self.assertEqual(shown is not None, mutual)

    def test_own_names(self) -> None:
        """C{[outbound]} may name other files than C{[main]}."""
        own = self.authority.sign("out.example")
        (self.folder / "out.key").write_bytes(own.key)
        (self.folder / "out.crt").write_bytes(
            own.certificate + self.authority.certificate
        )
        server = server_for(self.authority.sign("mx.example"), True)
        tls = self.client(mutual_tls=True, key="out.key", cert="out.crt")
        shake_hands(tls.handshake(OPPORTUNISTIC, "mx.example"), server)
        shown = server.get_peer_certificate()
        assert shown is not None
        self.assertEqual(shown.get_subject().CN, "out.example")

    def test_missing(self) -> None:
        """A file that is missing or no PEM is a mistake that names the file."""
        (self.folder / "empty.pem").write_bytes(b"")
        for options, named in (
            ({"ca": "gone.pem"}, "[outbound]: gone.pem is not there"),
            ({"ca": "empty.pem"}, "empty.pem holds no certificate"),
            ({"mutual_tls": True}, "[outbound]: tls_cert.pem is not there"),
        ):
            wanted = OutboundTLSOptions(**options)
            error = self.assertRaises(ConfigError, ClientTLS, wanted, self.folder)
            self.assertIn(named, str(error))
            self.assertIn("config/tls.ini", str(error))

    def test_wrong_key(self) -> None:
        """A key that is not the certificate's is found at once."""
        own, other = (self.authority.sign("me.example") for _ in range(2))
        (self.folder / "tls_key.pem").write_bytes(other.key)
        (self.folder / "tls_cert.pem").write_bytes(own.certificate)
        self.assertRaises(ConfigError, self.client, mutual_tls=True)

    def test_version(self) -> None:
        """C{minVersion} and C{ciphers} hold."""
        handshake = self.client(min_version="TLSv1.3").handshake(
            OPPORTUNISTIC, "mx.example"
        )
        shake_hands(handshake, server_for(self.authority.sign("mx.example")))
        self.assertEqual(handshake.state().version, "TLSv1.3")

    def test_main(self) -> None:
        """What C{[outbound]} leaves open C{[main]} says."""
        signed = self.authority.sign("mx.example")
        server = server_for(signed, newest=SSL.TLS1_2_VERSION)
        main = TLSOptions(min_version="TLSv1.3")
        tls = ClientTLS(OutboundTLSOptions(ca="ca.pem"), self.folder, main)
        strict = tls.handshake(OPPORTUNISTIC, "mx.example")
        self.assertRaises(SSL.Error, shake_hands, strict, server)

    def shown_to(self, tls: ClientTLS, host: str) -> str:
        """Whose certificate a host is shown; C{""} for none."""
        server = server_for(self.authority.sign(host), True)
        shake_hands(tls.handshake(OPPORTUNISTIC, host), server)
        shown = server.get_peer_certificate()
        return "" if shown is None else str(shown.get_subject().CN)

    def test_mutual_hosts(self) -> None:
        """
        C{[mutual_auth_hosts]} are shown a certificate, the usual one or that of a name,
        though C{mutual_tls} is off; C{[mutual_auth_hosts_exclude]} are shown none,
        though it is on (row CF77).
        """
        for name, stem in (("me.example", "tls_"), ("special.example", "tls/s_")):
            own = self.authority.sign(name)
            (self.folder / "tls").mkdir(exist_ok=True)
            (self.folder / f"{stem}key.pem").write_bytes(own.key)
            (self.folder / f"{stem}cert.pem").write_bytes(own.certificate)
        hosts = {"A.example": "", "b.example": "Special.example"}
        tls = self.client(mutual_auth_hosts=hosts)
        self.assertEqual(self.shown_to(tls, "a.example"), "me.example")
        self.assertEqual(self.shown_to(tls, "b.example"), "special.example")
        self.assertEqual(self.shown_to(tls, "c.example"), "")
        tls = self.client(mutual_tls=True, mutual_auth_hosts_exclude={"c.example": ""})
        self.assertEqual(self.shown_to(tls, "a.example"), "me.example")
        self.assertEqual(self.shown_to(tls, "c.example"), "")

    def test_mutual_without_certificate(self) -> None:
        """A name of which there is no certificate is a mistake."""
        hosts = {"a.example": "gone.example"}
        error = self.assertRaises(ConfigError, self.client, mutual_auth_hosts=hosts)
        self.assertIn("no certificate of gone.example for a.example", str(error))

    def test_old_server(self) -> None:
        """A server that is older than C{minVersion} gets no mail over TLS."""
        signed = self.authority.sign("mx.example")
        server = server_for(signed, newest=SSL.TLS1_2_VERSION)
        strict = self.client(min_version="TLSv1.3").handshake(
            OPPORTUNISTIC, "mx.example"
        )
        self.assertRaises(SSL.Error, shake_hands, strict, server)
        wanted = "ECDHE-ECDSA-CHACHA20-POLY1305"
        server = server_for(signed, newest=SSL.TLS1_2_VERSION)
        chosen = self.client(ciphers=wanted).handshake(OPPORTUNISTIC, "mx.example")
        shake_hands(chosen, server)
        state = chosen.state()
        self.assertEqual((state.version, state.cipher), ("TLSv1.2", wanted))
