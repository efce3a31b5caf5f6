"""The control socket, as the server sees it."""

import os
import socket
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.testing import MemoryReactorClock

from harakatw.errors import ConfigError, StoreError
from harakatw.interfaces.queue import ItemState
from harakatw.outbound.control.place import SOCKET
from harakatw.outbound.control.server import (
    IDLE_SECONDS,
    MAX_CONNECTIONS,
    MAX_LINE,
    socket_uid,
    start_control,
)
from tests.outbound.control.queues import QueueTestCase
from tests.outbound.control.sockets import SocketTestCase

LIST = b'{"verb": "list"}\n'
HOLD = b'{"verb": "hold", "all": true}\n'


class ConversationTests(SocketTestCase):
    """Questions and answers."""

    def test_greeting(self) -> None:
        """Whoever connects is told that the server is ready."""
        _, line = self.connect()
        self.assertEqual(self.heard(line), [{"ready": 1}])

    def test_in_pieces(self) -> None:
        """A request may come octet by octet."""
        protocol, line = self.connect()
        self.add()
        self.heard(line)
        for octet in LIST:
            protocol.dataReceived(bytes((octet,)))
        item, end = self.heard(line)
        self.assertEqual(item["item"]["domain"], "a.example")
        self.assertEqual(end, {"done": {"items": 1}})

    def test_one_after_the_other(self) -> None:
        """
        What is asked while another request is being done waits, and is not read further
        than that.
        """
        protocol, line = self.connect()
        self.add()
        finding: Deferred[Any] = Deferred()
        self.when_found(lambda: finding)
        self.heard(line)
        protocol.dataReceived(LIST + b'{"verb": "stat"}\n')
        self.assertEqual(self.heard(line), [])
        self.assertEqual(line.producerState, "paused")
        finding.callback(())
        end, stat, _ = self.heard(line)
        self.assertEqual(end, {"done": {"items": 0}})
        self.assertIn("stat", stat)
        self.assertEqual(line.producerState, "producing")

    def test_mistake_and_on(self) -> None:
        """A mistake is told, and the next request is done."""
        protocol, line = self.connect()
        self.heard(line)
        protocol.dataReceived(b"help\n" + LIST)
        error, end = self.heard(line)
        self.assertIn("JSON", error["error"])
        self.assertEqual(end, {"done": {"items": 0}})

    def test_broken_store(self) -> None:
        """A queue that cannot be read is told of."""
        protocol, line = self.connect()

        def fail() -> None:
            raise StoreError("the disk is gone")

        self.when_found(fail)
        self.heard(line)
        protocol.dataReceived(LIST)
        self.assertEqual(self.heard(line), [{"error": "the disk is gone"}])

    def test_our_mistake(self) -> None:
        """A bug of ours is logged, and ends neither server nor connection."""
        protocol, line = self.connect()
        self.when_found(lambda: 1 / 0)
        self.heard(line)
        protocol.dataReceived(LIST + b'{"verb": "stat"}\n')
        error, *others = self.heard(line)
        self.assertIn("mistake", error["error"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(len(others), 2)


class LimitTests(SocketTestCase):
    """What one who asks can take."""

    def test_slow_reader(self) -> None:
        """Who does not read a long answer makes the server wait, not grow."""
        for _ in range(3):
            self.add()
        protocol, line = self.connect()
        self.heard(line)
        valve = line.producer
        valve.pauseProducing()
        protocol.dataReceived(LIST)
        self.assertEqual(self.heard(line), [])
        valve.resumeProducing()
        self.assertEqual(len(self.heard(line)), 4)

    def test_long_line(self) -> None:
        """A request without an end is refused, and what follows it is not done."""
        number = self.add()
        protocol, line = self.connect()
        self.heard(line)
        protocol.dataReceived(b"x" * (MAX_LINE + 2))
        protocol.dataReceived(b"\n" + HOLD)
        (error,) = self.heard(line)
        self.assertIn("octets", error["error"])
        self.assertTrue(line.disconnecting)
        self.assertEqual(self.states(), {number: "ready"})

    def test_idle(self) -> None:
        """A connection on which nothing is asked ends; one that waits does not."""
        protocol, line = self.connect()
        self.when_found(lambda: Deferred())
        self.clock.advance(IDLE_SECONDS - 1)
        protocol.dataReceived(LIST)
        self.clock.advance(IDLE_SECONDS * 2)
        self.assertFalse(line.disconnecting)
        _, silent = self.connect()
        self.clock.advance(IDLE_SECONDS)
        self.assertTrue(silent.disconnecting)

    def test_too_many(self) -> None:
        """Connections are counted, and counted off."""
        lines = [self.connect() for _ in range(MAX_CONNECTIONS)]
        _, refused = self.connect()
        self.assertIn("too many", self.heard(refused)[0]["error"])
        self.assertTrue(refused.disconnecting)
        self.hang_up(lines[0][0])
        _, line = self.connect()
        self.assertEqual(self.heard(line), [{"ready": 1}])


class OwnerTests(SocketTestCase):
    """Whoever can end a server's mail must own the queue."""

    def test_stranger(self) -> None:
        """Another user is refused, whatever they send."""
        number = self.add()
        protocol, line = self.connect(uid=1001)
        protocol.dataReceived(HOLD)
        (error,) = self.heard(line)
        self.assertIn("owner", error["error"])
        self.assertTrue(line.disconnecting)
        self.assertEqual(self.states(), {number: "ready"})
        self.assertEqual(self.factory.connections, set())

    def test_owner_and_root(self) -> None:
        """The queue's owner and root may ask, and who got past the mode of the file."""
        for uid in (1000, 0, None):
            _, line = self.connect(uid=uid)
            self.assertEqual(self.heard(line), [{"ready": 1}], uid)

    def test_kernel(self) -> None:
        """The kernel says who is at the other end."""
        one, other = socket.socketpair(socket.AF_UNIX)
        self.addCleanup(one.close)
        self.addCleanup(other.close)

        class Transport:
            socket = one

        self.assertEqual(socket_uid(Transport()), os.geteuid())

    def test_other_systems(self) -> None:
        """Where it does not, the mode of the socket decides."""
        self.patch(socket, "SO_PEERCRED", None)
        self.assertIsNone(socket_uid(object()))


class HangUpTests(SocketTestCase):
    """Ends."""

    def test_interrupted(self) -> None:
        """What was asked by somebody who has gone is not gone on with."""
        cancelled = []
        finding: Deferred[Any] = Deferred(lambda _: cancelled.append(1))
        self.when_found(lambda: finding)
        protocol, line = self.connect()
        self.heard(line)
        protocol.dataReceived(LIST)
        self.hang_up(protocol)
        self.assertEqual(cancelled, [1])
        self.assertEqual(self.heard(line), [])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        finding.addErrback(lambda failure: failure.trap(CancelledError))

    def test_slow_reader_goes(self) -> None:
        """Nothing is left of one who went without reading the answer."""
        self.add(state=ItemState.HELD)
        protocol, line = self.connect()
        valve = line.producer
        valve.pauseProducing()
        protocol.dataReceived(LIST)
        self.hang_up(protocol)
        valve.stopProducing()
        self.assertEqual(self.factory.connections, set())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_all_at_once(self) -> None:
        """A server that stops hangs up."""
        lines = [self.connect()[1] for _ in range(3)]
        self.factory.hang_up()
        self.assertTrue(all(line.is_aborted for line in lines))


class StartTests(QueueTestCase):
    """Opening the socket."""

    def setUp(self) -> None:
        """Make the queue's directory."""
        super().setUp()
        self.directory = Path(self.mktemp())
        self.directory.mkdir()

    def test_owner_only(self) -> None:
        """The socket is in the queue's directory, and only its owner can connect."""
        reactor = MemoryReactorClock()
        start_control(reactor, self.directory, self.tool)
        ((path, _, _, mode, _),) = reactor.unixServers
        self.assertEqual(path, str(self.directory / SOCKET))
        self.assertEqual(mode, 0o600)

    def test_left_over(self) -> None:
        """What a crash left is removed; a file that is none of ours stays."""
        path = self.directory / SOCKET
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))
        start_control(MemoryReactorClock(), self.directory, self.tool)
        self.assertFalse(path.exists())
        path.write_text("precious")
        start_control(MemoryReactorClock(), self.directory, self.tool)
        self.assertEqual(path.read_text(), "precious")

    def test_long_path(self) -> None:
        """A path that is too long for a socket is told, where nothing helps."""
        deep = self.directory / ("x" * 100)
        self._fails(MemoryReactorClock(), deep, "No such file")
        self.patch(os.path, "isdir", lambda path: False)
        self._fails(MemoryReactorClock(), deep, "107 octets")

    def test_not_allowed(self) -> None:
        """The system's reason is told."""
        reactor = MemoryReactorClock()

        def refuse(*args: object) -> None:
            raise CannotListenError(None, "x", OSError("read-only file system"))

        self.patch(reactor, "listenUNIX", refuse)
        self._fails(reactor, self.directory, "read-only file system")

    def _fails(self, reactor: Any, directory: Path, why: str) -> None:
        error = self.assertRaises(
            ConfigError, start_control, reactor, directory, self.tool
        )
        self.assertIn(why, str(error))
        self.assertIn("no control socket", str(error))
