"""Row 37 over the wire: hosts that misbehave when they are given mail."""

from collections.abc import Callable

from tests.functional.hurry import HurriedReactor, reactor
from tests.functional.relaying import RelayTestCase, Sink
from tests.functional.server import RunningServer
from tests.functional.sink import HANG_UP, Taken

MESSAGE = b"Subject: x\r\n\r\nHello, Bob.\r\n"
BOB, CAROL = "bob@far.example", "carol@far.example"


def on(verb: bytes, said: bytes) -> Callable[[bytes], bytes | None]:
    """Answers one command in its own way."""
    return lambda line: said if line.upper().startswith(verb) else None


class HostilePeerTests(RelayTestCase):
    """What it says is bounded, and mail is neither lost nor sent twice."""

    def setUp(self) -> None:
        """Each message has a connection of its own, where nothing else is said."""
        super().setUp()
        self.ini = "connection_idle=0\n"

    async def start_relay(self, clock: HurriedReactor | None = None) -> RunningServer:
        """A server, a host that misbehaves, and where reports arrive."""
        self.far, self.home = await self.sink(), await self.sink()
        routes = {"client.example": self.home.where, "any": self.far.where}
        files = {"config/outbound.ini": self.ini}
        return self.relay(routes, files, clock or reactor)

    async def waits(self, server: RunningServer, text: str) -> None:
        """A message waits for its next attempt because of this."""
        await self.leaves(server, 1)
        (item,) = await self.queued(server)
        self.assertIn(text, item.last_error)

    async def becomes_good(self, server: RunningServer, *recipients: str) -> None:
        """Once the host behaves, the message arrives, once, and nobody is told."""
        fresh = Sink()
        self.far.greeting, self.far.object_to = fresh.greeting, fresh.object_to
        self.far.take = fresh.take
        await self.flush(server)
        await self.emptied(server)
        self.assertEqual(self.far.recipients(), sorted(recipients))
        self.assertEqual(self.home.taken, [])

    async def test_greeting(self) -> None:
        """A greeting of ten thousand lines, or of one that has a million octets."""
        server = await self.start_relay()
        for said in (b"220-x\r\n" * 10_000 + b"220 x\r\n", b"220 " + b"x" * 1_000_000):
            self.far.greeting = said
            await self.submit(server, (BOB,), MESSAGE)
            await self.waits(server, "451 4.")
            self.far.taken.clear()
            await self.becomes_good(server, BOB)

    async def test_replies(self) -> None:
        """Replies that are none, mix codes, or do not end within a million octets."""
        server = await self.start_relay()
        for verb in (b"EHLO", b"MAIL", b"RCPT"):
            for said in (b"250-x\r\n550 y", b"250 " + b"x" * 1_000_000, b"hello"):
                self.far.object_to = on(verb, said)
                self.far.taken.clear()
                await self.submit(server, (BOB,), MESSAGE)
                await self.waits(server, "451 4.")
                await self.becomes_good(server, BOB)

    async def test_no_end(self) -> None:
        """
        A reply that never ends is waited for as long as RFC 5321 section 4.5.3.2 says,
        five minutes for MAIL, and no longer.
        """
        self.ini = "temp_fail_intervals=1d\n"
        server = await self.start_relay(HurriedReactor(150.0))
        self.far.offers = ()  # it wants to be told one thing at a time
        self.far.object_to = on(b"MAIL", b"250-wait")
        await self.submit(server, (BOB,), MESSAGE)
        await self.waits(server, "took too long")

    async def test_all_refused(self) -> None:
        """A host that refuses everybody and still asks for the message has none."""
        server = await self.start_relay()

        def object_to(line: bytes) -> bytes | None:
            if line.startswith(b"RCPT"):
                return b"550 5.1.1 who"
            answers = {b"DATA": b"354 go on", b".": b"250 2.0.0 taken"}
            return answers.get(line)

        self.far.object_to = object_to
        await self.submit(server, (BOB,), MESSAGE)
        await self.emptied(server)
        self.assertNotIn(b"Hello, Bob.", self.far.heard)
        (report,) = self.home.taken
        self.assertIn(b"\r\nStatus: 5.1.1\r\n", report.octets)

    async def test_hangs_up(self) -> None:
        """A host that closes the connection at any command."""
        server = await self.start_relay()
        for verb in (b"EHLO", b"MAIL", b"RCPT", b"DATA"):
            self.far.object_to = on(verb, HANG_UP)
            self.far.taken.clear()
            await self.submit(server, (BOB, CAROL), MESSAGE)
            await self.waits(server, "451 4.4.2")
            await self.becomes_good(server, BOB, CAROL)

    async def test_after_rcpt(self) -> None:
        """A host that says yes to a recipient and closes: nobody counts as served."""
        server = await self.start_relay()
        self.far.object_to = on(b"RCPT", b"250 2.1.5 ok\r\n" + HANG_UP)
        await self.submit(server, (BOB,), MESSAGE)
        await self.waits(server, "451 4.4.2")
        await self.becomes_good(server, BOB)

    async def test_after_the_dot(self) -> None:
        """
        A host that closes when it has the message: it is tried again after the usual
        time, and what the host has taken is seen twice at the most.
        """
        server = await self.start_relay()
        heard: list[Taken] = []

        def take(taken: Taken) -> bytes:
            heard.append(taken)
            return HANG_UP if len(heard) == 1 else b"250 2.0.0 ok"

        self.far.take = take
        await self.submit(server, (BOB,), MESSAGE)
        await self.waits(server, "451 4.4.2")
        await self.flush(server)
        await self.emptied(server)
        self.assertEqual(len(heard), 2)
        self.assertEqual(self.home.taken, [])

    async def test_idle(self) -> None:
        """
        A host that closes connections that wait for the next message: that message is
        delivered, over another.
        """
        self.ini = ""
        server = await self.start_relay()
        self.far.take = lambda taken: b"250 2.0.0 ok\r\n" + HANG_UP
        for number in range(20):
            await self.submit(server, (f"{number}@far.example",), MESSAGE)
        await self.emptied(server)
        self.assertEqual(len(self.far.taken), 20)
        self.assertEqual(self.home.taken, [])

    async def test_two_answers(self) -> None:
        """A second answer to a message is not taken for one to the next message."""
        self.ini = ""
        server = await self.start_relay()
        self.far.take = lambda taken: b"250 2.0.0 ok\r\n550 5.7.1 no"
        for recipient in (BOB, CAROL):
            await self.submit(server, (recipient,), MESSAGE)
            await self.emptied(server)
        self.assertEqual(self.far.recipients(), [BOB, CAROL])
        self.assertEqual(self.home.taken, [])
