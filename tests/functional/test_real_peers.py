"""Delivery to servers that others have written."""

from typing import Final

from twisted.internet.threads import deferToThread

from tests.functional.peers import dovecot, haraka, postfix
from tests.functional.peers.daemon import trace, without_trace
from tests.functional.relaying import RelayTestCase, until
from tests.functional.server import RunningServer
from tests.outbound.client.certificates import make_authority

HEADER: Final = (
    b"From: <alice@client.example>\r\n"
    b"To: <bob@far.example>\r\n"
    b"Date: Sun, 9 Sep 2001 01:46:40 +0000\r\n"
    b"Message-ID: <1.2@client.example>\r\n"
    b"Subject: hello\r\n"
    b" again\r\n"
    b"\r\n"
)

MESSAGES: Final = (
    HEADER + b"plain\r\n",
    HEADER + b".\r\n..\r\n. \r\n.x\r\n",
    HEADER + b" \t\r\n\r\n\r\ntrailing \t\r\n\r\n",
    HEADER + "grün\r\n".encode() + bytes(range(128, 256)) + b"\r\n",
    HEADER + b"From me\r\n>From him\r\n" + b"x" * 996 + b"\r\n" + b"y" * 998 + b"\r\n",
    HEADER + (b"z" * 76 + b"\r\n") * 3_000,
)
"""What a server on the way could spoil."""


class PeerTestCase(RelayTestCase):
    """Relays to another server."""

    timeout = 120

    async def send_all(self, server: RunningServer, recipient: str) -> None:
        """Send all messages, and wait until they have left."""
        for message in MESSAGES:
            answer = await self.submit(server, (recipient,), message)
            self.assertEqual(answer[:3], "250")
        await self.emptied(server)

    def compare(self, arrived: list[bytes]) -> None:
        """All messages have arrived, octet for octet but for trace fields."""
        self.assertEqual(sorted(map(without_trace, arrived)), sorted(MESSAGES))


class PostfixTests(PeerTestCase):
    """Postfix, which wants TLS and has a limit of size."""

    skip = postfix.lacks() or None

    async def relay_to(self, **files: str) -> tuple[postfix.Postfix, RunningServer]:
        """
        A Postfix for far.example, and a server that relays to it.

        @param files: C{outbound_ini} and C{tls_ini}, if they are wanted.
        """
        self.authority = make_authority()
        certificate = self.authority.sign("localhost")
        peer = await deferToThread(
            postfix.start_postfix, "far.example", certificate, self.addCleanup
        )
        self.home = await self.sink()
        routes = {"client.example": self.home.where, "any": f"localhost:{peer.port}"}
        named = {
            f"config/{name.replace('_', '.')}": text for name, text in files.items()
        }
        return peer, self.relay(routes, named)

    async def test_messages(self) -> None:
        """Messages arrive as they were sent, encrypted by whoever the host is."""
        peer, server = await self.relay_to()
        await self.send_all(server, "bob@far.example")
        await until(lambda: len(peer.messages()) == len(MESSAGES))
        arrived = peer.messages()
        self.compare(arrived)
        for message in arrived:
            self.assertIn(b"using TLSv1.", trace(message), peer.log())
            self.assertIn(b"Return-Path: <alice@client.example>", message)

    async def test_size(self) -> None:
        """
        A message that is bigger than the SIZE that it offers is not even sent: the
        sender is told.
        """
        peer, server = await self.relay_to()
        message = HEADER + b"x" * 70 + b"\r\n" + b"y\r\n" * (postfix.MAX_OCTETS // 3)
        await self.submit(server, ("bob@far.example",), message)
        await self.emptied(server)
        (report,) = self.home.taken
        self.assertEqual(report.sender, "")
        self.assertIn(b"Status: 5.3.4\r\n", report.octets)
        self.assertEqual(peer.messages(), [])

    async def test_relay_denied(self) -> None:
        """Who is refused is told, in Postfix's words."""
        peer, server = await self.relay_to()
        await self.submit(server, ("carol@other.example",), MESSAGES[0])
        await self.emptied(server)
        (report,) = self.home.taken
        self.assertIn(b"Diagnostic-Code: smtp; 5", report.octets)
        self.assertIn(b"Relay access denied", report.octets)
        self.assertEqual(peer.messages(), [])

    async def test_verified(self) -> None:
        """
        With C{force_tls_hosts} a certificate that nobody vouches for keeps the message
        here, and one that C{ca} vouches for lets it go.
        """
        forced = "[outbound]\nforce_tls_hosts=localhost\n"
        peer, server = await self.relay_to(tls_ini=forced)
        await self.submit(server, ("bob@far.example",), MESSAGES[0])
        await self.leaves(server, 1)
        self.assertEqual(peer.messages(), [])
        server.write("config/ca.pem", self.authority.certificate.decode())
        server.write("config/tls.ini", f"{forced}ca=ca.pem\n")
        await self.log.wait_for("changed: ")
        await self.flush(server)
        await self.emptied(server)
        await until(peer.messages)


class DovecotTests(PeerTestCase):
    """Dovecot, by LMTP over a Unix socket."""

    skip = dovecot.lacks() or None

    ROUTE = '''
"""Mail for everybody goes to a socket."""

from harakatw.plugin import IGetMXHook, implementer, ok


@implementer(IGetMXHook)
class Route:
    def hook_get_mx(self, hmail, domain):
        return ok(value="lmtp:SOCKET") if domain == "far.example" else None
'''

    async def relay_to(self) -> tuple[dovecot.Dovecot, RunningServer]:
        """A Dovecot, and a server that delivers to it."""
        peer = await deferToThread(
            dovecot.start_dovecot, "bob carol", "broken", self.addCleanup
        )
        self.home = await self.sink()
        files = {
            "config/plugins": "route\nrelay\n",
            "plugins/route.py": self.ROUTE.replace("SOCKET", str(peer.socket)),
        }
        return peer, self.relay({"any": self.home.where}, files)

    async def test_messages(self) -> None:
        """Messages arrive as they were sent."""
        peer, server = await self.relay_to()
        await self.send_all(server, "bob@far.example")
        self.compare(peer.messages("bob"))

    async def test_each_by_itself(self) -> None:
        """
        After the message LMTP answers for each recipient (RFC 2033 section 4.2): who
        has it does not get it again, who is unknown is bounced, and for whom there is
        no room now waits alone.
        """
        peer, server = await self.relay_to()
        names = ("bob", "broken", "nobody", "carol")
        recipients = tuple(f"{name}@far.example" for name in names)
        await self.submit(server, recipients, MESSAGES[0])
        await self.leaves(server, 1)
        (item,) = await self.queued(server)
        self.assertEqual([each.address for each in item.recipients], [recipients[1]])
        (report,) = self.home.taken
        self.assertIn(b"Final-Recipient: rfc822; nobody@far.example", report.octets)
        self.assertNotIn(b"broken@far.example\r\nAction", report.octets)
        await deferToThread(peer.mend, "broken")
        await self.flush(server)
        await self.emptied(server)
        for user in ("bob", "carol", "broken"):
            (message,) = peer.messages(user)
            self.assertEqual(without_trace(message), MESSAGES[0])


class HarakaTests(PeerTestCase):
    """Haraka, with STARTTLS."""

    skip = haraka.lacks() or None

    async def test_messages(self) -> None:
        """Messages arrive as they were sent, encrypted."""
        certificate = make_authority().sign("localhost")
        peer = await deferToThread(
            haraka.start_haraka, "far.example", certificate, self.addCleanup
        )
        server = self.relay({"any": f"127.0.0.1:{peer.port}"})
        await self.send_all(server, "bob@far.example")
        self.compare(peer.messages())
        for message in peer.messages():
            self.assertIn(b"with ESMTPS", trace(message))
