"""Row 3 over the wire: the octets of BDAT are no commands, and commands no octets."""

from tests.abuse.inputs import ABSURD_CHUNKS, CHUNK_ENVELOPE, CHUNKS
from tests.functional.memory import NO_MEASURE, Growth
from tests.functional.server import ENVELOPE, ServerTestCase

MESSAGE = b"Subject: chunks\r\n\r\nHello\r\n.\r\n"
MEGAOCTETS = 60
MOST_GROWTH = 8_000_000


class ChunkTests(ServerTestCase):
    """A chunk ends where its size says, whatever is in it."""

    async def test_desync(self) -> None:
        """Each input gets its replies and no others, and the session goes on."""
        server = self.start()
        in_all = 0
        for which, octets, codes, taken in CHUNKS:
            client = await self.greeted(server)
            client.send(CHUNK_ENVELOPE[which] + octets + b"QUIT\r\n")
            envelope = [250, 550 if which else 250]
            self.assertEqual(await client.rest(), [*envelope, *codes, 221], octets)
            in_all += taken
            self.assertEqual(len(server.delivered()), in_all, octets)

    async def test_absurd(self) -> None:
        """A size that is none ends the session."""
        server = self.start()
        for command in ABSURD_CHUNKS:
            client = await self.greeted(server)
            client.send(CHUNK_ENVELOPE[0] + command + b"\r\nNOOP\r\n")
            self.assertEqual(await client.rest(), [250, 250, 501], command)
        self.assertEqual(server.delivered(), [])

    async def test_delivered(self) -> None:
        """A message in chunks lands in the Maildir as one with DATA does."""
        server = self.start()
        client = await self.greeted(server)
        client.say(*ENVELOPE)
        for octet in MESSAGE:
            client.send(b"BDAT 1\r\n%c" % octet)
        client.send(b"BDAT 0 LAST\r\n")
        self.assertEqual(
            await client.codes(len(MESSAGE) + 3), [250] * (len(MESSAGE) + 3)
        )
        (message,) = server.delivered()
        self.assertTrue(message.endswith(MESSAGE), message)

    async def test_binary(self) -> None:
        """BINARYMIME lands there octet by octet as it was sent."""
        octets = b"Content-Transfer-Encoding: binary\r\n\r\n" + bytes(range(256)) * 300
        server = self.start()
        client = await self.greeted(server)
        client.say(f"{ENVELOPE[0]} BODY=BINARYMIME", ENVELOPE[1])
        client.send(b"BDAT %d LAST\r\n%s" % (len(octets), octets))
        self.assertEqual(await client.codes(3), [250, 250, 250])
        (message,) = server.delivered()
        self.assertTrue(message.endswith(octets))

    async def test_too_big(self) -> None:
        """
        A chunk of 60 megaoctets where one is allowed is dropped as it comes, and
        refused at its end; the session goes on.
        """
        server = self.start({"config/connection.ini": "[max]\nbytes=1000000\n"})
        await self.send_message(server)  # so that what is loaded once is loaded
        client = await self.greeted(server)
        client.say(*ENVELOPE, f"BDAT {MEGAOCTETS * 1_000_000}")
        growth = Growth()
        await client.pour(
            growth.pieces(b"QUIT\r\n" * 16_666 + b"NOOP", MEGAOCTETS * 10)
        )
        growth.look()
        client.say("NOOP")
        self.assertEqual(await client.codes(4), [250, 250, 552, 250])
        if not NO_MEASURE:
            self.assertLess(growth.most, MOST_GROWTH)
