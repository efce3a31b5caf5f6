"""Tests of C{harakatw.outbound.store.disk} and C{harakatw.outbound.store.bodies}."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn
from zlib import crc32

import attrs
from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import StoreError
from harakatw.outbound.store.bodies import Bodies
from harakatw.outbound.store.disk import Disk


class DiskTests(SynchronousTestCase):
    """Files that are whole or not there."""

    def setUp(self) -> None:
        """Make a folder."""
        self.folder = self.mktemp()
        os.mkdir(self.folder)
        self.path = os.path.join(self.folder, "file")

    def test_write_new(self) -> None:
        """What was written is there, as one file."""
        octets, crc = Disk().write_new(self.path, (b"ab", b"", b"cd"))
        self.assertEqual(Path(self.path).read_bytes(), b"abcd")
        self.assertEqual((octets, crc), (4, crc32(b"abcd")))

    def test_exists(self) -> None:
        """A file that is there already is not touched."""
        Path(self.path).write_bytes(b"old")
        self.assertRaises(FileExistsError, Disk().write_new, self.path, (b"new",))
        self.assertEqual(Path(self.path).read_bytes(), b"old")

    def test_short_writes(self) -> None:
        """A disk that takes a part at a time gets all in the end."""

        def write(descriptor: int, octets: bytes) -> int:
            return os.write(descriptor, octets[:3])

        Disk(write=write).write_new(self.path, (b"0123456789", b"abcdef"))
        self.assertEqual(Path(self.path).read_bytes(), b"0123456789abcdef")

    def test_failure(self) -> None:
        """Nothing is left of what could not be written, and no open file."""

        def fail(*_: object) -> NoReturn:
            raise OSError(errno.ENOSPC, "no space")

        def broken() -> Iterator[bytes]:
            yield b"x"
            raise ZeroDivisionError

        before = len(os.listdir("/proc/self/fd"))
        for disk in (Disk(write=fail), Disk(fsync=fail)):
            self.assertRaises(OSError, disk.write_new, self.path, (b"x",))
        self.assertRaises(ZeroDivisionError, Disk().write_new, self.path, broken())
        self.assertEqual(os.listdir(self.folder), [])
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    def test_make_folder(self) -> None:
        """Folders above are made as well, for us alone, and once."""
        synced: list[int] = []

        def fsync(descriptor: int) -> None:
            synced.append(os.fstat(descriptor).st_ino)

        disk = Disk(fsync=fsync)
        path = os.path.join(self.folder, "a", "b")
        disk.make_folder(path)
        disk.make_folder(path)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o700)
        above = [self.folder, os.path.join(self.folder, "a")]
        self.assertEqual(synced, [os.stat(each).st_ino for each in above])

    def test_remove(self) -> None:
        """To remove what is gone is fine; what stays is told."""

        def fail(_: str) -> None:
            raise OSError(errno.EIO, "I/O error")

        self.assertTrue(Disk().remove(self.path))
        self.assertFalse(Disk(unlink=fail).remove(self.path))


class BodiesTests(SynchronousTestCase):
    """Bodies in files."""

    def setUp(self) -> None:
        """Make a folder."""
        self.folder = self.mktemp()
        os.mkdir(self.folder)
        self.bodies = Bodies(self.folder, Disk(), "abc")

    def test_names(self) -> None:
        """Each body has a name of its own, which tells since when it can be there."""
        names = [self.bodies.write((b"x",)).name for _ in range(20)]
        self.assertEqual(len(set(names)), 20)
        later = Bodies(self.folder, Disk(), "abcd")
        self.assertTrue(all(map(self.bodies.is_ours, names)))
        self.assertFalse(any(map(later.is_ours, names)))
        self.assertFalse(self.bodies.is_ours(later.write((b"x",)).name))

    def test_read(self) -> None:
        """A body is read in parts of bounded size, as often as wanted."""
        whole = os.urandom(200_000)
        body = self.bodies.read(self.bodies.write((whole[:5], whole[5:])))
        self.assertEqual(b"".join(body), whole)
        self.assertLessEqual(max(map(len, body)), 1 << 16)

    def test_wrong(self) -> None:
        """A body that is not what was written is an error at once, or at its end."""
        body = self.bodies.write((b"12345",))
        for wrong in (
            attrs.evolve(body, octets=6),
            attrs.evolve(body, octets=4),
            attrs.evolve(body, name="other.eml"),
        ):
            self.assertRaises(StoreError, self.bodies.read, wrong)
        other = self.bodies.read(attrs.evolve(body, crc=body.crc ^ 1))
        self.assertRaises(StoreError, list, other)

    def test_is_whole(self) -> None:
        """A file is whole that has as many octets as it should have."""
        body = self.bodies.write((b"12345",))
        self.assertTrue(self.bodies.is_whole(body.name, 5))
        self.assertFalse(self.bodies.is_whole(body.name, 4))
        self.assertTrue(self.bodies.remove(body.name))
        self.assertFalse(self.bodies.is_whole(body.name, 5))

    def test_folder_not_synced(self) -> None:
        """A body whose name may not be on disk is not there at all."""
        calls = 0

        def fsync(descriptor: int) -> None:
            nonlocal calls
            calls += 1
            if calls == 2:
                raise OSError(errno.EIO, "I/O error")

        bodies = Bodies(self.folder, Disk(fsync=fsync), "x")
        self.assertRaises(StoreError, bodies.write, (b"x",))
        self.assertEqual(os.listdir(self.folder), [])
