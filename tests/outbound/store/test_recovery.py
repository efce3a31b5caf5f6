"""Tests of C{harakatw.outbound.store.recovery}: what a crash leaves of big bodies."""

import os
from pathlib import Path
from typing import Any

from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import StoreError
from harakatw.interfaces.queue import Filter, ItemState, QueueItem
from harakatw.outbound.store.recovery import ORPHAN_SECONDS
from harakatw.outbound.store.sqlite import SQLiteStore
from harakatw.testing.threads import HeldThreads
from tests.log_events import collect_log
from tests.outbound.store.fakes import BODY, NOW, make_store, message, new


class RecoveryTests(SynchronousTestCase):
    """A queue whose bodies are all in files, after a crash."""

    def setUp(self) -> None:
        """Queue a message for two domains."""
        self.directory = Path(self.mktemp())
        self.bodies = self.directory / "bodies"
        store = self.open()
        adding = store.add(message(), (new(), new("b.example")), (BODY,))
        self.items = self.successResultOf(adding)
        self.successResultOf(store.close())
        (self.name,) = os.listdir(self.bodies)
        self.log = collect_log(self)

    def open(self, **more: Any) -> SQLiteStore:
        """Open the queue; it is closed when the test is over."""
        store = make_store(self.directory, inline_octets=0, **more)
        store.open()
        self.addCleanup(store.close)
        return store

    def put(self, name: str, age: float) -> Path:
        """Put a file among the bodies."""
        path = self.bodies / name
        path.write_bytes(BODY)
        os.utime(path, (NOW - age, NOW - age))
        return path

    def found(self, store: SQLiteStore) -> tuple[QueueItem, ...]:
        """All that is queued."""
        return self.successResultOf(store.find(Filter(), 10))

    def told(self) -> str:
        """What the log says."""
        return "\n".join(filter(None, map(formatEvent, self.log)))

    def test_sound(self) -> None:
        """Where nothing is wrong nothing is done or said."""
        store = self.open()
        self.assertEqual(os.listdir(self.bodies), [self.name])
        self.assertEqual(
            [item.state for item in self.found(store)], [ItemState.READY] * 2
        )
        self.assertEqual(self.told(), "")

    def test_unfinished(self) -> None:
        """A file that was being written is removed, however new."""
        unfinished = self.put("0123-1.eml.tmp", -86_400.0)
        self.open()
        self.assertFalse(unfinished.exists())
        self.assertEqual(os.listdir(self.bodies), [self.name])
        self.assertIn("1 leftovers", self.told())

    def test_orphan(self) -> None:
        """A body that no message has is removed when it is old enough."""
        old = self.put("0123-1.eml", ORPHAN_SECONDS)
        fresh = self.put("0123-2.eml", ORPHAN_SECONDS - 1)
        future = self.put("0123-3.eml", -ORPHAN_SECONDS)
        self.open()
        self.assertEqual(
            [path.exists() for path in (old, fresh, future)], [False, True, True]
        )
        self.assertTrue((self.bodies / self.name).exists())

    def test_missing(self) -> None:
        """Mail whose body is gone is kept for the postmaster, and not tried."""
        (self.bodies / self.name).unlink()
        store = self.open()
        for item in self.found(store):
            self.assertIs(item.state, ItemState.DEAD)
            self.assertIn("body", item.last_error)
            self.assertIn(f"item {item.id} cannot be delivered", self.told())
        leasing = store.lease(NOW, "a.example", 1, 60)
        self.assertEqual(self.successResultOf(leasing), ())

    def test_truncated(self) -> None:
        """So is mail whose body lost octets."""
        os.truncate(self.bodies / self.name, 5)
        self.assertIs(self.found(self.open())[0].state, ItemState.DEAD)

    def test_while_working(self) -> None:
        """
        Bodies made meanwhile are left alone, and so is mail that somebody has leased:
        who sends it finds the body missing.
        """
        threads = HeldThreads()
        (self.bodies / self.name).unlink()
        store = self.open(threads=threads)
        leasing = store.lease(NOW, "a.example", 1, 60)
        (leased,) = self.successResultOf(leasing)
        adding = store.add(message(), (new(),), (BODY,))
        look = threads.waiting.pop(0)
        threads.run_one()
        self.successResultOf(adding)
        (self.bodies / f"{os.listdir(self.bodies)[0]}.tmp").touch()
        threads.waiting.append(look)
        threads.run_one()
        self.assertEqual(len(os.listdir(self.bodies)), 2)
        finding = store.find(Filter(), 10)
        threads.run_one()
        states = [item.state for item in self.successResultOf(finding)]
        self.assertEqual(states, [ItemState.LEASED, ItemState.DEAD, ItemState.LEASED])
        reading = store.read_body(leased.message_id)
        threads.run_one()
        self.failureResultOf(reading, StoreError)

    def test_changed_body(self) -> None:
        """A body that has other octets than were stored never goes out as a whole."""
        (self.bodies / self.name).write_bytes(BODY[::-1])
        store = self.open()
        body = self.successResultOf(store.read_body(self.items[0].message_id))
        error = self.assertRaises(StoreError, list, body)
        self.assertIn("other octets", str(error))

    def test_vanished_body(self) -> None:
        """A body that vanishes between two looks is an error, not an empty message."""
        store = self.open()
        body = self.successResultOf(store.read_body(self.items[0].message_id))
        (self.bodies / self.name).unlink()
        self.assertRaises(StoreError, list, body)

    def test_closed_meanwhile(self) -> None:
        """A queue that is closed at once does not finish its look."""
        threads = HeldThreads()
        self.put("0123-1.eml.tmp", 0)
        store = self.open(threads=threads)
        self.successResultOf(store.close())
        threads.run_one()
        self.assertEqual(self.told(), "")
        self.assertEqual(len(os.listdir(self.bodies)), 2)

    def test_unreadable(self) -> None:
        """A folder that cannot be read is told, and does not stop the queue."""
        threads = HeldThreads()
        store = self.open(threads=threads)
        os.rename(self.bodies, self.directory / "elsewhere")
        threads.run_one()
        self.assertEqual(len(self.flushLoggedErrors(FileNotFoundError)), 1)
        self.assertIn("cannot look for leftovers", self.told())
        self.successResultOf(store.next_due(NOW))
