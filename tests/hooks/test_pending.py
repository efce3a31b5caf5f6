"""The wait for one plugin."""

from typing import Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from harakatw.hooks.pending import Expired, Pending


class PendingTests(SynchronousTestCase):
    """Whatever a plugin's Deferred does, the session hears one answer."""

    def setUp(self) -> None:
        """Wait five seconds for an answer."""
        self.clock = Clock()
        self.stopped: list[object] = []
        self.source: Deferred[Any] = Deferred(self.stopped.append)
        self.pending = Pending(self.source, 5, self.clock)

    def test_answer(self) -> None:
        """The plugin's answer is handed on, and the clock is stopped."""
        self.source.callback("yes")
        self.assertEqual(self.successResultOf(self.pending.outcome), "yes")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_failure(self) -> None:
        """So is its failure, which is then nobody else's business."""
        self.source.errback(ZeroDivisionError())
        self.failureResultOf(self.pending.outcome, ZeroDivisionError)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_expired(self) -> None:
        """After its time the wait is over, and the plugin is told to stop."""
        self.clock.advance(5)
        self.failureResultOf(self.pending.outcome, Expired)
        self.assertEqual(self.stopped, [self.source])

    def test_given_up(self) -> None:
        """Whoever waits may give up; that is not the plugin's failure."""
        self.pending.outcome.cancel()
        self.failureResultOf(self.pending.outcome, CancelledError)
        self.assertTrue(self.pending.given_up)
        self.assertEqual(self.stopped, [self.source])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_cancelled_by_itself(self) -> None:
        """A plugin that cancels its own work has failed; nobody gave it up."""
        self.source.cancel()
        self.failureResultOf(self.pending.outcome, CancelledError)
        self.assertFalse(self.pending.given_up)

    def test_answers_when_told_to_stop(self) -> None:
        """A plugin that answers as it is told to stop is too late by then."""
        source: Deferred[Any] = Deferred(lambda each: each.callback("late"))
        clock = Clock()
        pending = Pending(source, 5, clock)
        clock.advance(5)
        self.failureResultOf(pending.outcome, Expired)

    def test_for_ever(self) -> None:
        """0 seconds is for ever: no timer at all."""
        clock = Clock()
        Pending(Deferred(), 0, clock)
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_coroutine(self) -> None:
        """A coroutine is begun at once."""

        async def answer() -> str:
            return await succeed("yes")

        pending = Pending(answer(), 5, self.clock)
        self.assertEqual(self.successResultOf(pending.outcome), "yes")

    def test_excused(self) -> None:
        """Time in which others were waited for comes on top."""
        excused, clock = 2.0, Clock()
        pending = Pending(Deferred(), 5, clock, lambda: excused)
        excused = 5.0
        clock.advance(5)
        self.assertNoResult(pending.outcome)
        clock.advance(2.5)
        excused = 6.0
        clock.advance(0.5)
        self.assertNoResult(pending.outcome)
        clock.advance(1)
        self.failureResultOf(pending.outcome, Expired)
