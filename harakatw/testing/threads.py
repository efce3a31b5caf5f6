"""Threads for tests: there are none."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure
from zope.interface import implementer

from harakatw.interfaces.services import IThreads


@implementer(IThreads)
class NoThreads:
    """Runs at once, in the caller's thread, what would run in another."""

    def call(self, function: Callable[..., Any], *args: object) -> "Deferred[Any]":
        """
        Run C{function(*args)}.

        @return: has fired already.
        """
        try:
            return succeed(function(*args))
        except Exception:
            return fail(Failure())


@implementer(IThreads)
class HeldThreads:
    """
    Runs nothing until it is told to: for tests of what happens meanwhile.

    @ivar waiting: what was asked for and has not run yet.
    """

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[], Any], Deferred[Any]]] = []

    def call(self, function: Callable[..., Any], *args: object) -> "Deferred[Any]":
        """Note the call; L{run_one} makes it."""
        done: Deferred[Any] = Deferred()
        self.waiting.append((lambda: function(*args), done))
        return done

    def run_one(self) -> None:
        """Make the oldest call that waits."""
        function, done = self.waiting.pop(0)
        try:
            result = function()
        except Exception:
            done.errback(Failure())
        else:
            done.callback(result)
