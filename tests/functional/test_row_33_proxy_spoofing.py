"""Row 33 over the wire: PROXY headers, of those who may send them and of others."""

from collections.abc import Iterable

from tests.functional.client import Client
from tests.functional.hurry import HurriedReactor
from tests.functional.server import ENVELOPE, RunningServer, ServerTestCase
from tests.proxy_headers import LOCAL, TCP4, UNKNOWN, binary, value, with_checksum

BELIEVED = {"config/connection.ini": "[haproxy]\nhosts[]=127.0.0.0/8\n"}
PLUGINS = "xclient\nrelay\nrcpt_to.in_host_list\nqueue/maildir\n"
FACTOR = 60.0
"""How much faster than ours the time of a server passes."""

FORGED = b"PROXY TCP4 127.0.0.1 127.0.0.1 1 25\r\n"


class ProxySpoofingTests(ServerTestCase):
    """Nobody becomes somebody else who may not."""

    async def _deliver(self, client: Client) -> None:
        await client.ask("EHLO client.example")
        client.say(*ENVELOPE, "DATA")
        self.assertEqual(await client.codes(3), [250, 250, 354])
        self.assertEqual((await client.ask("Subject: x", "", "x", "."))[:3], "250")

    async def _through(self, server: RunningServer, pieces: Iterable[bytes]) -> Client:
        client = await self.connect(server)
        for octets in pieces:
            client.send(octets)
        self.assertEqual(await client.codes(1), [220])
        return client

    async def test_untrusted(self) -> None:
        """
        A header of somebody who is not on the list is a bad command: the message that
        comes behind it is the sender's own.
        """
        server = self.start({"config/connection.ini": "[haproxy]\nhosts[]=192.0.2.1\n"})
        for header, errors in ((TCP4, 1), (FORGED, 1), (binary() + b"\r\n", 5)):
            client = await self.connect(server)
            self.assertEqual(await client.codes(1), [220])
            client.send(header)
            self.assertEqual(await client.codes(errors), [500] * errors, header)
            await self._deliver(client)
        for message in server.delivered():
            self.assertIn(b"from client.example (localhost [127.0.0.1])", message)

    async def test_split(self) -> None:
        """Octet by octet, and with what follows in the same piece."""
        server = self.start(BELIEVED)
        for header in (TCP4, binary(), with_checksum(value(2, b"mx.example"))):
            pieces = [bytes((octet,)) for octet in header]
            for way in (pieces, (header,)):
                await self._deliver(await self._through(server, way))
        messages = server.delivered()
        self.assertEqual(len(messages), 6)
        for message in messages:
            self.assertIn(b"[198.51.100.7]", message.partition(b"\tby")[0])

    async def test_longest(self) -> None:
        """A header of 65,535 octets behind its head, full of values, is read."""
        padding = b"".join(value(0xE0, bytes(300)) for _ in range(216))
        left = 65535 - 12 - len(padding) - 3
        header = binary(padding, value(4, bytes(left)))
        self.assertEqual(len(header), 16 + 65535)
        client = await self._through(self.start(BELIEVED), (header,))
        self.assertIn("[198.51.100.7]", await client.ask("EHLO client.example"))

    async def test_nobody(self) -> None:
        """LOCAL and UNKNOWN are the proxy itself, whatever addresses they carry."""
        server = self.start(BELIEVED)
        local = bytearray(binary())
        local[12] = 0x20
        for header in (LOCAL, UNKNOWN, bytes(local), b"PROXY UNKNOWN ::1 ::1 1 2\r\n"):
            client = await self._through(server, (header,))
            self.assertIn("[127.0.0.1]", await client.ask("EHLO client.example"))

    async def test_second(self) -> None:
        """A second header changes nothing."""
        client = await self._through(self.start(BELIEVED), (TCP4 + FORGED,))
        self.assertEqual(await client.codes(1), [500])
        self.assertIn("[198.51.100.7]", await client.ask("EHLO client.example"))

    async def test_broken(self) -> None:
        """A header that says nothing clear ends the connection; others go on."""
        server = self.start(BELIEVED)
        damaged = bytearray(with_checksum())
        damaged[17] ^= 1
        for header in (b"EHLO client.example\r\n", bytes(damaged), b"PROXY TCP4\r\n"):
            client = await self.connect(server)
            client.send(header)
            self.assertEqual(await client.rest(), [421], header)
        await self._through(server, (TCP4,))


class XclientSpoofingTests(ServerTestCase):
    """The same by XCLIENT and XFORWARD."""

    async def test_untrusted(self) -> None:
        """
        Who is on no list is told nothing of these commands, is refused, and does not
        get to relay by them.
        """
        server = self.start(
            {
                "config/plugins": PLUGINS,
                "config/relay_acl_allow": "198.51.100.7\n",
                "config/xclient.hosts": "192.0.2.1\n",
            }
        )
        client = await self.greeted(server)
        self.assertNotIn("XCLIENT", await client.ask("EHLO client.example"))
        client.say("XCLIENT ADDR=198.51.100.7 LOGIN=root", "XFORWARD ADDR=198.51.100.7")
        self.assertEqual(await client.codes(2), [550, 550])
        client.say(ENVELOPE[0], "RCPT TO:<x@elsewhere.example>")
        self.assertEqual(await client.codes(2), [250, 550])

    async def test_trusted(self) -> None:
        """Who is on the list becomes the client, and gets what that one may."""
        server = self.start(
            {
                "config/plugins": PLUGINS,
                "config/relay_acl_allow": "198.51.100.7\n",
                "config/xclient.hosts": "127.0.0.1\n",
            }
        )
        client = await self.greeted(server)
        for address, code in (("198.51.100.7", 250), ("198.51.100.8", 550)):
            client.say(f"XCLIENT ADDR={address}", "EHLO a.example", ENVELOPE[0])
            self.assertEqual(await client.codes(3), [220, 250, 250])
            client.say("RCPT TO:<x@elsewhere.example>", "RSET")
            self.assertEqual(await client.codes(2), [code, 250])


class SlowProxyTests(ServerTestCase):
    """Row 20 before the PROXY header."""

    async def test_slow(self) -> None:
        """
        Who takes longer than half a minute for the header is told to go; nobody else
        has to wait for it.
        """
        server = self.start(BELIEVED, HurriedReactor(FACTOR))
        slow = await self.connect(server)
        slow.send(b"PROXY TCP4 198.51")
        await self._greeted_through(server)
        self.assertEqual(await slow.rest(), [421])

    async def _greeted_through(self, server: RunningServer) -> None:
        client = await self.connect(server)
        client.send(TCP4)
        self.assertEqual(await client.codes(1), [220])
