"""Row 19 over the wire: commands that take some parsers forever."""

from twisted.internet.defer import Deferred, gatherResults

from tests.abuse.inputs import SLOW_PATTERNS
from tests.functional.hurry import reactor
from tests.functional.server import ENVELOPE, RunningServer, ServerTestCase

MAX_SECONDS = 0.2
"""
For a command, there and back, on a loaded machine. Parsers with the fault take seconds
or years.
"""

MAX_OCTETS = 2046
"""The longest command line that is looked at, without its end."""


class SlowPatternTests(ServerTestCase):
    """One line must not stop the server for everybody."""

    async def test_commands(self) -> None:
        """Each is answered in no time: refused, but for VRFY, which says 252."""
        client = await self.greeted(self.start())
        await client.ask(ENVELOPE[0])
        for line in SLOW_PATTERNS:
            began = reactor.seconds()
            answer = await client.ask(line[:MAX_OCTETS])
            self.assertLess(reactor.seconds() - began, MAX_SECONDS, line[:40])
            self.assertEqual(answer[:3] == "252", line.startswith(b"VRFY"), line[:40])
            self.assertIn(answer[0], "25", line[:40])

    async def test_others(self) -> None:
        """While ten clients send all of them, another sends a message."""
        server = self.start()
        lines = [line[:MAX_OCTETS] for line in SLOW_PATTERNS]
        busy = [await self.greeted(server) for _ in range(10)]
        for client in busy:
            client.say(*lines * 5)
        answer = await self.timed(server)
        self.assertEqual(answer[:3], "250")
        heard = [
            Deferred.fromCoroutine(client.codes(5 * len(lines))) for client in busy
        ]
        for codes in await gatherResults(heard):
            self.assertEqual(len(codes), 5 * len(lines))

    async def timed(self, server: RunningServer) -> str:
        """Send a message within a moment."""
        began = reactor.seconds()
        answer = await self.send_message(server)
        self.assertLess(reactor.seconds() - began, 10 * MAX_SECONDS)
        return answer

    async def test_received(self) -> None:
        """A trace field with ten thousand blanks costs nothing."""
        client = await self.in_data(self.start())
        field = b"Received: from a" + b" " * 10_000 + b"by b" + b" (" * 10_000
        began = reactor.seconds()
        answer = await client.ask(field, "", "x", ".")
        self.assertLess(reactor.seconds() - began, MAX_SECONDS)
        self.assertEqual(answer[:3], "250")
