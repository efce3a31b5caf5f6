"""PROXY headers in front of a session."""

from typing import Any

import attrs
from twisted.internet.address import UNIXAddress
from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from harakatw.config.listeners import Listener
from harakatw.config.networks import Networks
from harakatw.interfaces.hooks import IConnectInitHook
from harakatw.smtp.proxy_front import ProxyFront
from harakatw.verdict import CONT, Verdict
from tests.log_events import collect_log
from tests.proxy_clients import PROXY_IP, connect, make_server
from tests.proxy_headers import LOCAL, TCP4, TCP6, UNKNOWN, binary, ssl, value
from tests.sessions import ENVELOPE, Mailbox

GREETING = "220 mail.example ESMTP\r\n"


@implementer(IConnectInitHook)
class Visitors:
    """
    Notes who comes.

    @ivar ips: in order.
    """

    def __init__(self) -> None:
        self.ips: list[str] = []

    def hook_connect_init(self, connection: Any) -> Verdict:
        """A client has come."""
        self.ips.append(connection.remote.ip)
        return CONT


class HeaderTests(SynchronousTestCase):
    """A proxy that is believed."""

    def test_client(self) -> None:
        """
        Nothing is said before the header; then the session is the client's, for
        plugins, for replies and for limits.
        """
        visitors = Visitors()
        client = connect(make_server(visitors))
        self.assertEqual((client.hear(), visitors.ips), ("", []))
        self.assertEqual(client.ask(TCP4), GREETING)
        self.assertEqual(visitors.ips, ["198.51.100.7"])
        connection, local = client.connection, client.connection.local
        self.assertEqual(connection.remote.port, 56324)
        self.assertEqual((local.ip, local.port), ("192.0.2.25", 25))
        self.assertEqual(local.host, "mail.example")
        proxy = connection.proxy
        self.assertEqual(
            (proxy.allowed, proxy.ip, proxy.type, proxy.protocol),
            (True, PROXY_IP, "haproxy", "TCP4"),
        )
        said = client.ask(b"EHLO client.example\r\n")
        self.assertIn("Hello Unknown [198.51.100.7]", said)

    def test_every_cut(self) -> None:
        """The header and the commands behind it may be cut anywhere."""
        for header in (TCP4, TCP6, binary(value(2, b"mx.example")), UNKNOWN, LOCAL):
            stream = header + b"EHLO client.example\r\nMAIL FROM:<a@b.example>\r\n"
            for at in range(len(stream)):
                client = connect(make_server())
                client.send(stream[:at])
                client.send(stream[at:])
                said = client.hear()
                self.assertTrue(said.startswith(GREETING), at)
                self.assertTrue(said.endswith("\r\n250 2.1.0 Sender OK\r\n"), said)

    def test_octet_by_octet(self) -> None:
        """Row 33: octet by octet it is the same header."""
        client = connect(make_server())
        for octet in TCP6:
            self.assertEqual(client.hear(), "")
            client.send(bytes((octet,)))
        self.assertEqual(client.hear(), GREETING)
        self.assertEqual(client.connection.remote.ip, "2001:db8::7")

    def test_notes(self) -> None:
        """Plugins find all that the header said."""
        client = connect(make_server())
        client.send(binary(value(2, b"mx.example"), ssl(1, 0, value(0x21, b"TLSv1.3"))))
        note = client.connection.notes.get("proxy")
        self.assertEqual(note["src_ip"], "198.51.100.7")
        self.assertEqual((note["dst_port"], note["proxy_ip"]), (25, PROXY_IP))
        self.assertEqual((note["server_name"], note["proto"]), ("mx.example", "TCP4"))
        self.assertEqual(note["tls"]["version"], "TLSv1.3")
        self.assertFalse(client.connection.tls.enabled)

    def test_unix(self) -> None:
        """
        A client at the proxy's unix socket is not one at ours: the address stays the
        proxy's, which is not this machine.
        """
        client = connect(make_server())
        client.send(binary(family=0x31, addresses=bytes(216)))
        self.assertEqual(client.connection.remote.ip, PROXY_IP)
        self.assertFalse(client.connection.remote.is_local)

    def test_second_header(self) -> None:
        """Row 33: a second header is an unknown command, and changes nothing."""
        for header in (b"PROXY TCP4 203.0.113.1 192.0.2.25 1 25\r\n", binary()):
            client = connect(make_server())
            said = client.ask(TCP4 + header + b"\r\nNOOP\r\n")
            self.assertIn("\r\n500 5.5.2 ", said)
            self.assertTrue(said.endswith("250 2.0.0 OK\r\n"), said)
            self.assertEqual(client.connection.remote.ip, "198.51.100.7")

    def test_refused(self) -> None:
        """What is no header ends the connection, and nothing behind it is read."""
        visitors = Visitors()
        server = make_server(visitors)
        for octets in (b"EHLO a\r\n", b"PROXY TCP4 x y 1 2\r\nEHLO a\r\n", b"\x16\x03"):
            client = connect(server)
            client.send(octets)
            client.send(TCP4)
            self.assertEqual(
                client.hear(), "421 4.5.2 The PROXY header cannot be read\r\n"
            )
            self.assertTrue(client.transport.disconnecting)
            client.leave()
        self.assertEqual(visitors.ips, [])
        self.assertEqual(len(server.factory.sweep.sessions), 0)

    def test_log(self) -> None:
        """The log names the client, and the proxy too."""
        events = collect_log(self)
        client = connect(make_server())
        client.send(TCP4 + b"EHLO client.example\r\n")
        client.leave()
        (line,) = [formatEvent(e) for e in events if "disconnect" in formatEvent(e)]
        self.assertIn("ip=198.51.100.7", line)
        self.assertTrue(line.endswith(f"proxy={PROXY_IP}"), line)


class HealthCheckTests(SynchronousTestCase):
    """A proxy that looks whether the server is well."""

    def _events(self, *pieces: bytes) -> list[str]:
        events = collect_log(self)
        client = connect(make_server())
        for octets in pieces:
            client.send(octets)
        client.leave()
        return [formatEvent(event) for event in events]

    def test_quiet(self) -> None:
        """Connecting and leaving, also within a header or after one, is not logged."""
        for pieces in (
            (),
            (b"PROXY ",),
            (LOCAL,),
            (UNKNOWN,),
            (LOCAL, b"EHLO haproxy\r\n", b"QUIT\r\n"),
        ):
            self.assertEqual(self._events(*pieces), [], pieces)

    def test_mail_is_logged(self) -> None:
        """But who sends mail is in the log, whatever the header said."""
        lines = self._events(LOCAL, b"EHLO haproxy\r\nMAIL FROM:<a@b.example>\r\n")
        self.assertEqual(len(lines), 1, lines)

    def test_own_address(self) -> None:
        """The session is one of the proxy's own address."""
        for header in (LOCAL, UNKNOWN):
            client = connect(make_server())
            self.assertEqual(client.ask(header), GREETING)
            self.assertEqual(client.connection.remote.ip, PROXY_IP)
            self.assertEqual(client.connection.local.ip, "192.0.2.26")


class TrustTests(SynchronousTestCase):
    """Who is believed."""

    def test_switched_off(self) -> None:
        """C{enabled = false} believes nobody, whatever the list says."""
        client = connect(make_server(haproxy_enabled=False))
        self.assertEqual(client.hear(), GREETING)

    def test_stranger(self) -> None:
        """
        Row 33: who is not in the list gets the greeting at once, and its header is a
        bad command.
        """
        for header in (TCP4, binary()):
            client = connect(make_server(), "192.0.2.11")
            self.assertEqual(client.hear(), GREETING)
            self.assertTrue(client.ask(header).startswith("500 5.5.2 "))
            self.assertEqual(client.connection.remote.ip, "192.0.2.11")
            self.assertFalse(client.connection.proxy.allowed)
            self.assertIsNone(client.connection.notes.get("proxy"))

    def test_networks(self) -> None:
        """Networks are taken too, and IPv4 on a socket of both families."""
        server = make_server(hosts=("192.0.2.0/29", "2001:db8::/32"))
        for ip, greeted in (
            ("192.0.2.7", False),
            ("::ffff:192.0.2.7", False),
            ("2001:db8::5", False),
            ("192.0.2.8", True),
            ("2001:db9::5", True),
        ):
            self.assertEqual(bool(connect(server, ip).hear()), greeted, ip)

    def test_nobody(self) -> None:
        """Without a list nobody is asked for a header."""
        client = connect(make_server(hosts=()))
        self.assertIs(type(client.protocol).__name__, "SMTPProtocol")

    def test_listener(self) -> None:
        """
        On a listener for proxies every connection begins with a header: of anybody
        where there is no list, else of those on it, and others are turned away.
        """
        only = Listener(proxy=True)
        client = connect(make_server(listener=only, hosts=()), "203.0.113.9")
        self.assertEqual(client.hear(), "")
        self.assertEqual(client.ask(TCP4), GREETING)
        client = connect(make_server(listener=only), "203.0.113.9")
        self.assertEqual(client.hear(), "421 4.7.0 Only proxies may connect here\r\n")
        self.assertTrue(client.transport.disconnecting)
        client = connect(make_server(listener=only))
        self.assertEqual(client.ask(TCP4), GREETING)

    def test_unix_listener(self) -> None:
        """
        Whoever may open a unix socket for proxies is one, and a list is about others.
        """
        for hosts in ((), (PROXY_IP,)):
            server = make_server(listener=Listener(proxy=True), hosts=hosts)
            front = server.door.buildProtocol(UNIXAddress(""))
            self.assertIsInstance(front, ProxyFront)

    def test_reload(self) -> None:
        """A new list is for the next connection."""
        server = make_server()
        waiting = connect(server)
        server.context = attrs.evolve(server.context, proxies=Networks())
        self.assertEqual(connect(server).hear(), GREETING)
        self.assertEqual(waiting.ask(TCP4), GREETING)

    def test_encrypted_listener(self) -> None:
        """Where TLS is to come first, a refusal in clear is left out."""
        client = connect(make_server(listener=Listener(tls="implicit")))
        self.assertEqual(client.ask(b"EHLO a\r\n"), "")
        self.assertTrue(client.transport.disconnecting)


class LimitTests(SynchronousTestCase):
    """Time and numbers."""

    def test_time(self) -> None:
        """Row 20: a header has 30 seconds, however slowly its octets come."""
        server = make_server()
        client = connect(server)
        for octet in TCP4[:29]:
            client.send(bytes((octet,)))
            server.clock.advance(1)
        self.assertFalse(client.transport.disconnecting)
        server.clock.advance(1)
        self.assertEqual(client.hear(), "421 4.4.2 No PROXY header came\r\n")
        self.assertTrue(client.transport.disconnecting)
        server.clock.advance(1)
        self.assertTrue(client.transport.aborted)
        client.leave()
        self.assertEqual(server.clock.getDelayedCalls(), [])

    def test_per_address(self) -> None:
        """Limits per address count the clients, and not their proxy."""
        server = make_server(max_connections_per_ip=1)
        clients = [connect(server) for _ in range(3)]
        headers = [
            b"PROXY TCP4 198.51.100.%d 192.0.2.25 1 25\r\n" % number
            for number in (1, 2, 1)
        ]
        said = [
            client.ask(header)[:3]
            for client, header in zip(clients, headers, strict=True)
        ]
        self.assertEqual(said, ["220", "220", "421"])
        clients[0].leave()
        self.assertEqual(connect(server).ask(headers[0]), GREETING)

    def test_all(self) -> None:
        """Those who wait for their header count as connections, once."""
        server = make_server(max_connections=2)
        clients = [connect(server) for _ in range(2)]
        self.assertEqual(clients[0].ask(TCP4), GREETING)
        self.assertEqual(clients[1].ask(TCP4), GREETING)
        self.assertEqual(connect(server).hear()[:3], "421")

    def test_too_many_wait(self) -> None:
        """Proxies cannot open more connections than there may be, header or not."""
        server = make_server(max_connections=2)
        clients = [connect(server) for _ in range(3)]
        self.assertEqual([client.hear()[:3] for client in clients], ["", "", "421"])

    def test_shutdown(self) -> None:
        """A server that stops does not wait for headers."""
        server = make_server()
        client = connect(server)
        drained = server.factory.sweep.drain(0)
        self.assertTrue(client.transport.disconnecting)
        client.leave()
        self.successResultOf(drained)

    def test_shutdown_after_header(self) -> None:
        """A session that takes over while the server stops is waited for."""
        server = make_server()
        client = connect(server)
        drained = server.factory.sweep.drain(60)
        client.send(TCP4)
        self.assertNoResult(drained)
        client.leave()
        self.successResultOf(drained)

    def test_turned_away(self) -> None:
        """Nothing is left of a client that was turned away after its header."""
        server = make_server(max_connections_per_ip=1)
        self.assertEqual(connect(server).ask(TCP4), GREETING)
        client = connect(server)
        self.assertEqual(client.ask(TCP4)[:3], "421")
        client.leave()
        self.assertEqual(len(server.factory.sweep.sessions), 1)


class MessageTests(SynchronousTestCase):
    """Mail that came through a proxy."""

    def test_trace(self) -> None:
        """The trace field names the client."""
        mailbox = Mailbox()
        client = connect(make_server(mailbox))
        client.send(TCP4 + b"EHLO client.example\r\n")
        client.send("\r\n".join((*ENVELOPE, "DATA", "")).encode())
        said = client.ask(b"Subject: x\r\n\r\nx\r\n.\r\n")
        self.assertTrue(said.startswith("250 2.0.0 "), said)
        (message,) = mailbox.messages
        self.assertTrue(
            message.octets.startswith(
                b"Received: from client.example ([198.51.100.7])\r\n"
            ),
            message.octets,
        )
