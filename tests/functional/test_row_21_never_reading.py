"""Row 21 over the wire: a client that sends commands for ever, and never reads."""

import socket

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from tests.functional.memory import NO_MEASURE, resident_octets
from tests.functional.server import RunningServer, ServerTestCase

STALLED_SECONDS = 1.0
"""After so long without taking an octet, the server has stopped reading."""

GROUP = 5_000
"""Commands sent in one go."""

TOO_MANY_OCTETS = 100_000_000
"""What no socket buffer holds."""

MOST_IN_BUFFERS = 20_000_000
"""What the kernel may have taken on both sides, on the word of its own settings."""

MOST_GROWTH = 8_000_000


class NeverReadingTests(ServerTestCase):
    """The server must not keep for it what it does not read."""

    def setUp(self) -> None:
        """Make a socket whose buffers for replies are small."""
        super().setUp()
        self.socket = socket.socket()
        self.addCleanup(self.socket.close)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(STALLED_SECONDS)

    def flood(self, port: int, command: bytes) -> int:
        """Send a command until nobody takes it; in a thread. Returns octets sent."""
        self.socket.connect(("127.0.0.1", port))
        sent = 0
        rest = group = command * GROUP
        while sent < TOO_MANY_OCTETS:
            try:
                count = self.socket.send(rest)
            except TimeoutError:
                break
            sent += count
            rest = rest[count:] or group
        return sent

    def read_all(self, count: int) -> list[bytes]:
        """Read so many replies; in a thread. Returns the code of each."""
        codes: list[bytes] = []
        with self.socket.makefile("rb") as lines:
            while len(codes) < count:
                line = lines.readline()
                if line[3:4] == b" ":
                    codes.append(line[:3])
        return codes

    async def check(self, command: bytes) -> None:
        """Flood a server with a command."""
        server = self.start()
        await self.send_message(server)  # so that what is loaded once is loaded
        before = resident_octets() if not NO_MEASURE else 0
        flood = deferToThread(self.flood, server.port, command)
        await self.served_meanwhile(server, flood)
        sent = await flood
        self.assertLess(sent, MOST_IN_BUFFERS)
        if not NO_MEASURE:
            self.assertLess(resident_octets() - before, MOST_GROWTH)
        codes = await deferToThread(self.read_all, 1 + sent // len(command))
        self.assertEqual(codes[0], b"220")
        self.assertEqual(set(codes[1:]), {b"250"})

    async def test_flood(self) -> None:
        """
        It is read only as far as the sockets' buffers reach, memory stays flat, others
        are served meanwhile; when it reads at last it finds a reply to each command.
        """
        await self.check(b"NOOP\r\n")

    async def test_long_replies(self) -> None:
        """The same with EHLO, to which the reply is ten times as long as it is."""
        await self.check(b"EHLO client.example\r\n")

    async def served_meanwhile(
        self, server: RunningServer, flood: "Deferred[int]"
    ) -> None:
        """Send messages while the flood lasts."""
        count = 0
        while not flood.called and count < 50:
            answer = await self.send_message(server)
            self.assertEqual(answer[:3], "250")
            count += 1
        self.assertGreater(count, 1)
