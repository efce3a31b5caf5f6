"""
How long a server may take, and the one timer of a connection.

@see: RFC 5321 section 4.5.3.2 (the least times), weakness WK09
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import attrs
from attrs.validators import ge
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from harakatw.config.options import doc
from harakatw.wire.dialogue import Stage


@attrs.frozen(kw_only=True)
class Timeouts:
    """
    Seconds for each step, as RFC 5321 section 4.5.3.2 wants them at least.

    @ivar connect: for the network to open the connection.
    @ivar greeting: for the first reply.
    @ivar hello: for EHLO, HELO, LHLO, STARTTLS, RSET and each step of AUTH.
    @ivar handshake: for TLS.
    @ivar data_init: for the reply to DATA.
    @ivar data_block: for a piece of the message to leave.
    @ivar final: for the reply to the message. A shorter time makes duplicates, for the
        server may take what it could not acknowledge in time (RFC 1047).
    @ivar quit: for the reply to QUIT.
    @ivar transaction: for one message in all, however often the server says something;
        the time that a large message needs at L{min_rate} is added.
    @ivar min_rate: octets a second.
    """

    connect: float = 30
    greeting: float = 300
    hello: float = 300
    handshake: float = 120
    mail: float = 300
    rcpt: float = 300
    data_init: float = 120
    data_block: float = 180
    final: float = 600
    quit: float = 10
    transaction: float = 3600
    min_rate: float = 1024
    by_stage: Mapping[Stage, float] = attrs.field(init=False, eq=False, repr=False)

    @by_stage.default
    def _by_stage(self) -> Mapping[Stage, float]:
        return MappingProxyType(
            {
                Stage.RSET: self.hello,
                Stage.XFORWARD: self.mail,
                Stage.MAIL: self.mail,
                Stage.RCPT: self.rcpt,
                Stage.DATA: self.data_init,
                Stage.BODY: self.data_block,
                Stage.DOT: self.final,
                Stage.EMPTY: self.final,
                Stage.DONE: self.quit,
            }
        )

    def for_message(self, octets: int) -> float:
        """How long a message of this size may take in all."""
        return self.transaction + octets / self.min_rate


@attrs.frozen(kw_only=True)
class ClientOptions:
    """What C{outbound.ini} says of connections to other hosts."""

    connect_timeout: float = attrs.field(
        default=30,
        validator=ge(1),
        metadata=doc(
            "How long a host may take to accept a connection. Later steps have the "
            "times that RFC 5321 section 4.5.3.2 gives them.",
            unit="seconds",
            file="outbound.ini",
        ),
    )
    messages_per_connection: int = attrs.field(
        default=100,
        validator=ge(1),
        metadata=doc(
            "How many messages are sent over one connection.",
            unit="messages",
            file="outbound.ini",
        ),
    )
    connection_age: float = attrs.field(
        default=300,
        validator=ge(1),
        metadata=doc(
            "How old a connection may be when another message is sent over it.",
            unit="seconds",
            file="outbound.ini",
        ),
    )
    connection_idle: float = attrs.field(
        default=5,
        validator=ge(0),
        metadata=doc(
            "How long a connection is kept open for the next message; 0 to close it at "
            "once.",
            unit="seconds",
            file="outbound.ini",
        ),
    )
    without_8bitmime: Literal["convert", "bounce", "send"] = attrs.field(
        default="convert",  # Haraka: send
        metadata=doc(
            "What to do with a message that has octets above 127 and a host that does"
            " not offer 8BITMIME: convert encodes what has them, which breaks DKIM"
            " signatures; bounce returns it; send sends it as it is, as Haraka does."
            " BINARYMIME messages are converted or returned likewise, and never sent as"
            " they are.",
            file="outbound.ini",
        ),
    )


class Deadline:
    """
    When the peer's time for the present step is up.

    Steps follow one another within a millisecond. A timer for each would cost more than
    the step, so there is one that looks, when it would be due, whether time is up.
    """

    __slots__ = ("_at", "_clock", "_expired", "_limit", "_timer")

    def __init__(self, clock: IReactorTime, expired: Callable[[], None]) -> None:
        """
        @param expired: called once when time is up; then L{within} may be called again.
        """
        self._clock = clock
        self._expired = expired
        self._at = math.inf
        self._limit = math.inf
        self._timer: IDelayedCall | None = None

    def limit(self, seconds: float) -> None:
        """All steps from now on together may take so long."""
        self._limit = self._clock.seconds() + seconds

    def within(self, seconds: float) -> None:
        """The next step may take so long."""
        self._at = at = min(self._clock.seconds() + seconds, self._limit)
        if self._timer is None or at < self._timer.getTime():
            self._arm(at)

    def clear(self) -> None:
        """Nothing is waited for. The timer is left to run out."""
        self._at = self._limit = math.inf

    def stop(self) -> None:
        """As L{clear}, and leave no timer."""
        self.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        seconds = max(at - self._clock.seconds(), 0)
        self._timer = self._clock.callLater(seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._at == math.inf:
            return
        if self._at > self._clock.seconds():
            self._arm(self._at)
            return
        self.clear()
        self._expired()
