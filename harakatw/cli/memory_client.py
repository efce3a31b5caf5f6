"""A client and a server in one process, with nothing between them but memory."""

from typing import Any, Protocol

import attrs
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress, IPushProducer, IReactorTime
from twisted.python.failure import Failure

from harakatw.cli.failure import CommandError


class _ServerEnd(Protocol):
    """The server's protocol, as its transport uses it."""

    def makeConnection(self, transport: Any) -> None:
        """The client has connected."""

    def dataReceived(self, octets: bytes) -> None:
        """The client sent something."""

    def connectionLost(self, reason: Failure | None = None) -> None:
        """The client is gone."""


@attrs.define(eq=False)
class MemoryTransport:
    """
    What the server writes to.

    The server hears of nothing while it is still writing: as on a socket, what follows
    from its words comes in a later turn of the reactor.

    @ivar host: our end.
    @ivar said: what the server said and the client has not read.
    @ivar is_open: has neither side closed it?
    """

    clock: IReactorTime
    host: IPv4Address
    server: _ServerEnd
    said: bytes = b""
    is_open: bool = True
    _waiting: Deferred[None] | None = None

    def write(self, data: bytes) -> None:
        """The server says something."""
        self.said += data
        self.clock.callLater(0, self._wake)

    def getHost(self) -> IAddress:
        """Our end."""
        return self.host

    def loseConnection(self) -> None:
        """The server closes the connection."""
        if self.is_open:
            self.is_open = False
            self.clock.callLater(0, self._closed)

    def abortConnection(self) -> None:
        """The server closes the connection at once."""
        self.loseConnection()

    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:
        """The client always reads: nobody need be paused."""

    def unregisterProducer(self) -> None:
        """Nobody was going to be paused."""

    def pauseProducing(self) -> None:
        """The client waits for each reply anyway."""

    def resumeProducing(self) -> None:
        """The client waits for each reply anyway."""

    def changed(self) -> "Deferred[None]":
        """Fires when the server has said something more, or has closed."""
        self._waiting = Deferred()
        return self._waiting

    def _closed(self) -> None:
        self.server.connectionLost(Failure(ConnectionDone()))
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)


@attrs.define(eq=False)
class MemoryClient:
    """
    Sends one command after the other, and waits for the reply to each.

    @ivar transport: the server's.
    @ivar reply_seconds: how long it waits.
    """

    transport: MemoryTransport
    reply_seconds: float

    async def hear(self) -> list[str]:
        """
        The next reply, line by line; none if the server has closed without one.

        @raise CommandError: if it does not come in time.
        """
        while not (lines := self._take_reply()) and self.transport.is_open:
            changed = self.transport.changed()
            changed.addTimeout(self.reply_seconds, self.transport.clock)
            try:
                await changed
            except TookTooLong:
                raise CommandError(
                    f"no reply within {self.reply_seconds:g} seconds"
                ) from None
        return lines

    def _take_reply(self) -> list[str]:
        """A reply, if there is all of it (RFC 5321 section 4.2.1)."""
        lines: list[str] = []
        for line in self.transport.said.split(b"\r\n")[:-1]:
            lines.append(line.decode("ascii"))
            if line[3:4] != b"-":
                taken = sum(len(one) + len("\r\n") for one in lines)
                self.transport.said = self.transport.said[taken:]
                return lines
        return []

    async def ask(self, octets: bytes) -> list[str]:
        """Send octets, and L{hear} what the server says to that."""
        self.transport.server.dataReceived(octets)
        return await self.hear()
