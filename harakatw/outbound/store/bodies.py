"""
Message bodies that are too big for the database: one file each.

A file gets its name only when it is whole and on disk, and before the database knows
it; it is removed after the database has forgotten it. So whatever has no row, or has
not got its name yet, belongs to no message that was acknowledged.
"""

import itertools
import os
from collections.abc import Iterable, Iterator
from typing import Final
from zlib import crc32

import attrs

from harakatw.errors import StoreError
from harakatw.outbound.store.disk import Disk

BODY_SUFFIX: Final = ".eml"
UNFINISHED_SUFFIX: Final = ".tmp"

_READ_OCTETS = 1 << 16


@attrs.frozen
class BodyFile:
    """
    A body on disk.

    @ivar name: in the folder of bodies.
    @ivar crc: the CRC-32 of its octets.
    """

    name: str
    octets: int
    crc: int


class Bodies:
    """The folder of bodies. Blocks, and may be used by several threads at once."""

    def __init__(self, folder: str, disk: Disk, token: str) -> None:
        """
        @param token: begins the names of all files made from now on: different each
            time that the queue is opened.
        """
        self.folder = folder
        self._disk = disk
        self._prefix = f"{token}-"
        self._numbers = itertools.count()

    def write(self, chunks: Iterable[bytes]) -> BodyFile:
        """
        Have a body on disk, under a new name.

        @raise StoreError: the disk does not take it; nothing is left of it.
        """
        name = f"{self._prefix}{next(self._numbers):x}{BODY_SUFFIX}"
        path = self.path(name)
        unfinished = path + UNFINISHED_SUFFIX
        try:
            octets, crc = self._disk.write_new(unfinished, chunks)
            try:
                self._disk.rename(unfinished, path)
                self._disk.sync_folder(self.folder)
            except OSError:
                self._disk.remove(unfinished)
                self._disk.remove(path)
                raise
        except OSError as error:
            raise StoreError(f"cannot write a body: {error.strerror}") from error
        return BodyFile(name, octets, crc)

    def read(self, body: BodyFile) -> Iterable[bytes]:
        """
        The octets of a body.

        @return: may be iterated again, for the next host; each time it raises
            L{StoreError} after the last chunk if the octets are others than those that
            were written.
        @raise StoreError: the file is gone, or has another size than it should.
        """
        path = self.path(body.name)
        try:
            octets = os.stat(path).st_size
        except OSError as error:
            raise _unreadable(body, error.strerror) from error
        if octets != body.octets:
            raise _unreadable(body, f"has {octets} octets instead of {body.octets}")
        return _Chunks(path, body)

    def is_whole(self, name: str, octets: int) -> bool:
        """
        Is a file there, with as many octets as it should have? Where the disk does not
        say so it is taken to be: whoever reads it will see.
        """
        try:
            return os.stat(self.path(name)).st_size == octets
        except FileNotFoundError:
            return False
        except OSError:
            return True

    def remove(self, name: str) -> bool:
        """Remove a body. Is it gone?"""
        return self._disk.remove(self.path(name))

    def is_ours(self, name: str) -> bool:
        """Was a file made since the queue was opened?"""
        return name.startswith(self._prefix)

    def path(self, name: str) -> str:
        """Where a file of a name is."""
        return os.path.join(self.folder, name)


@attrs.frozen
class _Chunks:
    """The octets of a body, read anew by each iteration."""

    path: str
    body: BodyFile

    def __iter__(self) -> Iterator[bytes]:
        crc = 0
        try:
            with open(self.path, "rb", buffering=0) as file:
                while chunk := file.read(_READ_OCTETS):
                    crc = crc32(chunk, crc)
                    yield chunk
        except OSError as error:
            raise _unreadable(self.body, error.strerror) from error
        if crc != self.body.crc:
            raise _unreadable(self.body, "has other octets than those written")


def _unreadable(body: BodyFile, why: str | None) -> StoreError:
    return StoreError(f"the body in {body.name} cannot be read: {why}")
