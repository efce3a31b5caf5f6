"""
Row 2: a second message hidden in one that leaves.

Whatever comes in, by whatever way, what goes out has no line end but CRLF, and CRLF,
dot, CRLF but once, at its end (RFC 5321 section 2.3.8 and section 4.5.2).
"""

from harakatw.config.connection import ConnectionOptions
from harakatw.interfaces.queue import NewItem, QueuedMessage, QueuedRecipient
from tests.abuse.inputs import FALSE_ENDS, SMUGGLED
from tests.outbound.hosts import Host
from tests.outbound.post_office import ALICE, BOB, PostOffice
from tests.outbound.submission import EngineTestCase

BEFORE = b"Subject: harmless\r\n\r\nhello"
PIECES = (65_536, 131_072, 262_144)
"""Octets that are read from a file or written at a time."""


class OutboundSmugglingTests(EngineTestCase):
    """Mail with a false end and commands behind it is sent on."""

    def check(self, host: Host, why: object) -> bytes:
        """
        The host has got one message, and nothing that it could take for two.

        @return: the message as it was sent.
        """
        (taken,) = host.taken
        self.assertEqual((taken.sender, taken.recipients), (ALICE, (BOB,)), why)
        (heard,) = map(bytes, host.heard)
        rest = heard.replace(b"\r\n", b"")
        self.assertNotIn(b"\r", rest, why)
        self.assertNotIn(b"\n", rest, why)
        _, _, message = heard.partition(b"DATA\r\n")
        self.assertEqual(message.count(b"\r\n.\r\n"), 1, why)
        self.assertTrue(message.endswith(b"\r\n.\r\n"), why)
        self.assertIn(b"Subject: smuggled", message, why)
        return message

    def test_plugins(self) -> None:
        """Mail of plugins, as a whole and cut anywhere around the false end."""
        for end in FALSE_ENDS:
            whole = BEFORE + end + SMUGGLED
            first, last = len(BEFORE) - 2, len(BEFORE + end) + 3
            expected = None
            for cut in (0, *range(first, last)):
                post = self.office()
                contents = (whole[:cut], whole[cut:])
                self.successResultOf(post.engine.send_email(ALICE, BOB, contents))
                post.run(1)
                message = self.check(post.first, (end, cut))
                _, _, body = message.partition(b"\r\n\r\n")
                self.assertEqual(body, expected or body, (end, cut))
                expected = body

    def test_sessions(self) -> None:
        """Mail of clients, where bare line ends are repaired instead of refused."""
        limits = ConnectionOptions(bare_newline="normalise")
        for end in FALSE_ENDS:
            self.start(limits=limits)
            said = self.submit(octets=BEFORE + end + SMUGGLED)
            self.assertIn("250 2.0.0", said, end)
            self.post.run(1)
            self.check(self.post.first, end)

    def test_queue(self) -> None:
        """
        A message that lies in the queue with bare line ends, however it came there:
        what is sent is put right all the same, from memory and from a file.
        """
        for end in FALSE_ENDS:
            for is_in_memory in (True, False):
                post = self.office()
                body = BEFORE + end + SMUGGLED
                self.put(post, body, is_in_memory)
                self.check(post.first, (end, is_in_memory))

    def test_pieces(self) -> None:
        """So it is where the false end lies across two pieces of a large message."""
        for end in FALSE_ENDS:
            for size in PIECES:
                for back in range(len(end) + 1):
                    filler = b"x" * 98 + b"\r\n"
                    before = BEFORE + b"\r\n" + filler * (size // 100)
                    before = before[: size - back - 1] + b"y"
                    post = self.office()
                    self.put(post, before + end + SMUGGLED, False, size)
                    self.check(post.first, (end, size, back))

    def put(
        self, post: PostOffice, body: bytes, is_in_memory: bool, piece: int = 0
    ) -> None:
        """
        Have a message in the queue as it is, and deliver it.

        @param piece: octets of it that are read at a time; 0 to read it as a whole.
        """
        message = QueuedMessage(
            uuid="U.1",
            sender=ALICE,
            size=len(body),
            queued_at=post.clock.seconds(),
        )
        item = NewItem(domain="far.example", recipients=(QueuedRecipient(BOB),))
        added = self.successResultOf(post.store.add(message, (item,), (body,)))
        if piece:
            chunks = [body[at : at + piece] for at in range(0, len(body), piece)]
            post.store.chunks = iter(chunks)
        post.scheduler.offer(added, body if is_in_memory else None)
        post.run(1)
