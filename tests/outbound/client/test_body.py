"""The message on its way out."""

from collections.abc import Iterable, Iterator

from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import StoreError
from harakatw.outbound.client.body import (
    BodySender,
    InThread,
    body_pieces,
    chunk_pieces,
    is_in_memory,
    whole_body,
)
from harakatw.testing.threads import HeldThreads, NoThreads

LINE = b"x" * 998 + b"\r\n"


def generated(count: int) -> Iterator[bytes]:
    """A message of some kilobytes from what may be a file."""
    for _ in range(count):
        yield LINE


class WholeTests(SynchronousTestCase):
    """What stands between 354 and the last reply."""

    def test_dots(self) -> None:
        """Leading dots are doubled, and a dot ends it (RFC 5321 section 4.5.2)."""
        body = b".\r\n..a\r\nb.\r\n"
        self.assertEqual(whole_body(body), b"..\r\n...a\r\nb.\r\n.\r\n")

    def test_line_ends(self) -> None:
        """No CR or LF alone ever leaves, wherever it is cut (survey row 2)."""
        body = b"a\n.\nb\r.\r\nc\r\r\n.\r"
        whole = b"a\r\n..\r\nb\r\n..\r\nc\r\n\r\n..\r\n.\r\n"
        self.assertEqual(whole_body(body), whole)
        for at in range(1, len(body)):
            self.assertEqual(whole_body((body[:at], body[at:])), whole)

    def test_no_last_line_end(self) -> None:
        """A last line without an end gets one."""
        self.assertEqual(whole_body([b"a"]), b"a\r\n.\r\n")

    def test_empty(self) -> None:
        """An empty message is a dot."""
        self.assertEqual(whole_body(b""), b".\r\n")

    def test_pieces(self) -> None:
        """A large message goes in pieces that make up the same, however it is cut."""
        body = (LINE + b".dot\r\n") * 600
        for chunks in (body, (body,), [body[:7], body[7:300_000], body[300_000:]]):
            pieces = list(body_pieces(chunks))
            self.assertEqual(b"".join(octets for octets, _ in pieces), whole_body(body))
            self.assertEqual(
                [is_last for _, is_last in pieces].index(True), len(pieces) - 1
            )
            self.assertLess(max(len(octets) for octets, _ in pieces), 300_000)
            self.assertGreater(len(pieces), 3)

    def test_in_memory(self) -> None:
        """What may read a file is told from what cannot."""
        self.assertTrue(is_in_memory(b"x") and is_in_memory((b"x",)))
        self.assertFalse(is_in_memory(generated(1)))


class SenderTests(SynchronousTestCase):
    """A large message, no faster than the peer reads."""

    def setUp(self) -> None:
        """A connection."""
        self.transport = StringTransport()
        self.steps = 0
        self.results: list[object] = []

    def progress(self) -> None:
        """Count."""
        self.steps += 1

    def sender(
        self, body: Iterable[bytes], size: int, in_thread: InThread | None
    ) -> BodySender:
        """What sends a message with DATA."""
        return BodySender(self.transport, body_pieces(body, size), in_thread)

    def start(self, sender: BodySender) -> "Deferred[object]":
        """Begin, and note the result."""
        return sender.start(self.progress).addBoth(self.results.append)

    def sent(self) -> bytes:
        """All that was written."""
        octets: bytes = self.transport.value()
        return octets

    def test_all(self) -> None:
        """A peer that reads gets it all, and the connection is free again."""
        self.start(self.sender(generated(1000), 10**6, NoThreads().call))
        self.assertEqual(self.sent(), LINE * 1000 + b".\r\n")
        self.assertEqual(self.results, [None])
        self.assertGreater(self.steps, 5)
        self.assertIsNone(self.transport.producer)

    def test_pause(self) -> None:
        """A peer that does not read is sent no more until it does."""
        sender = self.sender((LINE,) * 1000, 10**6, None)
        sender.pauseProducing()
        self.start(sender)
        self.assertLess(len(self.sent()), 200_000)
        self.assertEqual(self.results, [])
        steps = self.steps
        sender.resumeProducing()
        self.assertGreater(self.steps, steps)
        self.assertEqual(self.results, [None])
        self.assertEqual(self.sent(), LINE * 1000 + b".\r\n")

    def test_threads(self) -> None:
        """A file is read in a thread; the last piece ends it at once."""
        threads = HeldThreads()
        self.start(self.sender(generated(200), 200_000, threads.call))
        self.assertEqual(self.sent(), b"")
        threads.run_one()
        self.assertEqual(self.results, [])
        threads.run_one()
        self.assertEqual(self.results, [None])
        self.assertEqual((self.sent(), threads.waiting), (LINE * 200 + b".\r\n", []))

    def test_unreadable(self) -> None:
        """A file that breaks off is an error, and no dot makes half a message of it."""

        def broken() -> Iterator[bytes]:
            yield from generated(300)
            raise StoreError("the disk is gone")

        self.start(self.sender(broken(), 0, NoThreads().call))
        self.assertNotIn(b"\r\n.\r\n", self.sent())
        (failure,) = self.results
        failure.trap(StoreError)  # type: ignore[attr-defined]

    def test_cut_off(self) -> None:
        """Neither half a message nor a used iterator is taken for a whole message."""
        used = generated(10)
        list(used)
        for body in (generated(999), used, iter(())):
            self.setUp()
            self.start(self.sender(body, 1_000_000, None))
            self.assertFalse(self.sent().endswith(b".\r\n"))
            (failure,) = self.results
            failure.trap(StoreError)  # type: ignore[attr-defined]

    def test_stop(self) -> None:
        """When the connection is lost nothing more is read or written."""
        threads = HeldThreads()
        sender = self.sender(generated(500), 500_000, threads.call)
        self.start(sender)
        threads.run_one()
        before = self.sent()
        sender.stopProducing()
        sender.stop()
        self.assertEqual((self.sent(), self.results), (before, []))
        self.assertIsNone(self.transport.producer)

    def test_stop_while_paused(self) -> None:
        """The same while it waits for the peer."""
        sender = self.sender((LINE,) * 1000, 10**6, None)
        sender.pauseProducing()
        self.start(sender)
        sender.stop()
        sender.resumeProducing()
        self.assertEqual(self.results, [])


class ChunkTests(SynchronousTestCase):
    """A message of any octets, with BDAT (RFC 3030)."""

    def test_octets(self) -> None:
        """Nothing is put in, doubled or repaired; the size stands before it."""
        body = b"\r\n.\r\r\n\n\0\xff."
        for chunks in (body, (body[:3], body[3:]), [body[:1], b"", body[1:]]):
            pieces = list(chunk_pieces(chunks, len(body)))
            self.assertEqual(pieces, [(b"BDAT 10 LAST\r\n" + body, True)])

    def test_empty(self) -> None:
        """An empty message is an empty chunk."""
        self.assertEqual(list(chunk_pieces(b"", 0)), [(b"BDAT 0 LAST\r\n", True)])

    def test_pieces(self) -> None:
        """A big one is written in pieces, of which one is the last."""
        for body in (LINE * 1000, generated(1000)):
            pieces = list(chunk_pieces(body, 10**6))
            joined = b"".join(octets for octets, _ in pieces)
            self.assertEqual(joined, b"BDAT 1000000 LAST\r\n" + LINE * 1000)
            self.assertEqual([is_last for _, is_last in pieces].count(True), 1)
            self.assertTrue(pieces[-1][1])
            self.assertLess(max(len(octets) for octets, _ in pieces), 300_000)

    def test_wrong_size(self) -> None:
        """
        A message that is shorter than it should be is not ended, and of one that is
        longer nothing goes out that the peer would take for commands.
        """
        for lines in (999, 1001, 5000):
            written = b""
            with self.assertRaises(StoreError):
                for octets, is_last in chunk_pieces(generated(lines), 10**6):
                    self.assertFalse(is_last)
                    written += octets
            self.assertLess(len(written), 10**6 + 20)
