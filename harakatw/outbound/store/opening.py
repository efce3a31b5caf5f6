"""
Opens a queue's database: makes it, checks it, and replaces it if it is damaged.

C{queue.db} is only ever put in place whole: it is made as C{queue.db.new}, renamed to
C{queue.db.ready}, and then to its name, after the old one, if there is one, was renamed
to C{queue.db.damaged-<n>}. A crash anywhere leaves files that tell how far it came.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Final

import attrs

from harakatw.errors import StoreError
from harakatw.outbound.store.database import QueueDatabase
from harakatw.outbound.store.disk import Disk
from harakatw.outbound.store.salvage import salvage
from harakatw.outbound.store.schema import (
    Connect,
    is_corrupt,
    open_database,
    pragma_value,
)

CHECK_OCTETS: Final = 64 << 20
"""Databases up to this size are checked as a whole at each start: 40 ms, or as long as
the disk takes to read them."""

_BESIDE = ("-wal", "-shm")

# What every later call needs: the ends of each table and index. One at a time, since
# SQLite walks through all of a table that it is asked for both ends of.
_PROBES = (
    "SELECT min(id) FROM messages",
    "SELECT max(id) FROM messages",
    "SELECT min(id) FROM items",
    "SELECT max(id) FROM items",
    "SELECT min(wake) FROM items INDEXED BY by_state WHERE state = 0",
    "SELECT max(site) FROM items INDEXED BY by_site WHERE state < 2",
    "SELECT max(site) FROM sites",
    "SELECT max(wake) FROM sites",
    "SELECT value FROM numbers",
)


class _DamagedDatabase(Exception):
    """A check found something."""


@attrs.define(eq=False)
class DatabaseFile:
    """
    C{queue.db} in a directory that this process owns.

    @ivar tell: is given what a postmaster should know of it.
    @ivar was_damaged: did L{open} find it so, and replace it?
    """

    directory: str
    _connect: Connect
    _disk: Disk
    _tell: Callable[[str], object]
    was_damaged: bool = attrs.field(default=False, init=False)

    @property
    def path(self) -> str:
        """Where the database is."""
        return os.path.join(self.directory, "queue.db")

    def open(self) -> QueueDatabase:
        """
        Open it for writing, and end the leases of the last owner.

        @raise StoreError: it cannot be used, or the disk fails.
        """
        try:
            self._finish_replacing()
            if not os.path.exists(self.path):
                self._make()
            try:
                return self._checked()
            except _DamagedDatabase as damage:
                self._replace(str(damage))
                return self._checked()
        except (OSError, sqlite3.Error, _DamagedDatabase) as error:
            raise StoreError(f"cannot open {self.path}: {error}") from error

    def suspect(self) -> None:
        """Have all of it checked at the next start, whatever its size."""
        try:
            with open(self._suspicion, "w"):
                pass
        except OSError:
            pass  # the log tells of the damage anyway

    @property
    def _suspicion(self) -> str:
        return self.path + ".check"

    @property
    def _ready(self) -> str:
        return self.path + ".ready"

    def _checked(self) -> QueueDatabase:
        """
        @raise _DamagedDatabase: it is damaged.
        """
        if os.path.getsize(self.path) == 0:
            raise _DamagedDatabase("the file is empty")
        try:
            connection = open_database(self.path, self._connect)
            database = QueueDatabase(connection)
            try:
                self._check(connection)
                database.start()
            except (sqlite3.Error, _DamagedDatabase):
                connection.close()
                raise
        except sqlite3.Error as error:
            if is_corrupt(error):
                raise _DamagedDatabase(str(error)) from error
            raise
        self._disk.remove(self._suspicion)
        return database

    def _check(self, connection: sqlite3.Connection) -> None:
        for statement in _PROBES:
            connection.execute(statement).fetchall()
        is_suspect = os.path.exists(self._suspicion)
        if is_suspect or os.path.getsize(self.path) <= CHECK_OCTETS:
            found = pragma_value(connection, "quick_check(1)")
            if found != "ok":
                raise _DamagedDatabase(str(found))

    def _make(self) -> None:
        """Put an empty database in place."""
        new = self._new_file()
        with closing(open_database(new, self._connect)):
            pass  # its tables are made
        self._put_in_place(new)

    def _replace(self, damage: str) -> None:
        """Put a new database in place that has what can be read of this one."""
        new = self._new_file()
        self.was_damaged = True
        saved = salvage(self.path, new, self._connect)
        aside = self._put_in_place(new)
        self._tell(
            f"{self.path} was damaged ({damage}) and is kept as {aside}: {saved}"
        )

    def _new_file(self) -> str:
        """An empty file, for us alone, instead of one that a crash left unfinished."""
        new = self.path + ".new"
        for suffix in ("", *_BESIDE):
            if os.path.exists(new + suffix):
                self._disk.unlink(new + suffix)
        self._disk.write_new(new, ())
        return new

    def _put_in_place(self, new: str) -> str:
        """
        Give a whole database its name.

        @return: the name that the old one got.
        """
        self._sync(new)
        self._disk.rename(new, self._ready)
        self._disk.sync_folder(self.directory)
        return self._finish_replacing()

    def _finish_replacing(self) -> str:
        """
        Do what is left to do once there is a C{queue.db.ready}.

        The old database goes before its log: without its log it would lack what was
        written last, and a log without its database is put beside the last one that was
        set aside.
        """
        if not os.path.exists(self._ready):
            return ""
        number = self._last_damaged()
        if os.path.exists(self.path):
            number += 1
        aside = f"{self.path}.damaged-{number}"
        for suffix in ("", *_BESIDE):
            if os.path.exists(self.path + suffix):
                self._disk.rename(self.path + suffix, aside + suffix)
        self._disk.sync_folder(self.directory)
        self._disk.rename(self._ready, self.path)
        self._disk.sync_folder(self.directory)
        return aside

    def _last_damaged(self) -> int:
        prefix = os.path.basename(self.path) + ".damaged-"
        numbers = [
            int(name.removeprefix(prefix))
            for name in os.listdir(self.directory)
            if name.startswith(prefix) and name.removeprefix(prefix).isdecimal()
        ]
        return max(numbers, default=0)

    def _sync(self, path: str) -> None:
        descriptor = self._disk.open(path, os.O_RDWR | os.O_CLOEXEC, 0)
        try:
            self._disk.fsync(descriptor)
        finally:
            os.close(descriptor)
