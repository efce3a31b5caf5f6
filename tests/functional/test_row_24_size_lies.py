"""Row 24 over the wire: sizes that are not what they say."""

from tests.abuse.inputs import SIZES
from tests.functional.memory import NO_MEASURE, Growth
from tests.functional.server import ENVELOPE, ServerTestCase

LINE = b"a" * 998 + b"\r\n"
MEGAOCTETS = 60
MOST_GROWTH = 8_000_000


class SizeTests(ServerTestCase):
    """What SIZE says is a hint, and may be nonsense."""

    async def test_declared(self) -> None:
        """Each is answered as RFC 1870 section 6.1 says, and opens no transaction."""
        client = await self.greeted(self.start())
        for parameter, code in SIZES:
            client.say(b"MAIL FROM:<a@client.example> " + parameter, ENVELOPE[1])
            self.assertEqual(await client.codes(2), [code, 503], parameter)

    async def test_announced(self) -> None:
        """EHLO says what fits; a client that believes it is refused before it sends."""
        server = self.start({"config/connection.ini": "[max]\nbytes=1000000\n"})
        client = await self.connect(server)
        await client.replies(1)
        hello = await client.ask("EHLO client.example")
        self.assertIn("SIZE 1000000", [line[4:] for line in hello.split("\n")])
        for size, code in ((1_000_000, 250), (1_000_001, 552)):
            await client.ask("RSET")
            answer = await client.ask(f"MAIL FROM:<a@client.example> SIZE={size}")
            self.assertEqual(int(answer[:3]), code, size)

    async def test_lie(self) -> None:
        """
        SIZE=1 and then 60 megaoctets where one is allowed: read, dropped as they come,
        and refused; the session goes on.
        """
        limits = "spool_after=-1\n[max]\nbytes=1000000\n"
        server = self.start({"config/connection.ini": limits})
        await self.send_message(server)  # so that what is loaded once is loaded
        client = await self.in_data(server, f"{ENVELOPE[0]} SIZE=1", ENVELOPE[1])
        growth = Growth()
        await client.pour(growth.pieces(LINE * 100, MEGAOCTETS * 10))
        growth.look()
        client.say(".", "NOOP")
        self.assertEqual(await client.codes(2), [552, 250])
        if not NO_MEASURE:
            self.assertLess(growth.most, MOST_GROWTH)
        self.assertEqual(len(server.delivered()), 1)
        self.assertEqual((await self.send_message(server))[:3], "250")
