"""Tests of C{harakatw.process.reactor}."""

import time
from select import EPOLLHUP, EPOLLIN, EPOLLOUT
from types import SimpleNamespace
from typing import Any

from twisted.internet import main
from twisted.internet.epollreactor import EPollReactor
from twisted.trial.unittest import SynchronousTestCase

from harakatw.net.rounds import Round
from harakatw.process import reactor
from harakatw.process.reactor import QuickReactor, install_quick_reactor


class _Poller:
    """
    A kernel.

    @ivar events: that it has, or what it raises.
    @ivar asked: seconds and the most events, for each time.
    """

    def __init__(self) -> None:
        self.events: list[tuple[int, int]] = []
        self.error: Exception | None = None
        self.asked: list[tuple[float, int]] = []

    def poll(self, timeout: float, most: int) -> list[tuple[int, int]]:
        """Wait for events."""
        self.asked.append((timeout, most))
        if self.error is not None:
            raise self.error
        return self.events


class _Socket:
    """
    A socket.

    @ivar reads: how often it was read.
    """

    def __init__(self, outcome: object = None) -> None:
        self._outcome = outcome
        self.reads = 0

    def doRead(self) -> object:
        """Read it."""
        self.reads += 1
        if isinstance(self._outcome, ValueError):
            raise self._outcome
        return self._outcome() if callable(self._outcome) else self._outcome


class QuickReactorTests(SynchronousTestCase):
    """How the server learns that a client has said something."""

    def setUp(self) -> None:
        """A reactor that has not been set up: it has no file descriptors."""
        self._poller = _Poller()
        self._sockets: dict[int, _Socket] = {}
        self._ended: list[tuple[object, object, bool]] = []
        self._left: list[tuple[object, int, int]] = []
        quick: Any = QuickReactor.__new__(QuickReactor)
        quick._poller = self._poller
        quick._selectables = self._sockets
        quick._disconnectSelectable = lambda *call: self._ended.append(call)
        quick._doReadOrWrite = lambda *call: self._left.append(call)
        self._quick: QuickReactor = quick

    def _poll(self, *events: tuple[int, int]) -> None:
        self._poller.events = list(events)
        self._quick.doPoll(1.5)

    def test_read(self) -> None:
        """A client that has sent something is read, once, and stays."""
        self._sockets[7] = _Socket()
        self._poll((7, EPOLLIN))
        self.assertEqual(self._sockets[7].reads, 1)
        self.assertEqual((self._ended, self._left), ([], []))

    def test_end(self) -> None:
        """A client that has gone is disconnected, with the reason."""
        socket = self._sockets[7] = _Socket(main.CONNECTION_DONE)
        self._poll((7, EPOLLIN))
        self.assertEqual(self._ended, [(socket, main.CONNECTION_DONE, True)])

    def test_closed_before(self) -> None:
        """A socket that an earlier event closed is passed over."""
        later = _Socket()
        first = _Socket(lambda: self._sockets.pop(8) and None)
        self._sockets.update({7: first, 8: later})
        self._poll((7, EPOLLIN), (8, EPOLLIN))
        self.assertEqual((first.reads, later.reads), (1, 0))
        self.assertEqual((self._ended, self._left), ([], []))

    def test_exception(self) -> None:
        """
        A mistake of ours while reading is logged and costs that client its connection,
        not the others theirs.
        """
        error = ValueError("oops")
        broken = self._sockets[7] = _Socket(error)
        self._sockets[8] = _Socket()
        self._poll((7, EPOLLIN), (8, EPOLLIN))
        self.assertEqual(self._ended, [(broken, error, True)])
        self.assertEqual(self._sockets[8].reads, 1)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_other_events(self) -> None:
        """All but plain reading goes Twisted's way."""
        socket = self._sockets[7] = _Socket()
        others = (EPOLLOUT, EPOLLIN | EPOLLOUT, EPOLLIN | EPOLLHUP)
        self._poll(*((7, event) for event in others))
        self.assertEqual(self._left, [(socket, 7, event) for event in others])
        self.assertEqual(socket.reads, 0)

    def test_signal(self) -> None:
        """A signal that interrupts the waiting is no error."""
        self._sockets[7] = _Socket()
        self._poller.error = InterruptedError()
        self._poll((7, EPOLLIN))
        self.assertEqual(self._sockets[7].reads, 0)

    def test_waiting(self) -> None:
        """It waits for as long as it is told, or for ever."""
        self._sockets.update({7: _Socket(), 8: _Socket()})
        self._quick.doIteration(1.5)
        self._quick.doIteration(None)
        self.assertEqual(self._poller.asked, [(1.5, 2), (-1, 2)])

    def test_round(self) -> None:
        """What is to be sent is sent once the calls that are due have been made."""
        quick: Any = QuickReactor.__new__(QuickReactor)
        quick.round, order = Round(), []
        self.patch(
            EPollReactor,
            "runUntilCurrent",
            lambda _: quick.round.at_end(lambda: order.append(quick.round.is_open)),
        )
        quick.runUntilCurrent()
        self.assertEqual(order, [True])

    def test_clock(self) -> None:
        """A time-out does not fire early or late because somebody sets the clock."""
        before = time.monotonic()
        self.assertTrue(before <= self._quick.seconds() <= time.monotonic())


class InstallTests(SynchronousTestCase):
    """Which reactor the server runs on."""

    def setUp(self) -> None:
        """No reactor is really installed."""
        self._installed: list[object] = []
        self.patch(reactor, "installReactor", self._installed.append)
        self.patch(reactor, "QuickReactor", lambda: "the quick one")

    def test_first(self) -> None:
        """Without another choice it is ours."""
        self.patch(reactor, "sys", SimpleNamespace(modules={}))
        self.assertTrue(install_quick_reactor())
        self.assertEqual(self._installed, ["the quick one"])

    def test_chosen_before(self) -> None:
        """What the postmaster chose with C{--reactor} stays."""
        modules = {"twisted.internet.reactor": object()}
        self.patch(reactor, "sys", SimpleNamespace(modules=modules))
        self.assertFalse(install_quick_reactor())
        self.assertEqual(self._installed, [])
