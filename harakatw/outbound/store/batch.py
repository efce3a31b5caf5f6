"""
Runs what waits for the writer: all of it as one transaction, and one write to disk.

If a transaction fails because of one call's values, it is run again call by call, so
that the others are stored. If it fails because of the disk, all calls fail.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import attrs
from twisted.internet.defer import CancelledError

from harakatw.outbound.store.bodies import Bodies
from harakatw.outbound.store.database import QueueDatabase
from harakatw.outbound.store.operations import Add, Operation, Settle
from harakatw.outbound.store.schema import is_corrupt, pragma_value

VACUUM_ABOVE_PAGES: Final = 16_384
"""Free pages that a file may keep, whatever its size: 64 MiB."""

VACUUM_ABOVE_SHARE: Final = 0.25
"""Free pages that a bigger file may keep."""

VACUUM_PAGES: Final = 256
"""What is given back to the file system after one batch: takes about a millisecond."""

_LOOK_AFTER_BATCHES = 64

_DISK_FAULTS: Final = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    )
)


@attrs.frozen
class Ended:
    """
    How a batch ended, for the reactor's thread.

    @ivar damaged: ids of items that were found damaged, and why.
    @ivar troubles: what else a postmaster should know.
    """

    operations: Sequence[Operation[Any]]
    damaged: Sequence[tuple[int, str]]
    troubles: Sequence[str]


@attrs.define(eq=False)
class BatchRunner:
    """
    Runs batches, in the writer's thread.

    @ivar tell: is called with each batch's end, once that is on disk.
    @ivar suspect: is called when the database was found damaged.
    """

    _database: QueueDatabase
    _bodies: Bodies
    _tell: Callable[[Ended], object]
    _suspect: Callable[[], object]
    _troubles: list[str] = attrs.field(factory=list, init=False)
    _batches: int = attrs.field(default=0, init=False)
    _is_bloated: bool = attrs.field(default=False, init=False)

    def run(self, operations: Sequence[Operation[Any]]) -> None:
        """Run a batch and tell how it ended. Raises nothing."""
        self._troubles = []
        ready = [each for each in operations if self._is_prepared(each)]
        if ready and not self._ran_together(ready):
            self._run_each(ready)
        for each in operations:
            if each.error is not None:
                each.discard()
        database = self._database
        self._tell(Ended(operations, tuple(database.damaged), tuple(self._troubles)))
        self._remove(database.doomed_files)
        self._tidy()

    def _is_prepared(self, operation: Operation[Any]) -> bool:
        try:
            if operation.is_unwanted:
                raise CancelledError
            operation.prepare()
        except Exception as error:
            # Whoever made the body iterates here too: whatever that raises must end
            # this call only, not the thread that all others wait for.
            operation.error = error
        return operation.error is None

    def _ran_together(self, operations: Sequence[Operation[Any]]) -> bool:
        """
        Run all in one transaction. If not, should each be tried alone?

        What was added is known to nobody yet, and what is settled is leased by its
        caller: so both may be done before all else, by a few statements.
        """
        try:
            self._database.begin()
            self._add([each for each in operations if isinstance(each, Add)])
            self._settle([each for each in operations if isinstance(each, Settle)])
            for each in operations:
                if not isinstance(each, Add | Settle):
                    each.run(self._database)
            self._database.commit()
        except Exception as error:  # see _run_each
            return self._failed(operations, error)
        return True

    def _add(self, operations: Sequence[Add]) -> None:
        additions = [each.addition for each in operations if each.addition]
        if additions:
            stored = self._database.add(additions)
            for operation, items in zip(operations, stored, strict=True):
                operation.stored(items)

    def _settle(self, operations: Sequence[Settle]) -> None:
        if operations:
            finished = [number for each in operations for number in each.finished]
            retries = [retry for each in operations for retry in each.retries]
            self._database.settle(finished, retries)

    def _run_each(self, operations: Sequence[Operation[Any]]) -> None:
        """Run all in one transaction, but undo those that fail by themselves."""
        try:
            self._database.begin()
            for each in operations:
                self._run_alone(each)
            self._database.commit()
        except Exception as error:
            # A bug of ours must end this batch only: without the thread no call would
            # ever be answered again.
            if not self._failed(operations, error):
                self._fail_all(operations, error)

    def _run_alone(self, operation: Operation[Any]) -> None:
        try:
            self._database.run_alone(operation.run)
        except Exception as error:  # see _run_each
            if _is_disk_fault(error):
                raise
            operation.error = error
            self._look_at(error)

    def _failed(self, operations: Iterable[Operation[Any]], error: Exception) -> bool:
        """A transaction failed. Was that the disk's fault, so that all have failed?"""
        self._look_at(error)
        try:
            self._database.rollback()
        except sqlite3.Error as another:
            self._troubles.append(f"cannot undo a transaction: {another}")
        if not _is_disk_fault(error):
            return False
        self._fail_all(operations, error)
        return True

    def _fail_all(self, operations: Iterable[Operation[Any]], error: Exception) -> None:
        self._troubles.append(f"the queue cannot be written: {error}")
        for each in operations:
            each.error = each.error or error

    def _look_at(self, error: Exception) -> None:
        if isinstance(error, sqlite3.Error) and is_corrupt(error):
            self._troubles.append(
                f"the queue's database is damaged ({error}); "
                "what can be read is saved at the next start"
            )
            self._suspect()

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            self._bodies.remove(name)  # what stays is found at the next start

    def _tidy(self) -> None:
        """Give pages back that a burst of mail has left."""
        self._batches += 1
        if not self._is_bloated and self._batches % _LOOK_AFTER_BATCHES:
            return
        connection = self._database.connection
        try:
            self._is_bloated = is_bloated(connection)
            if self._is_bloated:
                # execute() would make one step, which is one page
                connection.executescript(f"PRAGMA incremental_vacuum({VACUUM_PAGES});")
        except sqlite3.Error:
            self._is_bloated = False  # it is only for tidiness: another time


def is_bloated(connection: sqlite3.Connection) -> bool:
    """
    Has a database more free pages than it will soon use?

    @raise sqlite3.Error: it cannot be read.
    """
    free = pragma_value(connection, "freelist_count")
    pages = pragma_value(connection, "page_count")
    assert isinstance(free, int) and isinstance(pages, int)
    return free > max(VACUUM_ABOVE_PAGES, pages * VACUUM_ABOVE_SHARE)


def _is_disk_fault(error: Exception) -> bool:
    if isinstance(error, OSError | MemoryError):
        return True
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DISK_FAULTS
