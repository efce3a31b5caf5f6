"""Tests of C{harakatw.outbound.store.filters}: one meaning in SQL and in Python."""

import sqlite3

import attrs
from twisted.trial.unittest import SynchronousTestCase

from harakatw.interfaces.queue import Filter, QueueItem
from harakatw.outbound.store.filters import matcher, where_of
from tests.outbound.store.fakes import NOW, message, new
from tests.properties import given, st

ITEM = QueueItem(
    id=1,
    message_id=1,
    message=message(),
    domain="a.example",
    site="a.example",
    recipients=new().recipients,
)
TEXTS = st.text(alphabet="aAbB*%_\\.[]^é\u212a\u0131\n", max_size=12)


class OneMeaningTests(SynchronousTestCase):
    """What the postmaster asks for means the same wherever mail is kept."""

    def setUp(self) -> None:
        """Open SQLite."""
        self.connection = sqlite3.connect(":memory:")
        self.addCleanup(self.connection.close)

    @given(TEXTS, TEXTS)
    def test_texts(self, text: str, pattern: str) -> None:
        """Stars, letters of either case and special characters of LIKE."""
        self.compare(text, pattern)

    @given(st.text(alphabet="ab", max_size=12), st.text(alphabet="ab*", max_size=8))
    def test_stars(self, text: str, pattern: str) -> None:
        """Texts that often match."""
        self.compare(text, pattern)

    def compare(self, text: str, pattern: str) -> None:
        """Ask both."""
        which = Filter(domain=pattern)
        in_python = matcher(which, NOW)(attrs.evolve(ITEM, domain=text))
        values = where_of(which, NOW).values
        if not values:
            self.assertEqual((in_python, pattern), (True, ""))
            return
        row = self.connection.execute(
            "SELECT ? LIKE ? ESCAPE '\\'", (text, *values)
        ).fetchone()
        self.assertEqual(in_python, bool(row[0]), (text, pattern))

    def test_no_injection(self) -> None:
        """What a filter says is never read as SQL (survey row 27)."""
        evil = "x' OR 1=1 --"
        which = Filter(uuid=evil, sender=evil, recipient=evil, domain=evil, site=evil)
        self.assertNotIn("OR 1", where_of(which, NOW).sql)
