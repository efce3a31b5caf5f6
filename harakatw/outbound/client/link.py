"""
One connection to a server, without what is said over it: octets, time, TLS, the end.

@see: survey rows 6 (answers given before TLS) and 37 (hostile servers)
"""

import enum
from typing import Any, Final

from OpenSSL import SSL
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from harakatw.net.sending import can_send_now, send_now
from harakatw.outbound.client.failures import HostFailure
from harakatw.outbound.client.settings import ClientSettings
from harakatw.outbound.client.timeouts import Deadline
from harakatw.outbound.client.tls import Handshake
from harakatw.outbound.hop import Hop
from harakatw.wire.answer import Answer, AnswerReader, PeerError, our_answer

QUIT: Final = b"QUIT\r\n"

_OUT_OF_STEP: Final = our_answer(451, "4.5.0", "The host answers what it was not asked")
CALLED_OFF: Final = our_answer(451, "4.3.2", "The attempt was called off")
_ENDED: Final = our_answer(451, "4.4.2", "The connection has been closed")
_CLOSES: Final = 421


class State(enum.Enum):
    """What a connection is doing. The value is for people."""

    __hash__ = object.__hash__  # by identity: Enum's own is a Python call

    OPENING = "opening"
    IDLE = "waiting for a message"
    SENDING = "sending a message"
    LEAVING = "closing"
    CLOSED = "closed"


_CLOSED: Final = State.CLOSED
_NO_MORE: Final = frozenset((State.LEAVING, State.CLOSED))


@implementer(IHandshakeListener)
class ClientLink(Protocol):
    """
    What L{harakatw.outbound.client.protocol.SMTPClient} is built on.

    @ivar hop: whom it is with.
    @ivar state: what it is doing.
    """

    _log = Logger()

    transport: Any  # no interface has all that TCP, TLS and Unix transports share

    def __init__(self, hop: Hop, settings: ClientSettings) -> None:
        self.hop = hop
        self.state = State.OPENING
        self._settings = settings
        self._switch = settings.log
        self._reader = AnswerReader()
        self._deadline = Deadline(settings.clock, self._time_is_up)
        self._asked: Deferred[Answer] | None = None
        self._handshaking: Deferred[None] | None = None
        self._closings: list[Deferred[None]] = []
        self._is_direct = False
        self._round = settings.round
        self._unsent = b""
        self._is_gone = False
        self._waits_for = "the greeting"

    # ---- one command at a time -------------------------------------------------------

    def listen(self, seconds: float) -> "Deferred[Answer]":
        """Wait for a reply to nothing: the greeting."""
        return self._expect("the greeting", seconds)

    def ask(
        self, command: bytes, seconds: float, shown: str = ""
    ) -> "Deferred[Answer]":
        """
        Send a command and wait for its reply.

        @param command: without its CRLF.
        @param shown: what the log gets instead of the command, if that is a secret.
        @return: fails with L{HostFailure} if there is none.
        @raise ValueError: if another command is not answered yet.
        """
        what = shown or command.decode("utf-8", "replace")
        asked = self._expect(f"the reply to {what.split(' ')[0]}", seconds)
        if not self._reader.is_empty:
            self._break(_OUT_OF_STEP)
        elif self.state not in _NO_MORE:
            if self._switch.protocol:
                self._log_line("C", what)
            self._write(command + b"\r\n")
        return asked

    def _expect(self, what: str, seconds: float) -> "Deferred[Answer]":
        waiting = self._asked is not None or self._handshaking is not None
        if waiting or self.state is State.SENDING:
            raise ValueError("the host has not answered yet")
        asked: Deferred[Answer] = Deferred(lambda _: self.abort())
        if self.state in _NO_MORE:
            asked.errback(HostFailure(_ENDED.reply))
            return asked
        self._asked, self._waits_for = asked, what
        self._deadline.within(seconds)
        return asked

    def encrypt(self, handshake: Handshake, seconds: float) -> "Deferred[None]":
        """
        Begin TLS.

        @return: fails with L{HostFailure} if the handshake does, or if the server has
            said more already: somebody in between could have put that there, and it
            would be heard as if it came encrypted.
        """
        done: Deferred[None] = Deferred(lambda _: self.abort())
        if self.state in _NO_MORE:
            done.errback(HostFailure(_ENDED.reply))
            return done
        self._handshaking, self._waits_for = done, "the TLS handshake"
        if not self._reader.is_empty:
            self._break(_OUT_OF_STEP)
            return done
        self._send()
        self._is_direct = False
        self._deadline.within(seconds)
        self.transport.startTLS(handshake)
        return done

    def handshakeCompleted(self) -> None:
        """Twisted says that TLS is there."""
        done, self._handshaking = self._handshaking, None
        if done is not None:
            self._deadline.clear()
            done.callback(None)

    # ---- octets ----------------------------------------------------------------------

    def connectionMade(self) -> None:
        """The network has connected us."""
        self._is_direct = can_send_now(self.transport)
        set_no_delay = getattr(self.transport, "setTcpNoDelay", None)
        if set_no_delay is not None and not self.hop.path:
            set_no_delay(True)

    def dataReceived(self, octets: bytes) -> None:
        """The server says something."""
        if self.state is _CLOSED:
            return
        reader = self._reader
        reader.feed(octets)
        try:
            while (answer := reader.take()) is not None:
                if self._switch.protocol:
                    self._log_answer(answer)
                self._heard(answer)
        except PeerError as error:
            text = f"The host broke the protocol: {error}"
            self._break(our_answer(451, "4.5.0", text))

    def _heard(self, answer: Answer) -> None:
        asked, self._asked = self._asked, None
        if asked is not None:
            self._deadline.clear()
            asked.callback(answer)
        elif self.state is _CLOSED:
            pass  # it came with the octets that were too much
        elif self.state is State.LEAVING or answer.code == _CLOSES:
            self._hang_up()
        else:
            raise PeerError(f"{answer.code} without having been asked")

    def _say(self, octets: bytes) -> None:
        """Send commands, each with its CRLF."""
        if self._switch.protocol:
            for line in octets.split(b"\r\n")[:-1]:
                self._log_line("C", line.decode("utf-8", "replace"))
        self._write(octets)

    def _write(self, octets: bytes) -> None:
        """Send this, together with what others are told in this round."""
        if not (self._is_direct and self._round.is_open):
            self._write_now(octets)
        elif self._unsent:
            self._unsent += octets
        else:
            self._unsent = octets
            self._round.at_end(self._send)

    def _send(self) -> None:
        """What waits for the end of the round waits no longer."""
        octets, self._unsent = self._unsent, b""
        if octets and not self._is_gone:
            self._write_now(octets)

    def _write_now(self, octets: bytes) -> None:
        if self._is_direct:
            octets = send_now(self.transport, octets)
            if not octets:
                return
            self._is_direct = False  # from now on the reactor writes
        self.transport.write(octets)

    def _log_line(self, who: str, line: str) -> None:
        shown = line if line.isprintable() else repr(line)
        self._log.debug("{hop} {who}: {line}", hop=str(self.hop), who=who, line=shown)

    def _log_answer(self, answer: Answer) -> None:
        for line in answer.raw:
            self._log_line("S", f"{answer.code} {line.decode('utf-8', 'replace')}")

    # ---- the end ---------------------------------------------------------------------

    def quit(self) -> "Deferred[None]":
        """
        Close the connection: at once if it is idle, else after the message.

        @return: fires when it is closed.
        """
        if self.state is State.IDLE and self._asked is None:
            if self._switch.protocol:
                self._log_line("C", "QUIT")
            self._write(QUIT)
            self._leave()
        elif self.state is State.OPENING:
            self.abort()
        return self.when_closed()

    def abort(self) -> None:
        """Close the connection now: what is going on fails, for now."""
        self._break(CALLED_OFF)

    def when_closed(self) -> "Deferred[None]":
        """Fires when the connection is closed, whoever closed it."""
        if self._is_gone:
            return succeed(None)
        closing: Deferred[None] = Deferred()
        self._closings.append(closing)
        return closing

    def _leave(self) -> None:
        """QUIT is said; the server has a few seconds to close."""
        self.state = State.LEAVING
        self._waits_for = "the reply to QUIT"
        self._deadline.within(self._settings.timeouts.quit)

    def _hang_up(self) -> None:
        """Close once all is written, or by force if that takes long."""
        if self.state is not State.LEAVING:
            self._leave()
        self._send()
        self.transport.loseConnection()

    def _awaited(self) -> str:
        """What the peer's time runs for, in words."""
        return self._waits_for

    def _time_is_up(self) -> None:
        if self.state is State.IDLE and self._asked is None:
            self.quit()
            return
        text = f"The host took too long: {self._awaited()}"
        self._break(our_answer(451, "4.4.2", text))

    def _break(self, why: Answer) -> None:
        """The connection is of no more use: drop it, and tell whoever waits."""
        if self.state is _CLOSED:
            return
        self._end(why)
        self.transport.abortConnection()

    def _end(self, why: Answer) -> None:
        """Nothing more will be heard: whoever waits is told why."""
        self.state = _CLOSED
        self._deadline.stop()
        waiting: tuple[Deferred[Any] | None, ...] = (self._asked, self._handshaking)
        self._asked = self._handshaking = None
        for each in waiting:
            if each is not None:
                each.errback(HostFailure(why.reply))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is closed."""
        self._is_gone = True
        if self.state is not _CLOSED:
            self._end(our_answer(451, "4.4.2", _why_lost(reason, self._awaited())))
        closings, self._closings = self._closings, []
        for each in closings:
            each.callback(None)


def _why_lost(reason: Failure, waits_for: str) -> str:
    if reason.check(SSL.Error):
        return f"TLS failed before {waits_for}: {_tls_text(reason.value)}"
    if reason.check(ConnectionDone):
        return f"The host closed the connection before {waits_for}"
    return f"The connection was lost before {waits_for}"


def _tls_text(error: BaseException | None) -> str:
    """What OpenSSL says, which has it in a list of library, function and reason."""
    details = error.args[0] if error is not None and error.args else ()
    if not isinstance(details, list | tuple):
        return str(details)
    reasons = [str(each[-1]) for each in details if each]
    return "; ".join(reasons) or "unknown error"
