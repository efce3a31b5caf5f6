"""A verdict that has to be waited for: a deadline, and no way to hurt the session."""

from collections.abc import Callable, Coroutine
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

    __slots__ = (
        "_clock",
        "_excuse",
        "_excused",
        "_source",
        "_timer",
        "given_up",
        "outcome",
    )

    def __init__(
        self,
        answer: "Deferred[Any] | Coroutine[Any, Any, Any]",
        seconds: float,
        clock: IReactorTime,
        excuse: Callable[[], float] | None = None,
    ) -> None:
        """
        @param answer: what the plugin returned.
        @param seconds: how long to wait; 0 is for ever.
        @param excuse: how many seconds so far were not the plugin's: it waits for the
            client, for example. They come on top of C{seconds}.
        """
        source: Deferred[Any] = (
            answer if isinstance(answer, Deferred) else Deferred.fromCoroutine(answer)
        )
        self._source = source
        self.given_up = False
        self._clock, self._excuse = clock, excuse
        self._excused = 0.0 if excuse is None else excuse()
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
        if self._excuse is not None:
            excused = self._excuse()
            if excused > self._excused:
                more, self._excused = excused - self._excused, excused
                self._timer = self._clock.callLater(more, self._expire)
                return
        self.outcome.errback(Failure(Expired()))
        self._source.cancel()
