"""How much one client may do: the limits of connection.ini."""

from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Protocol
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from harakatw.testing.server import MemoryServer
from harakatw.verdict import DENY
from tests.fake_plugins import fake_plugin
from tests.sessions import ENVELOPE, make_site


class CommandTests(SynchronousTestCase):
    """Limits on commands."""

    def test_recipients(self) -> None:
        """
        The recipient after the last that is allowed gets 452 4.5.3, and the client
        sends the rest in another message (RFC 5321 section 4.5.3.1.10).
        """
        site = make_site(options=ConnectionOptions(max_recipients=100))
        site.greet()
        site.client.say(ENVELOPE[0], *[ENVELOPE[1]] * 101)
        said = site.client.hear().splitlines()
        self.assertEqual(said[101], "452 4.5.3 Too many recipients")
        self.assertEqual({line[:3] for line in said[:101]}, {"250"})
        self.assertEqual(len(site.connection.transaction.rcpt_to), 100)
        site.client.say("DATA")
        self.assertEqual(site.client.codes(), [354])

    def test_refused_recipients_count(self) -> None:
        """Who guesses addresses is asked no more than that often either."""
        plugin = fake_plugin(rcpt=DENY)
        site = make_site(plugin, options=ConnectionOptions(max_recipients=100))
        site.greet()
        site.client.say(ENVELOPE[0], *[ENVELOPE[1]] * 500)
        self.assertEqual(len(plugin.asked), 100)
        self.assertEqual(site.client.codes()[1:], [550] * 100 + [452] * 400)

    def test_recipients_per_message(self) -> None:
        """The next message may have as many again."""
        site = make_site(options=ConnectionOptions(max_recipients=100))
        site.greet()
        for _ in range(2):
            site.client.say(ENVELOPE[0], *[ENVELOPE[1]] * 100, "RSET")
            self.assertEqual(site.client.codes(), [250] * 102)

    def test_errors(self) -> None:
        """After max.errors bad commands the session ends with 421."""
        site = make_site(options=ConnectionOptions(max_errors=3))
        site.client.say("DATA", "NOOP", "FOO", "EHLO", "NOOP")
        self.assertEqual(site.client.codes(), [220, 503, 250, 500, 501, 421])
        self.assertTrue(site.client.transport.closed)

    def test_denials_are_no_errors(self) -> None:
        """What plugins deny is not the client's mistake."""
        options = ConnectionOptions(max_errors=1)
        site = make_site(fake_plugin(mail=DENY), options=options)
        site.greet()
        site.client.say("MAIL FROM:<>", "MAIL FROM:<>")
        self.assertEqual(site.client.codes(), [550, 550])

    def test_messages(self) -> None:
        """After max.messages the session ends with 421; others may go on elsewhere."""
        site = make_site(options=ConnectionOptions(max_messages=2))
        site.greet()
        site.client.say("MAIL FROM:<>", "RSET", "MAIL FROM:<>", "RSET", "MAIL FROM:<>")
        self.assertEqual(site.client.codes(), [250, 250, 250, 250, 421])
        self.assertTrue(site.client.transport.closed)

    def test_line_length(self) -> None:
        """A command may have max.line_length octets, CRLF counted, and no more."""
        options = ConnectionOptions(max_line_length=512)
        for extra, code in ((0, 250), (1, 500)):
            site = make_site(options=options)
            site.client.say("NOOP " + "a" * (512 - 7 + extra))
            self.assertEqual(site.client.codes(), [220, code])

    def test_long_line_is_bounded(self) -> None:
        """
        A command without an end is forgotten as it comes, and answered once, when its
        end is there; the session goes on.
        """
        site = make_site(options=ConnectionOptions(max_line_length=512))
        site.client.hear()
        for _ in range(100):
            site.client.send(b"a" * 1000)
        self.assertEqual(site.client.hear(), "")
        site.client.send(b"\r\nNOOP\r\n")
        self.assertEqual(site.client.codes(), [500, 250])


class MessageTests(SynchronousTestCase):
    """Limits on messages."""

    def test_header_too_long(self) -> None:
        """A header of more than a mebioctet is refused with 552."""
        site = make_site()
        fields = b"X-A: " + b"b" * 990 + b"\r\n"
        said = site.send_message(fields * 1100 + b"\r\n.\r\n")
        self.assertEqual(said, "552 5.3.4 The header of the message is too long\r\n")
        self.assertEqual(site.mailbox.messages, [])

    def test_size_is_not_believed(self) -> None:
        """What SIZE said does not matter: what comes is counted (row 24)."""
        site = make_site(options=ConnectionOptions(max_bytes=1000))
        site.greet()
        site.client.say("MAIL FROM:<a@b.example> SIZE=1", ENVELOPE[1], "DATA")
        site.client.hear()
        site.client.send((b"a" * 70 + b"\r\n") * 20 + b".\r\n")
        self.assertEqual(site.client.codes(), [552])

    def test_too_big_is_not_kept(self) -> None:
        """Of a message that is too big nothing is kept in memory while it comes."""
        site = make_site(options=ConnectionOptions(max_bytes=1000))
        site.begin_data()
        for _ in range(50):
            site.client.send(b"a" * 998 + b"\r\n")
        message = site.connection.transaction.message
        self.assertEqual((message.in_memory, message.size), (0, 49_998))
        site.client.send(b".\r\n")
        self.assertEqual(site.client.codes(), [552])


class ConnectionTests(SynchronousTestCase):
    """Limits on sessions (WK29)."""

    def _turned_away(self, server: MemoryServer, ip: str) -> str:
        protocol = server.factory.buildProtocol(IPv4Address("TCP", ip, 1))
        assert isinstance(protocol, Protocol)
        transport = StringTransport()
        protocol.makeConnection(transport)
        protocol.dataReceived(b"EHLO x\r\n")
        self.assertTrue(transport.disconnecting)
        said: bytes = transport.value()
        return said.decode()

    def test_connections(self) -> None:
        """Clients beyond max.connections are told why, and may come back later."""
        server = MemoryServer(limits=ConnectionOptions(max_connections=2))
        clients = [server.connect("192.0.2.1"), server.connect("192.0.2.2")]
        self.assertEqual(
            self._turned_away(server, "192.0.2.3"),
            "421 4.7.0 Too many connections, try again later\r\n",
        )
        clients[0].leave()
        self.assertEqual(server.connect("192.0.2.3").codes(), [220])

    def test_per_ip(self) -> None:
        """One address may not take all the room."""
        server = MemoryServer(limits=ConnectionOptions(max_connections_per_ip=2))
        clients = [server.connect("192.0.2.1") for _ in range(2)]
        self.assertEqual(
            self._turned_away(server, "192.0.2.1"),
            "421 4.7.0 Too many connections from your address\r\n",
        )
        self.assertEqual(server.connect("192.0.2.2").codes(), [220])
        clients[0].leave()
        self.assertEqual(server.connect("192.0.2.1").codes(), [220])

    def test_per_ip_is_the_socket(self) -> None:
        """
        What counts is the address that the socket is connected to, whatever a plugin
        or a proxy says the client's is.
        """

        def rename(connection: object) -> None:
            connection.remote.ip = "198.51.100.1"  # type: ignore[attr-defined]

        limits = ConnectionOptions(max_connections_per_ip=1)
        server = MemoryServer([fake_plugin(connect_init=rename)], limits=limits)
        for _ in range(3):
            client = server.connect("192.0.2.1")
            self.assertEqual(client.codes(), [220])
            client.leave()

    def test_lingering_counts(self) -> None:
        """A session that we closed counts until it is really gone."""
        server = MemoryServer(limits=ConnectionOptions(max_connections=1))
        client = server.connect()
        client.say("QUIT")
        self.assertIn("421", self._turned_away(server, "192.0.2.3"))
        client.leave()
        self.assertEqual(server.connect().codes(), [220])
