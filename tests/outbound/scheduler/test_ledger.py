"""What became of items, until it is on disk."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import StoreError
from harakatw.interfaces.queue import Retry
from harakatw.outbound.scheduler.again import Again
from harakatw.outbound.scheduler.ledger import Batch, Ledger
from harakatw.outbound.scheduler.retry import unchanged
from tests.outbound.test_attempt import ITEM

RETRY = unchanged(ITEM, "d.example", 0.0)


class SlowStore:
    """Writes when it is told to."""

    def __init__(self) -> None:
        self.writes: list[tuple[list[int], list[Retry], Deferred[None]]] = []
        self.is_full = False

    def settle(self, done: Iterable[int], retries: Iterable[Retry]) -> "Deferred[None]":
        """End leases, later."""
        if self.is_full:
            self.writes.append((list(done), list(retries), Deferred()))
            return fail(StoreError("full"))
        writing: Deferred[None] = Deferred()
        self.writes.append((list(done), list(retries), writing))
        return writing


class LedgerTests(SynchronousTestCase):
    """Ending leases."""

    def setUp(self) -> None:
        """A store, and a list of what is on disk."""
        self.clock, self.store = Clock(), SlowStore()
        self.on_disk: list[Batch] = []
        store: Any = self.store
        self.ledger = Ledger(store, Again(self.clock), self.on_disk.append)

    def test_gathered(self) -> None:
        """What comes while the store writes is the next batch."""
        for number in range(1, 6):
            self.ledger.done(number)
        self.ledger.retry((RETRY,))
        self.assertEqual(self.store.writes[0][0], [1])
        self.assertEqual((len(self.store.writes), self.ledger.unsettled), (1, 6))
        self.store.writes[0][2].callback(None)
        self.assertEqual(self.store.writes[1][:2], ([2, 3, 4, 5], [RETRY]))
        self.assertEqual((len(self.on_disk), self.ledger.unsettled), (1, 5))
        self.store.writes[1][2].callback(None)
        self.assertEqual(self.ledger.unsettled, 0)

    def test_full(self) -> None:
        """
        After an error the halves are tried, after one second, two, four; what comes
        new does not wait for that.
        """
        self.store.is_full = True
        self.ledger.done(1)
        self.ledger.done(2)
        self.assertEqual(len(self.flushLoggedErrors(StoreError)), 1)
        self.assertEqual([write[0] for write in self.store.writes], [[1], [2]])
        self.clock.advance(1)
        self.assertEqual(len(self.store.writes), 4)
        self.clock.advance(1)
        self.assertEqual(len(self.store.writes), 4)
        self.clock.advance(1)
        self.assertEqual(len(self.store.writes), 6)
        self.store.is_full = False
        self.clock.advance(4)
        for _, _, writing in self.store.writes[6:]:
            writing.callback(None)
        self.assertEqual(self.ledger.unsettled, 0)
        self.assertEqual([batch.done for batch in self.on_disk], [[1], [2]])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_logged_once(self) -> None:
        """A full disk is told once, not for each item and each time."""
        self.store.is_full = True
        for number in range(50):
            self.ledger.done(number)
        self.clock.pump([1] * 120)
        self.assertEqual(len(self.flushLoggedErrors(StoreError)), 1)

    def test_halves(self) -> None:
        """Nothing is lost or doubled when a batch is cut."""
        whole = Batch([1, 2, 3], [RETRY])
        parts = [whole]
        while any(len(part) > 1 for part in parts):
            parts = [half for part in parts for half in part.halves()]
        self.assertEqual(
            sorted(each for part in parts for each in part.done), [1, 2, 3]
        )
        self.assertEqual([each for part in parts for each in part.retries], [RETRY])
        self.assertEqual(len(parts), 4)


class AgainTests(SynchronousTestCase):
    """Waits that double."""

    def setUp(self) -> None:
        """Nothing waits."""
        self.clock = Clock()
        self.again = Again(self.clock)
        self.calls: list[float] = []

    def test_longest(self) -> None:
        """A minute is the longest wait."""
        clock, again, calls = self.clock, self.again, self.calls

        def fail_again() -> None:
            calls.append(clock.seconds())
            again.later(fail_again)

        again.later(fail_again)
        for _ in range(300):
            clock.advance(1)
        self.assertEqual(calls[:7], [1, 3, 7, 15, 31, 63, 123])
        self.assertEqual(calls[7:], [183, 243])

    def test_hurry(self) -> None:
        """Whoever is in a hurry need not wait, and begins with short waits."""
        clock, again, calls = self.clock, self.again, self.calls
        for number in range(3):
            again.later(partial(calls.append, number))
        again.hurry()
        self.assertEqual(calls, [0, 1, 2])
        self.assertEqual((len(again), clock.getDelayedCalls()), (0, []))
        again.hurry()

    def test_stop(self) -> None:
        """In the end it is forgotten."""
        clock, again, calls = self.clock, self.again, self.calls
        again.later(lambda: calls.append(1))
        self.assertEqual(len(again), 1)
        again.stop()
        clock.advance(100)
        self.assertEqual((calls, clock.getDelayedCalls()), ([], []))
