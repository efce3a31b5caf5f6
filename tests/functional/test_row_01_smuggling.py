"""Row 1 over the wire: a second message hidden in the first (CVE-2023-51764)."""

from tests.abuse.inputs import FALSE_ENDS, SMUGGLED
from tests.functional.server import Reads, RunningServer, ServerTestCase

BEFORE = b"Subject: harmless\r\n\r\nhello"
END = b".\r\nQUIT\r\n"


def code_of(end: bytes) -> int:
    """What is answered to a message with such a false end."""
    alone = end.replace(b"\r\n", b"")
    return 554 if b"\r" in alone or b"\n" in alone else 250


class SmugglingTests(ServerTestCase):
    """Only CRLF, dot, CRLF ends a message (RFC 5321 section 4.1.1.4)."""

    async def check(
        self, server: RunningServer, pieces: tuple[bytes, ...], code: int
    ) -> None:
        """
        Send a message in pieces that arrive one by one: one reply, to one message.
        """
        reads = Reads()
        reads.tap(server.service)
        client = await self.in_data(server)
        done = sum(reads.sizes)
        for piece in pieces:
            client.send(piece)
            done += len(piece)
            await reads.reach(done)
        self.assertEqual(await client.rest(), [code, 221], pieces)

    def check_maildir(self, server: RunningServer, count: int) -> None:
        """So many messages came, none of them the smuggled one."""
        messages = server.delivered()
        self.assertEqual(len(messages), count)
        for message in messages:
            self.assertTrue(message.startswith(b"Return-Path: <a@client.example>\r\n"))
            self.assertIn(BEFORE, message)

    async def test_one_segment(self) -> None:
        """Sent in one go, each gets one reply, and there is no second message."""
        server = self.start()
        for end in FALSE_ENDS:
            stream = BEFORE + end + SMUGGLED + END
            await self.check(server, (stream,), code_of(end))
        self.check_maildir(server, sum(code_of(end) == 250 for end in FALSE_ENDS))

    async def test_cut_anywhere(self) -> None:
        """The same, wherever around the false end and the true one the network cuts."""
        server = self.start()
        count = 0
        for end in FALSE_ENDS:
            stream = BEFORE + end + SMUGGLED + END
            first, last = len(BEFORE) - 1, len(BEFORE + end) + 2
            true_end = len(stream) - len(END)
            for cut in (*range(first, last), *range(true_end - 1, true_end + 4)):
                await self.check(server, (stream[:cut], stream[cut:]), code_of(end))
                count += code_of(end) == 250
        self.check_maildir(server, count)

    async def test_octet_by_octet(self) -> None:
        """The same, when every octet comes alone."""
        server = self.start()
        for end in FALSE_ENDS:
            stream = BEFORE + end + SMUGGLED + END
            octets = tuple(stream[at : at + 1] for at in range(len(stream)))
            await self.check(server, octets, code_of(end))

    async def test_normalised(self) -> None:
        """
        Where bare line ends are repaired, the rest arrives as text of the one message,
        in which every line ends in CRLF.
        """
        server = self.start({"config/connection.ini": "bare_newline=normalise\n"})
        for end in FALSE_ENDS:
            await self.check(server, (BEFORE + end + SMUGGLED + END,), 250)
        self.check_maildir(server, len(FALSE_ENDS))
        for message in server.delivered():
            self.assertIn(b"Subject: smuggled\r\n", message)
            rest = message.replace(b"\r\n", b"")
            self.assertNotIn(b"\r", rest)
            self.assertNotIn(b"\n", rest)

    async def test_true_end(self) -> None:
        """What follows the true end is commands, as pipelining allows."""
        server = self.start()
        client = await self.in_data(server)
        client.send(BEFORE + b"\r\n.\r\n" + SMUGGLED[: SMUGGLED.index(b"DATA")])
        self.assertEqual(await client.codes(3), [250, 250, 250])
