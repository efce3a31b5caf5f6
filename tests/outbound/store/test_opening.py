"""Tests of C{harakatw.outbound.store.opening}: databases that are not in order."""

import errno
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import StoreError
from harakatw.interfaces.queue import Filter, ItemState, QueueItem
from harakatw.outbound.store import opening
from harakatw.outbound.store.disk import Disk
from harakatw.outbound.store.schema import MIGRATIONS
from harakatw.outbound.store.sqlite import SQLiteStore
from tests.log_events import collect_log
from tests.outbound.store.fakes import (
    BODY,
    NOW,
    Faults,
    make_store,
    message,
    new,
    sqlite_error,
)

MESSAGES = 300
PAGE = 4096


class DatabaseTestCase(SynchronousTestCase):
    """A queue with some hundred messages, that nobody has open."""

    def setUp(self) -> None:
        """Make it."""
        self.directory = Path(self.mktemp())
        self.path = self.directory / "queue.db"
        store = self.open()
        for number in range(MESSAGES):
            item = new(f"d{number}.example")
            body = b"%d\r\n" % number * 200
            about = message(f"U{number}.1", size=len(body))
            self.successResultOf(store.add(about, (item,), (body,)))
        self.close(store)
        self.log = collect_log(self)

    def open(self, **more: Any) -> SQLiteStore:
        """Open the queue; it is closed when the test is over."""
        store = make_store(self.directory, **more)
        store.open()
        self.addCleanup(store.close)
        return store

    def close(self, store: SQLiteStore) -> None:
        """Close it now."""
        self.successResultOf(store.close())

    def all_of(self, store: SQLiteStore) -> tuple[QueueItem, ...]:
        """Everything that is queued."""
        return self.successResultOf(store.find(Filter(), MESSAGES * 2))

    def damage(self, start: int, octets: bytes) -> None:
        """Overwrite a part of the database file."""
        with open(self.path, "r+b") as file:
            file.seek(start)
            file.write(octets)

    def damage_rows(self, text: bytes) -> None:
        """Overwrite a part of all pages of table rows that hold a text."""
        whole = self.path.read_bytes()
        pages = [
            start
            for start in range(PAGE, len(whole), PAGE)
            if whole[start] == 0x0D and text in whole[start : start + PAGE]
        ]
        self.assertNotEqual(pages, [])
        for start in pages:
            self.damage(start, b"\xff" * 200)

    def told(self) -> str:
        """What the log says."""
        return "\n".join(filter(None, map(formatEvent, self.log)))

    def names(self) -> list[str]:
        """What is in the queue's directory."""
        return sorted(os.listdir(self.directory))

    def assert_works(self, store: SQLiteStore) -> None:
        """Mail can be queued and delivered."""
        adding = store.add(message("NEW.1"), (new("n.example"),), (BODY,))
        (item,) = self.successResultOf(adding)
        self.assertIn(item, self.all_of(store))
        self.successResultOf(store.settle((item.id,), ()))
        self.assertNotIn(item.id, [each.id for each in self.all_of(store)])


class UnfitTests(DatabaseTestCase):
    """Databases that are whole but not for us."""

    def test_newer(self) -> None:
        """The queue of a newer version is left alone."""
        with sqlite3.connect(self.path) as database:
            database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
        before = self.path.read_bytes()
        error = self.assertRaises(StoreError, self.open)
        self.assertIn("newer version", str(error))
        self.assertEqual(self.path.read_bytes(), before)

    def test_foreign(self) -> None:
        """So is somebody else's database."""
        with sqlite3.connect(self.path) as database:
            database.execute("PRAGMA application_id = 1")
        error = self.assertRaises(StoreError, self.open)
        self.assertIn("not a queue", str(error))

    def test_disk_fails(self) -> None:
        """A disk that fails is not taken for a damaged database."""
        faults = Faults()
        error = sqlite_error(sqlite3.SQLITE_IOERR, "disk I/O error")
        for statement in ("PRAGMA synchronous", "SELECT min(id)", "BEGIN IMMEDIATE"):
            faults.failing = {statement: error}
            raised = self.assertRaises(StoreError, self.open, connect=faults.connect)
            self.assertIn("disk I/O error", str(raised))
        self.assertNotIn("damaged", " ".join(self.names()))
        self.assertEqual(len(self.all_of(self.open())), MESSAGES)

    def test_no_wal(self) -> None:
        """A file system on which SQLite has no WAL is a clear error."""

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
                return super().execute(sql.replace("= WAL", "= DELETE"), *values)

        def connect(path: str) -> sqlite3.Connection:
            return sqlite3.connect(path, isolation_level=None, factory=Connection)

        error = self.assertRaises(StoreError, self.open, connect=connect)
        self.assertIn("does not allow WAL, but delete", str(error))

    def test_lock_is_released(self) -> None:
        """A queue that could not be opened can be opened by the next who tries."""
        with sqlite3.connect(self.path) as database:
            database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
        self.assertRaises(StoreError, self.open)
        with sqlite3.connect(self.path) as database:
            database.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        self.assertEqual(len(self.all_of(self.open())), MESSAGES)


class DamagedTests(DatabaseTestCase):
    """Databases that something has damaged."""

    def assert_set_aside(self, number: int = 1) -> None:
        """The damaged database is kept, and the log says so."""
        name = f"queue.db.damaged-{number}"
        self.assertIn(name, self.names())
        self.assertIn("was damaged", self.told())
        self.assertIn(name, self.told())

    def hold(self) -> None:
        """Put all mail on hold; a start need not look at each item then."""
        store = self.open()
        self.successResultOf(store.change(Filter(), state=ItemState.HELD))
        self.close(store)

    def test_one_page(self) -> None:
        """
        Of a damaged page only its own rows are lost; the rest is saved, in the same
        order and state, and the damaged file is kept.
        """
        self.hold()
        self.damage_rows(b"d150.example")
        store = self.open()
        self.assert_set_aside()
        found = self.all_of(store)
        domains = [item.domain for item in found if item.domain]
        self.assertGreater(len(domains), MESSAGES - 100)
        self.assertNotIn("d150.example", domains)
        self.assertIn("d0.example", domains)
        self.assertIn("d299.example", domains)
        self.assertEqual(
            {item.state for item in found if item.domain}, {ItemState.HELD}
        )
        for item in found:
            body = self.successResultOf(store.read_body(item.message_id))
            self.assertEqual(b"".join(body), b"%d\r\n" % (item.id - 1) * 200)
        self.assert_works(store)

    def test_lost_recipients(self) -> None:
        """
        A message whose items were lost is shown as a dead item, as nobody knows any
        more who was to get it.
        """
        self.damage_rows(b"d150.example")
        store = self.open()
        found = {item.message.uuid: item for item in self.all_of(store)}
        self.assertEqual(len(found), MESSAGES)
        lost = found["U150.1"]
        self.assertIs(lost.state, ItemState.DEAD)
        self.assertIn("recipients", lost.last_error)
        self.assertEqual(lost.recipients, ())
        body = self.successResultOf(store.read_body(lost.message_id))
        self.assertEqual(b"".join(body), b"150\r\n" * 200)
        dropping = store.drop(Filter(uuid="U150.1"))
        self.assertEqual(self.successResultOf(dropping), 1)

    def test_lost_messages(self) -> None:
        """An item whose message was lost is kept for the postmaster, and not tried."""
        self.damage_rows(b"U150.1")
        store = self.open()
        lost = next(
            item for item in self.all_of(store) if item.domain == "d150.example"
        )
        self.assertIs(lost.state, ItemState.DEAD)
        leasing = store.lease(NOW, "d150.example", 1, 60)
        self.assertEqual(self.successResultOf(leasing), ())
        self.assertIn(f"item {lost.id} cannot be delivered", self.told())
        self.failureResultOf(store.read_body(lost.message_id), StoreError)
        counts = self.successResultOf(store.count())
        self.assertEqual(counts[ItemState.DEAD], 1)

    def test_two_pages(self) -> None:
        """What lies between two damaged pages is saved as well."""
        self.hold()
        self.damage_rows(b"d30.example")
        self.damage_rows(b"d270.example")
        found = self.all_of(self.open())
        domains = [item.domain for item in found if item.domain]
        self.assertNotIn("d30.example", domains)
        self.assertNotIn("d270.example", domains)
        self.assertIn("d150.example", domains)

    def root_of(self, table: str) -> int:
        """Where the page is that leads to all others of a table."""
        with sqlite3.connect(self.path) as database:
            statement = "SELECT rootpage FROM sqlite_master WHERE name = ?"
            row = database.execute(statement, (table,)).fetchone()
        return (int(row[0]) - 1) * PAGE

    def test_root_of_items(self) -> None:
        """When no item can be read, every message is shown as a dead one."""
        self.damage(self.root_of("items"), b"\xff" * 200)
        store = self.open()
        found = self.all_of(store)
        self.assertEqual(len({item.message.uuid for item in found}), MESSAGES)
        self.assertEqual({item.state for item in found}, {ItemState.DEAD})
        self.assertIn(f"of {MESSAGES} messages the recipients are lost", self.told())
        self.assert_works(store)

    def test_root_of_messages(self) -> None:
        """When no message can be read, the postmaster still sees who waits for one."""
        self.damage(self.root_of("messages"), b"\xff" * 200)
        store = self.open()
        found = self.all_of(store)
        self.assertEqual(len(found), MESSAGES)
        self.assertEqual({item.state for item in found}, {ItemState.DEAD})
        self.assertEqual(found[7].recipients[0].address, "r@d7.example")
        self.assert_works(store)

    def test_index(self) -> None:
        """When only an index is damaged, nothing is lost at all."""
        self.damage(self.root_of("by_site"), b"\xff" * 200)
        store = self.open()
        found = self.all_of(store)
        self.assertEqual(len(found), MESSAGES)
        self.assertEqual({item.state for item in found}, {ItemState.READY})
        self.assert_works(store)

    def test_due(self) -> None:
        """What was saved is delivered."""
        self.damage_rows(b"d150.example")
        store = self.open()
        due = self.successResultOf(store.due_sites(NOW, MESSAGES))
        self.assertGreater(len(due), MESSAGES - 100)
        leasing = store.lease(NOW, "d299.example", 1, 60)
        self.assertEqual(len(self.successResultOf(leasing)), 1)

    def test_garbage(self) -> None:
        """Of a file that is no database nothing is saved, but it is kept."""
        self.path.write_bytes(b"x" * 10_000)
        store = self.open()
        self.assert_set_aside()
        self.assertEqual(self.all_of(store), ())
        self.assert_works(store)
        aside = self.directory / "queue.db.damaged-1"
        self.assertEqual(aside.read_bytes(), b"x" * 10_000)

    def test_empty(self) -> None:
        """A file that lost all of its octets is not taken for a new queue."""
        self.path.write_bytes(b"")
        store = self.open()
        self.assert_set_aside()
        self.assertIn("the file is empty", self.told())
        self.assert_works(store)

    def test_truncated(self) -> None:
        """Of a file that lost its end what is left is saved."""
        os.truncate(self.path, self.path.stat().st_size // 2 // PAGE * PAGE)
        store = self.open()
        self.assert_set_aside()
        self.assertGreater(len(self.all_of(store)), 10)
        self.assert_works(store)

    def test_anywhere(self) -> None:
        """Wherever a page is damaged, the queue opens and works."""
        whole = self.path.read_bytes()
        for start in range(0, len(whole), PAGE * 7):
            self.path.write_bytes(whole)
            self.damage(start, b"\xa5" * 300)
            store = self.open()
            self.assert_works(store)
            self.close(store)

    def test_again(self) -> None:
        """Every damaged file is kept."""
        for number in (1, 2):
            self.path.write_bytes(b"x" * 10_000)
            self.close(self.open())
            self.assert_set_aside(number)

    def test_bodies_are_kept(self) -> None:
        """Bodies whose rows were lost are put aside, however old."""
        store = self.open(inline_octets=0)
        self.successResultOf(store.add(message(), (new(),), (BODY,)))
        self.close(store)
        (name,) = os.listdir(self.directory / "bodies")
        os.utime(self.directory / "bodies" / name, (0, 0))
        self.path.write_bytes(b"x" * 10_000)
        self.close(self.open())
        kept = self.directory / "unclaimed" / name
        self.assertEqual(kept.read_bytes(), BODY)
        self.assertEqual(os.listdir(self.directory / "bodies"), [])

    def test_suspicion(self) -> None:
        """A big database is checked as a whole only when something was found wrong."""
        self.patch(opening, "CHECK_OCTETS", 0)
        self.hold()
        self.damage_rows(b"d150.example")
        self.close(self.open())
        self.assertNotIn("queue.db.damaged-1", self.names())
        (self.directory / "queue.db.check").touch()
        self.close(self.open())
        self.assert_set_aside()
        self.assertNotIn("queue.db.check", self.names())

    def test_found_late(self) -> None:
        """Damage that the start itself comes across is repaired at once."""
        self.patch(opening, "CHECK_OCTETS", 0)
        with sqlite3.connect(self.path) as database:
            database.execute("UPDATE items SET state = 1")
        self.damage_rows(b"d150.example")
        self.assert_works(self.open())
        self.assert_set_aside()


class InterruptedTests(DatabaseTestCase):
    """Crashes while a damaged database is being replaced."""

    def interrupted(self, at: int) -> bool:
        """
        Open a damaged queue on a disk that fails at the n-th renaming. Did it?
        """
        renames = 0

        def rename(old: str, new: str) -> None:
            nonlocal renames
            if renames == at:
                raise OSError(errno.EIO, "I/O error")
            renames += 1
            os.rename(old, new)

        try:
            self.close(self.open(disk=Disk(rename=rename)))
        except StoreError:
            return True
        return False

    def test_anywhere(self) -> None:
        """Wherever it stops, the next start goes on, and nothing is lost."""
        self.damage_rows(b"d150.example")
        damaged = self.path.read_bytes()
        for at in range(10):
            copy = self.directory.with_name(f"copy{at}")
            shutil.copytree(self.directory, copy)
            original, self.directory = self.directory, copy
            was_interrupted = self.interrupted(at)
            store = self.open()
            self.assertEqual(len(self.all_of(store)), MESSAGES)
            self.close(store)
            aside = copy / "queue.db.damaged-1"
            self.assertEqual(aside.read_bytes()[PAGE:], damaged[PAGE:])
            self.assertNotIn("queue.db.damaged-2", self.names())
            self.assertNotIn("queue.db.ready", self.names())
            self.directory = original
            if not was_interrupted:
                break
        self.assertGreater(at, 2)

    def test_unfinished(self) -> None:
        """What a crash left of a new database is made anew."""
        for suffix in ("", "-wal", "-shm"):
            (self.directory / f"queue.db.new{suffix}").write_bytes(b"half")
        self.path.write_bytes(b"x" * 10_000)
        self.assert_works(self.open())

    def test_log_without_database(self) -> None:
        """
        A log that a crash left behind goes to its own database, never into the new one.
        """
        shutil.copy(self.path, self.directory / "queue.db.ready")
        os.rename(self.path, self.directory / "queue.db.damaged-3")
        (self.directory / "queue.db-wal").write_bytes(b"old log")
        store = self.open()
        self.assertEqual(len(self.all_of(store)), MESSAGES)
        aside = self.directory / "queue.db.damaged-3-wal"
        self.assertEqual(aside.read_bytes(), b"old log")

    def test_first_start(self) -> None:
        """So it is with the first start of all."""
        shutil.rmtree(self.directory)
        for at in (0, 1):
            self.assertTrue(self.interrupted(at))
        self.assert_works(self.open())
        self.assertNotIn("damaged", " ".join(self.names()))
