"""Row 19 over the wire: commands that take some parsers forever."""

from collections.abc import Callable

from twisted.internet.defer import Deferred, gatherResults

from tests.abuse.inputs import SLOW_PATTERNS
from tests.functional.hurry import reactor
from tests.functional.relaying import RelayTestCase, until
from tests.functional.server import ENVELOPE, RunningServer, ServerTestCase

MAX_SECONDS = 0.2
"""
For a command, there and back, on a loaded machine. Parsers with the fault take seconds
or years.
"""

MAX_OCTETS = 2046
"""The longest command line that is looked at, without its end."""


LONG = (
    (b"RCPT TO:<", b'"', b"@here.example>"),
    (b"RCPT TO:<", b'\\"', b"@here.example>"),
    (b'RCPT TO:<"', b"\\\\", b'"@here.example>'),
    (b"RCPT TO:<", b"a.", b"@here.example>"),
    (b"RCPT TO:<b@", b"a.", b"example>"),
    (b"RCPT TO:<b@", b"a-", b".example>"),
    (b"RCPT TO:<", b"@a,", b"@a:b@here.example>"),
    (b"RCPT TO:<b@here.example", b" ", b">"),
    (b"RCPT TO:<b@here.example> ", b"A=B ", b"C"),
    (b"RCPT TO:<b@here.example> ORCPT=rfc822;", b"+41", b"+"),
    (b"RCPT TO:<", "ü".encode(), b"@here.example>"),
    (b"EHLO ", b"a ", b"\0"),
)
"""The beginning, the middle that is repeated, and the end of a command."""


REFUSALS = (
    b"550 " + b"5.1.1 " * 10_900,
    b"550 " + b" " * 65_000 + b"x",
    b"550 " + b"(" * 65_000,
    b"550 " + b"5." * 32_000,
    b"550-a\r\n" * 500 + b"550 5.1.1 a",
    (b"550-" + b"5.1.1 @<" * 16 + b"\r\n") * 480 + b"550 no",
)
"""What a host refuses a recipient with."""


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

    async def test_longest(self) -> None:
        """
        The same in 64 KB each, where so long a command is allowed: still refused, and
        in no time.
        """
        limit = 65536
        server = self.start({"config/connection.ini": f"[max]\nline_length={limit}\n"})
        client = await self.greeted(server)
        await client.ask(ENVELOPE[0])
        for start, unit, end in LONG:
            middle = unit * ((limit - len(start + end) - 2) // len(unit))
            began = reactor.seconds()
            answer = await client.ask(start + middle + end)
            self.assertLess(reactor.seconds() - began, MAX_SECONDS, (start, unit))
            self.assertEqual(answer[0], "5", (start, unit))
        self.assertEqual((await client.ask("NOOP"))[:3], "250")

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


def refuse_with(reply: bytes) -> Callable[[bytes], bytes | None]:
    """What a host answers that refuses every recipient."""
    return lambda line: reply if line[:4] == b"RCPT" else None


class SlowRefusalTests(RelayTestCase):
    """What another host says is read by those who judge a failure, and no slower."""

    async def test_refusal(self) -> None:
        """Replies of 64 KB in one line, or in many, become reports in no time."""
        home, far = await self.sink(), await self.sink()
        server = self.relay({"client.example": home.where, "any": far.where})

        async def home_has(count: int) -> None:
            await until(lambda: len(home.taken) >= count)

        for reply in REFUSALS:
            far.object_to = refuse_with(reply)
            began, reports = reactor.seconds(), len(home.taken)
            await self.submit(server, ("u@far.example",), b"Subject: x\r\n\r\nx\r\n")
            await home_has(reports + 1)
            self.assertLess(reactor.seconds() - began, 10 * MAX_SECONDS, reply[:20])
        self.assertEqual({taken.sender for taken in home.taken}, {""})
