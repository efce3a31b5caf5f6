"""
Octets in, octets out: one client's connection.

Input is fed to the sans-I/O core in C{wire}; replies to what came in one read go out in
one write. While a verdict is pending, or the client does not read what it is told,
nothing more is taken from it, so that memory is bounded whatever it sends.

This does not build on C{twisted.mail.smtp.ESMTP}; C{docs/decisions} says why.
"""

from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from harakatw.errors import ProtocolError
from harakatw.net.sending import can_send_now, send_now
from harakatw.reply import Reply, reply
from harakatw.smtp.bdat import receive_chunk
from harakatw.smtp.challenge import Challenger
from harakatw.smtp.commands import COMMANDS
from harakatw.smtp.connection import NOT_KNOWN, Connection, Local
from harakatw.smtp.context import SessionContext
from harakatw.smtp.data import receive
from harakatw.smtp.deadlines import overdue
from harakatw.smtp.farewell import Farewell, say_farewell
from harakatw.smtp.greeting import begin
from harakatw.smtp.secure import SecureSession, refuse_tls
from harakatw.smtp.session import TO_THE_END
from harakatw.smtp.transcript import shown_line
from harakatw.smtp.transport import ClientTransport
from harakatw.smtp.unrecognized import unrecognized
from harakatw.wire.command import CommandStream, split_command
from harakatw.wire.data import DataDecoder
from harakatw.wire.session import MUST_END_GROUP, REFUSALS, SHOULD_END_GROUP, Phase

OUT_OF_SYNC: Final = reply(554, "5.5.0", "SMTP protocol synchronization error")

SHUTTING_DOWN: Final = reply(421, "4.3.2", "The server is shutting down")

_CONNECTING: Final = Phase.CONNECTING
_START: Final = Phase.START
_CLOSED: Final = Phase.CLOSED

_ALWAYS: Final = frozenset((b"QUIT", b"BDAT"))
"""What is not refused unseen: octets follow BDAT that are no commands."""

_LINGER_SECONDS: Final = 5.0


Move = Callable[["SMTPProtocol", str], Reply | None]
"""
Counts a session to another address; gives a refusal if that has too many already.
"""


@implementer(IPushProducer)
class SMTPProtocol(Challenger, SecureSession, Protocol):
    """
    The Twisted protocol of one client.

    @ivar connected_from: the address to which the session counts.
    @ivar commands: what answers each verb.
    @ivar last_progress: when the client last finished a command or sent a piece of a
        message, in seconds of the clock.
    """

    commands = COMMANDS
    transport: ClientTransport  # type: ignore[assignment]  # no interface has it all
    _said_auth = False

    def __init__(
        self,
        connection: Connection,
        context: SessionContext,
        local_end: Callable[[str, int], Local],
        farewell: Farewell,
        move: Move | None = None,
    ) -> None:
        """
        @param local_end: makes our end of a connection, from its address and port.
        @param move: called with another address that the session counts to.
        @param farewell: called once the connection and its last hooks are over.
        """
        super().__init__(connection, context)
        self._local_end = local_end
        self._farewell = farewell
        self._move = move
        self.connected_from = connection.remote.ip
        self._stream = CommandStream(context.limits.max_line_length)
        self._advancing = False
        self._reading = True
        self._choked = False
        self._direct = False
        self._leaving = False
        self._lost = False
        self.last_progress = connection.started

    def connectionMade(self) -> None:
        """Greet the client."""
        if self.connection.local is NOT_KNOWN:
            host = self.transport.getHost()
            self.connection.local = self._local_end(
                getattr(host, "host", ""), getattr(host, "port", 0)
            )
        self.connection.session = self
        self.transport.registerProducer(self, True)
        self._direct = can_send_now(self.transport)
        if self.context.listener.tls == "implicit":
            self.begin_implicit_tls()
        else:
            self._greet()

    def _greet(self) -> None:
        self._advancing = True
        try:
            begin(self)
        finally:
            self._advancing = False
        self._advance()

    def dataReceived(self, octets: bytes) -> None:
        """Use what the client sent, or keep it while a verdict is pending."""
        if self.channel is not None:
            octets = self._decrypt(octets)
            if not octets:
                return
        phase = self.phase
        if phase is Phase.CLOSED:
            return  # it lingers only so that our last words are not lost
        self._stream.feed(octets)
        if phase is Phase.CONNECTING:
            self.connection.early_talker = True  # RFC 5321 section 4.3.1
        if self._pending is None:
            self._advance()
        elif self._question is not None:
            self._take_answer(self._question)
        else:
            self._read(False)

    def _advance(self) -> None:
        """Go on as far as the input reaches and no verdict is pending."""
        self._advancing = True
        stream = self._stream
        try:
            while (
                stream.pending
                and self._pending is None
                and not self._choked
                and self.phase is not _CONNECTING
                and self.phase is not _CLOSED
                and self._step(stream)
            ):
                pass
        except Exception:
            self._log.failure("{uuid} internal error", uuid=self.connection.uuid)
            self.fail()
        finally:
            self._advancing = False
        if self._leaving and self._pending is None:
            self._leave()
        if self._out:
            self._flush_soon()
        if self._wants_input() is not self._reading:
            self._read(not self._reading)

    def _step(self, stream: CommandStream) -> bool:
        """Use up one command or chunk; was there one?"""
        decoder = self.decoder
        if decoder is not None:
            self.last_progress = self.context.clock.seconds()
            octets = stream.take_all()
            if isinstance(decoder, DataDecoder):
                rest = receive(self, decoder, octets)
            else:
                rest = receive_chunk(self, decoder, octets)
            if rest:
                stream.feed(rest)
            return True
        try:
            line = stream.take_line()
            if line is None:
                if self.phase is _START:
                    refuse_tls(self, stream.beginning)
                return False
            self._command(line)
        except ProtocolError as error:
            self.bad_command(error)
        return True

    def _command(self, line: bytes) -> None:
        """
        Answer one command.

        @raise ProtocolError: if it may not come now, or not in this form.
        """
        self.last_progress = self.context.clock.seconds()
        if self.context.log.protocol:
            self._log_line(line)
        verb, argument = split_command(line)
        if self.phase is Phase.REFUSED and self.refusal and verb not in _ALWAYS:
            raise ProtocolError(self.refusal)
        refusal = REFUSALS[self.phase].get(verb)
        if refusal is not None:
            raise ProtocolError(refusal)
        if self._stream.pending:
            self._pipelined(verb)
        handler = self.commands.get(verb)
        if handler is None:
            unrecognized(self, verb, argument)
        elif self.phase is not Phase.CLOSED:
            handler(self, argument)

    def _pipelined(self, verb: bytes) -> None:
        """More input came with this command: may it (RFC 2920 section 3.1)?"""
        if verb in SHOULD_END_GROUP:
            self.connection.early_talker = True
        elif verb in MUST_END_GROUP:
            self.connection.early_talker = True
            self.reply(OUT_OF_SYNC)
            self.close()

    def _log_line(self, line: bytes) -> None:
        shown = shown_line(line, after_auth=self._said_auth)
        self._said_auth = self._said_auth or shown.upper().startswith("AUTH")
        self._log.debug("{uuid} C: {line}", uuid=self.connection.uuid, line=shown)

    def _next_answer(self) -> bytes | None:
        """See L{Challenger}; C{AUTH} is all that asks, so that it is never logged."""
        if not self._stream.pending:
            return None
        line = self._stream.take_answer()
        if line is not None:
            self.last_progress = self.context.clock.seconds()
        return line

    def _catch_up(self) -> None:
        """See L{Challenger}."""
        if self._advancing:
            return
        if self._out:
            self._flush_soon()
        self._read(self._wants_input())

    def counts_as(self, ip: str) -> Reply | None:
        """Count this session to another address from now on."""
        return None if self._move is None else self._move(self, ip)

    # ---- waiting ---------------------------------------------------------------------

    def _paused(self) -> None:
        """A verdict is pending; the loop sees it by itself."""

    def _resumed(self) -> None:
        """
        The verdict is there: go on, unless the loop does so anyway.

        The time that a plugin took is not the client's (RFC 5321 section 4.5.3.2.7).
        """
        self.last_progress = self.context.clock.seconds()
        if self._lost:
            say_farewell(self, self._farewell)
        elif not self._advancing:
            self._advance()

    def _wants_input(self) -> bool:
        """
        While a verdict is pending, reading goes on until something comes: mostly
        nothing does, and to stop and start costs four system calls. It also tells who
        talks before the greeting, and who has left.
        """
        if self._pending is not None or self.phase is _CONNECTING:
            waits = self._question is None and self._stream.pending
            return not (waits or self._choked)
        return self.phase is _CLOSED or not self._choked

    def _read(self, wanted: bool) -> None:
        """Take input from the transport, or let it wait there."""
        if wanted is not self._reading and self.connected:
            self._reading = wanted
            if wanted:
                self.transport.resumeProducing()
            else:
                self.transport.pauseProducing()

    def pauseProducing(self) -> None:
        """The client does not read: answer no more commands until it does."""
        self._choked = True
        self._read(False)

    def resumeProducing(self) -> None:
        """The client reads again."""
        self._choked = False
        if not self._advancing and self._pending is None:
            self._advance()

    def stopProducing(self) -> None:
        """The connection is lost; L{connectionLost} follows."""

    # ---- the end ---------------------------------------------------------------------

    def _flush_soon(self) -> None:
        """Send what was said, together with what others are told in this round."""
        ends = self.context.round
        if ends.is_open and self._direct:
            ends.at_end(self._flush)
        else:
            self._flush()

    def _flush(self) -> None:
        if not self._out or self._lost:
            return  # it was sent since, or nobody is there
        out, self._out = self._out, []
        octets = out[0] if len(out) == 1 else b"".join(out)
        if self.channel is not None:
            octets = self.channel.send(octets)
        if self._direct:
            octets = send_now(self.transport, octets)
            if not octets:
                return
            self._direct = False  # it does not read: from now on the reactor writes
        self.transport.write(octets)

    def close(self) -> None:
        """
        Say no more: send what was said, and close the connection.

        After an error the client may still be sending. Closing at once would make the
        kernel reset the connection and the client might never read the reply, so only
        our half is closed, and what comes is dropped, for a few seconds.
        """
        if self.phase is Phase.CLOSED:
            return
        self.phase = Phase.CLOSED
        self._flush()
        if self.channel is not None:
            self._send_encrypted(self.channel.close())
        self.last_progress = self.context.clock.seconds()
        self.transport.unregisterProducer()
        half_close = getattr(self.transport, "loseWriteConnection", None)
        if self._stream.pending and half_close:
            self._stream.take_all()
            half_close()
            self._read(True)
        else:
            self.transport.loseConnection()

    def check_deadlines(self, now: float) -> None:
        """
        End the session if it has taken too long.

        @param now: seconds of the clock. Called about once a second for every session.
        """
        if self._lost:
            return  # it stays only until its last hooks are over
        if self.phase is Phase.CLOSED:
            if now - self.last_progress > _LINGER_SECONDS:
                self.transport.abortConnection()
        elif self.channel is not None and self._handshake_overdue(now):
            self._give_up_handshake()
        elif self._pending is None or self._question is not None:
            answer = overdue(self, self.last_progress, now)
            if answer is not None:
                self._time_out(answer)

    def shut_down(self) -> None:
        """The server stops: say so, after the reply to what is just being queued."""
        self._leaving = True
        if self._pending is None or self._asking not in TO_THE_END:
            self._leave()

    def break_off(self) -> None:
        """The server stops, and waits no longer."""
        if self.connected:
            self.transport.abortConnection()

    def _leave(self) -> None:
        if self.phase is not Phase.CLOSED:
            if self.channel is None or not self.channel.is_over:
                self.reply(SHUTTING_DOWN)
            self.close()

    def _time_out(self, answer: Reply) -> None:
        self.reply(answer)
        self.close()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """The client is gone: end what is pending, then run the last hooks."""
        self.phase = Phase.CLOSED
        self._lost = True
        pending = self._pending
        if pending is None:
            say_farewell(self, self._farewell)
        elif self._asking not in TO_THE_END:
            pending.cancel()
