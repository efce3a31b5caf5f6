"""Row 22 over the wire: lines without an end."""

from tests.functional.memory import NO_MEASURE, Growth
from tests.functional.server import RunningServer, ServerTestCase

PIECE = 65_536
MEBIOCTET = 16
"""In pieces."""

MOST_GROWTH = 8 * 1024 * 1024


class LongLineTests(ServerTestCase):
    """Memory does not grow with a line."""

    if NO_MEASURE:
        skip = NO_MEASURE

    async def warm(self, server: RunningServer) -> None:
        """Send a message, so that what is loaded once is loaded."""
        self.assertEqual((await self.send_message(server))[:3], "250")

    async def test_command(self) -> None:
        """
        A command of 20 mebioctets, be it of letters or of CR, is dropped as it comes
        and answered once: 500.
        """
        server = self.start()
        await self.warm(server)
        for octet in (b"a", b"\r"):
            client = await self.greeted(server)
            growth = Growth()
            await client.pour(growth.pieces(octet * PIECE, 20 * MEBIOCTET))
            growth.look()
            self.assertLess(growth.most, MOST_GROWTH)
            client.send(b"\r\nNOOP\r\n")
            self.assertEqual(await client.codes(2), [500, 250])

    async def test_message_line(self) -> None:
        """
        A line of 20 mebioctets in a message is within the size allowed: it is taken,
        and lands in the Maildir as it was, by way of a file.
        """
        server = self.start({"config/connection.ini": "spool_after=262144\n"})
        await self.warm(server)
        (first,) = server.delivered()
        client = await self.in_data(server)
        growth = Growth()
        client.send(b"Subject: long\r\n\r\n")
        await client.pour(growth.pieces(b"a" * PIECE, 20 * MEBIOCTET))
        client.send(b"\r\n.\r\n")
        self.assertEqual(await client.codes(1), [250])
        growth.look()
        self.assertLess(growth.most, MOST_GROWTH)
        (message,) = [each for each in server.delivered() if each != first]
        head, _, body = message.partition(b"\r\n\r\n")
        self.assertTrue(head.endswith(b"Subject: long"))
        self.assertTrue(body == b"a" * (20 * MEBIOCTET * PIECE) + b"\r\n")

    async def test_too_big(self) -> None:
        """
        A line of 50 mebioctets, beyond the size allowed, is read, dropped and refused;
        nothing of it goes to a file.
        """
        limits = "spool_after=-1\n[max]\nbytes=1M\n"
        server = self.start({"config/connection.ini": limits})
        await self.warm(server)
        client = await self.in_data(server)
        growth = Growth()
        await client.pour(growth.pieces(b"a" * PIECE, 50 * MEBIOCTET))
        client.send(b"\r\n.\r\n")
        self.assertEqual(await client.codes(1), [552])
        growth.look()
        self.assertLess(growth.most, MOST_GROWTH)
        self.assertEqual(len(server.delivered()), 1)

    async def test_only_cr(self) -> None:
        """A message of a mebioctet of CR is refused for its bare CR."""
        client = await self.in_data(self.start())
        await client.pour([b"\r" * PIECE] * MEBIOCTET)
        client.send(b"\r\n.\r\n")
        self.assertEqual((await client.replies(1))[0][:9], "554 5.6.0")

    async def test_only_lf(self) -> None:
        """A flood of LF alone is a flood of errors, and these end the session."""
        client = await self.connect(self.start())
        client.send(b"\n" * PIECE)
        self.assertEqual(await client.rest(), [220, *[500] * 100, 421])
