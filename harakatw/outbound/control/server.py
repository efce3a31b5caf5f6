"""
The socket of a running server on which its queue can be asked, for the owner of the
queue only.

@see: survey section 3.3 row 41: whatever comes in, the server goes on
"""

import json
import os
import socket
import stat
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import attrs
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort, IPushProducer
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.protocols.basic import LineReceiver
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure
from zope.interface import implementer

from harakatw.errors import ConfigError
from harakatw.outbound.control.answers import Frame, answer
from harakatw.outbound.control.place import Place, find_place
from harakatw.outbound.control.tool import QueueTool

MAX_LINE: Final = 65_536
MAX_CONNECTIONS: Final = 16
IDLE_SECONDS: Final = 600.0

_CREDENTIALS: Final = struct.Struct("3i")  # struct ucred: pid, uid, gid

PeerUID = Callable[[Any], int | None]
"""Whose process is at the other end of a transport; L{None} if nobody knows."""


def socket_uid(transport: Any) -> int | None:
    """
    Ask the kernel who connected.

    @return: L{None} where there is no C{SO_PEERCRED}: other systems than Linux have
        the mode of the socket only.
    """
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    found = transport.socket.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size)
    uid: int = _CREDENTIALS.unpack(found)[1]
    return uid


@implementer(IPushProducer)
@attrs.define(eq=False)
class Valve:
    """Lets an answer wait until what was written before has been read."""

    _opened: "Deferred[None] | None" = None

    async def passed(self) -> None:
        """Wait until there is room."""
        while self._opened is not None:
            await self._opened

    def pauseProducing(self) -> None:
        if self._opened is None:
            self._opened = Deferred()

    def resumeProducing(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.callback(None)

    def stopProducing(self) -> None:
        """The connection is lost, of which the protocol hears, too."""


class ControlProtocol(LineReceiver, TimeoutMixin):
    """One who asks: a request on a line, the answer in as many lines as it takes."""

    delimiter = b"\n"
    MAX_LENGTH = MAX_LINE
    transport: Any
    _log = Logger()

    def __init__(self, factory: "ControlFactory") -> None:
        self._owner = factory
        self._valve = Valve()
        self._is_open = False
        self._answering: Deferred[None] | None = None

    def callLater(self, seconds: float, call: Callable[[], object]) -> Any:
        return self._owner.clock.callLater(seconds, call)

    def connectionMade(self) -> None:
        refusal = self._owner.refusal(self)
        if refusal:
            self._give_up(refusal)
            return
        self._is_open = True
        self.transport.registerProducer(self._valve, True)
        self.setTimeout(IDLE_SECONDS)  # type: ignore[no-untyped-call]
        self._send({"ready": 1})

    def lineReceived(self, line: bytes) -> None:
        if not self._is_open:
            return  # what was sent before we hung up is not done
        self.setTimeout(None)  # type: ignore[no-untyped-call]
        self.pauseProducing()  # type: ignore[no-untyped-call]  # one at a time
        answering = self._answering = Deferred.fromCoroutine(self._answer(line))
        answering.addErrback(self._failed)
        answering.addCallback(self._answered)

    def lineLengthExceeded(self, line: bytes) -> None:
        self._give_up(f"a request may have {MAX_LINE} octets")

    def timeoutConnection(self) -> None:
        self._give_up("nothing was asked for a long time")

    def connectionLost(self, reason: Failure | None = None) -> None:
        self._is_open = False
        self.setTimeout(None)  # type: ignore[no-untyped-call]
        self._owner.connections.discard(self)
        answering, self._answering = self._answering, None
        if answering is not None:
            answering.cancel()

    async def _answer(self, line: bytes) -> None:
        async for frame in answer(self._owner.tool, line):
            await self._valve.passed()
            self._send(frame)

    def _failed(self, failure: Failure) -> None:
        """A mistake of ours, unless nobody wants the answer any more."""
        if not self._is_open:
            return
        self._log.failure("a request on the control socket failed", failure)
        self._send({"error": "the server has made a mistake: its log tells more"})

    def _answered(self, _: None) -> None:
        self._answering = None
        if self._is_open:
            self.setTimeout(IDLE_SECONDS)  # type: ignore[no-untyped-call]
            self.resumeProducing()  # type: ignore[no-untyped-call]

    def _send(self, frame: Frame) -> None:
        self.transport.write(json.dumps(frame).encode("ascii") + b"\n")

    def _give_up(self, why: str) -> None:
        self._send({"error": why})
        if self._is_open:
            self._is_open = False
            self.transport.unregisterProducer()
        self.transport.loseConnection()


@attrs.define(eq=False, slots=False)
class ControlFactory(Factory):
    """
    Makes a protocol for each who asks.

    @ivar tool: does what they ask for.
    @ivar clock: for time-outs.
    @ivar connections: those that are open.
    """

    tool: QueueTool
    clock: Any
    _peer_uid: PeerUID = socket_uid
    _uids: frozenset[int] = attrs.field(factory=lambda: frozenset((0, os.geteuid())))
    connections: set[ControlProtocol] = attrs.field(factory=set)
    noisy = False

    def buildProtocol(self, address: IAddress | None) -> ControlProtocol:
        return ControlProtocol(self)

    def refusal(self, protocol: ControlProtocol) -> str:
        """
        Why somebody may not ask; C{""} if they may, and then they are counted.
        """
        uid = self._peer_uid(protocol.transport)
        if uid is not None and uid not in self._uids:
            return "only the owner of the queue and root may ask"
        if len(self.connections) >= MAX_CONNECTIONS:
            return "too many ask at the same time"
        self.connections.add(protocol)
        return ""

    def hang_up(self) -> None:
        """End all connections, and what they asked for."""
        for protocol in tuple(self.connections):
            protocol.transport.abortConnection()


@attrs.frozen(eq=False)
class Control:
    """
    An open socket.

    @ivar port: what listens.
    """

    port: IListeningPort
    _factory: ControlFactory
    _place: Place

    def stop(self) -> "Deferred[Any]":
        """Close it; fires when nobody can connect any more."""
        self._factory.hang_up()
        stopped = maybeDeferred(self.port.stopListening)
        return stopped.addBoth(self._stopped)

    def _stopped(self, result: Any) -> Any:
        self._place.close()
        return result


def start_control(reactor: Any, directory: Path, tool: QueueTool) -> Control:
    """
    Let the owner of a queue ask.

    @param reactor: Unix sockets and time.
    @param directory: of the queue, which this process must have locked: a socket that
        is there was left by one that is gone.
    @raise ConfigError: if there can be no socket; the server can do without.
    """
    place = find_place(directory)
    factory = ControlFactory(tool, reactor)
    try:
        _remove_socket(place.path)
        port = reactor.listenUNIX(place.address, factory, MAX_CONNECTIONS, 0o600)
    except (CannotListenError, OSError) as error:
        place.close()
        cause = getattr(error, "socketError", error)
        raise ConfigError((f"no control socket: {place.path}: {cause}",)) from error
    return Control(port, factory, place)


def _remove_socket(path: Path) -> None:
    """Remove what a crash left; anything but a socket is somebody else's."""
    try:
        if stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()
    except FileNotFoundError:
        pass
