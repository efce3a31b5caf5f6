"""
Attempts that may be called off: the server stops, or one takes too long.

To cancel what an attempt waits for is not enough. A client then answers for all its
recipients, a plugin that is not waited for lets things go on, and so the attempt would
go to the next host while whoever has called it off gives the message to somebody else.
"""

from collections.abc import Coroutine
from typing import Any, TypeVar

import attrs
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

_T = TypeVar("_T")


@attrs.define(eq=False)
class CallOff:
    """
    Whether an attempt is to end.

    @ivar is_called: begin nothing any more.
    """

    is_called: bool = False

    def check(self) -> None:
        """
        Go on only if it is not.

        @raise CancelledError: it is.
        """
        if self.is_called:
            raise CancelledError()

    def watch(self, attempt: Coroutine[Any, Any, _T]) -> "Deferred[_T]":
        """
        Run an attempt.

        @return: fires with its result. To cancel that calls the attempt off: C{attempt}
            may still end with what it has reached, as long as it does so at once.
        """
        running = Deferred.fromCoroutine(attempt)

        def call_off(_: object) -> None:
            self.is_called = True
            running.cancel()

        done: Deferred[_T] = Deferred(call_off)
        running.addBoth(_pass_on, done)
        return done


def _pass_on(outcome: Any, done: "Deferred[Any]") -> None:
    if done.called:
        return  # it has failed: the attempt did not end at once
    if isinstance(outcome, Failure):
        done.errback(outcome)
    else:
        done.callback(outcome)
