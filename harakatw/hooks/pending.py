"""A verdict that has to be waited for: a deadline, and no way to hurt the session."""

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure


class Expired(Exception):
    """A plugin gave no verdict in time."""


class Pending:
    """
    The wait for one plugin.

    The plugin's own Deferred is never handed on: it may fire late, fire twice, or
    swallow its cancellation, and none of that reaches the session.

    @ivar outcome: fires once, with what the plugin said, its failure, or L{Expired}.
    @ivar given_up: was C{outcome} cancelled? A plugin may fail with C{CancelledError}
        of its own accord, which is a fault like any other.
    """

    __slots__ = ("_source", "_timer", "given_up", "outcome")

    def __init__(
        self,
        answer: "Deferred[Any] | Coroutine[Any, Any, Any]",
        seconds: float,
        clock: IReactorTime,
    ) -> None:
        """
        @param answer: what the plugin returned.
        @param seconds: how long to wait; 0 is for ever.
        """
        source: Deferred[Any] = (
            answer if isinstance(answer, Deferred) else Deferred.fromCoroutine(answer)
        )
        self._source = source
        self.given_up = False
        self.outcome: Deferred[Any] = Deferred(self._give_up)
        self._timer: IDelayedCall | None = None
        if seconds:
            self._timer = clock.callLater(seconds, self._expire)
        source.addBoth(self._answered)

    def _give_up(self, _: object) -> None:
        self.given_up = True
        self._source.cancel()

    def _answered(self, result: Any) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
        outcome = self.outcome
        if outcome.called:
            if isinstance(result, Failure):
                result.trap(Exception)
            return
        if isinstance(result, Failure):
            outcome.errback(result)
        else:
            outcome.callback(result)

    def _expire(self) -> None:
        self.outcome.errback(Failure(Expired()))
        self._source.cancel()
