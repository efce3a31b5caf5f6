"""Row 33 over the wire: PROXY headers, of those who may send them and of others."""

import socket
import ssl
import time
from collections.abc import Callable, Iterable

from twisted.internet.threads import deferToThread

from harakatw.net.tls.self_signed import self_signed
from tests.functional.client import DEADLINE_SECONDS, Client
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


class EncryptedTests(ServerTestCase):
    """Headers in front of TLS."""

    def _server(self, how: str) -> RunningServer:
        pair = self_signed(["mx.here.example"], time.time())
        return self.start(
            {
                **BELIEVED,
                "config/plugins": "tls\nrcpt_to.in_host_list\nqueue/maildir\n",
                "config/listeners.ini": f"[127.0.0.1:0]\ntls={how}\n",
                "config/tls_key.pem": pair.key.decode(),
                "config/tls_cert.pem": pair.certificate.decode(),
            }
        )

    async def test_implicit(self) -> None:
        """
        Where TLS comes first, the header comes before it, alone or together with the
        beginning of the handshake; the session is the client's.
        """
        server = self._server("implicit")
        for apart in (True, False):
            said = await deferToThread(_encrypted_hello, server.port, TCP4, apart)
            self.assertIn(b"220 mx.here.example", said)
            self.assertIn(b"[198.51.100.7]", said)

    async def test_no_header(self) -> None:
        """Who begins with TLS and no header is turned away without a word in clear."""
        server = self._server("implicit")
        client = await self.connect(server)
        client.send(b"\x16\x03\x01\x00\x05hello")
        self.assertEqual(await client.rest(), [])

    async def test_starttls(self) -> None:
        """A header, then STARTTLS: both as ever."""
        client = await self.connect(self._server("starttls"))
        client.send(TCP4)
        self.assertEqual(await client.codes(1), [220])
        self.assertIn("STARTTLS", await client.ask("EHLO client.example"))
        self.assertEqual((await client.ask("STARTTLS"))[:3], "220")


def _encrypted_hello(port: int, header: bytes, apart: bool) -> bytes:
    """
    Say EHLO over TLS behind a header.

    @param apart: is the header sent by itself?
    """
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing, server_hostname="mx.here.example")
    with socket.create_connection(("127.0.0.1", port), DEADLINE_SECONDS) as connection:
        if apart:
            connection.sendall(header)
            header = b""

        def until(step: Callable[[], object]) -> object:
            nonlocal header
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    octets, header = header + outgoing.read(), b""
                    connection.sendall(octets)
                    incoming.write(connection.recv(65536))

        until(session.do_handshake)
        said = [until(session.read)]
        session.write(b"EHLO client.example\r\n")
        said.append(until(session.read))
    return b"".join(bytes(each) for each in said)  # type: ignore[call-overload]


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
