"""Tests of C{harakatw.outbound.store.sites}: the summary of what is due."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from harakatw.interfaces.queue import SiteCount
from harakatw.outbound.store import sites
from tests.outbound.store.fakes import (
    BODY,
    NOW,
    Faults,
    ids_of,
    make_store,
    message,
    new,
)


class SitesTests(SynchronousTestCase):
    """What is due is found without a look at all mail."""

    def setUp(self) -> None:
        """Make an empty queue."""
        self.faults = Faults()
        self.store = make_store(Path(self.mktemp()), connect=self.faults.connect)
        self.store.open()
        self.addCleanup(self.store.close)

    def add(self, *domains: str, seconds: float = 60.0) -> list[int]:
        """Queue a message; its items are leased."""
        items = [new(domain) for domain in domains]
        adding = self.store.add(message(), items, (BODY,), seconds)
        return ids_of(self.successResultOf(adding))

    def due(self, now: float, limit: int = 1000) -> tuple[SiteCount, ...]:
        """Which queues have something due?"""
        return self.successResultOf(self.store.due_sites(now, limit))

    def summary(self) -> list[tuple[str, float]]:
        """The table."""
        rows = self.faults.opened[-2].execute("SELECT * FROM sites ORDER BY site")
        return rows.fetchall()

    def test_hot_path(self) -> None:
        """Mail that is delivered at once costs no write to the summary."""
        self.add("a.example", "b.example")
        self.faults.statements.clear()
        for _ in range(10):
            self.successResultOf(
                self.store.settle(self.add("a.example", "b.example", seconds=61), ())
            )
        wrong = [each for each in self.faults.statements if "INTO sites" in each]
        self.assertEqual(wrong, [])

    def test_earlier(self) -> None:
        """An earlier time is noted, even of a queue that is known."""
        self.add("a.example", seconds=60)
        self.add("a.example", seconds=30)
        self.assertEqual(self.due(NOW + 30), (SiteCount("a.example", 1, NOW + 30),))

    def test_later(self) -> None:
        """A later time does not hide an earlier one, nor after a restart."""
        self.add("a.example", seconds=30)
        self.successResultOf(self.store.close())
        self.store.open()
        self.add("a.example", seconds=60)
        self.assertEqual(self.due(NOW), (SiteCount("a.example", 1, NOW),))

    def test_stale(self) -> None:
        """What was delivered long ago is forgotten when its time comes."""
        self.successResultOf(self.store.settle(self.add("a.example", "b.example"), ()))
        later = self.add("b.example", seconds=90)
        self.assertEqual(len(self.summary()), 2)
        self.assertEqual(self.due(NOW + 60), ())
        self.assertEqual(self.summary(), [("b.example", NOW + 90)])
        self.assertEqual(self.due(NOW + 90), (SiteCount("b.example", 1, NOW + 90),))
        self.successResultOf(self.store.settle(later, ()))
        self.assertEqual(self.due(NOW + 90), ())
        self.assertEqual(self.summary(), [])

    def test_stale_and_order(self) -> None:
        """Entries that are out of date do not push others off a short list."""
        domains = [f"{letter}.example" for letter in "abcdefgh"]
        for domain in domains:
            self.successResultOf(self.store.settle(self.add(domain, seconds=10), ()))
        self.add("late.example", seconds=50)
        self.add("early.example", seconds=40)
        found = [each.site for each in self.due(NOW + 60, limit=1)]
        self.assertEqual(found, ["early.example"])
        found = [each.site for each in self.due(NOW + 60, limit=2)]
        self.assertEqual(found, ["early.example", "late.example"])

    def test_forgetful(self) -> None:
        """More queues than are remembered are all found."""
        self.patch(sites, "_MAX_KNOWN", 5)
        for number in range(30):
            self.add(f"d{number}.example", f"e{number % 3}.example")
        found = self.due(NOW + 60)
        self.assertEqual(sum(each.ready for each in found), 60)
        self.assertEqual(len(found), 33)

    def test_many_in_one(self) -> None:
        """Of a queue with very many items due not all are counted."""
        self.add(*["a.example"] * 1500)
        (found,) = self.due(NOW + 60)
        self.assertEqual(found.ready, sites.MAX_COUNT)
