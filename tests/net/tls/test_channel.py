"""Tests of C{harakatw.net.tls.channel}, C{context}, C{trust} and C{server}."""

import base64
import hashlib
import ssl
from pathlib import Path
from typing import Any

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from harakatw.net.tls.channel import ServerChannel, TLSFailure
from harakatw.net.tls.options import NameOptions, TLSOptions
from harakatw.net.tls.server import MOST_REMEMBERED, ServerTLS
from tests.certificates import (
    SERVER_ONLY,
    Authority,
    Signed,
    der,
    make_authority,
    own,
    revocations,
    with_extension_twice,
    write_pair,
)
from tests.outbound.client.certificates import expired
from tests.tls_clients import client_connection, pending, server_tls


def group_14() -> int:
    """The prime of RFC 3526 section 3, which is made of digits of pi."""

    def arc_cotangent(number: int, unit: int) -> int:
        total = term = unit // number
        for odd in range(3, 3000, 2):
            term //= -number * number
            total += term // odd
        return total

    unit = 1 << (1918 + 64)
    pi = 4 * (4 * arc_cotangent(5, unit) - arc_cotangent(239, unit))
    return 2**2048 - 2**1984 - 1 + 2**64 * ((pi >> 64) + 124476)


class ChannelTestCase(SynchronousTestCase):
    """A server's and a client's end."""

    def setUp(self) -> None:
        """A server that trusts one authority."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.authority: Authority = make_authority()
        (self.folder / "ca.pem").write_bytes(self.authority.certificate)

    def server(self, signed: Signed | None = None, **options: Any) -> ServerTLS:
        """What a server encrypts with."""
        return server_tls(self.folder, signed, **{"ca": "ca.pem", **options})

    def shake(self, channel: ServerChannel, client: SSL.Connection) -> None:
        """
        Carry octets until both ends are content.

        @raise SSL.Error: if the client is not.
        @raise TLSFailure: if the server is not.
        """
        for _ in range(6):
            try:
                client.do_handshake()
            except SSL.WantReadError:
                pass
            channel.receive(pending(client))
            octets = channel.output()
            if octets:
                client.bio_write(octets)

    def opened(self, **client: Any) -> tuple[ServerChannel, SSL.Connection]:
        """Both ends after the handshake."""
        channel, peer = self.server().channel(), client_connection(**client)
        self.shake(channel, peer)
        return channel, peer


class ChannelTests(ChannelTestCase):
    """Octets in and out."""

    def test_both_ways(self) -> None:
        """What one end says the other hears, whatever the version of TLS."""
        for newest in (SSL.TLS1_3_VERSION, SSL.TLS1_2_VERSION):
            channel, client = self.opened(newest=newest)
            self.assertTrue(channel.is_open)
            client.sendall(b"EHLO client.example\r\n")
            heard = channel.receive(pending(client))
            self.assertEqual(heard, b"EHLO client.example\r\n")
            client.bio_write(channel.send(b"250 hello\r\n"))
            self.assertEqual(client.recv(100), b"250 hello\r\n")

    def test_one_by_one(self) -> None:
        """Octets may come one by one."""
        channel, client = self.server().channel(), client_connection()
        for _ in range(4):
            try:
                client.do_handshake()
            except SSL.WantReadError:
                pass
            for octet in pending(client):
                self.assertEqual(channel.receive(bytes([octet])), b"")
            octets = channel.output()
            if octets:
                client.bio_write(octets)
        client.sendall(b"hello")
        heard = b"".join(channel.receive(bytes([o])) for o in pending(client))
        self.assertEqual(heard, b"hello")

    def test_much(self) -> None:
        """A megabyte goes through in both directions."""
        channel, client = self.opened()
        text = bytes(range(256)) * 4096
        client.sendall(text)
        self.assertEqual(channel.receive(pending(client)), text)
        client.bio_write(channel.send(text))
        heard = b""
        while len(heard) < len(text):
            heard += client.recv(1 << 16)
        self.assertEqual(heard, text)

    def test_with_the_handshake(self) -> None:
        """What a client says at once after its last message is heard."""
        channel, client = self.server().channel(), client_connection()
        for octets in (b"",):
            try:
                client.do_handshake()
            except SSL.WantReadError:
                pass
            channel.receive(pending(client) + octets)
        client.bio_write(channel.output())
        client.do_handshake()
        client.sendall(b"EHLO x\r\n")
        self.assertEqual(channel.receive(pending(client)), b"EHLO x\r\n")

    def test_client_ends(self) -> None:
        """
        When the client ends TLS what came before is heard, and nothing after it: clear
        octets least of all (survey row 4).
        """
        channel, client = self.opened()
        client.sendall(b"QUIT\r\n")
        client.shutdown()
        self.assertEqual(channel.receive(pending(client)), b"QUIT\r\n")
        self.assertTrue(channel.is_over)
        self.assertEqual(channel.receive(b"MAIL FROM:<a@b.example>\r\n"), b"")

    def test_clear_octets(self) -> None:
        """Clear octets in the midst of TLS end it."""
        channel, _ = self.opened()
        error = self.assertRaises(TLSFailure, channel.receive, b"MAIL FROM:<>\r\n")
        self.assertTrue(error.is_tls)
        self.assertTrue(channel.is_over)
        self.assertEqual(channel.receive(b"NOOP\r\n"), b"")

    def test_close(self) -> None:
        """At the end the client is told, so that nobody can cut a message short."""
        channel, client = self.opened()
        octets = channel.close()
        client.bio_write(octets)
        self.assertRaises(SSL.ZeroReturnError, client.recv, 100)
        self.assertEqual(channel.send(b"more"), b"")

    def test_close_before(self) -> None:
        """To close what has not begun is nothing."""
        self.assertEqual(self.server().channel().close(), b"")

    def test_not_tls(self) -> None:
        """A client that speaks no TLS is told from one that does it badly."""
        error = self.assertRaises(
            TLSFailure, self.server().channel().receive, b"EHLO client.example\r\n"
        )
        self.assertFalse(error.is_tls)

    def test_no_common_version(self) -> None:
        """A client that is too old is told so in TLS, and the log why."""
        channel = self.server(min_version="TLSv1.3").channel()
        client = client_connection(newest=SSL.TLS1_2_VERSION)
        error = self.assertRaises(TLSFailure, self.shake, channel, client)
        self.assertIn("unsupported protocol", error.reason)
        client.bio_write(channel.output())
        self.assertRaises(SSL.Error, client.do_handshake)

    def test_old_version(self) -> None:
        """TLS 1.0 and 1.1 are not spoken unless a postmaster wants them (RFC 8996)."""
        client = client_connection(
            newest=SSL.TLS1_1_VERSION, ciphers=b"DEFAULT:@SECLEVEL=0"
        )
        self.assertRaises(TLSFailure, self.shake, self.server().channel(), client)
        channel = self.server(min_version="TLSv1").channel()
        client = client_connection(
            newest=SSL.TLS1_1_VERSION, ciphers=b"DEFAULT:@SECLEVEL=0"
        )
        self.shake(channel, client)
        self.assertEqual(channel.secured().version, "TLSv1.1")

    def test_ciphers(self) -> None:
        """C{ciphers} hold for all versions (row CF64)."""
        for ciphers, newest, wanted in (
            ("TLS_CHACHA20_POLY1305_SHA256", None, "TLS_CHACHA20_POLY1305_SHA256"),
            ("ECDHE+AES128", SSL.TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"),
        ):
            channel = self.server(ciphers=ciphers).channel()
            self.shake(channel, client_connection(newest=newest or SSL.TLS1_3_VERSION))
            self.assertEqual(channel.secured().cipher, wanted)

    def test_order(self) -> None:
        """Our order of ciphers counts, unless C{honorCipherOrder} is false (CF65)."""
        mine = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"
        first, second = mine.split(":")
        theirs = f"{second}:{first}".encode()
        for honor, wanted in ((True, first), (False, second)):
            channel = self.server(ciphers=mine, honor_cipher_order=honor).channel()
            client = client_connection(newest=SSL.TLS1_2_VERSION, ciphers=theirs)
            self.shake(channel, client)
            self.assertEqual(channel.secured().cipher, wanted)

    def test_curve(self) -> None:
        """C{ecdhCurve} is the only one then (row CF64)."""
        channel, client = self.server(ecdh_curve="P-384").channel(), client_connection()
        self.shake(channel, client)
        self.assertEqual(client.get_group_name(), "secp384r1")

    def test_options(self) -> None:
        """C{secureOptions} are set besides our own (row CF64)."""
        channel = self.server(secure_options=int(SSL.OP_NO_TLSv1_3)).channel()
        self.shake(channel, client_connection())
        self.assertEqual(channel.secured().version, "TLSv1.2")

    def test_dhparam(self) -> None:
        """With a file of parameters, and not without, there are DHE ciphers (CF63)."""
        numbers = der(0x02, b"\x00" + group_14().to_bytes(256, "big"))
        group = base64.encodebytes(der(0x30, numbers + der(0x02, b"\x02")))
        name = b"DH PARAMETERS-----\n"
        octets = b"-----BEGIN " + name + group + b"-----END " + name
        signed = own("mail.example", use_rsa=True)
        for works in (False, True):
            if works:
                (self.folder / "dhparams.pem").write_bytes(octets)
            channel = self.server(signed).channel()
            client = client_connection(
                newest=SSL.TLS1_2_VERSION, ciphers=b"DHE-RSA-AES128-GCM-SHA256"
            )
            if works:
                self.shake(channel, client)
                self.assertIn("DHE-RSA", channel.secured().cipher)
            else:
                self.assertRaises(TLSFailure, self.shake, channel, client)

    def test_tickets(self) -> None:
        """
        A client takes a session up again where it is not asked for a certificate, and
        begins anew where it is: nothing would tell whether that was good.
        """
        for asks in (False, True):
            tls = self.server(request_cert=asks)
            first = client_connection(newest=SSL.TLS1_2_VERSION)
            self.shake(tls.channel(), first)
            session = first.get_session()
            assert session is not None
            second = SSL.Connection(first.get_context(), None)
            second.set_tlsext_host_name(b"mail.example")
            second.set_connect_state()
            second.set_session(session)
            self.shake(tls.channel(), second)
            is_resumed = first.master_key() == second.master_key()
            self.assertEqual(is_resumed, not asks)

    def test_kinds_of_keys(self) -> None:
        """A client gets the certificate that it can use, with RSA or with ECDSA."""
        write_pair(self.folder, own("mail.example", use_rsa=True), "r")
        tls = self.server(
            key=("tls_key.pem", "rkey.pem"), cert=("tls_cert.pem", "rcert.pem")
        )
        for kind in ("ECDSA", "RSA"):
            client = client_connection(
                newest=SSL.TLS1_2_VERSION, ciphers=f"ECDHE+a{kind}".encode()
            )
            channel = tls.channel()
            self.shake(channel, client)
            self.assertIn(kind, channel.secured().cipher)

    def test_chain(self) -> None:
        """Those above our certificate are sent with it."""
        signed = self.authority.sign("mail.example")
        both = Signed(signed.certificate + self.authority.certificate, signed.key)
        channel, client = self.server(both).channel(), client_connection()
        self.shake(channel, client)
        chain = client.get_peer_cert_chain()
        assert chain is not None
        self.assertEqual(len(chain), 2)

    def test_sni(self) -> None:
        """Whom the client asks for decides what it is shown (RFC 6066 section 3)."""
        write_pair(self.folder, own("other.example"), "tls/o.")
        tls = self.server()
        for name, shown in (
            ("other.example", "other.example"),
            ("mail.example", "mail.example"),
            ("", "mail.example"),
        ):
            channel, client = tls.channel(), client_connection(name)
            self.shake(channel, client)
            certificate = client.get_peer_certificate()
            assert certificate is not None
            self.assertEqual(certificate.get_subject().CN, shown)
            self.assertEqual(channel.secured().server_name, name)

    def test_settings_of_a_name(self) -> None:
        """The settings of a name hold for those who ask for it, versions too."""
        write_pair(self.folder, own("new.example"), "tls/n.")
        tls = self.server(names={"new.example": NameOptions(min_version="TLSv1.3")})
        for name, fails in (("new.example", True), ("mail.example", False)):
            client = client_connection(name, newest=SSL.TLS1_2_VERSION)
            if fails:
                self.assertRaises(TLSFailure, self.shake, tls.channel(), client)
            else:
                self.shake(tls.channel(), client)

    def test_no_certificate(self) -> None:
        """Without a certificate nothing can begin."""
        self.assertRaises(ValueError, ServerTLS().channel)

    def test_too_early(self) -> None:
        """Before the handshake is done there is nothing to tell."""
        channel = self.server().channel()
        self.assertRaises(ValueError, channel.secured)
        self.assertIsNone(channel.binding("tls-exporter"))


class ClientCertificateTests(ChannelTestCase):
    """What a client shows, and what that is worth."""

    def shown(self, signed: Signed | None, **options: Any) -> tuple[bool, str, str]:
        """Is it trusted, whose is it, and what is wrong with it?"""
        channel = self.server(**options).channel()
        self.shake(channel, client_connection(shows=signed))
        peer = channel.secured().peer
        return peer.verified, peer.subject, peer.problem

    def test_good(self) -> None:
        """One that a trusted authority signed is good."""
        signed = self.authority.sign("client.example")
        self.assertEqual(self.shown(signed), (True, "CN=client.example", ""))

    def test_none(self) -> None:
        """Nobody has to show one."""
        self.assertEqual(self.shown(None), (False, "", "no certificate was shown"))

    def test_not_asked(self) -> None:
        """With C{requestCert=false} nobody is asked (row CF66)."""
        signed = self.authority.sign("client.example")
        self.assertEqual(
            self.shown(signed, request_cert=False),
            (False, "", "no certificate was shown"),
        )

    def test_bad(self) -> None:
        """
        Strangers', forged, expired and misused ones are not good; the handshake goes on
        all the same.
        """
        for signed, word in (
            (make_authority("Somebody").sign("c.example"), "do not know"),
            (make_authority().sign("c.example"), "not signed by whom"),
            (self.authority.sign("c.example", ends=expired()), "has expired"),
            (own("c.example"), "signed by itself"),
        ):
            verified, _, problem = self.shown(signed)
            self.assertFalse(verified)
            self.assertIn(word, problem)

    def test_nonsense(self) -> None:
        """
        One that OpenSSL can take apart and others cannot, such as one with an extension
        twice, is not good, and does no harm.
        """
        signed = with_extension_twice(self.authority)
        verified, subject, problem = self.shown(signed)
        self.assertEqual((verified, subject), (False, ""))
        self.assertIn("makes no sense", problem)

    def test_purpose(self) -> None:
        """One that is for servers is not good for a client (RFC 5280 4.2.1.12)."""
        signed = own("c.example", purpose=SERVER_ONLY)
        (self.folder / "own.pem").write_bytes(signed.certificate)
        verified, _, problem = self.shown(signed, ca="own.pem")
        self.assertFalse(verified)
        self.assertIn("not meant for this", problem)

    def test_revoked(self) -> None:
        """One that was revoked is good no more (row CF72)."""
        signed, other = (self.authority.sign("c.example") for _ in range(2))
        (self.folder / "crl.pem").write_bytes(revocations(self.authority, signed))
        self.assertIn("was revoked", self.shown(signed, crl="crl.pem")[2])
        self.assertTrue(self.shown(other, crl="crl.pem")[0])

    def test_system(self) -> None:
        """Without C{ca} the authorities of the system are trusted, and no others."""
        verified, _, problem = self.shown(self.authority.sign("c.example"), ca="")
        self.assertFalse(verified)
        self.assertIn("do not know", problem)

    def test_named(self) -> None:
        """Clients are told which authorities we trust, so that they can choose."""
        channel, client = self.server().channel(), client_connection()
        self.shake(channel, client)
        (name,) = client.get_client_ca_list()
        self.assertEqual(name.CN, "An authority for tests")


class BindingTests(ChannelTestCase):
    """What ties a login to a connection."""

    def test_exporter(self) -> None:
        """Both ends come to the same octets, each time others (RFC 9266)."""
        seen = set()
        for _ in range(2):
            channel, client = self.opened()
            binding = channel.binding("tls-exporter")
            label = b"EXPORTER-Channel-Binding"
            self.assertEqual(binding, client.export_keying_material(label, 32, b""))
            seen.add(binding)
        self.assertEqual(len(seen), 2)

    def test_exporter_of_old_version(self) -> None:
        """Up to TLS 1.2 there is none."""
        channel, _ = self.opened(newest=SSL.TLS1_2_VERSION)
        self.assertIsNone(channel.binding("tls-exporter"))

    def test_end_point(self) -> None:
        """It is a digest of our certificate (RFC 5929 section 4)."""
        signed = own("mail.example")
        channel, client = self.server(signed).channel(), client_connection()
        self.shake(channel, client)
        der = ssl.PEM_cert_to_DER_cert(signed.certificate.decode())
        self.assertEqual(
            channel.binding("tls-server-end-point"), hashlib.sha256(der).digest()
        )

    def test_unknown(self) -> None:
        """What we do not know is none."""
        channel, _ = self.opened()
        self.assertIsNone(channel.binding("tls-unique"))


class OfferTests(SynchronousTestCase):
    """To whom STARTTLS is offered."""

    def test_ports(self) -> None:
        """Not at C{no_starttls_ports} (row CF71)."""
        tls = ServerTLS(options=TLSOptions(no_starttls_ports=frozenset((2525,))))
        self.assertTrue(tls.is_offered("192.0.2.1", 25, 0))
        self.assertFalse(tls.is_offered("192.0.2.1", 2525, 0))

    def test_hosts(self) -> None:
        """Not to C{[no_tls_hosts]} (row CF76)."""
        hosts = {"192.0.2.0/24": "", "2001:db8::1": ""}
        tls = ServerTLS(options=TLSOptions(no_tls_hosts=hosts))
        for ip, offered in (
            ("192.0.2.9", False),
            ("198.51.100.1", True),
            ("2001:db8::1", False),
            ("", True),
        ):
            self.assertEqual(tls.is_offered(ip, 25, 0), offered)

    def test_failed(self) -> None:
        """For a while not to whom it failed with, if so configured (row CF73)."""
        tls = ServerTLS()
        tls.handshake_failed("192.0.2.1", 0)
        self.assertTrue(tls.is_offered("192.0.2.1", 25, 1))
        tls = ServerTLS(options=TLSOptions(disable_for_failed_hosts=True))
        tls.handshake_failed("192.0.2.1", 0)
        self.assertFalse(tls.is_offered("192.0.2.1", 25, 3599))
        self.assertTrue(tls.is_offered("192.0.2.1", 25, 3600))
        self.assertTrue(tls.is_offered("192.0.2.2", 25, 1))

    def test_many_failed(self) -> None:
        """However many fail, memory is bounded: the oldest are forgotten."""
        tls = ServerTLS(options=TLSOptions(disable_for_failed_hosts=True))
        for number in range(MOST_REMEMBERED + 1):
            tls.handshake_failed(f"2001:db8::{number:x}", 0)
        self.assertTrue(tls.is_offered("2001:db8::0", 25, 1))
        self.assertFalse(tls.is_offered("2001:db8::1", 25, 1))
