"""
The tables of a queue in SQLite, and how a connection to them is set up.

A message's id is that of its first item, and the ids of its items follow each other:
so a message finds its items, and one item its brothers, without an index.

@see: U{https://www.sqlite.org/pragma.html}, U{https://www.sqlite.org/wal.html},
    U{https://www.sqlite.org/partialindex.html}
"""

import sqlite3
from collections.abc import Callable
from typing import Final

from harakatw.errors import StoreError

Connect = Callable[[str], sqlite3.Connection]
"""Opens a database file, in autocommit mode, for use in any one thread at a time."""

APPLICATION_ID: Final = 0x48_4B_54_51
"""Marks the file as a queue of ours, C{HKTQ}."""

BUSY_SECONDS: Final = 5.0
"""How long to wait for somebody else's lock, such as a backup's."""

# The body comes last, so that a row's other columns are read without its pages. In the
# index C{by_site}, C{wake} is when somebody may take the item: its due time, or the end
# of its lease. C{sites} is a summary of it: see harakatw.outbound.store.sites.
MIGRATIONS: Final = (
    (
        """
        CREATE TABLE messages (
            id INTEGER PRIMARY KEY,
            items INTEGER NOT NULL,
            uuid TEXT NOT NULL,
            sender TEXT NOT NULL,
            size INTEGER NOT NULL,
            queued_at REAL NOT NULL,
            envid TEXT NOT NULL,
            ret TEXT NOT NULL,
            flags INTEGER NOT NULL,
            notes TEXT NOT NULL,
            body_file TEXT,
            body_octets INTEGER NOT NULL,
            body_crc INTEGER,
            body BLOB
        )
        """,
        """
        CREATE TABLE items (
            id INTEGER PRIMARY KEY,
            message_id INTEGER NOT NULL,
            domain TEXT NOT NULL,
            site TEXT NOT NULL,
            recipients TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            due REAL NOT NULL,
            wake REAL NOT NULL,
            state INTEGER NOT NULL,
            warned INTEGER NOT NULL,
            last_error TEXT NOT NULL,
            next_hop TEXT NOT NULL
        )
        """,
        "CREATE INDEX by_site ON items (site, wake, state) WHERE state < 2",
        "CREATE INDEX by_state ON items (state, wake)",
        "CREATE UNIQUE INDEX by_file ON messages (body_file) WHERE body_file NOTNULL",
        "CREATE TABLE sites (site TEXT PRIMARY KEY, wake REAL NOT NULL) WITHOUT ROWID",
        "CREATE INDEX sites_by_wake ON sites (wake)",
        "CREATE TABLE numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL)",
        "INSERT INTO numbers VALUES ('next_id', 1)",
    ),
    (
        "ALTER TABLE items ADD COLUMN priority INTEGER NOT NULL DEFAULT 0",
        """
        CREATE INDEX by_priority ON items (site, priority, wake)
        WHERE priority > 0 AND state < 2
        """,
    ),
)
"""What makes version n + 1 of the tables out of version n."""

# WAL with FULL syncs once for each commit; OFF for secure_delete, because some builds
# zero all that is deleted, as if files were shredded. Freed pages are used again, and
# returned to the file system by harakatw.outbound.store.writer after a burst.
_PRAGMAS = (
    "PRAGMA auto_vacuum = INCREMENTAL",  # first: it counts only in an empty file
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",  # macOS
    "PRAGMA checkpoint_fullfsync = ON",
    "PRAGMA secure_delete = OFF",
    "PRAGMA cache_size = -16384",  # KiB
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cell_size_check = ON",
    "PRAGMA wal_autocheckpoint = 4096",  # pages: 16 MiB, some 3 ms in the writer
    "PRAGMA journal_size_limit = 67108864",
)


def connect_database(path: str) -> sqlite3.Connection:
    """Open a database file; this is the usual L{Connect}."""
    return sqlite3.connect(
        path,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )


def open_database(path: str, connect: Connect) -> sqlite3.Connection:
    """
    Open a queue for writing, making or renewing its tables.

    @raise StoreError: it cannot be used: it is newer than we are, or no queue, or WAL
        does not work on its file system.
    @raise sqlite3.Error: it is damaged, or the disk fails.
    """
    connection = connect(path)
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        mode = pragma_value(connection, "journal_mode = WAL")
        if mode != "wal":
            raise StoreError(f"{path}: this file system does not allow WAL, but {mode}")
        _migrate(connection, path)
    except (StoreError, sqlite3.Error):
        connection.close()
        raise
    return connection


def open_for_reading(path: str, connect: Connect) -> sqlite3.Connection:
    """
    Open a queue that exists, for reading only.

    @raise sqlite3.Error: it cannot be opened.
    """
    connection = connect(path)
    try:
        connection.execute("PRAGMA query_only = ON")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def pragma_value(connection: sqlite3.Connection, pragma: str) -> object:
    """
    What a pragma answers, as one value; L{None} if nothing.

    @raise sqlite3.Error: it failed.
    """
    row = connection.execute(f"PRAGMA {pragma}").fetchone()
    return row[0] if row else None


def is_corrupt(error: sqlite3.Error) -> bool:
    """Does an error say that the file is damaged, rather than that the disk is?"""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _migrate(connection: sqlite3.Connection, path: str) -> None:
    version = pragma_value(connection, "user_version")
    assert isinstance(version, int)
    if version > len(MIGRATIONS):
        raise StoreError(f"{path} was written by a newer version of this program")
    if version and pragma_value(connection, "application_id") != APPLICATION_ID:
        raise StoreError(f"{path} is a database, but not a queue of this program")
    for number, statements in enumerate(MIGRATIONS[version:], version + 1):
        connection.execute("BEGIN IMMEDIATE")
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
