"""
Many rows with few statements.

Each step of a statement lets go of the interpreter's lock, and waits for it again while
the reactor is busy. So the time that a batch takes depends on how many statements it
has, not on how many rows; C{executemany} makes a statement of each row.

@see: C{docs/decisions/0010-the-queue-in-sqlite.md}
"""

import sqlite3
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Final

_SIZES: Final = (64, 32, 16, 8, 4, 2, 1)  # 64 rows of 14 columns are 896 variables


class BulkInsert:
    """Inserts rows into one table."""

    def __init__(self, table: str, columns: int) -> None:
        """
        @param columns: how many values each row has: one for each column of the table.
        """
        row = f"({','.join('?' * columns)})"
        self._statements: Mapping[int, str] = {
            size: f"INSERT INTO {table} VALUES {','.join([row] * size)}"
            for size in _SIZES
        }

    def run(
        self, connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """
        Insert rows.

        @raise sqlite3.Error: it failed; some may be inserted.
        """
        start = 0
        while start < len(rows):
            size = next(size for size in _SIZES if size <= len(rows) - start)
            values = list(chain.from_iterable(rows[start : start + size]))
            connection.execute(self._statements[size], values)
            start += size
