"""Tests of C{harakatw.smtp.secure}: encrypted sessions, with OpenSSL in memory."""

from pathlib import Path
from typing import Any

from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from harakatw.auth.state import Granted, grant
from harakatw.config.listeners import Listener
from harakatw.plugin import OK
from harakatw.plugins.tls import TLS
from harakatw.secret import Secret
from harakatw.smtp.trace import trace_field
from harakatw.testing.server import MemoryClient, MemoryServer
from tests.certificates import Signed, make_authority
from tests.fake_plugins import fake_plugin
from tests.log_events import collect_log
from tests.tls_clients import (
    EncryptedClient,
    client_connection,
    pending,
    server_tls,
)

IMPLICIT = Listener(tls="implicit")


def said(events: list[LogEvent], words: str) -> bool:
    """Does a line of the log have these words?"""
    return any(words in formatEvent(event) for event in events)


class SecureTestCase(SynchronousTestCase):
    """A test with servers that have a certificate."""

    def server(self, *plugins: object, **settings: Any) -> MemoryServer:
        """A server with plugin tls, and its certificate in a new folder."""
        listener = settings.pop("listener", Listener())
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        ca = settings.pop("ca", None)
        if ca is not None:
            (self.folder / "ca.pem").write_bytes(ca)
            settings["ca"] = "ca.pem"
        tls = server_tls(self.folder, **settings)
        return MemoryServer([TLS(), *plugins], tls=tls, listener=listener)

    def encrypted(
        self,
        server: MemoryServer,
        shows: Signed | None = None,
        client: MemoryClient | None = None,
    ) -> EncryptedClient:
        """A client after STARTTLS and its handshake."""
        clear = client or server.connect()
        clear.say("EHLO client.example")
        self.assertIn("STARTTLS", clear.hear())
        self.assertTrue(clear.ask("STARTTLS").startswith("220 2.0.0 "))
        peer = EncryptedClient(clear, client_connection(shows=shows))
        peer.shake_hands()
        return peer

    def implicit(
        self, server: MemoryServer, shows: Signed | None = None
    ) -> EncryptedClient:
        """A client that began with the handshake."""
        peer = EncryptedClient(server.connect(), client_connection(shows=shows))
        peer.shake_hands()
        return peer


class StartTLSTests(SecureTestCase):
    """From STARTTLS on."""

    def test_message(self) -> None:
        """A message comes encrypted, and its trace field says so (RFC 3848)."""
        server = self.server(fake_plugin(rcpt=OK, queue=OK))
        peer = self.encrypted(server)
        peer.say("EHLO client.example", "MAIL FROM:<a@b.example>")
        peer.say("RCPT TO:<c@d.example>", "DATA")
        self.assertEqual(peer.codes(), [250, 250, 250, 354])
        session = peer.clear.protocol
        transaction = session.connection.transaction
        assert transaction is not None
        field = trace_field(session, transaction)
        self.assertIn(b"with ESMTPS ", field)
        self.assertIn(session.connection.tls.cipher.encode(), field)
        peer.send(b"Subject: x\r\n\r\nhello\r\n.\r\n")
        self.assertEqual(peer.codes(), [250])

    def test_state(self) -> None:
        """Plugins see how the session is encrypted, in our shape and in Haraka's."""
        peer = self.encrypted(self.server())
        connection = peer.clear.protocol.connection
        tls = connection.tls
        self.assertEqual(
            (tls.enabled, tls.version, tls.verified, tls.server_name),
            (True, "TLSv1.3", False, "mail.example"),
        )
        self.assertIn("AES", tls.cipher)
        note = connection.notes.get("tls")
        self.assertEqual(note["cipher"], {"name": tls.cipher, "version": "TLSv1.3"})
        self.assertEqual((note["authorized"], note["peerCertificate"]), (False, {}))

    def test_forgotten(self) -> None:
        """
        What was said in clear is forgotten: name, transaction and login (survey row 5).
        """
        dropped = fake_plugin(reset_transaction=None)
        server = self.server(dropped, fake_plugin(rcpt=OK))
        clear = server.connect()
        clear.say("EHLO client.example")
        connection = clear.protocol.connection
        grant(connection, Granted("me", "a", Secret("secret")), "PLAIN")
        clear.say("MAIL FROM:<a@b.example>", "RCPT TO:<c@d.example>")
        clear.hear()
        self.assertIn("220", clear.ask("STARTTLS"))
        self.assertEqual(connection.hello.host, "")
        self.assertIsNone(connection.transaction)
        self.assertNotIn("auth_user", connection.notes)
        self.assertNotIn("auth_passwd", connection.notes)
        self.assertFalse(connection.relaying)
        peer = EncryptedClient(clear, client_connection())
        peer.shake_hands()
        self.assertIn("503", peer.ask("MAIL FROM:<a@b.example>"))

    def test_relay_by_address(self) -> None:
        """What we know of the client otherwise, such as its address, is kept."""
        server = self.server()
        clear = server.connect()
        clear.protocol.connection.relaying = True
        peer = self.encrypted(server, client=clear)
        self.assertTrue(peer.clear.protocol.connection.relaying)

    def test_injected(self) -> None:
        """
        Commands behind STARTTLS in one segment are dropped unread: they may be another
        one's (CVE-2011-0411, survey row 5).
        """
        events = collect_log(self)
        server = self.server()
        clear = server.connect()
        clear.say("EHLO client.example")
        clear.hear()
        clear.send(b"STARTTLS\r\nMAIL FROM:<evil@b.example>\r\nNOOP\r\n")
        self.assertEqual(clear.codes(), [220])
        peer = EncryptedClient(clear, client_connection())
        peer.shake_hands()
        self.assertEqual(peer.hear(), "")
        self.assertIn("503", peer.ask("MAIL FROM:<a@b.example>"))
        self.assertTrue(clear.protocol.connection.early_talker)
        self.assertTrue(said(events, "dropped"))

    def test_pipelined(self) -> None:
        """STARTTLS may come at the end of a group (RFC 3207 section 4)."""
        clear = self.server().connect()
        clear.say("EHLO client.example", "RSET", "STARTTLS")
        self.assertEqual(clear.codes(), [220, 250, 250, 220])
        EncryptedClient(clear, client_connection()).shake_hands()

    def test_waiting_plugin(self) -> None:
        """
        A plugin that waits while the transaction is dropped holds the 220 back, and
        what comes meanwhile is dropped too.
        """
        waiting: Deferred[Any] = Deferred()
        server = self.server(fake_plugin(reset_transaction=waiting))
        clear = server.connect()
        clear.say("EHLO client.example", "MAIL FROM:<a@b.example>", "STARTTLS")
        self.assertEqual(clear.codes(), [220, 250, 250])
        clear.say("NOOP")
        waiting.callback(None)
        self.assertEqual(clear.codes(), [220])
        EncryptedClient(clear, client_connection()).shake_hands()

    def test_certificate_gone(self) -> None:
        """When the certificate goes meanwhile, the session goes on in clear."""
        waiting: Deferred[Any] = Deferred()
        server = self.server(fake_plugin(reset_transaction=waiting))
        clear = server.connect()
        clear.say("EHLO client.example", "MAIL FROM:<a@b.example>", "STARTTLS")
        server.context.tls.table = None
        clear.hear()
        waiting.callback(None)
        self.assertIn("454 4.7.0", clear.hear())
        self.assertIn("250", clear.ask("NOOP"))

    def test_client_does_not_trust(self) -> None:
        """
        A client of TLS 1.3 that does not like our certificate says so when we are done;
        for the list of those with whom it failed, it failed.
        """
        server = self.server(disable_for_failed_hosts=True)
        clear = server.connect()
        clear.say("EHLO client.example", "STARTTLS")
        clear.hear()
        tls = client_connection()
        tls.set_verify(SSL.VERIFY_PEER)
        self.assertRaises(SSL.Error, EncryptedClient(clear, tls).shake_hands)
        clear.send(pending(tls))
        self.assertTrue(clear.transport.closed)
        self.assertNotIn("STARTTLS", server.connect().ask("EHLO client.example"))

    def test_client_ends_while_queueing(self) -> None:
        """
        A client that ends TLS while its message is being queued takes nothing back, and
        the deadline of the handshake has nothing to say about it.
        """
        waiting: Deferred[Any] = Deferred()
        server = self.server(fake_plugin(rcpt=OK, queue=waiting), handshake_timeout=5)
        peer = self.encrypted(server)
        peer.say("EHLO client.example", "MAIL FROM:<a@b.example>")
        peer.say("RCPT TO:<c@d.example>", "DATA")
        peer.send(b"Subject: x\r\n\r\nhello\r\n.\r\n")
        peer.tls.shutdown()
        peer.clear.send(pending(peer.tls))
        server.clock.pump([1] * 20)
        self.assertFalse(peer.clear.transport.aborted)
        waiting.callback(OK)
        self.assertEqual(peer.clear.protocol.connection.msg_accepted, 1)
        self.assertTrue(peer.clear.transport.closed)

    def test_clear_octets(self) -> None:
        """Clear commands instead of a handshake end the session, unanswered."""
        clear = self.server().connect()
        clear.say("EHLO client.example", "STARTTLS")
        clear.hear()
        clear.say("MAIL FROM:<a@b.example>", "QUIT")
        self.assertEqual(clear.hear(), "")
        self.assertTrue(clear.transport.closed)

    def test_failed(self) -> None:
        """
        A handshake that fails is told to the client in TLS and to the log with the
        reason; plugins can see it.
        """
        events = collect_log(self)
        server = self.server(min_version="TLSv1.3")
        clear = server.connect()
        clear.say("EHLO client.example", "STARTTLS")
        clear.hear()
        old = client_connection(newest=SSL.TLS1_2_VERSION)
        self.assertRaises(SSL.Error, EncryptedClient(clear, old).shake_hands)
        self.assertTrue(clear.transport.closed)
        self.assertIn("unsupported protocol", clear.protocol.connection.tls.problem)
        self.assertFalse(clear.protocol.connection.tls.enabled)
        self.assertTrue(said(events, "unsupported protocol"))

    def test_failed_before(self) -> None:
        """If so configured, whom it failed with is not offered it again for a while."""
        server = self.server(disable_for_failed_hosts=True)
        clear = server.connect()
        clear.say("EHLO client.example", "STARTTLS")
        clear.say("this is not TLS")
        again = server.connect()
        self.assertNotIn("STARTTLS", again.ask("EHLO client.example"))
        server.clock.advance(3600)
        later = server.connect()
        self.assertIn("STARTTLS", later.ask("EHLO client.example"))

    def test_slow_handshake(self) -> None:
        """
        A handshake has a deadline, and single octets do not put it off (survey row 20).
        """
        server = self.server(handshake_timeout=60)
        clear = server.connect()
        clear.say("EHLO client.example", "STARTTLS")
        for octet in b"\x16\x03\x01\x02\x00\x01":
            clear.send(bytes([octet]))
            server.clock.advance(9)
            self.assertFalse(clear.transport.closed)
        server.clock.pump([1] * 7)
        self.assertTrue(clear.transport.aborted)

    def test_client_ends(self) -> None:
        """
        When the client ends TLS the session is over: octets in clear after that are not
        parsed (survey row 4).
        """
        peer = self.encrypted(self.server())
        peer.say("EHLO client.example")
        peer.hear()
        peer.tls.shutdown()
        peer.clear.send(peer.tls.bio_read(1 << 16))
        self.assertTrue(peer.clear.transport.closed)
        peer.clear.send(b"MAIL FROM:<a@b.example>\r\n")
        peer.hear()
        self.assertTrue(peer.ended)
        self.assertEqual(peer.clear.protocol.connection.tran_count, 0)

    def test_client_ends_after_commands(self) -> None:
        """What came before the end is answered, in the same read too."""
        peer = self.encrypted(self.server())
        peer.tls.sendall(b"EHLO client.example\r\nNOOP\r\n")
        peer.tls.shutdown()
        peer.clear.send(peer.tls.bio_read(1 << 16))
        self.assertEqual(peer.codes(), [250, 250])
        self.assertTrue(peer.clear.transport.closed)

    def test_broken(self) -> None:
        """Octets that nobody encrypted end the session, unanswered."""
        peer = self.encrypted(self.server())
        peer.clear.send(b"MAIL FROM:<a@b.example>\r\n")
        self.assertTrue(peer.clear.transport.closed)

    def test_quit(self) -> None:
        """At the end the server ends TLS in order."""
        peer = self.encrypted(self.server())
        self.assertIn("221", peer.ask("QUIT"))
        self.assertTrue(peer.ended)

    def test_time_out(self) -> None:
        """A client that says nothing is told so, encrypted."""
        server = self.server()
        peer = self.encrypted(server)
        server.clock.pump([1] * 301)
        self.assertIn("421 4.4.2", peer.hear())
        self.assertTrue(peer.ended)

    def test_binding(self) -> None:
        """What ties a login to the session is there for plugins, and only with TLS."""
        server = self.server()
        self.assertIsNone(
            server.connect().protocol.connection.channel_binding("tls-exporter")
        )
        peer = self.encrypted(server)
        found = peer.clear.protocol.connection.channel_binding("tls-exporter")
        label = b"EXPORTER-Channel-Binding"
        self.assertEqual(found, peer.tls.export_keying_material(label, 32, b""))

    def test_not_now(self) -> None:
        """A plugin that asks for TLS where there can be none is wrong."""
        connection = MemoryServer().connect().protocol.connection
        self.assertRaises(ValueError, connection.start_tls)


class ImplicitTests(SecureTestCase):
    """TLS from the first octet on (RFC 8314 section 3.3)."""

    def test_greeting(self) -> None:
        """The greeting comes encrypted, after the handshake and not before."""
        server = self.server(listener=IMPLICIT)
        clear = server.connect()
        self.assertEqual(clear.hear(), "")
        peer = EncryptedClient(clear, client_connection())
        peer.shake_hands()
        self.assertTrue(peer.hear().startswith("220 mail.example ESMTP"))
        self.assertNotIn("STARTTLS", peer.ask("EHLO client.example"))
        self.assertIn("503", peer.ask("STARTTLS"))

    def test_clear_client(self) -> None:
        """A client that speaks SMTP is told that this is the wrong port."""
        events = collect_log(self)
        clear = self.server(listener=IMPLICIT).connect()
        clear.say("EHLO client.example")
        self.assertIn("554 5.7.0 This port speaks TLS", clear.hear())
        self.assertTrue(clear.transport.closed)
        self.assertTrue(said(events, "no TLS"))

    def test_no_certificate(self) -> None:
        """Without a certificate the connection is closed, and the log says why."""
        events = collect_log(self)
        server = MemoryServer(listener=Listener(tls="implicit", address="[::]:465"))
        client = server.connect()
        self.assertTrue(client.transport.closed)
        self.assertEqual(client.hear(), "")
        self.assertTrue(said(events, "[::]:465"))

    def test_slow(self) -> None:
        """The deadline of the handshake holds here too."""
        server = self.server(listener=IMPLICIT, handshake_timeout=60)
        clear = server.connect()
        server.clock.pump([1] * 59)
        self.assertFalse(clear.transport.closed)
        server.clock.pump([1] * 2)
        self.assertTrue(clear.transport.aborted)

    def test_leaves(self) -> None:
        """A client that leaves amid the handshake is nobody's fault."""
        server = self.server(listener=IMPLICIT)
        clear = server.connect()
        clear.send(b"\x16\x03\x01")
        clear.leave()
        self.assertEqual(len(server.factory.sweep.sessions), 0)


class WrongPortTests(SecureTestCase):
    """TLS where SMTP is spoken."""

    def hello(self) -> bytes:
        """What a TLS client says first."""
        connection = client_connection()
        try:
            connection.do_handshake()
        except SSL.WantReadError:
            pass
        return connection.bio_read(1 << 16)

    def test_refused(self) -> None:
        """The client is turned away at once, and the log says why."""
        for _ in range(8):  # its random octets may hold a line end, or none
            events = collect_log(self)
            client = self.server().connect()
            client.hear()
            client.send(self.hello())
            self.assertIn("554 5.5.1 TLS begins with STARTTLS", client.hear())
            self.assertTrue(client.transport.closed)
            self.assertTrue(said(events, "begins with TLS"))

    def test_before_greeting(self) -> None:
        """So is one that does not even wait for the greeting."""
        waiting: Deferred[Any] = Deferred()
        client = self.server(fake_plugin(connect=waiting)).connect()
        client.send(self.hello())
        waiting.callback(None)
        self.assertEqual(client.codes(), [220, 554])
        self.assertTrue(client.transport.closed)


class GuardTests(SecureTestCase):
    """What has to be done before MAIL."""

    def test_tls_required(self) -> None:
        """With C{tls=required} MAIL has to wait for TLS (RFC 3207 section 4)."""
        server = self.server(listener=Listener(tls="required"))
        clear = server.connect()
        clear.say("EHLO client.example", "MAIL FROM:<a@b.example>", "AUTH PLAIN x")
        self.assertEqual(clear.codes(), [220, 250, 530, 530])
        self.assertIn("530 5.7.0 Must issue a STARTTLS", clear.ask("AUTH PLAIN x"))
        peer = self.encrypted(server, client=clear)
        self.assertIn("250", peer.ask("EHLO client.example"))
        self.assertIn("250", peer.ask("MAIL FROM:<a@b.example>"))

    def test_required_for_all(self) -> None:
        """It is offered to those too who are spared it elsewhere."""
        server = self.server(
            listener=Listener(tls="required"), no_tls_hosts={"192.0.2.0/24": ""}
        )
        self.assertIn("STARTTLS", server.connect().ask("EHLO client.example"))

    def test_login_required(self) -> None:
        """On a listener for submission nobody sends mail unknown (RFC 6409)."""
        server = self.server(listener=Listener(submission=True))
        client = server.connect()
        client.say("EHLO client.example", "MAIL FROM:<a@b.example>")
        self.assertIn("530 5.7.0 Authentication required", client.hear())
        grant(client.protocol.connection, Granted("me", "a"), "PLAIN")
        self.assertIn("250", client.ask("MAIL FROM:<a@b.example>"))

    def test_relaying(self) -> None:
        """Whom the postmaster lets relay by address needs no login."""
        client = self.server(listener=Listener(submission=True)).connect()
        client.protocol.connection.relaying = True
        client.say("EHLO client.example", "MAIL FROM:<a@b.example>")
        self.assertEqual(client.codes(), [220, 250, 250])

    def test_certificate_required(self) -> None:
        """
        At a port of C{requireAuthorized} a client without a good certificate can send
        nothing, encrypted or not (row CF68). Whose it is can be seen (RFC 4514).
        """
        authority = make_authority()
        for listener in (
            Listener(client_certificate=True),
            Listener(client_certificate=True, tls="implicit"),
        ):
            server = self.server(listener=listener, ca=authority.certificate)
            begin = self.implicit if listener.tls == "implicit" else self.encrypted
            stranger = begin(server, make_authority().sign("c.example"))
            stranger.say("EHLO client.example", "MAIL FROM:<a@b.example>", "QUIT")
            self.assertEqual(stranger.codes()[-3:], [554, 554, 221])
            known = begin(server, authority.sign("c.example"))
            known.say("EHLO client.example", "MAIL FROM:<a@b.example>")
            self.assertEqual(known.codes()[-2:], [250, 250])
            tls = known.clear.protocol.connection.tls
            self.assertEqual((tls.verified, tls.subject), (True, "CN=c.example"))

    def test_certificate_required_in_clear(self) -> None:
        """There MAIL has to wait for TLS."""
        client = self.server(listener=Listener(client_certificate=True)).connect()
        client.say("EHLO client.example", "MAIL FROM:<a@b.example>")
        self.assertEqual(client.codes(), [220, 250, 530])

    def test_reject_unauthorized(self) -> None:
        """
        C{rejectUnauthorized} refuses all who use TLS without one (row CF67), and has
        nothing to say to those who do not use TLS.
        """
        server = self.server(reject_unauthorized=True)
        peer = self.encrypted(server)
        self.assertIn("554 5.7.0", peer.ask("EHLO client.example"))
        clear = server.connect()
        clear.say("EHLO client.example", "MAIL FROM:<a@b.example>")
        self.assertEqual(clear.codes(), [220, 250, 250])
