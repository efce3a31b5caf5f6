"""
Talk to vpopmaild: one command and one answer a time.

An answer is a line, C{+OK} or C{-ERR} with a number of two parts and a text; after
C{+OK+} come lines of a name and a value each, until a dot.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    HostnameEndpoint,
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
    connectProtocol,
)
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from harakatw.errors import HarakaError
from harakatw.outbound.hop import is_ip, is_ip6
from harakatw.outbound.login import is_near

MAX_LINES: Final = 200
"""Of a conversation; an answer about a user has about 30."""

MAX_COMMAND: Final = 1000
"""Octets: vpopmaild takes what is beyond 1,023 for the next command."""

MAX_USER: Final = 155
"""Octets: vpopmaild cuts what is longer."""

_ERROR = re.compile(rb"-ERR +(\d{1,4})")
_TROUBLES: Final = frozenset((1, 2, 3, 4, 5))
"""No database, too many commands or logins, too slow, command unknown."""


class VpopmaildError(HarakaError):
    """It does not answer, or not as it should; the message holds no secret."""


@attrs.frozen
class Told:
    """
    An answer.

    @ivar is_ok: did it do what it was told?
    @ivar code: the first number of what is wrong, 0 where nothing is.
    @ivar fields: what it says of a user.
    """

    is_ok: bool
    code: int = 0
    fields: Mapping[str, str] = attrs.field(factory=dict, repr=False)


class Vpopmaild(LineOnlyReceiver):
    """A connection to vpopmaild."""

    delimiter = b"\n"
    MAX_LENGTH = 4096
    transport: Any

    def __init__(self, *, clear: bool) -> None:
        """
        @param clear: may passwords be sent to any host?
        """
        self._clear = clear
        self._lines: list[bytes] = []
        self._count = 0
        self._waiting: Deferred[bytes] | None = None
        self._lost: Failure | None = None

    async def greeted(self) -> None:
        """
        Wait until it is ready.

        @raise VpopmaildError: it is not, or others could read what we send.
        """
        if not (self._clear or is_near(self.transport.getPeer().host)):
            raise VpopmaildError(
                "it is not of a private network, and has no TLS: see allow_clear"
            )
        if not (await self._answer()).is_ok:
            raise VpopmaildError("it is not ready")

    async def ask(self, *words: str) -> Told:
        """
        Give a command.

        @raise VpopmaildError: there is no answer that tells anything.
        """
        if self._lines:  # which would be taken for the answer
            raise VpopmaildError("it answers what it was not asked")
        self.transport.write(" ".join(words).encode() + b"\r\n")
        told = await self._answer()
        if not told.is_ok and told.code in _TROUBLES:
            raise VpopmaildError(f"it answers error {told.code} to {words[0]}")
        return told

    def leave(self, *, at_once: bool = False) -> None:
        """Say good-bye, unless it is too late for that."""
        if at_once:
            self.transport.abortConnection()
        else:
            self.transport.write(b"quit\r\n")
            self.transport.loseConnection()

    # ---- parts -----------------------------------------------------------------------

    async def _answer(self) -> Told:
        line = await self._line()
        error = _ERROR.match(line)
        if error:
            return Told(False, int(error[1]))
        if line.startswith(b"-ERR"):
            return Told(False)
        if line.startswith(b"+OK+"):
            return Told(True, fields=await self._fields())
        if line.startswith(b"+OK"):
            return Told(True)
        raise VpopmaildError("it does not speak vpopmaild's protocol")

    async def _fields(self) -> dict[str, str]:
        fields: dict[str, str] = {}
        while True:
            line = await self._line()
            if line == b".":
                return fields
            name, _, value = line.decode("utf-8", "replace").partition(" ")
            fields.setdefault(name, value)

    def _line(self) -> "Deferred[bytes]":
        line: Deferred[bytes] = Deferred()
        if self._lines:
            line.callback(self._lines.pop(0))
        elif self._lost is not None:
            line.errback(VpopmaildError("it hung up"))
        else:
            self._waiting = line
        return line

    def dataReceived(self, data: bytes) -> None:
        """Give lines to who waits for one, once all are there."""
        super().dataReceived(data)  # type: ignore[no-untyped-call]  # Twisted's
        while self._lines and self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            waiting.callback(self._lines.pop(0))

    def lineReceived(self, line: bytes) -> None:
        """Keep it."""
        self._count += 1
        if self._count <= MAX_LINES:
            self._lines.append(line.removesuffix(b"\r"))
        else:
            self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Nobody needs to wait any longer."""
        self._lost = reason
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.errback(VpopmaildError("it hung up"))


@attrs.frozen
class Place:
    """
    Where a vpopmaild listens.

    @ivar clear: may passwords be sent there wherever it is?
    """

    host: str
    port: int
    clear: bool

    def endpoint(self, reactor: Any, seconds: float) -> IStreamClientEndpoint:
        """Connects to it, within so many seconds."""
        if is_ip6(self.host):
            return TCP6ClientEndpoint(reactor, self.host, self.port, seconds)
        if is_ip(self.host):
            return TCP4ClientEndpoint(reactor, self.host, self.port, seconds)
        return HostnameEndpoint(reactor, self.host, self.port, seconds)


async def converse(
    place: Place,
    reactor: Any,
    seconds: float,
    talk: Callable[[Vpopmaild], Awaitable[Told]],
) -> Told:
    """
    Connect, talk, and leave.

    @param reactor: C{IReactorTCP} and C{IReactorTime}, for a name also
        C{IReactorPluggableNameResolver}.
    @param seconds: for all of it.
    @param talk: called when it is ready.
    @raise VpopmaildError: it does not answer in time, or not as it should.
    """
    conversation: Deferred[Told] = Deferred.fromCoroutine(
        _converse(place, reactor, seconds, talk)
    )
    return await conversation.addTimeout(seconds, reactor, _too_late)


async def _converse(
    place: Place,
    reactor: Any,
    seconds: float,
    talk: Callable[[Vpopmaild], Awaitable[Told]],
) -> Told:
    client = Vpopmaild(clear=place.clear)
    try:
        await connectProtocol(place.endpoint(reactor, seconds), client)
    except (ConnectError, DNSLookupError, OSError) as error:
        raise VpopmaildError(str(error)) from error
    is_done = False
    try:
        await client.greeted()
        told = await talk(client)
        is_done = True
        return told
    finally:
        client.leave(at_once=not is_done)


def _too_late(result: object, seconds: float) -> Told:
    if isinstance(result, Told):
        return result
    raise VpopmaildError(f"no answer within {seconds:g} seconds")
