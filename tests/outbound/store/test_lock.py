"""Tests of C{harakatw.outbound.store.lock}."""

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import StoreError
from harakatw.outbound.store.lock import LOCK_NAME, OwnerLock


class OwnerLockTests(SynchronousTestCase):
    """One queue has one owner."""

    def setUp(self) -> None:
        """Make a directory and two who want it."""
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        self.first, self.second = (OwnerLock(self.directory) for _ in range(2))
        self.addCleanup(self.first.release)
        self.addCleanup(self.second.release)

    def test_one_after_the_other(self) -> None:
        """A second owner must wait until the first has gone."""
        self.first.acquire()
        error = self.assertRaises(StoreError, self.second.acquire)
        self.assertIn(f"in use by another process (pid {os.getpid()})", str(error))
        self.first.release()
        self.second.acquire()
        self.assertRaises(StoreError, self.first.acquire)

    def test_left_by_a_crash(self) -> None:
        """The file alone keeps nobody out, whatever it holds."""
        (self.directory / LOCK_NAME).write_text("999999999\nand more\n")
        self.first.acquire()
        text = (self.directory / LOCK_NAME).read_text()
        self.assertEqual(text, f"{os.getpid()}\n")

    def test_unknown_owner(self) -> None:
        """An owner that has not yet said who it is keeps others out as well."""
        self.first.acquire()
        os.truncate(self.directory / LOCK_NAME, 0)
        error = self.assertRaises(StoreError, self.second.acquire)
        self.assertIn("(pid unknown)", str(error))

    def test_no_directory(self) -> None:
        """A directory that is not there is a clear error."""
        self.directory.rmdir()
        error = self.assertRaises(StoreError, self.first.acquire)
        self.assertIn(str(self.directory), str(error))

    def test_descriptors(self) -> None:
        """Nobody who is kept out leaves an open file."""
        self.first.acquire()
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(5):
            self.assertRaises(StoreError, self.second.acquire)
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)
