"""How SQLite finds what the queue asks for: never by looking at everything."""

import re
import sqlite3
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from harakatw.interfaces.queue import Filter
from harakatw.outbound.store import database, reader, sites
from harakatw.outbound.store.filters import where_of
from harakatw.outbound.store.schema import connect_database, open_database
from tests.outbound.store.fakes import NOW

WHERE = where_of(Filter(domain="a.example"), NOW)

PLANS = (
    (database.LEASE, "items USING INDEX by_site (site=? AND wake<?)"),
    (
        database.LEASE_URGENT,
        "items USING INDEX by_priority (site=? AND priority>?)",
    ),
    (database.NEXT_WAKE, "items USING COVERING INDEX by_state (state=? AND wake>?)"),
    (database.MESSAGES_OF, "items USING INTEGER PRIMARY KEY (rowid=?)"),
    (database.FILES_OF, "messages USING INTEGER PRIMARY KEY (rowid=?)"),
    (database.DELETE_MESSAGES, "items USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
    (database.PICK.format(WHERE.sql), "items USING INTEGER PRIMARY KEY (rowid=?)"),
    (database.RELEASE_SITES, "items USING INDEX by_state (state=?)"),
    (database.RELEASE, "items USING INDEX by_state (state=?)"),
    (database.HAS_FILES, "messages USING COVERING INDEX by_file (body_file>?)"),
    (database.SET_LEASED, "items USING INTEGER PRIMARY KEY (rowid=?)"),
    (database.GIVE_BACK, "items USING INTEGER PRIMARY KEY (rowid=?)"),
    (database.CHANGE, "items USING INTEGER PRIMARY KEY (rowid=?)"),
    (database.DELETE_ITEMS, "items USING INTEGER PRIMARY KEY (rowid=?)"),
    (database.OF_MESSAGE, "items USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
    (sites.DUE, "sites USING COVERING INDEX sites_by_wake (wake<?)"),
    (sites.EARLIEST, "items USING COVERING INDEX by_site (site=?)"),
    (sites.COUNT_DUE, "items USING COVERING INDEX by_site (site=? AND wake<?)"),
    (sites.LOWER_FOR, "items USING INTEGER PRIMARY KEY (rowid=?)"),
    (reader.FIND.format(WHERE.sql), "items USING INTEGER PRIMARY KEY (rowid>?)"),
    (reader.BODY, "messages USING INTEGER PRIMARY KEY (rowid=?)"),
    (reader.FILES, "messages USING INDEX by_file (body_file>?)"),
    (reader.KNOWN_FILES, "messages USING COVERING INDEX by_file (body_file=?)"),
)
"""What is asked, and a step that must be in the answer."""


class PlanTests(SynchronousTestCase):
    """A million queued messages do not make the server slow (survey row 42)."""

    def setUp(self) -> None:
        """Make an empty queue."""
        path = Path(self.mktemp())
        self.connection = open_database(str(path), connect_database)
        self.addCleanup(self.connection.close)

    def plan(self, statement: str) -> list[str]:
        """The steps that SQLite takes for a statement."""
        values = [None] * max(
            statement.count("?"), *map(int, re.findall(r"\?(\d)", statement)), 0
        )
        if "?1" in statement:
            values = values[: max(map(int, re.findall(r"\?(\d)", statement)))]
        rows = self.connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
        return [row[3] for row in rows]

    def test_indexes(self) -> None:
        """Each statement goes straight to what it wants, and sorts nothing."""
        for statement, step in PLANS:
            plan = self.plan(statement)
            self.assertIn(f"SEARCH {step}", plan, (statement, plan))
            scans = [
                each
                for each in plan
                if re.match(r"SCAN (items|messages|sites)\b", each)
                or "FOR ORDER BY" in each
            ]
            self.assertEqual(scans, [], statement)

    def test_filters(self) -> None:
        """A list is walked through by id whatever is looked for, so pages are cheap."""
        for which in (
            Filter(state=None, uuid="x"),
            Filter(sender="*", recipient="*", error="x", site="s"),
            Filter(older_seconds=1, younger_seconds=2),
        ):
            statement = reader.FIND.format(where_of(which, NOW).sql)
            plan = self.plan(statement)
            self.assertIn(
                "SEARCH items USING INTEGER PRIMARY KEY (rowid>?)", plan, which
            )
            self.assertFalse([each for each in plan if "FOR ORDER BY" in each])

    def test_version(self) -> None:
        """SQLite is new enough for what is used here."""
        self.assertGreaterEqual(sqlite3.sqlite_version_info, (3, 32, 0))
