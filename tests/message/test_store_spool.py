"""Tests of C{harakatw.message.store}: messages on disk."""

import os
from typing import IO, Any

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from harakatw.errors import StoreError
from harakatw.message.spool import open_spool_file
from harakatw.message.store import SPOOL_BATCH_OCTETS, Message
from tests.message.specimens import (
    BODY,
    HEADER,
    SIMPLE,
    SMALL,
    Later,
    cuts,
    make_message,
    octets_of,
    whole_message,
)


class SpoolTests(SynchronousTestCase):
    """A message on disk."""

    def setUp(self) -> None:
        """Make a spool_dir."""
        self.folder = self.mktemp()
        os.mkdir(self.folder)

    def make(self, *chunks: bytes, after: int, **more: Any) -> Message:
        """An unfinished message that spools, and is destroyed when the test is over."""
        more.setdefault("spool_dir", self.folder)
        message = make_message(*chunks, spool_after=after, **more)
        self.addCleanup(message.destroy)
        return message

    def test_every_cut(self) -> None:
        """A message in a file is the message that came, wherever it was cut."""
        octets = SIMPLE + b"x" * 50
        for after in (0, 20):
            for chunks in cuts(octets):
                message = self.make(*chunks, after=after)
                message.finish()
                self.assertTrue(message.is_spooled)
                self.assertEqual(octets_of(message), octets)
                message.destroy()

    def test_limits(self) -> None:
        """-1 never writes a file, 0 always, and another number once it is exceeded."""
        size = len(SMALL)
        for after, expected in (
            (-1, False),
            (0, True),
            (size, False),
            (size - 1, True),
        ):
            self.assertIs(self.make(SMALL, after=after).is_spooled, expected)

    def test_header_stays(self) -> None:
        """What is in memory is the header, so that plugins can read it at once."""
        message = self.make(HEADER, b"\r\n", BODY * 100, after=0)
        self.assertEqual(message.in_memory, len(HEADER))
        self.assertEqual(message.header.get("a"), "b")

    def test_header_only(self) -> None:
        """No file is made as long as there is nothing but a header."""
        message = self.make(HEADER + b"\r\n", after=0)
        self.assertEqual(message.in_memory, len(HEADER))
        self.assertFalse(message.is_spooled)
        self.assertFalse(message.needs_spool)
        message.append(b"x")
        self.assertTrue(message.needs_spool)

    def test_header_is_waited_for(self) -> None:
        """
        A header that comes in drops is not searched for its end with each of them.
        """
        message = make_message(spool_after=0, spool_dir=self.folder)
        calls = 0
        for _ in range(10_000):
            message.append(b"A")
            if message.needs_spool:
                message.spool()
                calls += 1
        self.assertLess(calls, 20)
        self.assertEqual(message.in_memory, 10_000)

    def test_batches(self) -> None:
        """Once there is a file, it is written in big batches."""
        message = self.make(SMALL, after=0)
        message.append(b"x" * SPOOL_BATCH_OCTETS)
        self.assertFalse(message.needs_spool)
        message.append(b"x")
        self.assertTrue(message.needs_spool)
        message.spool()
        self.assertEqual(message.in_memory, len(HEADER))
        message.finish()
        self.assertEqual(octets_of(message), SMALL + b"x" * (SPOOL_BATCH_OCTETS + 1))

    def test_tail_in_memory(self) -> None:
        """What came after the last batch is read from memory, behind the file."""
        message = self.make(SMALL, b"tail", after=0)
        message.finish()
        self.assertEqual(message.in_memory, len(HEADER) + 4)
        self.assertEqual(octets_of(message), SMALL + b"tail")

    def test_while_writing(self) -> None:
        """
        What comes, and who reads, while a thread writes loses nothing; a second thread
        is not asked for.
        """
        threads = Later()
        message = self.make(SMALL, after=0, in_thread=threads)
        message.append(b"more")
        self.assertFalse(message.needs_spool)
        self.assertRaises(ValueError, message.spool)
        message.finish()
        reader = message.chunks()
        self.assertEqual(octets_of(message), SMALL + b"more")
        threads.run()
        self.assertEqual(b"".join(reader), SMALL + b"more")
        self.assertEqual(octets_of(message), SMALL + b"more")
        self.assertEqual(message.in_memory, len(HEADER) + 4)

    def test_tiny_chunks_while_writing(self) -> None:
        """Chunks that a thread is writing are left alone; nothing is written twice."""
        threads = Later()
        message = self.make(SMALL, after=0, in_thread=threads)
        for _ in range(300):
            message.append(b"x")
        threads.run()
        for _ in range(300):
            message.append(b"y")
        message.finish()
        self.assertEqual(octets_of(message), SMALL + b"x" * 300 + b"y" * 300)

    def test_gone_while_writing(self) -> None:
        """
        A client that goes away while its message is written leaves no file behind.
        """
        threads = Later()
        message = make_message(SMALL, spool_after=5, in_thread=threads)
        message.destroy()
        threads.run()
        self.assertEqual(message.in_memory, 0)

        message = make_message(spool_after=0, spool_dir=self.folder, in_thread=threads)
        message.append(SMALL)
        written = message.spool()
        message.destroy()
        threads.run()
        self.assertIsNone(self.successResultOf(written))
        self.assertFalse(message.is_spooled)

    def test_bad_disk(self) -> None:
        """
        A disk that does not take the message makes the spooling fail; the message is
        gone, and what still comes is only counted.
        """
        message = make_message(spool_after=0, spool_dir=self.folder + "/missing")
        message.append(SMALL)
        self.failureResultOf(message.spool(), StoreError)
        message.append(b"x" * 1000)
        message.finish()
        self.assertEqual(message.in_memory, 0)
        self.assertEqual(message.size, len(SMALL) + 1000)
        self.assertRaises(StoreError, message.chunks)

    def test_full_disk(self) -> None:
        """A full disk is found out when it is written to, not at the end."""
        if not os.path.exists("/dev/full"):
            raise SkipTest("this system has no /dev/full")

        def open_full(_: str) -> IO[bytes]:
            return open("/dev/full", "w+b")

        message = make_message(spool_after=0, open_file=open_full)
        message.append(SMALL)
        self.failureResultOf(message.spool(), StoreError)

    def test_no_file_left(self) -> None:
        """A message leaves neither a name in spool_dir nor an open file."""
        files: list[IO[bytes]] = []

        def open_file(folder: str) -> IO[bytes]:
            files.append(open_spool_file(folder))
            return files[-1]

        message = self.make(SMALL, after=0, open_file=open_file)
        message.finish()
        reader = message.chunks()
        next(reader)
        self.assertFalse(files[0].closed)
        message.destroy()
        self.assertTrue(files[0].closed)
        self.assertEqual(os.listdir(self.folder), [])
        self.assertRaises(StoreError, list, reader)

    def test_read_all(self) -> None:
        """A plugin gets the whole message without blocking the others."""
        threads = Later()
        message = self.make(SMALL, after=0, in_thread=threads)
        threads.run()
        message.finish()
        reading = message.read_all()
        self.assertNoResult(reading)
        threads.run()
        self.assertEqual(self.successResultOf(reading), SMALL)
        in_memory = whole_message(SMALL)
        self.assertEqual(self.successResultOf(in_memory.read_all()), SMALL)
