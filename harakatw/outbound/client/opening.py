"""
From the greeting to the first message: EHLO, STARTTLS, AUTH.

What a policy or a hop asks for is done, or nothing is sent: a missing STARTTLS or AUTH
makes the attempt fail (weaknesses WK33 and WK42).

@see: RFC 5321 section 3.1 and 3.2, RFC 3207, RFC 4954
"""

import base64
from typing import Final, Protocol

from twisted.internet.defer import Deferred

from harakatw.outbound.client import sasl
from harakatw.outbound.client.failures import HostFailure, HostRefusal
from harakatw.outbound.client.result import Peer, TLSState
from harakatw.outbound.client.settings import ClientSettings
from harakatw.outbound.client.tls import Handshake
from harakatw.outbound.client.tls_rules import TLSPolicy
from harakatw.outbound.hop import Hop
from harakatw.reply import reply
from harakatw.wire.answer import Answer
from harakatw.wire.capabilities import (
    NO_CAPABILITIES,
    Capabilities,
    parse_capabilities,
)
from harakatw.wire.sasl.text import SASLError

_MAX_INITIAL_OCTETS: Final = 400  # of base64; a longer one is sent when asked for
_MAX_CHALLENGES: Final = 5  # more than any mechanism has


class Link(Protocol):
    """The connection, as the opening uses it: one command at a time."""

    def listen(self, seconds: float) -> "Deferred[Answer]":
        """Wait for a reply to nothing: the greeting."""

    def ask(
        self, command: bytes, seconds: float, shown: str = ""
    ) -> "Deferred[Answer]":
        """
        Send a command and wait for its reply.

        @param command: without its CRLF.
        @param shown: what the log gets instead of the command, if that is a secret.
        @return: fails with L{HostFailure} if there is none.
        """

    def encrypt(self, handshake: Handshake, seconds: float) -> "Deferred[None]":
        """
        Begin TLS.

        @return: fails with L{HostFailure} if the handshake does.
        """


class Opening:
    """
    The beginning of one connection.

    @ivar capabilities: what the server offers by now.
    """

    def __init__(
        self, link: Link, hop: Hop, policy: TLSPolicy, settings: ClientSettings
    ) -> None:
        self._link = link
        self._hop = hop
        self._policy = policy
        self._settings = settings
        self._seconds = settings.timeouts.hello
        self._tls: TLSState | None = None
        self._mode = ""
        self._authenticated = ""
        self.capabilities: Capabilities = NO_CAPABILITIES

    async def run(self, ip: str, port: int) -> Peer:
        """
        Go through it.

        @param ip: whom we are connected with; C{""} for a Unix socket.
        @raise HostFailure: if the host cannot be used now.
        @raise HostRefusal: if it takes no mail at all.
        """
        if self._hop.implicit_tls:
            await self._encrypt()
        greeting = await self._link.listen(self._settings.timeouts.greeting)
        _check(greeting, "the greeting")
        await self._say_hello()
        if self._policy.wanted and self._tls is None:
            await self._start_tls()
        if self._hop.auth_user:
            await self._authenticate()
        return Peer(
            host=self._hop.name,
            ip=ip,
            port=port,
            mode=self._mode,
            tls=self._tls,
            authenticated=self._authenticated,
            dsn=self.capabilities.dsn,
        )

    async def again(self) -> Capabilities:
        """
        The server has begun again, as it does after XCLIENT: greet it, and log in.

        @return: what it offers now.
        @raise HostFailure: as L{run}, or L{HostRefusal}.
        """
        await self._say_hello()
        if self._hop.auth_user:
            await self._authenticate()
        return self.capabilities

    # ---- hello -----------------------------------------------------------------------

    async def _say_hello(self) -> None:
        name = (self._hop.bind_helo or self._settings.name).encode("ascii")
        is_lmtp = self._hop.using_lmtp
        verb = b"LHLO " if is_lmtp else b"EHLO "
        answer = await self._link.ask(verb + name, self._seconds)
        self._mode = "LMTP" if is_lmtp else "ESMTP"
        if answer.code < 300:
            self.capabilities = parse_capabilities(answer)
            return
        # A server of before 1993 does not know EHLO (RFC 5321 section 3.2), which must
        # not make us do without what was asked for.
        if answer.code >= 500 and not (is_lmtp or self._policy.required or self._tls):
            answer = await self._link.ask(b"HELO " + name, self._seconds)
            self._mode = "SMTP"
            self.capabilities = NO_CAPABILITIES
        _check(answer, "our name")

    # ---- TLS -------------------------------------------------------------------------

    async def _start_tls(self) -> None:
        if not self.capabilities.starttls:
            self._without_tls("does not offer TLS")
            return
        answer = await self._link.ask(b"STARTTLS", self._seconds)
        if answer.code != 220:
            self._without_tls(f"does not start TLS: {answer.code}")
            return
        await self._encrypt()
        self.capabilities = NO_CAPABILITIES  # RFC 3207 section 4.2: forget all
        await self._say_hello()

    def _without_tls(self, why: str) -> None:
        if self._policy.required:
            text = f"TLS is required, and the host {why}"
            raise HostFailure(reply(451, "4.7.4", text))

    async def _encrypt(self) -> None:
        handshake = self._settings.tls.handshake(self._policy, self._hop.name)
        try:
            await self._link.encrypt(handshake, self._settings.timeouts.handshake)
        except HostFailure as error:
            problem = handshake.problem or error.reply.text
            raise self._tls_failure(f"TLS failed: {problem}") from error
        self._tls = state = handshake.state()
        if self._policy.verified and not state.verified:
            raise self._tls_failure(f"TLS failed: {state.problem}")

    def _tls_failure(self, text: str) -> HostFailure:
        optional = not (self._policy.required or self._policy.verified)
        answer = reply(451, "4.7.5", text)
        return HostFailure(answer, retry_in_clear=optional)

    # ---- AUTH ------------------------------------------------------------------------

    async def _authenticate(self) -> None:
        """Prove who we are, or send nothing."""
        hop = self._hop
        is_safe = bool(self._tls or hop.path or hop.allow_clear_auth)
        try:
            name = sasl.choose(self.capabilities.auth, hop.auth_type, is_safe)
            mechanism = sasl.start(
                name, hop.auth_user, hop.auth_pass, self._settings.make_nonce
            )
            answer = await self._exchange(name, mechanism)
            if answer.code < 300:
                mechanism.finish()
        except SASLError as error:
            raise HostFailure(
                reply(454, "4.7.0", f"Authentication failed: {error}")
            ) from error
        if answer.code >= 300:
            # Even 535: it is our password that is wrong, not the message.
            text = f"Authentication failed: {answer.code} {answer.reply.text}"
            raise HostFailure(reply(454, "4.7.8", text), auth_code=answer.code)
        self._authenticated = name

    async def _exchange(self, name: str, mechanism: sasl.Mechanism) -> Answer:
        """Carry octets between the server and the mechanism until one has done."""
        command = f"AUTH {name}"
        initial, pending = mechanism.initial, b""
        if initial is not None:
            pending = base64.b64encode(initial)
        if initial is not None and len(pending) <= _MAX_INITIAL_OCTETS:
            command = f"{command} {pending.decode()}"
            initial = None
        shown = f"AUTH {name} ..."
        answer = await self._link.ask(command.encode(), self._seconds, shown)
        for _ in range(_MAX_CHALLENGES):
            if answer.code != 334:
                return answer
            if initial is not None:
                line, initial = pending, None
            else:
                line = await self._respond(mechanism, answer)
            answer = await self._link.ask(line, self._seconds, "...")
        raise SASLError("the server asks without end")

    async def _respond(self, mechanism: sasl.Mechanism, answer: Answer) -> bytes:
        """
        Answer a challenge; on an error the exchange is called off with C{*}, which the
        server answers with 501 (RFC 4954 section 4).
        """
        try:
            challenge = base64.b64decode(b"".join(answer.raw).strip(), validate=True)
            if mechanism.is_slow and self._settings.in_thread is not None:
                in_thread = self._settings.in_thread
                response: bytes = await in_thread(mechanism.respond, challenge)
            else:
                response = mechanism.respond(challenge)
        except (ValueError, SASLError) as error:
            await self._link.ask(b"*", self._seconds)
            if isinstance(error, SASLError):
                raise
            raise SASLError("the server sends what is not base64") from error
        return base64.b64encode(response)


def _check(answer: Answer, what: str) -> None:
    """
    Is the answer a yes?

    @raise HostFailure: or L{HostRefusal}, by its code.
    """
    if answer.code < 300:
        return
    clean = answer.reply
    if answer.code >= 500:
        # Another host of the domain may take mail, see RFC 7504 section 4.
        raise HostRefusal(clean, answer_to=what)
    if answer.code < 400:
        clean = reply(451, "4.5.0", f"The host answers {what} with {answer.code}")
    raise HostFailure(clean, answer_to=what)
