"""Tests of C{harakatw.outbound.store.bulk}."""

import sqlite3

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.store.bulk import BulkInsert


class BulkInsertTests(SynchronousTestCase):
    """Many rows with few statements."""

    def setUp(self) -> None:
        """Make a table."""
        self.connection = sqlite3.connect(":memory:")
        self.addCleanup(self.connection.close)
        self.connection.execute("CREATE TABLE numbers (a, b)")
        self.statements: list[str] = []
        self.connection.set_trace_callback(self.statements.append)

    def test_any_number(self) -> None:
        """However many messages come at once, each is stored once and in order."""
        bulk = BulkInsert("numbers", 2)
        for size in range(140):
            rows = [(number, str(number)) for number in range(size)]
            bulk.run(self.connection, rows)
            found = self.connection.execute("SELECT * FROM numbers").fetchall()
            self.assertEqual(found, rows)
            self.connection.execute("DELETE FROM numbers")

    def test_few_statements(self) -> None:
        """Five hundred messages need a dozen statements."""
        rows = [(number, number) for number in range(511)]
        BulkInsert("numbers", 2).run(self.connection, rows)
        inserts = [each for each in self.statements if each.startswith("INSERT")]
        self.assertLess(len(inserts), 14)
