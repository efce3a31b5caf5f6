"""
The file that takes the body of a big message while it is received.

Plain blocking I/O for a thread; it has no name (C{O_TMPFILE}, or unlinked at once), so
that nobody else can open it and nothing is left when the server is killed.

@see: Haraka row TX06
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from tempfile import TemporaryFile
from typing import IO, Final

from harakatw.errors import StoreError

READ_OCTETS: Final = 1 << 16
_WRITE_BUFFER_OCTETS = 1 << 18


def open_spool_file(directory: str) -> IO[bytes]:
    """
    Open a nameless file, readable and writable for us alone.

    @raise OSError: if the directory is missing, full or not ours.
    """
    return TemporaryFile(dir=directory, buffering=_WRITE_BUFFER_OCTETS)


class Spool:
    """
    One such file. L{append} and L{read} block and belong in a thread; L{close} never
    does.

    A connection may be lost while a thread is at work on its file. The thread then
    closes the file on its way out: to close the descriptor under it would let it read
    or write whatever file gets the same number next.
    """

    __slots__ = ("_file", "_is_closing", "_lock", "_open")

    def __init__(self, open_file: Callable[[], IO[bytes]]) -> None:
        """
        @param open_file: is called in the thread of the first L{append}.
        """
        self._open = open_file
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()
        self._is_closing = False

    def append(self, chunks: Sequence[bytes]) -> None:
        """
        Write chunks at the end.

        @raise StoreError: if the disk did not take them; the file is gone then.
        """
        self._lock.acquire()
        try:
            file = self._opened()
            file.writelines(chunks)
            file.flush()
        except OSError as error:
            self._is_closing = True
            raise StoreError(f"cannot write a spool file: {error.strerror}") from error
        finally:
            self._leave()

    def read(self, start: int, octets: int) -> bytes:
        """
        Read from anywhere.

        @param start: offset of the first octet.
        @param octets: how many to read.
        @return: at least one of them.
        @raise StoreError: if the file was closed, is too short or cannot be read.
        """
        self._lock.acquire()
        try:
            found = os.pread(self._opened().fileno(), octets, start)
        except OSError as error:
            raise StoreError(f"cannot read a spool file: {error.strerror}") from error
        finally:
            self._leave()
        if not found:
            raise StoreError("a spool file lost its end")
        return found

    def chunks(self, end: int) -> Iterator[bytes]:
        """
        Read from the beginning, a chunk at a time.

        @param end: offset of the first octet that is not asked for.
        @raise StoreError: as L{read}.
        """
        start = 0
        while start < end:
            chunk = self.read(start, min(READ_OCTETS, end - start))
            start += len(chunk)
            yield chunk

    def close(self) -> None:
        """
        Give the file up, now or when the thread that uses it is done. Never blocks.
        """
        self._is_closing = True
        if self._lock.acquire(blocking=False):
            self._leave()

    def _opened(self) -> IO[bytes]:
        if self._is_closing:
            raise StoreError("the spool file was given up")
        if self._file is None:
            self._file = self._open()
        return self._file

    def _leave(self) -> None:
        """Let go of the lock; close the file if somebody wanted that meanwhile."""
        file = None
        if self._is_closing:
            file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError:
                pass  # what it could not write is not wanted any more
        self._lock.release()
        if self._is_closing and self._file is not None:
            self.close()  # somebody wanted it between the check and the release
