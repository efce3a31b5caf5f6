"""What the writer does with the database, inside its transactions."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import attrs

from harakatw.interfaces.queue import (
    Detour,
    ItemState,
    NewItem,
    QueuedMessage,
    QueueItem,
    Retry,
    SiteCount,
)
from harakatw.outbound.store.bodies import BodyFile
from harakatw.outbound.store.bulk import BulkInsert
from harakatw.outbound.store.filters import Where
from harakatw.outbound.store.rows import (
    ITEM_COLUMNS,
    STATE_NUMBERS,
    DamagedRow,
    Row,
    encode_ids,
    encode_recipients,
    item_of,
    item_row,
    leased_item,
    message_row,
    storable,
)
from harakatw.outbound.store.sites import Sites

RESERVED_IDS: Final = 1000
"""Ids that are noted as used before they are: so few notes are written."""

LEASE = f"""
    SELECT {ITEM_COLUMNS} FROM items LEFT JOIN messages
    ON messages.id = items.message_id
    WHERE items.site = ? AND items.state < 2 AND items.wake <= ?
    ORDER BY items.wake LIMIT ?
"""
LEASE_URGENT = f"""
    SELECT {ITEM_COLUMNS} FROM items LEFT JOIN messages
    ON messages.id = items.message_id
    WHERE items.site = ? AND items.priority > 0 AND items.state < 2 AND items.wake <= ?
    ORDER BY items.priority DESC, items.wake LIMIT ?
"""
NEXT_WAKE = "SELECT wake FROM items WHERE state = ? AND wake > ? ORDER BY wake LIMIT 1"
PICK = """
    SELECT json_group_array(items.id) FROM items LEFT JOIN messages
    ON messages.id = items.message_id
    WHERE items.id IN (SELECT value FROM json_each(?)) AND items.state <> 1 AND {}
"""
SET_LEASED = """
    UPDATE items SET state = 1, wake = ?
    WHERE id IN (SELECT value FROM json_each(?))
"""
GIVE_BACK = """
    UPDATE items SET state = 0, wake = due
    WHERE id IN (SELECT value FROM json_each(?)) AND +state = 1
"""
CHANGE = """
    UPDATE items SET
        state = coalesce(?1, state), due = coalesce(?2, due), wake = coalesce(?2, due),
        next_hop = coalesce(?3, next_hop), site = coalesce(nullif(?4, ''),
            CASE WHEN ?4 IS NULL THEN site ELSE domain END)
    WHERE id IN (SELECT value FROM json_each(?5))
"""
_RETRY = """
    UPDATE items SET recipients = ?, due = ?, wake = ?, attempts = ?, site = ?,
        warned = ?, last_error = ?, state = ?
    WHERE id = ?
"""
_CONDEMN = "UPDATE items SET state = 3, wake = due, last_error = ? WHERE id = ?"
OF_MESSAGE = """
    SELECT items.id FROM messages JOIN items
    ON items.id >= messages.id AND items.id < messages.id + messages.items
    WHERE messages.id = ? AND items.state <> 1
"""
MESSAGES_OF = """
    SELECT json_group_array(DISTINCT message_id) FROM items
    WHERE id IN (SELECT value FROM json_each(?))
"""
DELETE_ITEMS = "DELETE FROM items WHERE id IN (SELECT value FROM json_each(?))"
_WITHOUT_ITEMS = """
    FROM messages WHERE id IN (SELECT value FROM json_each(?)) AND NOT EXISTS (
        SELECT 1 FROM items
        WHERE items.id >= messages.id AND items.id < messages.id + messages.items
    )
"""
FILES_OF = f"""
    SELECT json_group_array(body_file) {_WITHOUT_ITEMS} AND body_file NOTNULL
"""
DELETE_MESSAGES = f"DELETE {_WITHOUT_ITEMS}"
RELEASE_SITES = """
    INSERT INTO sites (site, wake)
    SELECT site, min(due) FROM items WHERE state = 1 GROUP BY site
    ON CONFLICT (site) DO UPDATE SET wake = excluded.wake
    WHERE excluded.wake < sites.wake
"""
HAS_FILES = "SELECT 1 FROM messages WHERE body_file > '' LIMIT 1"
RELEASE = "UPDATE items SET state = 0, wake = due WHERE state = 1"


@attrs.frozen
class Addition:
    """
    A message to be stored.

    @ivar body: its octets, or the file that has them already.
    @ivar lease_end: in seconds since 1970.
    """

    message: QueuedMessage
    items: tuple[NewItem, ...]
    body: bytes | BodyFile
    lease_end: float


@attrs.define(eq=False)
class QueueDatabase:
    """
    The queue's tables, for one thread.

    All methods raise L{sqlite3.Error} if the database does not take it, and
    L{ValueError} and the like if a value cannot be stored; then L{rollback}.

    @ivar doomed_files: bodies of messages that were removed in this transaction: to be
        removed after L{commit}.
    @ivar damaged: ids of items that were found damaged in this transaction, and why.
    """

    connection: sqlite3.Connection
    doomed_files: list[str] = attrs.field(factory=list, init=False)
    damaged: list[tuple[int, str]] = attrs.field(factory=list, init=False)
    _sites: Sites = attrs.field(init=False)
    _messages: BulkInsert = attrs.field(init=False)
    _items: BulkInsert = attrs.field(init=False)
    _has_files: bool = attrs.field(init=False, default=True)
    _next_id: int = attrs.field(init=False, default=1)
    _reserved: int = attrs.field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self._sites = Sites(self.connection)
        self._messages = BulkInsert("messages", 14)
        self._items = BulkInsert("items", 13)

    def start(self) -> None:
        """End the leases of the last owner, and find the next id. Once, at first."""
        self.begin()
        self.connection.execute(RELEASE_SITES)
        self.connection.execute(RELEASE)
        self._next_id = max(
            self._value("SELECT value FROM numbers WHERE name = 'next_id'", 1),
            # in case that somebody restored a part of the database
            self._value("SELECT max(id) + 1 FROM items", 1),
            self._value(
                "SELECT max(id + items) FROM messages WHERE id = "
                "(SELECT max(id) FROM messages)",
                1,
            ),
        )
        self._has_files = bool(self._value(HAS_FILES, 0))
        self.commit()

    def stop(self) -> None:
        """Note the next id, so that none is skipped. Once, at last."""
        self.begin()
        self._reserve(self._next_id)
        self.commit()

    def begin(self) -> None:
        """Begin a transaction; one that could not be rolled back goes first."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
        self.doomed_files, self.damaged = [], []
        self.connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Have it all on disk."""
        self.connection.execute("COMMIT")

    def rollback(self) -> None:
        """Undo the transaction, if the database has not done so by itself."""
        self._forget()
        self.doomed_files, self.damaged = [], []
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def run_alone(self, function: Callable[["QueueDatabase"], object]) -> None:
        """
        Call a function; if it raises anything, what it did is undone, and what was done
        before in this transaction stays.
        """
        doomed, damaged = len(self.doomed_files), len(self.damaged)
        self.connection.execute("SAVEPOINT alone")
        is_done = False
        try:
            function(self)
            is_done = True
        finally:
            if not is_done and self.connection.in_transaction:
                self._forget()
                del self.doomed_files[doomed:], self.damaged[damaged:]
                self.connection.execute("ROLLBACK TO alone")
            if self.connection.in_transaction:  # SQLite may have undone all by itself
                self.connection.execute("RELEASE alone")

    def add(self, additions: Sequence[Addition]) -> list[tuple[QueueItem, ...]]:
        """Store messages; see L{harakatw.interfaces.queue.IQueueStore.add}."""
        messages: list[Row] = []
        items: list[Row] = []
        stored = []
        wakes: dict[str, float] = {}
        for each in additions:
            first = self._next_id
            self._next_id += len(each.items)
            row = message_row(first, len(each.items), each.message, each.body)
            messages.append(row)
            self._has_files |= type(each.body) is BodyFile
            values = []
            priority = each.message.demands.priority
            for number, item in enumerate(each.items, first):
                row = item_row(number, first, item, each.lease_end, priority)
                items.append(row)
                values.append(leased_item(number, first, each.message, item))
                site = values[-1].site
                wakes[site] = min(each.lease_end, wakes.get(site, each.lease_end))
            stored.append(tuple(values))
        if self._next_id > self._reserved:
            self._reserve(self._next_id + RESERVED_IDS)
        self._messages.run(self.connection, messages)
        self._items.run(self.connection, items)
        self._sites.note(wakes)
        return stored

    def settle(self, done: Iterable[int], retries: Sequence[Retry]) -> None:
        """See L{harakatw.interfaces.queue.IQueueStore.settle}."""
        if retries:
            self.connection.executemany(_RETRY, map(_retry_row, retries))
            self._sites.note_items(encode_ids(retry.id for retry in retries))
        ids = encode_ids(done)
        if ids != "[]":
            self._remove(ids)

    def lease(
        self, now: float, site: str, limit: int, seconds: float
    ) -> tuple[QueueItem, ...]:
        """See L{harakatw.interfaces.queue.IQueueStore.lease}."""
        urgent = self._lease(LEASE_URGENT, (site, now, limit), now + seconds)
        if len(urgent) == limit:
            return urgent
        others = (site, now, limit - len(urgent))
        return urgent + self._lease(LEASE, others, now + seconds)

    def _lease(
        self, statement: str, values: tuple[Any, ...], lease_end: float
    ) -> tuple[QueueItem, ...]:
        while True:
            rows = self.connection.execute(statement, values).fetchall()
            found = tuple(self._sound_items(rows))
            if len(found) == len(rows):
                break  # otherwise there may be others behind the damaged ones
        if found:
            ids = encode_ids(item.id for item in found)
            self.connection.execute(SET_LEASED, (lease_end, ids))
        return found

    def due_sites(self, now: float, limit: int) -> tuple[SiteCount, ...]:
        """See L{harakatw.interfaces.queue.IQueueStore.due_sites}."""
        return self._sites.due(now, limit)

    def next_due(self, now: float) -> float | None:
        """See L{harakatw.interfaces.queue.IQueueStore.next_due}."""
        found = [
            row[0]
            for state in (ItemState.READY, ItemState.LEASED)
            for row in self.connection.execute(NEXT_WAKE, (STATE_NUMBERS[state], now))
        ]
        return min(found, default=None)

    def give_back(self, ids: Iterable[int]) -> None:
        """See L{harakatw.interfaces.queue.IQueueStore.give_back}."""
        text = encode_ids(ids)
        self.connection.execute(GIVE_BACK, (text,))
        self._sites.note_items(text)

    def change(
        self,
        ids: Iterable[int],
        where: Where,
        state: ItemState | None,
        due: float | None,
        detour: Detour | None = None,
    ) -> int:
        """
        Change those of some items that a condition still holds for.

        @return: how many.
        """
        picked = self._pick(ids, where)
        number = None if state is None else STATE_NUMBERS[state]
        way = (detour.next_hop, detour.site) if detour else (None, None)
        values = (number, due, *way, picked)
        changed = self.connection.execute(CHANGE, values).rowcount
        self._sites.note_items(picked)
        return changed

    def drop(self, ids: Iterable[int], where: Where) -> int:
        """
        Remove those of some items that a condition still holds for.

        @return: how many.
        """
        return self._remove(self._pick(ids, where))

    def condemn(self, message_ids: Iterable[int], why: str) -> None:
        """Give items up whose messages cannot be read, but for leased ones."""
        for number in message_ids:
            rows = self.connection.execute(OF_MESSAGE, (number,)).fetchall()
            for (item_id,) in rows:
                self._condemn(item_id, why)

    def _sound_items(self, rows: Iterable[Row]) -> Iterator[QueueItem]:
        """The items of rows, leased; those that are damaged are given up."""
        for row in rows:
            try:
                item = item_of(row)
            except DamagedRow as damage:
                self._condemn(row[0], str(damage))
            else:
                yield attrs.evolve(item, state=ItemState.LEASED)

    def _condemn(self, item_id: int, why: str) -> None:
        self.connection.execute(_CONDEMN, (why, item_id))
        self.damaged.append((item_id, why))

    def _pick(self, ids: Iterable[int], where: Where) -> str:
        values = (encode_ids(ids), *where.values)
        row = self.connection.execute(PICK.format(where.sql), values).fetchone()
        return str(row[0])

    def _remove(self, ids: str) -> int:
        """Remove items, and messages that have no others. How many items?"""
        execute = self.connection.execute
        (messages,) = execute(MESSAGES_OF, (ids,)).fetchone()
        removed = execute(DELETE_ITEMS, (ids,)).rowcount
        if self._has_files:
            (files,) = execute(FILES_OF, (messages,)).fetchone()
            self.doomed_files += json.loads(files)
        execute(DELETE_MESSAGES, (messages,))
        return removed

    def _forget(self) -> None:
        """What was noted in tables may have been undone: note it again."""
        self._sites.forget()
        self._reserved = 0

    def _reserve(self, number: int) -> None:
        statement = "REPLACE INTO numbers VALUES ('next_id', ?)"
        self.connection.execute(statement, (number,))
        self._reserved = number

    def _value(self, statement: str, default: int) -> int:
        """One number, or a default where there is none."""
        row: Row | None = self.connection.execute(statement).fetchone()
        value: Any = row[0] if row else None
        return default if value is None else int(value)


def _retry_row(retry: Retry) -> Row:
    return (
        encode_recipients(retry.recipients),
        retry.due,
        retry.due,
        retry.attempts,
        storable(retry.site),
        retry.warned,
        storable(retry.last_error),
        STATE_NUMBERS[retry.state],
        retry.id,
    )
