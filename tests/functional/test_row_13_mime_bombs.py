"""Row 13 over the wire: MIME structures that are made to exhaust the server."""

from collections.abc import Iterable

from tests.functional.memory import NO_MEASURE, Growth
from tests.functional.server import RunningServer, ServerTestCase
from tests.functional.structure import LOOKING

MOST_GROWTH = 50 * 1024 * 1024
HEAD = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'


class MIMEBombTests(ServerTestCase):
    """Every bomb is taken or refused, memory stays bounded, and the server goes on."""

    async def bomb(self, pieces: Iterable[bytes]) -> tuple[str, RunningServer]:
        """Send one, measuring meanwhile; what is answered?"""
        server = self.start(LOOKING)
        await self.send_message(server)
        client = await self.in_data(server)
        growth = Growth()
        sending = [*pieces, b"\r\n.\r\n"]
        await client.pour(sending)
        answer = (await client.replies(1))[0]
        growth.look()
        if not NO_MEASURE:
            self.assertLess(growth.most, MOST_GROWTH)
        self.assertEqual((await self.send_message(server))[:3], "250")
        self.assertEqual(self.flushLoggedErrors(), [])
        return answer, server

    async def test_nested_messages(self) -> None:
        """Messages in messages, ten thousand deep: taken, not looked into."""
        one = b"Content-Type: message/rfc822\r\n\r\n"
        answer, server = await self.bomb([one * 1000] * 10)
        self.assertEqual(answer[:3], "250")
        self.assertEqual(len(server.delivered()), 3)

    async def test_nested_multiparts(self) -> None:
        """Multiparts in multiparts, ten thousand deep, none of them closed: taken."""
        pieces = (
            b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (at, at)
            for at in range(10_000)
        )
        answer, _ = await self.bomb([b"".join(pieces)])
        self.assertEqual(answer[:3], "250")

    async def test_many_parts(self) -> None:
        """A hundred thousand parts: refused."""
        answer, server = await self.bomb([HEAD, *[b"--b\r\n\r\nx\r\n" * 1000] * 100])
        self.assertEqual(answer[:9], "554 5.6.0")
        self.assertEqual(len(server.delivered()), 2)

    async def test_same_boundary(self) -> None:
        """Multiparts that have the boundary of the one that they are in: refused."""
        answer, _ = await self.bomb([HEAD, *[(b"--b\r\n" + HEAD) * 1000] * 20])
        self.assertEqual(answer[:9], "554 5.6.0")

    async def test_no_boundary(self) -> None:
        """An empty boundary, or none that ever comes: one part, delivered as it is."""
        for head in HEAD.replace(b'"b"', b'""'), HEAD:
            answer, _ = await self.bomb([head, *[b"--\r\n" * 10_000] * 10])
            self.assertEqual(answer[:3], "250")

    async def test_in_the_preamble(self) -> None:
        """What looks like a header before the first boundary is no part."""
        answer, server = await self.bomb(
            [HEAD, b"Content-Type: text/html\r\n\r\nhidden\r\n--b\r\n\r\nseen\r\n--b--"]
        )
        self.assertEqual(answer[:3], "250")
        (message,) = [each for each in server.delivered() if b"hidden" in each]
        self.assertIn(b"hidden\r\n--b\r\n\r\nseen\r\nThe banner\r\n\r\n--b--", message)
