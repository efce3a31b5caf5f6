"""
Saves what can be read of a damaged database, row by row, into a new one.

@see: survey row 39: a damaged record is set aside, not dropped
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Final

import attrs

from harakatw.outbound.store.rows import Row
from harakatw.outbound.store.schema import Connect, open_database

MAX_PROBES: Final = 1_000_000
"""Ids that are tried one by one where a table cannot be walked through."""

LOST_RECIPIENTS: Final = "damaged: its items were lost, and who the recipients were"

_PAGE_ROWS = 500
# A message whose items are all gone was not delivered, for then it would be gone as
# well: it is shown to the postmaster as a dead item without recipients.
_SHOW_LOST = """
    INSERT INTO items (
        id, message_id, domain, site, recipients, attempts, due, wake, state, warned,
        last_error, next_hop
    )
    SELECT id, id, '', '', '[]', 0, queued_at, queued_at, 3, 0, ?, ''
    FROM messages
    WHERE NOT EXISTS (
        SELECT 1 FROM items
        WHERE items.id >= messages.id AND items.id < messages.id + messages.items
    )
"""
_ADD_SITES = """
    INSERT INTO sites SELECT site, min(wake) FROM items WHERE state < 2 GROUP BY site
"""

_NO_ID = 1 << 62
_ENDS = (
    "SELECT value FROM numbers WHERE name = 'next_id'",
    "SELECT max(id) + 1 FROM items INDEXED BY by_state WHERE state < 9",
)


@attrs.frozen
class Saved:
    """
    What was saved.

    @ivar lost: messages of which all items were lost.
    @ivar is_all_tried: was every row tried that there may be?
    """

    messages: int
    items: int
    lost: int
    is_all_tried: bool

    def __str__(self) -> str:
        text = f"{self.messages} messages and {self.items} items were saved"
        if self.lost:
            text += f"; of {self.lost} messages the recipients are lost"
        if not self.is_all_tried:
            text += "; there may be more that could be read"
        return text


def salvage(damaged: str, new: str, connect: Connect) -> Saved:
    """
    Copy what can be read of a database into another, which becomes whole and closed.

    @param new: must not be there yet.
    @raise sqlite3.Error: the new one cannot be written.
    @raise StoreError: likewise.
    """
    with closing(open_database(new, connect)) as target:
        with closing(connect(damaged)) as source:
            source.text_factory = _text
            source.execute("PRAGMA writable_schema = ON")  # or a short file has no rows
            messages = _Table(source, "messages", _columns(source, target, "messages"))
            items = _Table(source, "items", _columns(source, target, "items"))
            saved_messages = _copy(messages, target)
            saved_items = _copy(items, target)
        target.execute("BEGIN IMMEDIATE")
        lost = target.execute(_SHOW_LOST, (LOST_RECIPIENTS,)).rowcount
        target.execute(_ADD_SITES)
        target.execute("COMMIT")
    is_all_tried = messages.is_all_tried and items.is_all_tried
    return Saved(saved_messages, saved_items, lost, is_all_tried)


def _copy(table: "_Table", target: sqlite3.Connection) -> int:
    """Insert rows, all but those that the table's conditions refuse. How many?"""
    names, marks = ",".join(table.columns), ",".join("?" * len(table.columns))
    insert = f"INSERT OR IGNORE INTO {table.name} ({names}) VALUES ({marks})"
    target.execute("BEGIN IMMEDIATE")
    copied = sum(target.execute(insert, row).rowcount for row in table.rows())
    target.execute("COMMIT")
    return copied


def _columns(
    source: sqlite3.Connection, target: sqlite3.Connection, table: str
) -> Sequence[str]:
    """
    The columns of a table that both have, as the damaged database may be older; the id
    first.
    """
    found = []
    for connection in (source, target):
        try:
            rows = connection.execute(f"PRAGMA table_info({table})").fetchall()
        except sqlite3.Error:
            rows = []  # then not a row can be read either
        found.append([row[1] for row in rows])
    return [name for name in found[1] if name in found[0]] or ["id"]


def _text(octets: bytes) -> str:
    """Text that may have been damaged as well."""
    return octets.decode("utf-8", "replace")


@attrs.define(eq=False)
class _Table:
    """
    A table that may be damaged anywhere.

    It is read from its beginning as far as that goes, then from its end, and in between
    each row by itself: the way to some rows may lead past the damage.
    """

    source: sqlite3.Connection
    name: str
    columns: Sequence[str]
    is_all_tried: bool = attrs.field(default=True, init=False)
    _is_damaged: bool = attrs.field(default=False, init=False)

    def rows(self) -> Iterator[Row]:
        """All rows that can be read, in no order."""
        first, last = 0, _NO_ID
        for row in self._walk("id > ? ORDER BY id", first):
            first = row[0]
            yield row
        if not self._is_damaged:
            return
        for row in self._walk("id < ? ORDER BY id DESC", last):
            if row[0] <= first:
                return  # it was read already, so nothing lies in between
            last = row[0]
            yield row
        yield from self._probe(first + 1, last if last < _NO_ID else self._end())

    def _walk(self, order: str, position: int) -> Iterator[Row]:
        while found := self._read(f"{order} LIMIT {_PAGE_ROWS}", position):
            yield from found
            position = found[-1][0]

    def _probe(self, first: int, end: int) -> Iterator[Row]:
        self.is_all_tried = end - first <= MAX_PROBES
        for number in range(first, min(end, first + MAX_PROBES)):
            yield from self._read("id = ?", number)

    def _end(self) -> int:
        """An id after all, where the table's end cannot be found."""
        found = [0]
        for statement in _ENDS:
            try:
                row = self.source.execute(statement).fetchone()
            except sqlite3.Error:
                continue
            found.append(row[0] if row and isinstance(row[0], int) else 0)
        return max(found)

    def _read(self, condition: str, value: int) -> Sequence[Row]:
        """What can be read of some rows, until the damage."""
        found: list[Row] = []
        names = ",".join(self.columns)
        statement = f"SELECT {names} FROM {self.name} WHERE {condition}"
        try:
            found.extend(self.source.execute(statement, (value,)))
        except sqlite3.Error:
            self._is_damaged = True  # what came before it is whole, and in the list
        return [row for row in found if isinstance(row[0], int)]
