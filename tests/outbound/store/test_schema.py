"""Tests of C{harakatw.outbound.store.schema}: tables of several versions."""

import sqlite3
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from harakatw.interfaces.queue import Filter
from harakatw.outbound.store import schema
from harakatw.outbound.store.salvage import salvage
from harakatw.outbound.store.schema import (
    connect_database,
    is_corrupt,
    open_database,
    open_for_reading,
)
from tests.outbound.store.fakes import BODY, Faults, make_store, message, new


class MigrationTests(SynchronousTestCase):
    """A new version of the program opens the queue of an old one."""

    def setUp(self) -> None:
        """Queue a message, and have a next version of the tables."""
        self.directory = Path(self.mktemp())
        self.queued = self.open_and_find(add=True)
        more = ("ALTER TABLE items ADD COLUMN colour TEXT", "CREATE TABLE more (a)")
        self.patch(schema, "MIGRATIONS", (*schema.MIGRATIONS, more))

    def open_and_find(self, *, add: bool = False) -> int:
        """How many items are there?"""
        store = make_store(self.directory)
        store.open()
        if add:
            self.successResultOf(store.add(message(), (new(),), (BODY,)))
        found = len(self.successResultOf(store.find(Filter(), 10)))
        self.successResultOf(store.close())
        return found

    def version(self) -> int:
        """The version of the tables on disk."""
        with sqlite3.connect(self.directory / "queue.db") as database:
            return int(database.execute("PRAGMA user_version").fetchone()[0])

    def test_migrated(self) -> None:
        """The tables become new, and the mail stays."""
        before = self.version()
        path = str(self.directory / "queue.db")
        open_database(path, connect_database).close()
        self.assertEqual(self.version(), before + 1)
        self.assertEqual(self.open_and_find(), self.queued)

    def test_damaged(self) -> None:
        """Of a damaged queue of an old version is saved what the old one has."""
        path = self.directory / "queue.db"
        more = ("ALTER TABLE items ADD COLUMN size TEXT NOT NULL DEFAULT 'L'",)
        self.patch(schema, "MIGRATIONS", (*schema.MIGRATIONS[:1], more))
        new_path = str(path) + ".new"
        saved = salvage(str(path), new_path, connect_database)
        self.assertEqual((saved.messages, saved.items), (1, 1))
        with sqlite3.connect(new_path) as database:
            rows = database.execute("SELECT size, domain FROM items").fetchall()
        self.assertEqual(rows, [("L", "a.example")])

    def test_interrupted(self) -> None:
        """A change that stops halfway is not made at all, and made the next time."""
        before = self.version()
        path = str(self.directory / "queue.db")
        faults = Faults(failing={"CREATE TABLE more": sqlite3.OperationalError("x")})
        self.assertRaises(sqlite3.OperationalError, open_database, path, faults.connect)
        self.assertEqual(self.version(), before)
        open_database(path, connect_database).close()
        self.assertEqual(self.version(), before + 1)


class ConnectionTests(SynchronousTestCase):
    """Connections to a queue."""

    def test_reader(self) -> None:
        """Who lists the queue cannot change it."""
        path = self.mktemp()
        open_database(path, connect_database).close()
        reader = open_for_reading(path, connect_database)
        self.addCleanup(reader.close)
        self.assertRaises(sqlite3.OperationalError, reader.execute, "DELETE FROM items")

    def test_is_corrupt(self) -> None:
        """A damaged file is told from a disk that fails."""
        path = Path(self.mktemp())
        path.write_bytes(b"x" * 5000)
        error = self.assertRaises(
            sqlite3.DatabaseError, open_database, str(path), connect_database
        )
        self.assertTrue(is_corrupt(error))
        nowhere = str(path / "queue.db")
        error = self.assertRaises(
            sqlite3.OperationalError, open_database, nowhere, connect_database
        )
        self.assertFalse(is_corrupt(error))
