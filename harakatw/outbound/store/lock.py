"""Keeps a second process out of a queue."""

import fcntl
import os
from pathlib import Path

from harakatw.errors import StoreError
from harakatw.outbound.store.disk import FILE_MODE

LOCK_NAME = "lock"


class OwnerLock:
    """
    A lock on a queue's directory. The kernel lets go of it when the process ends, in
    whatever way; the file stays, and holds the process id for whoever is kept out.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """
        Take the lock.

        @raise StoreError: somebody has it, or the file cannot be made.
        """
        try:
            descriptor = os.open(
                self._directory / LOCK_NAME,
                os.O_RDWR | os.O_CREAT | os.O_CLOEXEC,
                FILE_MODE,
            )
        except OSError as error:
            raise StoreError(
                f"cannot lock {self._directory}: {error.strerror}"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.truncate(descriptor, 0)
            os.write(descriptor, b"%d\n" % os.getpid())
        except BlockingIOError as error:
            raise self._in_use(descriptor) from error
        except OSError as error:
            os.close(descriptor)
            raise StoreError(
                f"cannot lock {self._directory}: {error.strerror}"
            ) from error
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go of it, if it was taken."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _in_use(self, descriptor: int) -> StoreError:
        """Say who has the lock, and close the file."""
        owner = os.read(descriptor, 20).decode("ascii", "replace").strip()
        os.close(descriptor)
        return StoreError(
            f"{self._directory} is in use by another process (pid {owner or 'unknown'})"
        )
