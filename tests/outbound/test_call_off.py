"""Attempts that may be called off."""

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.call_off import CallOff


class CallOffTests(SynchronousTestCase):
    """Whoever calls off knows at once what was reached."""

    def test_not(self) -> None:
        """An attempt that nobody calls off ends as it does."""

        async def attempt(answer: "Deferred[int]") -> int:
            call_off.check()
            return await answer

        for outcome in (7, ZeroDivisionError()):
            call_off, answer = CallOff(), Deferred[Any]()
            running = call_off.watch(attempt(answer))
            self.assertNoResult(running)
            if isinstance(outcome, int):
                answer.callback(outcome)
                self.assertEqual(self.successResultOf(running), 7)
            else:
                answer.errback(outcome)
                self.failureResultOf(running, ZeroDivisionError)
            self.assertFalse(call_off.is_called)

    def test_at_once(self) -> None:
        """One that had begun tells what it has reached by then."""

        async def attempt() -> str:
            try:
                await Deferred[None]()
            except CancelledError:
                return "half of it"
            raise AssertionError("it goes on")

        call_off = CallOff()
        running = call_off.watch(attempt())
        running.cancel()
        self.assertTrue(call_off.is_called)
        self.assertEqual(self.successResultOf(running), "half of it")

    def test_check(self) -> None:
        """One that asks whether to go on does not."""

        async def attempt() -> None:
            await swallowing
            call_off.check()
            raise AssertionError("it goes on")

        swallowing: Deferred[None] = Deferred(lambda d: d.callback(None))
        call_off = CallOff()
        running = call_off.watch(attempt())
        running.cancel()
        self.failureResultOf(running, CancelledError)

    def test_later(self) -> None:
        """One that does not end at once has failed, and what it says later is lost."""

        async def attempt(waits: "Deferred[None]") -> str:
            try:
                await Deferred[None]()
            except CancelledError:
                await waits
            return "too late"

        for is_good in (True, False):
            waits: Deferred[None] = Deferred()
            running = CallOff().watch(attempt(waits))
            running.cancel()
            self.failureResultOf(running, CancelledError)
            if is_good:
                waits.callback(None)
            else:
                waits.errback(ZeroDivisionError())
        self.assertEqual(self.flushLoggedErrors(), [])
