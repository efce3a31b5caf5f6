"""Tests of C{harakatw.process.listeners}."""

import errno
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory, ServerFactory
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from harakatw.config.endpoints import ListenAddress, parse_addresses
from harakatw.errors import ConfigError
from harakatw.process import listeners
from harakatw.process.listeners import Listeners


@implementer(IListeningPort)
class _Port:
    """
    A port.

    @ivar closing: fires when it is closed.
    """

    def __init__(self, reactor: "_Reactor", name: str) -> None:
        self._reactor = reactor
        self._name = name
        self.closing: Deferred[None] = succeed(None)

    def startListening(self) -> None:
        """It does already."""

    def stopListening(self) -> "Deferred[None]":
        """Close it."""
        self._reactor.open.remove(self._name)
        return self.closing

    def getHost(self) -> IPv4Address:
        """Nobody asks."""
        raise NotImplementedError


class _Reactor(MemoryReactorClock):
    """
    A reactor that knows which of its ports are open.

    @ivar open: the ports, in the order in which they were opened.
    @ivar busy: the number of the port that another program has.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self.open: list[str] = []
        self.busy = 0

    def listenTCP(
        self, port: int, factory: Any, backlog: int = 50, interface: str = ""
    ) -> Any:
        """Open a port."""
        if port == self.busy:
            error = OSError(errno.EADDRINUSE, "in the way")
            raise CannotListenError(interface, port, error)
        return self._opened(f"{interface} {port}")

    def listenUNIX(
        self,
        address: Any,
        factory: Any,
        backlog: int = 50,
        mode: int = 0o666,
        wantPID: Any = False,
    ) -> Any:
        """Open a socket."""
        return self._opened(f"{address} {mode:o} {wantPID}")

    def _opened(self, name: str) -> _Port:
        self.open.append(name)
        return _Port(self, name)


class ListenersTests(SynchronousTestCase):
    """C{listen} in smtp.ini."""

    def setUp(self) -> None:
        """No port is open; the machine has IPv6."""
        self._reactor = _Reactor()
        self._factory: ServerFactory = Factory()  # type: ignore[assignment]
        self._listeners = Listeners(self._reactor, lambda address: self._factory)
        self.patch(listeners, "_has_ipv6", lambda: True)

    def _listen(self, text: str) -> list[str]:
        self._listeners.listen(parse_addresses(text, 25))
        return self._reactor.open

    def test_opened(self) -> None:
        """The server listens at each address of the list."""
        self.assertEqual(
            self._listen("127.0.0.1:25, [::1]:587"), ["127.0.0.1 25", "::1 587"]
        )

    def test_unix(self) -> None:
        """
        A Unix socket gets the mode that it is given, and a lock by which a socket that
        a crash left is known.
        """
        self.assertEqual(self._listen("/run/a.sock:660"), ["/run/a.sock 660 True"])

    def test_unix_without_mode(self) -> None:
        """Without a mode every local user may connect."""
        self.assertEqual(self._listen("/run/a.sock"), ["/run/a.sock 666 True"])

    def test_no_ipv6(self) -> None:
        """On a machine without IPv6 "every address" is every IPv4 address."""
        self.patch(listeners, "_has_ipv6", lambda: False)
        self.assertEqual(self._listen("[::0]:25"), ["0.0.0.0 25"])

    def test_twice(self) -> None:
        """An address that stands there twice is opened once."""
        address = ListenAddress("127.0.0.1", 25)
        self._listeners.listen((address, address))
        self.assertEqual(self._reactor.open, ["127.0.0.1 25"])

    def test_unchanged(self) -> None:
        """A port that stays in the list stays open: no client is turned away."""
        self._listen("127.0.0.1:25, 127.0.0.1:26")
        (kept,) = (port for at, port in self._listeners.ports.items() if at.port == 26)
        self.assertEqual(
            self._listen("127.0.0.1:26, 127.0.0.1:27"), ["127.0.0.1 26", "127.0.0.1 27"]
        )
        self.assertIn(kept, self._listeners.ports.values())

    def test_busy(self) -> None:
        """
        A port that another program has is said in words that name the file, the
        address and the reason.
        """
        self._reactor.busy = 25
        error = self.assertRaises(ConfigError, self._listen, "127.0.0.1:25")
        self.assertIn("config/smtp.ini: [main] listen", str(error))
        self.assertIn("cannot listen on 127.0.0.1:25", str(error))
        self.assertIn("ddress already in use", str(error))

    def test_busy_after_others(self) -> None:
        """When one port cannot be opened, all is as it was: old ones stay, new go."""
        self._listen("127.0.0.1:26")
        self._reactor.busy = 25
        self.assertRaises(ConfigError, self._listen, "127.0.0.1:27, 127.0.0.1:25")
        self.assertEqual(self._reactor.open, ["127.0.0.1 26"])
        self.assertEqual([at.port for at in self._listeners.ports], [26])

    def test_stop(self) -> None:
        """At the end all ports are closed, and the server waits until they are."""
        self._listen("127.0.0.1:25, 127.0.0.1:26")
        waiting: Deferred[None] = Deferred()
        (first, _) = self._listeners.ports.values()
        assert isinstance(first, _Port)
        first.closing = waiting
        stopped = self._listeners.stop()
        self.assertEqual(self._reactor.open, [])
        self.assertNoResult(stopped)
        waiting.callback(None)
        self.successResultOf(stopped)

    def test_stop_twice(self) -> None:
        """To stop what is stopped is nothing."""
        self._listen("127.0.0.1:25")
        self.successResultOf(self._listeners.stop())
        self.successResultOf(self._listeners.stop())
