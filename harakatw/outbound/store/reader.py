"""Reads a queue without holding up whoever writes to it."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from harakatw.errors import StoreError
from harakatw.interfaces.queue import ItemState, QueueItem
from harakatw.outbound.store.bodies import Bodies, BodyFile
from harakatw.outbound.store.filters import Where
from harakatw.outbound.store.rows import (
    ITEM_COLUMNS,
    STATES,
    DamagedRow,
    Row,
    item_of,
    remains_of,
)

_FROM = """
    FROM items LEFT JOIN messages ON messages.id = items.message_id
    WHERE items.id > ? AND {} ORDER BY items.id LIMIT ?
"""
FIND = f"SELECT {ITEM_COLUMNS} {_FROM}"
FIND_IDS = f"SELECT items.id {_FROM}"
COUNT = "SELECT state, count(*) FROM items GROUP BY state"
BODY = "SELECT body_file, body_octets, body_crc, body FROM messages WHERE id = ?"
FILES = """
    SELECT body_file, body_octets, id FROM messages WHERE body_file > ?
    ORDER BY body_file LIMIT ?
"""
KNOWN_FILES = """
    SELECT body_file FROM messages
    WHERE body_file IN (SELECT value FROM json_each(?))
"""


class QueueReader:
    """
    A second connection. Its methods block and belong in threads, one at a time; what
    was committed before a call is seen by it. They raise L{StoreError}.
    """

    def __init__(self, connection: sqlite3.Connection, bodies: Bodies) -> None:
        """
        @param connection: for use in any thread.
        """
        self._connection = connection
        self._bodies = bodies
        self._lock = threading.Lock()

    def close(self) -> None:
        """Give the connection up when nobody uses it any more."""
        with self._lock:
            self._connection.close()

    def find(self, where: Where, limit: int, after: int) -> tuple[QueueItem, ...]:
        """
        The items that a condition holds for, by id.

        @param after: only those with greater ids.
        """
        rows = self._rows(FIND.format(where.sql), (after, *where.values, limit))
        return tuple(map(_shown, rows))

    def find_ids(self, where: Where, limit: int, after: int) -> tuple[int, ...]:
        """The ids only of what L{find} finds."""
        rows = self._rows(FIND_IDS.format(where.sql), (after, *where.values, limit))
        return tuple(row[0] for row in rows)

    def count(self) -> Mapping[ItemState, int]:
        """
        How many items there are, by state. Walks through an index: with a million items
        that takes some 50 ms, in this thread and connection.
        """
        counts = dict.fromkeys(STATES, 0)
        for state, items in self._rows(COUNT, ()):
            if state in range(len(STATES)):
                counts[STATES[state]] += items
            else:
                counts[ItemState.DEAD] += items  # as it is shown by find
        return counts

    def body(self, message_id: int) -> Iterable[bytes]:
        """See L{harakatw.interfaces.queue.IQueueStore.read_body}."""
        for name, octets, crc, body in self._rows(BODY, (message_id,)):
            if name is not None:
                return self._bodies.read(BodyFile(name, octets, crc))
            if isinstance(body, bytes) and len(body) == octets:
                return (body,)
            raise StoreError(f"the body of message {message_id} is damaged")
        raise StoreError(f"there is no message {message_id}")

    def files(self, page: int) -> Iterator[tuple[str, int, int]]:
        """
        All bodies in files, by name: name, octets and message id.

        @param page: how many are read at a time; in between others may read.
        """
        name = ""
        while rows := self._rows(FILES, (name, page)):
            yield from rows
            name = rows[-1][0]

    def unknown_files(self, names: Iterable[str]) -> set[str]:
        """Which of these files belong to no message?"""
        wanted = set(names)
        rows = self._rows(KNOWN_FILES, (json.dumps(list(wanted)),))
        return wanted.difference(row[0] for row in rows)

    def _rows(self, statement: str, values: Iterable[Any]) -> list[Row]:
        with self._lock:
            try:
                return self._connection.execute(statement, tuple(values)).fetchall()
            except sqlite3.Error as error:
                raise StoreError(f"the queue cannot be read: {error}") from error


def _shown(row: Row) -> QueueItem:
    try:
        return item_of(row)
    except DamagedRow as damage:
        return remains_of(row, damage)
