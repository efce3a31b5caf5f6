"""Tests of C{harakatw.process.threads}."""

import threading
from collections.abc import Callable
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.interfaces.services import IThreads
from harakatw.process.threads import PooledThreads


class _Reactor(MemoryReactorClock):
    """
    A reactor that keeps what threads hand it.

    @ivar handed: calls to be made in the reactor's thread.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self.handed: list[Callable[[], Any]] = []

    def callFromThread(
        self, function: Callable[..., Any], *args: Any, **named: Any
    ) -> None:
        """Take a call."""
        self.handed.append(lambda: function(*args, **named))


def _fails() -> None:
    raise OSError("no space left")


class ThreadsTests(SynchronousTestCase):
    """What blocks is done in threads."""

    def setUp(self) -> None:
        """A pool that takes calls."""
        reactor: Any = _Reactor()
        self._reactor: _Reactor = reactor
        self._threads = PooledThreads(reactor)
        self._threads.start()

    def _finish(self) -> None:
        """Wait for the threads, then let the reactor see what they did."""
        self._threads.stop()
        for call in self._reactor.handed:
            call()

    def test_interface(self) -> None:
        """It is what plugins get as C{threads}."""
        verifyObject(IThreads, self._threads)
        self._finish()

    def test_stopped_twice(self) -> None:
        """A server that cannot start is stopped in the midst of that, and once more."""
        self._finish()
        self._threads.stop()

    def test_other_thread(self) -> None:
        """A call does not hold the server up; its result comes back."""
        outcome = self._threads.call(threading.get_ident)
        self._finish()
        self.assertNotEqual(self.successResultOf(outcome), threading.get_ident())

    def test_arguments(self) -> None:
        """A call gets its arguments."""
        outcome = self._threads.call(divmod, 7, 3)
        self._finish()
        self.assertEqual(self.successResultOf(outcome), (2, 1))

    def test_failure(self) -> None:
        """What a call raises comes back too."""
        outcome = self._threads.call(_fails)
        self._finish()
        self.failureResultOf(outcome, OSError)

    def test_stop_waits(self) -> None:
        """A shutdown waits until all calls have been made: none is lost."""
        done: list[int] = []
        for number in range(50):
            self._threads.call(done.append, number)
        self._finish()
        self.assertEqual(sorted(done), list(range(50)))
