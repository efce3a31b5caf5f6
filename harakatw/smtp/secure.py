"""
A session's encryption: from STARTTLS or the first octet on.

Nothing that came in clear is known or parsed once TLS begins, and nothing in clear is
parsed once it has ended (survey rows 4 and 5).

@see: RFC 3207, RFC 8314 section 3.3; Haraka row PB27
"""

from abc import abstractmethod
from typing import Any, Final

from harakatw.auth.state import forget_authentication
from harakatw.errors import ProtocolError
from harakatw.net.sending import send_now
from harakatw.net.tls.channel import Secured, ServerChannel, TLSFailure
from harakatw.reply import Reply, reply
from harakatw.smtp.connection import NO_HELLO, TLS
from harakatw.smtp.session import Session
from harakatw.wire.client_hello import looks_like_tls
from harakatw.wire.command import CommandStream
from harakatw.wire.extensions import NOTHING
from harakatw.wire.session import Phase

NOT_NOW: Final = reply(454, "4.7.0", "TLS is not available now")
TLS_FIRST: Final = reply(530, "5.7.0", "Must issue a STARTTLS command first")
AUTH_FIRST: Final = reply(530, "5.7.0", "Authentication required")
NOT_AUTHORIZED: Final = reply(
    554, "5.7.0", "Command refused: a certificate that is trusted here is required"
)
TLS_PORT: Final = reply(
    554, "5.7.0", "This port speaks TLS from the first octet on, and nothing else"
)
CLEAR_PORT: Final = reply(
    554, "5.5.1", "TLS begins with STARTTLS on this port: connect without TLS"
)


class SecureSession(Session):
    """
    A session that can be encrypted.

    @ivar channel: L{None} in clear.
    @ivar last_progress: as in the protocol.
    """

    transport: Any
    channel: ServerChannel | None = None
    last_progress: float
    _stream: CommandStream
    _direct: bool
    _leaving: bool

    # ---- to be had from the protocol -------------------------------------------------

    @abstractmethod
    def _flush(self) -> None:
        """Send what was said."""

    @abstractmethod
    def _advance(self) -> None:
        """Go on with what has come."""

    @abstractmethod
    def _greet(self) -> None:
        """Begin the session in which nothing was said so far."""

    # ---- the beginning ---------------------------------------------------------------

    @property
    def can_start_tls(self) -> bool:
        """Would STARTTLS do now?"""
        context, connection = self.context, self.connection
        wanted = context.listener.tls
        if self.channel is not None or not context.tls.is_ready:
            return False
        return wanted == "required" or (
            wanted == "starttls"
            and context.tls.is_offered(
                connection.remote.ip, connection.local.port, context.clock.seconds()
            )
        )

    def begin_tls(self, answer: Reply) -> None:
        """
        Answer STARTTLS, and forget what the client said so far.

        The transaction is closed already. What came behind the command, by the client
        or by somebody who wrote into its connection, is dropped unread.

        @see: RFC 3207 section 4.2
        """
        if not self.context.tls.is_ready:  # any more
            self.reply(NOT_NOW)
            return
        self.reply(answer)
        self._flush()
        dropped = self._stream.take_all()
        if dropped:
            self.connection.early_talker = True
            self._log.warn(
                "{uuid} {size} octets behind STARTTLS dropped: an attack, or a client"
                " that does not wait",
                uuid=self.connection.uuid,
                size=len(dropped),
            )
        self._forget()
        self._open_channel()

    def begin_implicit_tls(self) -> None:
        """The connection begins with the handshake."""
        if self.context.tls.is_ready:
            self._open_channel()
            return
        self._log.error(
            "{uuid} closed: there is no certificate for TLS on {listener}",
            uuid=self.connection.uuid,
            listener=self.context.listener.address,
        )
        self.close()

    def _open_channel(self) -> None:
        self.channel = self.context.tls.channel()
        self.last_progress = self.context.clock.seconds()

    def _forget(self) -> None:
        connection = self.connection
        forget_authentication(connection)
        connection.hello = NO_HELLO
        connection.capabilities = []
        self.offer = NOTHING
        self.trace_from = ""
        self.phase = Phase.START

    def bad_command(self, error: ProtocolError) -> None:
        """Refuse a command, unless it is the beginning of a handshake."""
        beginning = error.detail.get("beginning")
        if self.phase is not Phase.START or not isinstance(beginning, bytes):
            beginning = b""
        if not refuse_tls(self, beginning):
            super().bad_command(error)

    # ---- octets ----------------------------------------------------------------------

    def _decrypt(self, octets: bytes) -> bytes:
        """
        Take what came on the socket.

        @return: what the client says by it, maybe nothing.
        """
        channel = self.channel
        if channel is None or self.phase is Phase.CLOSED:
            return b""
        was_open = channel.is_open
        try:
            clear = channel.receive(octets)
        except TLSFailure as failure:
            self._send_encrypted(channel.output())
            self._failed(failure, was_open)
            return b""
        if not (was_open and clear):
            self._send_encrypted(channel.output())
        if not was_open and (channel.is_open or channel.is_over):
            self._secured(channel.secured())
        if channel.is_over:
            self._leaving = True  # as soon as what came before is answered
            if not clear and self._pending is None:
                self._advance()
        return clear

    def _send_encrypted(self, octets: bytes) -> None:
        """Send what is encrypted already, at once if that can be."""
        if octets and self._direct:
            octets = send_now(self.transport, octets)
            self._direct = not octets
        if octets:
            self.transport.write(octets)

    def _secured(self, secured: Secured) -> None:
        """The handshake is done."""
        connection, peer = self.connection, secured.peer
        connection.tls = TLS(
            enabled=True,
            cipher=secured.cipher,
            verified=peer.verified,
            version=secured.version,
            server_name=secured.server_name,
            certificate=peer.certificate,
            subject=peer.subject,
            problem=peer.problem,
        )
        connection.notes.set("tls", connection.tls.as_haraka_has_it())
        self.last_progress = self.context.clock.seconds()
        if self.context.log.info:
            self._log_secured(connection.tls)
        wants_proof = secured.must_verify or self.context.listener.client_certificate
        if wants_proof and not peer.verified:
            self._not_authorized()
        elif self.phase is Phase.CONNECTING:
            self._greet()

    def _not_authorized(self) -> None:
        """RFC 3207 section 4.1: every command but QUIT is refused."""
        self._log.info(
            "{uuid} refused: {problem}",
            uuid=self.connection.uuid,
            problem=self.connection.tls.problem,
        )
        self.refusal = NOT_AUTHORIZED
        if self.phase is Phase.CONNECTING:
            self.reply(NOT_AUTHORIZED)
            self._flush()
        self.phase = Phase.REFUSED

    def _log_secured(self, tls: TLS) -> None:
        self._log.info(
            "{uuid} secured: version={version} cipher={cipher} verified={verified}"
            " sni={sni} subject={subject}",
            uuid=self.connection.uuid,
            version=tls.version,
            cipher=tls.cipher,
            verified="Y" if tls.verified else "N",
            sni=tls.server_name,
            subject=tls.subject,
        )

    def _failed(self, failure: TLSFailure, was_open: bool) -> None:
        """The handshake failed, or what came later is no TLS."""
        connection = self.connection
        what = "TLS broke" if was_open else "TLS handshake failed"
        self._log.warn(
            "{uuid} {what} with {ip}: {reason}",
            uuid=connection.uuid,
            what=what,
            ip=connection.remote.ip,
            reason=failure.reason,
        )
        if not was_open:
            self._note_failure(failure.reason)
        elif not connection.hello.verb:
            # In TLS 1.3 a client may not like our certificate when we are done already.
            self._remember_failure()
        self._out.clear()
        if not failure.is_tls and self.phase is Phase.CONNECTING:
            self.transport.write(TLS_PORT.encoded)  # perhaps a person reads it
        self.close()

    def _note_failure(self, reason: str) -> None:
        self.connection.tls = TLS(problem=reason)
        self._remember_failure()

    def _remember_failure(self) -> None:
        now = self.context.clock.seconds()
        self.context.tls.handshake_failed(self.connection.remote.ip, now)

    def _handshake_overdue(self, now: float) -> bool:
        """Has the client begun a handshake that does not end (survey row 20)?"""
        channel = self.channel
        if channel is None or not channel.is_shaking:
            return False
        return now - self.last_progress >= self.context.tls.options.handshake_timeout

    def _give_up_handshake(self) -> None:
        reason = "the client took too long"
        self._note_failure(reason)
        self._log.warn(
            "{uuid} TLS handshake failed with {ip}: {reason}",
            uuid=self.connection.uuid,
            ip=self.connection.remote.ip,
            reason=reason,
        )
        self.phase = Phase.CLOSED
        self.transport.abortConnection()

    def channel_binding(self, kind: str) -> bytes | None:
        """What ties a login to this connection; see L{ServerChannel.binding}."""
        return None if self.channel is None else self.channel.binding(kind)


def refuse_tls(session: Session, octets: bytes) -> bool:
    """
    End a session in clear that begins with a TLS handshake: somebody has mistaken the
    port, and would else wait for an answer until it gives up.

    @param octets: the first that the client sent.
    @return: was it so?
    """
    if len(octets) < 2 or not looks_like_tls(octets):
        return False
    connection = session.connection
    Session._log.warn(
        "{uuid} {ip} begins with TLS on a port that speaks SMTP",
        uuid=connection.uuid,
        ip=connection.remote.ip,
    )
    session.reply(CLEAR_PORT)
    session.close()
    return True


def check_guard(session: Session) -> None:
    """
    May mail be sent on this listener?

    @raise ProtocolError: 530 before TLS or before a login, where these are needed.
    @see: RFC 3207 section 4, RFC 6409 section 4.3, RFC 4954 section 6
    """
    check_encrypted(session)
    if session.context.listener.submission and not session.connection.relaying:
        raise ProtocolError(AUTH_FIRST)


def check_encrypted(session: Session) -> None:
    """
    May this command come in clear?

    @raise ProtocolError: 530 where TLS is needed and not there.
    @see: RFC 3207 section 4
    """
    if needs_tls(session):
        raise ProtocolError(TLS_FIRST)


def needs_tls(session: Session) -> bool:
    """Does the session still have to be encrypted before anything else?"""
    if session.connection.tls.enabled:
        return False
    listener = session.context.listener
    return listener.tls == "required" or listener.client_certificate
