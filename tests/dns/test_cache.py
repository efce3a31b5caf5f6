"""Answers that are remembered."""

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from harakatw.dns.cache import LookupCache, Timed


class CacheTests(SynchronousTestCase):
    """No name is looked up more often than it must be."""

    def setUp(self) -> None:
        """A cache whose questions the test answers."""
        self.clock = Clock()
        self.asked: list[tuple[str, Deferred[Timed[str]]]] = []
        self.cache = LookupCache(self.clock, self._ask, max_entries=2)

    def _ask(self, name: str) -> "Deferred[Timed[str]]":
        self.asked.append((name, Deferred()))
        return self.asked[-1][1]

    def _get(self, name: str, value: str, seconds: float = 60.0) -> None:
        found = self.cache.get(name)
        assert isinstance(found, Deferred)
        self.asked[-1][1].callback(Timed(value, seconds))
        self.assertEqual(self.successResultOf(found), value)

    def test_known(self) -> None:
        """While an answer holds it is given at once; then the name is asked again."""
        self._get("a", "1")
        self.clock.advance(59)
        self.assertEqual(self.cache.get("a"), "1")
        self.clock.advance(1)
        self._get("a", "2")
        self.assertEqual(len(self.asked), 2)

    def test_not_to_be_kept(self) -> None:
        """An answer that holds for no time is asked for each time."""
        self._get("a", "1", 0.0)
        self._get("a", "2", 0.0)
        self.assertEqual(len(self.cache), 0)

    def test_joined(self) -> None:
        """A thousand messages for one domain ask one question."""
        waiting = [self.cache.get("a") for _ in range(1000)]
        self.assertEqual(len(self.asked), 1)
        self.asked[0][1].callback(Timed("1", 60.0))
        for each in waiting:
            assert isinstance(each, Deferred)
            self.assertEqual(self.successResultOf(each), "1")

    def test_cancelled(self) -> None:
        """Who does not wait any longer takes the answer from nobody else."""
        first, second = self.cache.get("a"), self.cache.get("a")
        assert isinstance(first, Deferred) and isinstance(second, Deferred)
        first.addErrback(lambda _: None)
        first.cancel()
        self.asked[0][1].callback(Timed("1", 60.0))
        self.assertEqual(self.successResultOf(second), "1")

    def test_failed(self) -> None:
        """A look-up that breaks is told to all who wait, and tried anew after that."""
        waiting = [self.cache.get("a"), self.cache.get("a")]
        self.asked[0][1].errback(ValueError("broken"))
        for each in waiting:
            assert isinstance(each, Deferred)
            self.failureResultOf(each, ValueError)
        self._get("a", "1")

    def test_bounded(self) -> None:
        """However many domains there are, memory is bounded: the oldest goes first."""
        self._get("a", "1")
        self._get("b", "2")
        self.assertEqual(self.cache.get("a"), "1")
        self._get("c", "3")
        self.assertEqual(len(self.cache), 2)
        self.assertEqual(self.cache.get("a"), "1")
        self._get("b", "4")
