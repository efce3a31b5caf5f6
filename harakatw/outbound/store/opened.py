"""What a queue in SQLite consists of while it is open."""

import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path

import attrs

from harakatw.errors import StoreError
from harakatw.outbound.store.bodies import Bodies
from harakatw.outbound.store.database import QueueDatabase
from harakatw.outbound.store.disk import Disk
from harakatw.outbound.store.lock import OwnerLock
from harakatw.outbound.store.opening import DatabaseFile
from harakatw.outbound.store.reader import QueueReader
from harakatw.outbound.store.schema import Connect, open_for_reading

BODIES = "bodies"


@attrs.frozen(eq=False)
class OpenQueue:
    """
    The parts of an open queue.

    @ivar suspect: has the database checked at the next start.
    @ivar was_damaged: was the database replaced by what could be read of it?
    """

    database: QueueDatabase
    reader: QueueReader
    bodies: Bodies
    suspect: Callable[[], None]
    was_damaged: bool
    _lock: OwnerLock

    def close(self) -> None:
        """Give all up; in the writer's thread, after its last batch. Raises nothing."""
        try:
            self.database.stop()
        except sqlite3.Error:
            pass  # then some ids are never used
        try:
            self.reader.close()
            self.database.connection.close()
        except sqlite3.Error:
            pass  # then the log stays beside the database until the next start
        self._lock.release()


def open_queue(
    directory: Path, connect: Connect, disk: Disk, tell: Callable[[str], object]
) -> OpenQueue:
    """
    Open a queue for this process alone. Blocks.

    @param directory: the queue's own; made if it is missing.
    @param tell: is given what a postmaster should know of damage.
    @raise StoreError: the queue is in use by another process, or cannot be opened.
    """
    folder = directory / BODIES
    try:
        disk.make_folder(str(folder))
    except OSError as error:
        raise StoreError(f"cannot make {folder}: {error.strerror}") from error
    lock = OwnerLock(directory)
    lock.acquire()
    try:
        return _open_files(directory, connect, disk, tell, lock)
    except StoreError:
        lock.release()
        raise


def _open_files(
    directory: Path,
    connect: Connect,
    disk: Disk,
    tell: Callable[[str], object],
    lock: OwnerLock,
) -> OpenQueue:
    file = DatabaseFile(str(directory), connect, disk, tell)
    database = file.open()
    try:
        reading = open_for_reading(file.path, connect)
    except sqlite3.Error as error:
        database.connection.close()
        raise StoreError(f"cannot open {file.path}: {error}") from error
    bodies = Bodies(str(directory / BODIES), disk, secrets.token_hex(6))
    reader = QueueReader(reading, bodies)
    return OpenQueue(database, reader, bodies, file.suspect, file.was_damaged, lock)
