"""Tests of C{harakatw.message.spool}."""

import io
import os
import stat
from collections.abc import Callable, Iterable
from functools import partial
from typing import IO, Any

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from harakatw.errors import StoreError
from harakatw.message.spool import READ_OCTETS, Spool, open_spool_file


class SpoolTests(SynchronousTestCase):
    """The file behind a big message."""

    def setUp(self) -> None:
        """Make an empty folder."""
        self.folder = self.mktemp()
        os.mkdir(self.folder)

    def make_spool(self) -> Spool:
        """A spool whose file is kept in sight."""
        self.files: list[IO[bytes]] = []

        def opened() -> IO[bytes]:
            self.files.append(open_spool_file(self.folder))
            return self.files[-1]

        spool = Spool(opened)
        self.addCleanup(spool.close)
        return spool

    def test_read_back(self) -> None:
        """
        What was written comes back in order, in chunks, up to where it is asked for.
        """
        spool = self.make_spool()
        octets = bytes(range(256)) * 1000
        spool.append([octets[:10], b"", octets[10:]])
        spool.append([b"more"])
        chunks = list(spool.chunks(len(octets) + 2))
        self.assertEqual(b"".join(chunks), octets + b"mo")
        self.assertLessEqual(max(map(len, chunks)), READ_OCTETS)

    def test_two_readers(self) -> None:
        """Two readers at once do not disturb each other or a writer."""
        spool = self.make_spool()
        spool.append([b"a" * READ_OCTETS, b"b"])
        one, two = spool.chunks(READ_OCTETS + 1), spool.chunks(READ_OCTETS + 1)
        self.assertEqual(next(one), next(two))
        spool.append([b"c"])
        self.assertEqual([next(one), next(two)], [b"b", b"b"])

    def test_private(self) -> None:
        """The file has no name, and nobody else may read it."""
        spool = self.make_spool()
        spool.append([b"secret"])
        self.assertEqual(os.listdir(self.folder), [])
        mode = os.fstat(self.files[0].fileno()).st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o600)

    def test_close(self) -> None:
        """A closed file is gone; to close it again is no error, to use it is."""
        spool = self.make_spool()
        spool.append([b"a"])
        spool.close()
        spool.close()
        self.assertTrue(self.files[0].closed)
        self.assertRaises(StoreError, spool.read, 0, 1)
        self.assertRaises(StoreError, spool.append, [b"b"])
        self.assertEqual(len(self.files), 1)

    def test_never_opened(self) -> None:
        """Nothing is opened for a message that is given up before it is written."""
        spool = self.make_spool()
        spool.close()
        self.assertRaises(StoreError, spool.append, [b"a"])
        self.assertEqual(self.files, [])

    def test_close_while_busy(self) -> None:
        """
        A client that goes away while a thread writes its message does not wait for the
        disk, and the descriptor stays valid until the thread is done with it.
        """
        busy = BusyFile()
        spool = Spool(lambda: busy)
        busy.meanwhile = spool.close
        spool.append([b"a"])
        self.assertEqual(busy.was_closed_meanwhile, [False])
        self.assertTrue(busy.closed)

    def test_missing_folder(self) -> None:
        """A spool_dir that does not exist is an error of the store."""
        spool = Spool(partial(open_spool_file, self.folder + "/missing"))
        error = self.assertRaises(StoreError, spool.append, [b"a"])
        self.assertIn("No such file", str(error))

    def test_full_disk(self) -> None:
        """
        When the disk is full the file is closed and what it held is not to be had.
        """
        if not os.path.exists("/dev/full"):
            raise SkipTest("this system has no /dev/full")
        file = open("/dev/full", "w+b")  # noqa: SIM115
        spool = Spool(lambda: file)
        error = self.assertRaises(StoreError, spool.append, [b"a"])
        self.assertIn("No space left", str(error))
        self.assertTrue(file.closed)
        self.assertRaises(StoreError, spool.append, [b"b"])

    def test_lost_end(self) -> None:
        """A file that is shorter than it was is an error, never a shorter message."""
        spool = self.make_spool()
        spool.append([b"abc"])
        self.files[0].truncate(1)
        self.assertRaises(StoreError, list, spool.chunks(3))


class BusyFile(io.BytesIO):
    """A file during whose writing something happens."""

    meanwhile: Callable[[], None]

    def __init__(self) -> None:
        super().__init__()
        self.was_closed_meanwhile: list[bool] = []

    def writelines(self, lines: Iterable[Any], /) -> None:
        """Write, then see what happened to us."""
        self.meanwhile()
        self.was_closed_meanwhile.append(self.closed)
        super().writelines(lines)
