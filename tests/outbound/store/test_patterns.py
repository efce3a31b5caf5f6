"""Texts with stars: the same whoever compares them, and never slow."""

import sqlite3

from twisted.trial.unittest import SynchronousTestCase

from harakatw.interfaces.queue import Filter, QueueItem
from harakatw.outbound.store.filters import matcher, where_of
from tests.outbound.store.fakes import NOW, message
from tests.properties import example, given, st

TEXTS = st.text(alphabet="aAb%_\\éÉ<>.", max_size=8)
PATTERNS = st.text(alphabet="aAb*%_\\éÉ<>.", max_size=8)


def item(error: str) -> QueueItem:
    """An item with a last error."""
    return QueueItem(
        id=1,
        message_id=1,
        message=message(),
        domain="a.example",
        site="a.example",
        recipients=(),
        last_error=error,
    )


class PatternTests(SynchronousTestCase):
    """C{error=*timeout*} and the like."""

    def setUp(self) -> None:
        """Have a database with one column of the right name."""
        self.database = sqlite3.connect(":memory:")
        self.addCleanup(self.database.close)

    def both(self, error: str, pattern: str) -> tuple[bool, bool]:
        """Does it match, in memory and on disk?"""
        which = Filter(error=pattern)
        where = where_of(which, NOW)
        statement = f"SELECT {where.sql} FROM (SELECT ? AS last_error) AS items"
        values = (*where.values, error)
        (on_disk,) = self.database.execute(statement, values).fetchone()
        return matcher(which, NOW)(item(error)), bool(on_disk)

    def test_stars(self) -> None:
        """A star is any characters or none; all else is itself, in any case."""
        for error, pattern, wanted in (
            ("451 Timeout", "*timeout", True),
            ("451 Timeout", "timeout", False),
            ("451 Timeout", "451*", True),
            ("451 Timeout", "*1*ti*o*", True),
            ("aba", "ab*ba", False),
            ("abba", "ab*ba", True),
            ("aXbXc", "a*b*c", True),
            ("ac", "a**c", True),
            ("100%", "1__%", False),
            ("", "*", True),
            ("", "<>", True),
            ("x", "<>", False),
            ("É", "é", False),
        ):
            self.assertEqual(self.both(error, pattern), (wanted, wanted), pattern)

    @given(TEXTS, PATTERNS.filter(bool))
    @example("aab", "a*ab")
    def test_same(self, error: str, pattern: str) -> None:
        """What is waiting in memory is found by the same words as what is on disk."""
        in_memory, on_disk = self.both(error, pattern)
        self.assertEqual(in_memory, on_disk)

    def test_linear(self) -> None:
        """Row 19: many stars that nearly match take no longer than one."""
        is_meant = matcher(Filter(error="*a" * 10_000 + "*b"), NOW)
        self.assertFalse(is_meant(item("a" * 30_000)))
