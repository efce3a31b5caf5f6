"""Row 21 over the wire, encrypted: a client that sends for ever, and never reads."""

import socket
import ssl

from twisted.internet.threads import deferToThread

from tests.functional.memory import NO_MEASURE, resident_octets
from tests.functional.test_row_21_never_reading import (
    GROUP,
    MOST_GROWTH,
    MOST_IN_BUFFERS,
    STALLED_SECONDS,
    TOO_MANY_OCTETS,
)
from tests.functional.tls_server import TLSTestCase, any_certificate


class NeverReadingTests(TLSTestCase):
    """What holds for sessions in clear holds for encrypted ones."""

    def encrypted(self, port: int) -> ssl.SSLSocket:
        """A client after STARTTLS, whose buffer for replies is small; in a thread."""
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(10)
        client.connect(("127.0.0.1", port))
        for line in (b"", b"EHLO client.example\r\n", b"STARTTLS\r\n"):
            client.sendall(line)
            heard = b""
            while not heard.endswith(b"\n") or heard.splitlines()[-1][3:4] != b" ":
                heard += client.recv(4096)
        return any_certificate().wrap_socket(client)

    def flood(self, port: int) -> int:
        """Send until nobody takes it; in a thread. Returns octets sent."""
        sent, group = 0, b"EHLO client.example\r\n" * GROUP
        with self.encrypted(port) as client:
            client.settimeout(STALLED_SECONDS)
            try:
                while sent < TOO_MANY_OCTETS:
                    sent += client.send(group)
            except TimeoutError:
                pass
        return sent

    async def test_flood(self) -> None:
        """It is read only as far as buffers reach, memory stays flat, others go on."""
        server = self.start_tls_server()
        (await deferToThread(self.encrypted, server.port)).close()
        before = resident_octets() if not NO_MEASURE else 0
        flood = deferToThread(self.flood, server.port)
        self.assertEqual((await self.send_message(server))[:3], "250")
        self.assertLess(await flood, MOST_IN_BUFFERS)
        if not NO_MEASURE:
            self.assertLess(resident_octets() - before, 2 * MOST_GROWTH)
