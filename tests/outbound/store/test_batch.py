"""Tests of C{harakatw.outbound.store.batch}: one write to disk, and disks that fail."""

import errno
import os
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import StoreError
from harakatw.interfaces.queue import Filter, QueueItem
from harakatw.outbound.store import batch, opening
from harakatw.outbound.store.disk import Disk
from harakatw.outbound.store.sqlite import SQLiteStore
from tests.log_events import collect_log
from tests.outbound.store.fakes import (
    BODY,
    NOW,
    Faults,
    HeldWriter,
    NowReactor,
    held_writers,
    ids_of,
    make_store,
    message,
    new,
    retry,
    sqlite_error,
)

FULL = sqlite_error(sqlite3.SQLITE_FULL, "database or disk is full")
IO_ERROR = sqlite_error(sqlite3.SQLITE_IOERR_FSYNC, "disk I/O error")
Adding = Deferred[tuple[QueueItem, ...]]


class BatchTestCase(SynchronousTestCase):
    """A queue that is told when to work, on a disk that is told when to fail."""

    def setUp(self) -> None:
        """Make an empty queue."""
        self.directory = Path(self.mktemp())
        self.clock = NowReactor()
        self.faults = Faults()
        self.broken: dict[str, OSError] = {}
        self.writer, self.store = self.open()
        self.faults.statements.clear()

    def open(self) -> tuple[HeldWriter, SQLiteStore]:
        """Open it."""
        made: list[HeldWriter] = []
        store = make_store(
            self.directory,
            reactor=self.clock,
            connect=self.faults.connect,
            disk=self.disk(),
            make_writer=held_writers(made),
            inline_octets=1000,
        )
        store.open()
        self.addCleanup(store.close)
        return made[0], store

    def disk(self) -> Disk:
        """File operations that are noted among the statements, and fail on order."""

        def seen(name: str, operation: Any) -> Any:
            def operate(*values: Any) -> Any:
                self.faults.statements.append(name)
                if name in self.broken:
                    raise self.broken[name]
                return operation(*values)

            return operate

        return Disk(
            write=seen("write", os.write),
            fsync=seen("fsync", os.fsync),
            rename=seen("rename", os.rename),
            unlink=seen("unlink", os.unlink),
        )

    @property
    def connection(self) -> sqlite3.Connection:
        """The writer's."""
        return self.faults.opened[-2]

    def add(self, body: bytes = BODY, **more: Any) -> Adding:
        """Ask for a message to be queued."""
        return self.store.add(message(size=len(body), **more), (new(),), (body,))

    def added(self, body: bytes = BODY) -> QueueItem:
        """Queue a message."""
        adding = self.add(body)
        self.writer.work()
        (item,) = self.successResultOf(adding)
        return item

    def assert_works(self, body: bytes = BODY, others: Sequence[int] = ()) -> None:
        """A message can be queued, and only these others are there."""
        item = self.added(body)
        self.assertEqual(self.found(), [*others, item.id])

    def found(self) -> list[int]:
        """The ids of all items."""
        return ids_of(self.successResultOf(self.store.find(Filter(), 1000)))

    def files(self) -> list[str]:
        """Bodies in files."""
        return os.listdir(self.directory / "bodies")

    def break_at(self, beginning: str, error: sqlite3.Error) -> None:
        """From now on a statement fails."""
        self.faults.failing[beginning] = error


class OrderTests(BatchTestCase):
    """When a reply may be given."""

    def test_settings(self) -> None:
        """A commit syncs the disk."""
        for pragma, value in (
            ("synchronous", 2),
            ("journal_mode", "wal"),
            ("auto_vacuum", 2),
            ("secure_delete", 0),
            ("fullfsync", 1),
        ):
            row = self.connection.execute(f"PRAGMA {pragma}").fetchone()
            self.assertEqual(row, (value,), pragma)

    def test_reply_after_commit(self) -> None:
        """No 250 before the commit, and no commit before a big body is on disk."""
        events = self.faults.statements
        adding = self.add(b"x" * 2000)
        adding.addCallback(lambda _: events.append("reply"))
        self.writer.work()
        order = ["write", "fsync", "rename", "fsync", "BEGIN IMMEDIATE", "COMMIT"]
        important = [each for each in events if each in (*order, "reply")]
        self.assertEqual(important, [*order, "reply"])

    def test_file_removed_last(self) -> None:
        """A body is removed after the commit that removes its message."""
        item = self.added(b"x" * 2000)
        self.faults.statements.clear()
        self.store.settle((item.id,), ())
        self.writer.work()
        important = [
            each for each in self.faults.statements if each in ("COMMIT", "unlink")
        ]
        self.assertEqual(important, ["COMMIT", "unlink"])

    def test_one_commit(self) -> None:
        """All that waits costs one write to disk."""
        old = self.added()
        self.faults.statements.clear()
        calls: list[Deferred[Any]] = [self.add() for _ in range(100)]
        calls.append(self.store.settle((old.id,), ()))
        calls.append(self.store.due_sites(NOW, 10))
        calls.append(self.store.lease(NOW, "a.example", 10, 60))
        self.writer.work()
        for call in calls:
            self.successResultOf(call)
        self.assertEqual(self.faults.commits(), 1)
        self.assertEqual(len(self.found()), 100)

    def test_few_statements(self) -> None:
        """
        How many statements a batch needs hardly depends on how many calls it has: each
        waits for a busy reactor.
        """
        items = []
        for calls in (1, 200):
            adding = [self.add() for _ in range(calls)]
            self.faults.statements.clear()
            self.writer.work()
            items = [self.successResultOf(each)[0].id for each in adding]
            self.assertLess(len(self.faults.statements), 30)
        for item in items:
            self.store.settle((item,), ())
        self.faults.statements.clear()
        self.writer.work()
        self.assertLess(len(self.faults.statements), 10)
        self.assertEqual(len(self.found()), 1)


class BadValueTests(BatchTestCase):
    """A call that cannot be done, among others that can."""

    def test_notes(self) -> None:
        """A plugin's note that is no JSON ends its message, not those of others."""
        before, bad, after = self.add(), self.add(notes={"a": object()}), self.add()
        self.writer.work()
        error = self.failureResultOf(bad, StoreError).value
        self.assertIn("not JSON serializable", str(error))
        good = [self.successResultOf(each)[0].id for each in (before, after)]
        self.assertEqual(self.found(), good)

    def test_text(self) -> None:
        """So does an address that is no text, and a number that SQLite cannot hold."""
        bad = [self.add(sender="\udc80"), self.add(queued_at=1e400 - 1e400)]
        about = message(size=10**30)
        bad.append(self.store.add(about, (new(),), (b"x" * 2000,)))
        good = self.add()
        self.writer.work()
        for each in bad:
            self.failureResultOf(each, StoreError)
        self.assertEqual(self.found(), ids_of(self.successResultOf(good)))
        self.assertEqual(self.files(), [])

    def test_settlement(self) -> None:
        """A settlement that fails does nothing at all, even in part."""
        first, second, big = self.added(), self.added(), self.added(b"x" * 2000)
        bad = self.store.settle((first.id, big.id), (retry(second, attempts=2**70),))
        good = self.store.settle((second.id,), ())
        self.writer.work()
        self.failureResultOf(bad, StoreError)
        self.successResultOf(good)
        self.assertEqual(self.found(), [first.id, big.id])
        self.assertEqual(len(self.files()), 1)

    def test_late_failure(self) -> None:
        """A body stays when its message cannot be removed after all."""
        big = self.added(b"x" * 2000)
        self.break_at("DELETE FROM messages", sqlite3.IntegrityError("no"))
        settling, adding = self.store.settle((big.id,), ()), self.add()
        self.writer.work()
        self.failureResultOf(settling, StoreError)
        self.successResultOf(adding)
        self.assertEqual(len(self.files()), 1)
        body = self.successResultOf(self.store.read_body(big.message_id))
        self.assertEqual(b"".join(body), b"x" * 2000)

    def test_body(self) -> None:
        """Whatever happens while a body is read ends only its own message."""

        def chunks() -> Any:
            yield b"x"
            raise ZeroDivisionError("a bug in somebody's plugin")

        bad, good = self.store.add(message(), (new(),), chunks()), self.add()
        self.writer.work()
        self.assertIsInstance(
            self.failureResultOf(bad, StoreError).value.__cause__, ZeroDivisionError
        )
        self.assertEqual(self.found(), ids_of(self.successResultOf(good)))


class DiskFaultTests(BatchTestCase):
    """Disks that are full or broken (survey row 39)."""

    def test_commit_fails(self) -> None:
        """
        When the disk does not take a commit, everybody is told so, nothing is half
        done, and the queue works again as soon as the disk does.
        """
        old = self.added()
        for error in (FULL, IO_ERROR):
            calls: list[Deferred[Any]] = [
                self.add(),
                self.add(b"x" * 2000),
                self.store.settle((old.id,), ()),
                self.store.lease(NOW, "a.example", 1, 60),
            ]
            self.break_at("COMMIT", error)
            self.writer.work()
            for call in calls:
                failure = self.failureResultOf(call, StoreError)
                self.assertIn(str(error), str(failure.value))
            self.faults.failing.clear()
            self.assertEqual(self.found(), [old.id])
            self.assertEqual(self.files(), [])
        self.store.settle((old.id,), ())
        fresh = self.added()
        self.assertEqual(self.found(), [fresh.id])

    def test_told_sometimes(self) -> None:
        """A full disk is told once a minute, not with each message."""
        log = collect_log(self)
        self.break_at("COMMIT", FULL)
        for seconds in (0, 1, 58, 1, 1):
            self.clock.advance(seconds)
            adding = self.add()
            self.writer.work()
            self.failureResultOf(adding, StoreError)
        told = [formatEvent(each) for each in log]
        self.assertEqual(len([each for each in told if "is full" in each]), 2)

    def test_really_full(self) -> None:
        """So it is when SQLite itself finds no room."""
        old = self.added()
        pages = self.connection.execute("PRAGMA page_count").fetchone()[0]
        self.connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        calls = [self.add(b"x" * 1000) for _ in range(100)]
        self.writer.work()
        for call in calls:
            failure = self.failureResultOf(call, StoreError)
            self.assertIn("full", str(failure.value))
        self.assertEqual(self.found(), [old.id])
        self.connection.execute("PRAGMA max_page_count = 1000000")
        self.assert_works(others=[old.id])

    def test_locked(self) -> None:
        """A database that a backup keeps locked for too long refuses mail meanwhile."""
        self.connection.execute("PRAGMA busy_timeout = 1")
        path = self.directory / "queue.db"
        backup = sqlite3.connect(path, isolation_level=None)
        self.addCleanup(backup.close)
        backup.execute("BEGIN IMMEDIATE")
        adding = self.add()
        self.writer.work()
        failure = self.failureResultOf(adding, StoreError)
        self.assertIn("locked", str(failure.value))
        backup.execute("ROLLBACK")
        self.assert_works()

    def test_no_rollback(self) -> None:
        """A transaction that could not even be undone is undone before the next."""
        adding = self.add()
        self.break_at("COMMIT", IO_ERROR)
        self.break_at("ROLLBACK", IO_ERROR)
        self.writer.work()
        self.failureResultOf(adding, StoreError)
        self.faults.failing.clear()
        self.assert_works()

    def test_each_fails(self) -> None:
        """A disk that fails when calls are tried one by one fails them all."""
        adding, bad = self.add(), self.add(notes={"a": object()})
        self.break_at("RELEASE", FULL)
        self.writer.work()
        self.failureResultOf(adding, StoreError)
        self.failureResultOf(bad, StoreError)
        self.faults.failing.clear()
        self.assert_works()

    def test_body_file(self) -> None:
        """A big body that the disk does not take leaves nothing behind."""
        for operation, code in (
            ("write", errno.ENOSPC),
            ("fsync", errno.EIO),
            ("rename", errno.EIO),
        ):
            self.broken = {operation: OSError(code, os.strerror(code))}
            adding = self.add(b"x" * 2000)
            self.writer.work()
            failure = self.failureResultOf(adding, StoreError)
            self.assertIn(os.strerror(code), str(failure.value))
            self.assertEqual(self.files(), [])
        self.broken = {}
        self.assert_works(b"x" * 2000)

    def test_file_stays(self) -> None:
        """A body that cannot be removed does not keep its message queued."""
        big = self.added(b"x" * 2000)
        self.broken = {"unlink": OSError(errno.EIO, "I/O error")}
        settling = self.store.settle((big.id,), ())
        self.writer.work()
        self.successResultOf(settling)
        self.assertEqual(self.found(), [])

    def test_due_after_fault(self) -> None:
        """
        Mail that is queued after a failed commit is found when it is due: what the
        failed one noted of its queue was undone.
        """
        adding = self.add()
        self.break_at("COMMIT", FULL)
        self.writer.work()
        self.failureResultOf(adding, StoreError)
        self.faults.failing.clear()
        self.added()
        due = self.store.due_sites(NOW + 1e6, 10)
        self.writer.work()
        self.assertEqual(
            [each.site for each in self.successResultOf(due)], ["a.example"]
        )

    def test_ids_after_fault_and_crash(self) -> None:
        """Nor are ids used twice after a failed commit and a crash."""
        adding = self.add()
        self.break_at("COMMIT", FULL)
        self.writer.work()
        self.failureResultOf(adding, StoreError)
        self.faults.failing.clear()
        item = self.added()
        self.store.settle((item.id,), ())
        self.writer.work()
        copy = Path(self.mktemp())
        shutil.copytree(self.directory, copy)  # as a crash would leave it
        store = make_store(copy)
        store.open()
        self.addCleanup(store.close)
        adding = store.add(message(), (new(),), (BODY,))
        (fresh,) = self.successResultOf(adding)
        self.assertGreater(fresh.id, item.id)


class SurpriseTests(BatchTestCase):
    """What should never happen."""

    def test_bug(self) -> None:
        """A bug of ours fails the call that has it, and the queue goes on."""
        item = self.added()
        bad = self.store.give_back((object(), item.id))  # type: ignore[arg-type]
        good = self.add()
        self.writer.work()
        self.failureResultOf(bad, StoreError)
        (other,) = self.successResultOf(good)
        self.assertEqual(self.found(), [item.id, other.id])

    def test_damage(self) -> None:
        """
        A call that meets a damaged page fails, others do not, and all is checked at the
        next start.
        """
        corrupt = sqlite3.DatabaseError("database disk image is malformed")
        corrupt.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        self.break_at("SELECT site, wake", corrupt)
        due, adding = self.store.due_sites(NOW, 10), self.add()
        self.writer.work()
        self.failureResultOf(due, StoreError)
        self.successResultOf(adding)
        self.assertTrue((self.directory / "queue.db.check").exists())
        self.successResultOf(self.store.close())
        self.faults.failing.clear()
        self.faults.statements.clear()
        self.patch(opening, "CHECK_OCTETS", 0)
        _, self.store = self.open()
        self.assertIn("PRAGMA quick_check(1)", self.faults.statements)
        self.assertFalse((self.directory / "queue.db.check").exists())
        self.assertEqual(len(self.found()), 1)


class SizeTests(BatchTestCase):
    """The size of the database."""

    def test_no_growth(self) -> None:
        """A queue through which much mail goes does not grow."""
        path = self.directory / "queue.db"
        sizes = []
        for _ in range(10):
            for _ in range(20):
                items = [self.add(b"x" * 900) for _ in range(20)]
                self.writer.work()
                for item in items:
                    self.store.settle(ids_of(self.successResultOf(item)), ())
                self.writer.work()
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            sizes.append(path.stat().st_size)
        self.assertLess(sizes[-1], 1.2 * sizes[0])

    def test_after_burst(self) -> None:
        """What a burst of mail has left goes back to the file system, by and by."""
        self.patch(batch, "VACUUM_ABOVE_PAGES", 100)
        adding = [self.add(b"x" * 1000) for _ in range(2000)]
        self.writer.work()
        ids = [self.successResultOf(each)[0].id for each in adding]
        self.store.settle(ids, ())
        self.writer.work()
        pages = self.connection.execute("PRAGMA page_count").fetchone()[0]
        self.assertGreater(pages, 500)
        for _ in range(100):
            self.store.next_due(NOW)
            self.writer.work()
        left = self.connection.execute("PRAGMA page_count").fetchone()[0]
        self.assertLess(left, 300)
