"""A client that says over a real socket what a test tells it."""

from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.defer import Deferred, DeferredQueue, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IPullProducer
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from tests.functional.hurry import reactor

DEADLINE_SECONDS = 10.0
"""How long a test waits for the next thing to happen."""


class Client(Protocol):
    """
    One session, seen from the client's side.

    @ivar heard: whole replies that nobody has asked for yet, lines joined by C{\\n}.
    @ivar lost: why the connection is over, or L{None} while it is not.
    """

    transport: Any

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.lost: Failure | None = None
        self._octets = b""
        self._lines: list[str] = []
        self._event: Deferred[None] | None = None
        self._diverted: DeferredQueue[bytes] | None = None

    # ---- to say ----------------------------------------------------------------------

    def connectionMade(self) -> None:
        """Send each write at once, so that what is sent apart travels apart."""
        self.transport.setTcpNoDelay(True)

    def say(self, *lines: str | bytes) -> None:
        """Send lines, each with a CRLF, in one go."""
        octets = [line.encode() if isinstance(line, str) else line for line in lines]
        self.send(b"".join(line + b"\r\n" for line in octets))

    def send(self, octets: bytes) -> None:
        """Send octets as they are."""
        self.transport.write(octets)

    def pour(self, pieces: Iterable[bytes]) -> "Deferred[None]":
        """
        Send much, a piece whenever the one before has left for the kernel.

        @return: fires when the last has, or the connection is over.
        """
        pump = _Pump(self.transport, iter(pieces))
        self.transport.registerProducer(pump, False)
        return pump.done

    # ---- to hear ---------------------------------------------------------------------

    async def replies(self, count: int) -> list[str]:
        """
        The next replies.

        @raise AssertionError: if the connection ends before.
        """
        await self._until(lambda: len(self.heard) >= count)
        if len(self.heard) < count:
            raise AssertionError(f"closed after {self.heard}: {self.lost}")
        taken, self.heard = self.heard[:count], self.heard[count:]
        return taken

    async def codes(self, count: int) -> list[int]:
        """The codes of the next replies."""
        return [int(text[:3]) for text in await self.replies(count)]

    async def ask(self, *lines: str | bytes) -> str:
        """Say something, and return the next reply."""
        self.say(*lines)
        (text,) = await self.replies(1)
        return text

    async def rest(self) -> list[int]:
        """
        The codes of all that comes until the server closes the connection.

        @raise AssertionError: if it breaks off instead of closing.
        """
        await self._until(lambda: False)
        if self.lost is None or not self.lost.check(ConnectionDone):
            raise AssertionError(f"not closed, but {self.lost}, after {self.heard}")
        if self._octets or self._lines:
            raise AssertionError(f"closed within a reply: {self._octets!r}")
        heard, self.heard = self.heard, []
        return [int(text[:3]) for text in heard]

    def divert(self) -> "DeferredQueue[bytes]":
        """From now on octets are no replies: they go to the queue as they come."""
        queue: DeferredQueue[bytes] = DeferredQueue()
        self._diverted = queue
        return queue

    async def lost_connection(self) -> None:
        """Wait until the connection is over, however that comes about."""
        await self._until(lambda: False)

    def leave(self) -> "Deferred[None]":
        """Break the connection off; fires when it is."""
        if self.lost is not None:
            return succeed(None)
        self.transport.abortConnection()
        return Deferred.fromCoroutine(self._until(lambda: False))

    def dataReceived(self, data: bytes) -> None:
        """Gather replies."""
        if self._diverted is not None:
            self._diverted.put(data)
            return
        *lines, self._octets = (self._octets + data).split(b"\r\n")
        for line in lines:
            self._lines.append(line.decode("ascii"))
            if line[3:4] != b"-":
                self.heard.append("\n".join(self._lines))
                self._lines = []
        self._happened()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """The connection is over."""
        self.lost = reason
        self._happened()

    def _happened(self) -> None:
        event, self._event = self._event, None
        if event is not None:
            event.callback(None)

    async def _until(self, enough: Callable[[], bool]) -> None:
        while self.lost is None and not enough():
            self._event = Deferred()
            await self._event.addTimeout(DEADLINE_SECONDS, reactor)


@implementer(IPullProducer)
class _Pump:
    """Gives a transport the next piece when it wants one."""

    def __init__(self, transport: Any, pieces: Iterable[bytes]) -> None:
        self._transport = transport
        self._pieces = iter(pieces)
        self.done: Deferred[None] = Deferred()

    def resumeProducing(self) -> None:
        piece = next(self._pieces, None)
        if piece is not None:
            self._transport.write(piece)
            return
        self._transport.unregisterProducer()
        self.done.callback(None)

    def stopProducing(self) -> None:
        """The connection is over."""
        if not self.done.called:
            self.done.callback(None)
