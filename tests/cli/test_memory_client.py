"""A client and a server with memory between them."""

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from harakatw.cli.failure import CommandError
from harakatw.cli.memory_client import MemoryClient, MemoryTransport


class _Scripted(Protocol):
    """A server that says what the test wants."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.lost = 0

    def dataReceived(self, octets: bytes) -> None:
        """Note it."""
        self.heard.append(octets)

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Note it."""
        self.lost += 1


class MemoryClientTests(SynchronousTestCase):
    """The client's part of a session."""

    def setUp(self) -> None:
        """Connect."""
        self.clock, self.server = Clock(), _Scripted()
        here = IPv4Address("TCP", "127.0.0.1", 25)
        self.transport = MemoryTransport(self.clock, here, self.server)
        self.client = MemoryClient(self.transport, 60)

    def ask(self, octets: bytes) -> "Deferred[Any]":
        """Send a command."""
        return Deferred.fromCoroutine(self.client.ask(octets))

    def test_reply(self) -> None:
        """A reply of several lines is heard when its last line is there."""
        asked = self.ask(b"EHLO x\r\n")
        self.transport.write(b"250-one\r\n25")
        self.clock.advance(0)
        self.assertNoResult(asked)
        self.transport.write(b"0 two\r\n")
        self.clock.advance(0)
        self.assertEqual(self.successResultOf(asked), ["250-one", "250 two"])
        self.assertEqual(self.server.heard, [b"EHLO x\r\n"])

    def test_two_replies(self) -> None:
        """A second reply waits for the next question."""
        self.transport.write(b"250 one\r\n421 two\r\n")
        self.assertEqual(self.successResultOf(self.ask(b"NOOP\r\n")), ["250 one"])
        self.assertEqual(self.successResultOf(self.ask(b"NOOP\r\n")), ["421 two"])

    def test_last_words(self) -> None:
        """What is said before the end is heard, and then nothing."""
        asked = self.ask(b"QUIT\r\n")
        self.transport.write(b"221 bye\r\n")
        self.transport.loseConnection()
        self.clock.advance(0)
        self.assertEqual(self.successResultOf(asked), ["221 bye"])
        self.assertEqual(self.successResultOf(self.ask(b"NOOP\r\n")), [])

    def test_closed(self) -> None:
        """The server is told once that the connection is gone, and the client goes."""
        asked = self.ask(b"NOOP\r\n")
        self.transport.loseConnection()
        self.transport.abortConnection()
        self.assertEqual(self.server.lost, 0)  # not before it has returned
        self.clock.advance(0)
        self.assertEqual(self.server.lost, 1)
        self.assertEqual(self.successResultOf(asked), [])

    def test_silence(self) -> None:
        """A server that says nothing is not waited for for ever."""
        asked = self.ask(b"NOOP\r\n")
        self.clock.advance(61)
        error = self.failureResultOf(asked, CommandError)
        self.assertIn("60 seconds", str(error.value))
        self.assertEqual(self.clock.getDelayedCalls(), [])
