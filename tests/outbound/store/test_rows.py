"""Tests of C{harakatw.outbound.store.rows}: rows that nobody wrote so."""

import sqlite3
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from harakatw.interfaces.queue import Filter, ItemState
from harakatw.outbound.store.rows import storable
from tests.outbound.store.fakes import (
    BODY,
    NOW,
    Faults,
    ids_of,
    make_store,
    message,
    new,
)

DAMAGES = (
    ("items", "recipients", '[["r@a.example",""'),
    ("items", "recipients", "[]"),
    ("items", "recipients", "{}"),
    ("items", "recipients", "17"),
    ("items", "recipients", '[["r@a.example",1,"",""]]'),
    ("items", "recipients", '[["r@a.example","","","",""]]'),
    ("items", "recipients", '["r@a.example"]'),
    ("items", "recipients", "[" * 100_000),
    ("items", "recipients", b"\xff\x00"),
    ("items", "domain", b"\xff"),
    ("items", "attempts", "many"),
    ("items", "due", "soon"),
    ("items", "message_id", 999),
    ("items", "message_id", "x"),
    ("items", "state", -1),
    ("items", "last_error", b"\xff"),
    ("items", "next_hop", b"\xff"),
    ("messages", "uuid", b"\xff"),
    ("messages", "sender", b"s@ours.example"),
    ("messages", "size", "big"),
    ("messages", "queued_at", "then"),
    ("messages", "flags", 1.5),
    ("messages", "notes", "[]"),
    ("messages", "notes", "{"),
    ("messages", "notes", "[" * 100_000),
)
"""Tables, columns, and what somebody has put there."""


class DamagedRowTests(SynchronousTestCase):
    """A row that cannot be understood, between two that can (survey row 39)."""

    def damaged(self, table: str, column: str, value: object) -> list[int]:
        """
        Queue three messages, damage the second, and look at the queue as it is now.

        @return: their ids.
        """
        faults = Faults()
        self.store = make_store(Path(self.mktemp()), connect=faults.connect)
        self.store.open()
        self.addCleanup(self.store.close)
        ids = []
        for name in ("first", "second", "third"):
            adding = self.store.add(message(name), (new(),), (BODY,))
            ids += ids_of(self.successResultOf(adding))
        self.successResultOf(self.store.give_back(ids))
        # SQLite takes "soon" for a REAL column, but wants bytes decoded as text: a
        # BLOB is what a flipped bit in the row's header makes of it
        faults.opened[-2].execute(
            f"UPDATE {table} SET {column} = ? WHERE id = ?", (value, ids[1])
        )
        return ids

    def test_lease(self) -> None:
        """
        The damaged item is given up, with the reason and its id in the log, and the
        others are delivered.
        """
        for damage in DAMAGES:
            ids = self.damaged(*damage)
            leasing = self.store.lease(NOW, "a.example", 2, 60)
            leased = ids_of(self.successResultOf(leasing))
            self.assertEqual(leased, [ids[0], ids[2]], damage)
            counts = self.successResultOf(self.store.count())
            self.assertEqual(counts[ItemState.DEAD], 1, damage)
            found = self.successResultOf(self.store.find(Filter(), 9))
            self.assertIs(found[1].state, ItemState.DEAD, damage)
            self.assertIn("damaged: ", found[1].last_error, damage)

    def test_shown(self) -> None:
        """It is shown to the postmaster before and after, who can drop it."""
        for damage in DAMAGES:
            ids = self.damaged(*damage)
            found = self.successResultOf(self.store.find(Filter(), 9))
            self.assertEqual(ids_of(found), ids)
            self.assertIs(found[1].state, ItemState.DEAD, damage)
            which = Filter(ids=frozenset((ids[1],)))
            dropping = self.store.drop(which)
            self.assertEqual(self.successResultOf(dropping), 1)
            found = self.successResultOf(self.store.find(Filter(), 9))
            self.assertEqual(ids_of(found), [ids[0], ids[2]], damage)

    def test_found(self) -> None:
        """A search is not stopped by it."""
        for damage in DAMAGES:
            ids = self.damaged(*damage)
            which = Filter(recipient="r@*", sender="s@*", uuid="*ir*")
            found = self.successResultOf(self.store.find(which, 9))
            self.assertEqual(ids_of(found), [ids[0], ids[2]], damage)

    def test_body(self) -> None:
        """A body that has not as many octets as it should have is not sent."""
        ids = self.damaged("messages", "body", BODY[1:])
        reading = self.store.read_body(ids[1])
        self.failureResultOf(reading)
        ids = self.damaged("messages", "body", None)
        self.failureResultOf(self.store.read_body(ids[1]))

    def test_pages(self) -> None:
        """Many damaged items at the front of a queue do not hide the others."""
        ids = self.damaged("items", "attempts", 0)
        store = self.store
        many = [new(f"m{number}.example", site="a.example") for number in range(50)]
        added = self.successResultOf(store.add(message(), many, (BODY,)))
        self.successResultOf(store.give_back(ids_of(added)))
        which = Filter(domain="m*.example")
        self.successResultOf(store.change(which, due=NOW - 9))
        path = str(store.directory / "queue.db")
        with sqlite3.connect(path) as database:
            database.execute(
                "UPDATE items SET recipients = '' WHERE domain LIKE 'm%.example'"
            )
        leasing = store.lease(NOW, "a.example", 2, 60)
        self.assertEqual(ids_of(self.successResultOf(leasing)), ids[:2])


class StorableTests(SynchronousTestCase):
    """Texts from peers."""

    def test_storable(self) -> None:
        """What is no text gets question marks; all else stays."""
        for text, expected in (
            ("450 4.2.1 later", "450 4.2.1 later"),
            ("später", "später"),
            ("\udc80x", "?x"),
            ("\x00\x7f", "\x00\x7f"),
        ):
            self.assertEqual(storable(text), expected)
