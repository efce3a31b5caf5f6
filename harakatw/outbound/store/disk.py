"""
Files that are whole and on disk, or not there. All of it blocks.
"""

import os
from collections.abc import Callable, Iterable
from typing import Final
from zlib import crc32

import attrs

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


@attrs.frozen(kw_only=True)
class Disk:
    """
    The operations that may fail on a bad or full disk; a test replaces them one by one.
    """

    open: Callable[[str, int, int], int] = os.open
    write: Callable[[int, bytes], int] = os.write
    fsync: Callable[[int], None] = os.fsync
    rename: Callable[[str, str], None] = os.rename
    unlink: Callable[[str], None] = os.unlink

    def write_new(self, path: str, chunks: Iterable[bytes]) -> tuple[int, int]:
        """
        Write a file that must not be there yet, and have its octets on disk; its name
        is there only after L{sync_folder}.

        @return: octets written, and their CRC-32.
        @raise OSError: if the disk does not take it. Whatever is raised, by C{chunks}
            too, nothing is left.
        """
        descriptor = self.open(path, _NEW, FILE_MODE)
        octets = crc = 0
        is_written = False
        try:
            for chunk in chunks:
                self._write_all(descriptor, chunk)
                octets += len(chunk)
                crc = crc32(chunk, crc)
            self.fsync(descriptor)
            is_written = True
        finally:
            os.close(descriptor)
            if not is_written:
                self.remove(path)
        return octets, crc

    def sync_folder(self, path: str) -> None:
        """
        Have the names in a folder on disk.

        @raise OSError: if that fails.
        """
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        descriptor = self.open(path, flags, 0)
        try:
            self.fsync(descriptor)
        finally:
            os.close(descriptor)

    def make_folder(self, path: str) -> None:
        """
        Make a folder, and what is missing above it, for us alone.

        @raise OSError: if that cannot be done.
        """
        missing = [path]
        while not os.path.isdir(missing[-1]):
            missing.append(os.path.dirname(missing[-1]) or ".")
        for folder in reversed(missing[:-1]):
            try:
                os.mkdir(folder, FOLDER_MODE)
            except FileExistsError:
                pass  # another worker of ours was faster
            self.sync_folder(os.path.dirname(folder) or ".")

    def remove(self, path: str) -> bool:
        """Remove a file if it is there and that can be done. Is it gone?"""
        try:
            self.unlink(path)
        except FileNotFoundError:
            pass
        except OSError:
            return False
        return True

    def _write_all(self, descriptor: int, chunk: bytes) -> None:
        written = self.write(descriptor, chunk)
        while written < len(chunk):  # a disk that fills up takes a part
            written += self.write(descriptor, chunk[written:])
