"""The server's own threads, for what blocks."""

from collections.abc import Callable
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool
from zope.interface import implementer

from harakatw.interfaces.services import IThreads

_T = TypeVar("_T")


@implementer(IThreads)
class PooledThreads:
    """
    A pool of threads that one server starts and stops.

    It is its own, not the reactor's, so that slow disks do not hold up name look-ups,
    and so that two servers in one process do not share anything.
    """

    def __init__(self, reactor: IReactorFromThreads, most: int = 16) -> None:
        """
        @param most: threads at the same time; more calls wait.
        """
        self._reactor = reactor
        self._pool = ThreadPool(minthreads=0, maxthreads=most, name="harakatw")

    def start(self) -> None:
        """Take calls."""
        self._pool.start()

    def stop(self) -> None:
        """Wait until all calls have been made, and end the threads. May come again."""
        if not self._pool.joined:
            self._pool.stop()

    def call(self, function: Callable[..., _T], *args: object) -> "Deferred[_T]":
        """Run C{function(*args)} in a thread; see L{IThreads.call}."""
        return deferToThreadPool(self._reactor, self._pool, function, *args)
