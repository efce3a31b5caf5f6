"""Hosts that take mail, and the connections to them, all of it in memory."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs
from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from harakatw.outbound.client.failures import HostFailure
from harakatw.outbound.client.protocol import SMTPClient
from harakatw.outbound.client.settings import ClientSettings
from harakatw.outbound.client.timeouts import ClientOptions
from harakatw.outbound.client.tls import ClientTLS, Handshake
from harakatw.outbound.client.tls_rules import NO_TLS, OutboundTLSOptions, TLSPolicy
from harakatw.outbound.hop import Hop
from harakatw.reply import reply
from harakatw.testing.threads import NoThreads
from tests.functional.sink import (
    SinkSession,
    Taken,
    accept,
    object_to_nothing,
)
from tests.outbound.client.peers import PeerTransport

TRIP_SECONDS: Final = 0.001
"""How long octets are on their way."""

REFUSED: Final = reply(451, "4.4.1", "Cannot connect: the host refuses the connection")
GONE: Final = b"(closes the connection)"
"""As an answer: the host closes the connection instead."""


@attrs.define(eq=False)
class Host:
    """
    One host; a test may replace what it says.

    @ivar ip: where it is.
    @ivar greeting: its first line, without CRLF.
    @ivar offers: what it announces after EHLO.
    @ivar take: answers messages, without CRLF; L{GONE} to leave instead.
    @ivar object_to: answers a command otherwise than usual; L{None} not to.
    @ivar taken: messages for which it has said 250.
    @ivar heard: every command and message that reached it, by session.
    @ivar is_silent: does it answer nothing?
    """

    ip: str
    greeting: bytes = b"220 hi"
    offers: tuple[bytes, ...] = (b"PIPELINING", b"8BITMIME", b"SMTPUTF8")
    take: Callable[[Taken], bytes] = accept
    object_to: Callable[[bytes], bytes | None] = object_to_nothing
    taken: list[Taken] = attrs.field(factory=list)
    heard: list[bytearray] = attrs.field(factory=list)
    is_silent: bool = False

    def refuse(self, **answers: bytes) -> None:
        """
        Answer commands otherwise.

        @param answers: by verb in lower case.
        """
        said = {verb.upper().encode(): answer for verb, answer in answers.items()}
        self.object_to = lambda line: said.get(line[:4].upper())

    @property
    def recipients(self) -> list[str]:
        """Everybody whose mail it has taken, in order."""
        return [each for taken in self.taken for each in taken.recipients]

    @property
    def commands(self) -> bytes:
        """All that it has heard, in the order of the sessions."""
        return b"".join(map(bytes, self.heard))

    def begin(self) -> SinkSession:
        """A client has connected."""
        self.heard.append(bytearray())
        return SinkSession(self._take, _Order(self).object_to)

    def _take(self, taken: Taken) -> bytes:
        answer = self.take(taken)
        if answer.startswith(b"250"):
            self.taken.append(taken)
        return answer

    def answer(self, line: bytes) -> bytes | None:
        """What it says to a command that L{SinkSession} would answer otherwise."""
        answer = self.object_to(line)
        if answer is None and line[:4].upper() in (b"EHLO", b"LHLO"):
            lines = [b"250-" + each for each in (b"mx.example", *self.offers)]
            return b"\r\n".join((*lines, b"250 HELP"))
        if answer is None and line == b"STARTTLS":
            return b"220 begin"
        return answer


@attrs.define(eq=False)
class _Order:
    """What goes with what in one session: no recipients without a sender."""

    _host: Host
    _is_refused: bool = False

    def object_to(self, line: bytes) -> bytes | None:
        answer = self._host.answer(line)
        verb = line[:4].upper()
        if verb == b"MAIL":
            self._is_refused = (answer or b"")[:1] in (b"4", b"5")
        if verb == b"RCPT" and self._is_refused and answer is None:
            return b"503 5.5.1 Who sends it?"
        return answer


class Line(PeerTransport):
    """
    A connection between a client and a host.

    What either side says is on its way for a moment, as it would be in a network, so
    that neither is called while it speaks.
    """

    def __init__(self, clock: Clock, client: SMTPClient, host: Host) -> None:
        super().__init__()
        self._clock, self._client, self._host = clock, client, host
        self._session = host.begin()
        self._is_open = True
        self.said(host.greeting)

    def write(self, data: bytes) -> None:
        """The client says something."""
        self._clock.callLater(TRIP_SECONDS, self._hear, data)

    def _hear(self, octets: bytes) -> None:
        if not self._is_open:
            return
        self._host.heard[-1] += octets
        answers = self._session.feed(octets)
        for answer in answers.splitlines(keepends=True):
            if answer == GONE + b"\r\n":
                self._lose(ConnectionLost())
                return
            self.said(answer.removesuffix(b"\r\n"))
        if self._session.is_over:
            self._lose(ConnectionDone())

    def said(self, line: bytes) -> None:
        """The host says a line."""
        if not self._host.is_silent:
            self._clock.callLater(TRIP_SECONDS, self._answer, line + b"\r\n")

    def _answer(self, octets: bytes) -> None:
        if self._is_open:
            self._client.dataReceived(octets)

    def startTLS(self, handshake: Handshake) -> None:
        """The hosts here cannot do it, whatever they announce."""
        super().startTLS(handshake)
        self._lose(ConnectionLost())

    def loseConnection(self) -> None:
        """The client closes."""
        self._lose(ConnectionDone())

    def abortConnection(self) -> None:
        """The client drops the connection."""
        super().abortConnection()
        self._lose(ConnectionLost())

    def hang_up(self) -> None:
        """The host closes."""
        self._lose(ConnectionDone())

    def _lose(self, why: Exception) -> None:
        self._clock.callLater(TRIP_SECONDS, self._lost, why)

    def _lost(self, why: Exception) -> None:
        if self._is_open:
            self._is_open = False
            self._client.connectionLost(Failure(why))


class Net:
    """
    All hosts.

    @ivar hosts: by IP address; there is nobody at any other.
    @ivar tried: where a connection was wanted to, in order.
    @ivar policies: how each was to be encrypted.
    @ivar lines: the connections that there were.
    @ivar policy: how connections are to be encrypted.
    """

    def __init__(self, clock: Clock, options: ClientOptions | None = None) -> None:
        self.hosts: dict[str, Host] = {}
        self.tried: list[str] = []
        self.policies: list[TLSPolicy] = []
        self.lines: list[Line] = []
        self.policy = NO_TLS
        self._clock = clock
        self.settings = ClientSettings(
            clock=clock,
            name="me.example",
            tls=ClientTLS(OutboundTLSOptions(), Path()),
            in_thread=NoThreads().call,
            options=options or ClientOptions(),
            now=clock.seconds,
        )

    def host(self, ip: str) -> Host:
        """The host at an address, made if there is none."""
        return self.hosts.setdefault(ip, Host(ip))

    def connect(self, hop: Hop, policy: TLSPolicy) -> "Deferred[SMTPClient]":
        """As L{harakatw.outbound.client.connect.connect} does."""
        self.tried.append(hop.ip)
        self.policies.append(policy)
        if hop.ip not in self.hosts:
            return fail(HostFailure(REFUSED))
        client = SMTPClient(hop, self.settings, policy)
        line = Line(self._clock, client, self.hosts[hop.ip])
        self.lines.append(line)
        client.makeConnection(line)  # type: ignore[no-untyped-call]  # Twisted's
        return client.opened

    def policy_for(self, hop: Hop) -> TLSPolicy:
        """The same for every host."""
        return self.policy
