"""
The SMTP and LMTP client: takes one message after another over one connection.

It opens by itself (see L{harakatw.outbound.client.opening}). A message costs one
Deferred, and with PIPELINING two writes.
"""

from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.python.failure import Failure

from harakatw.errors import DeliveryError
from harakatw.interfaces.queue import NO_DEMANDS
from harakatw.message.seven_bit.errors import UnconvertibleError
from harakatw.outbound.client.body import (
    MAX_ONE_WRITE,
    BodySender,
    body_pieces,
    chunk_pieces,
    is_in_memory,
    whole_body,
)
from harakatw.outbound.client.clients import xclient_of
from harakatw.outbound.client.demands import mail_parameters, unmet
from harakatw.outbound.client.downgrade import seven_bit
from harakatw.outbound.client.envelope import (
    NO_8BIT,
    NO_BINARY,
    Envelope,
    mail_command,
    rcpt_command,
    refused_recipients,
    unsuitable,
)
from harakatw.outbound.client.failures import HostFailure
from harakatw.outbound.client.job import Job
from harakatw.outbound.client.link import CALLED_OFF, QUIT, ClientLink, State
from harakatw.outbound.client.opening import Opening
from harakatw.outbound.client.parts import deliver_in_parts
from harakatw.outbound.client.posing import Pose, forwarded
from harakatw.outbound.client.result import DeliveryResult, Outcome, Peer
from harakatw.outbound.client.settings import ClientSettings
from harakatw.outbound.client.tls_rules import TLSPolicy
from harakatw.outbound.hop import Hop
from harakatw.reply import reply
from harakatw.wire.answer import Answer, our_answer
from harakatw.wire.capabilities import NO_CAPABILITIES, Capabilities
from harakatw.wire.dialogue import Dialogue, Said, Stage
from harakatw.wire.xclient import Attributes

_GONE: Final = our_answer(451, "4.4.2", "The connection had been closed before")
_OUT_OF_STEP: Final = our_answer(451, "4.5.0", "The host answers what it was not asked")
_UNREADABLE: Final = our_answer(451, "4.3.0", "The message could not be read")

_FIRST_MESSAGE_SECONDS: Final = 30.0
"""For whoever asked for the connection to say what for."""

_IDLE: Final = State.IDLE
_SENDING: Final = State.SENDING
_BODY: Final = Stage.BODY
_DOT: Final = Stage.DOT
_DONE: Final = Stage.DONE
_BEFORE_RCPT: Final = frozenset((Stage.RSET, Stage.XFORWARD, Stage.MAIL))


class SMTPClient(ClientLink):
    """
    A client of one server.

    @ivar opened: fires with the client once it may be used; fails with
        L{HostFailure} or L{harakatw.outbound.client.failures.HostRefusal}.
    @ivar peer: whom it is with.
    @ivar capabilities: what the server offers.
    @ivar messages: how many it was given.
    """

    def __init__(self, hop: Hop, settings: ClientSettings, policy: TLSPolicy) -> None:
        super().__init__(hop, settings)
        self._policy = policy
        self._by_stage = settings.timeouts.by_stage
        choice = settings.options.without_8bitmime
        self._allows_8bit = hop.allow_8bit or choice == "send"
        self._job: Job | None = None
        self._needs_reset = False
        self._wants_to_leave = False
        self._opened_at = 0.0
        self._most_messages = settings.options.messages_per_connection
        self.opened: Deferred[SMTPClient] = Deferred(lambda _: self.abort())
        self.peer = Peer(host=hop.name, ip=hop.ip, port=hop.port, mode="")
        self.capabilities: Capabilities = NO_CAPABILITIES
        self.messages = 0
        self._pose: Pose | None = None

    # ---- opening ---------------------------------------------------------------------

    def connectionMade(self) -> None:
        """The network has connected us: open the session."""
        super().connectionMade()
        address = self.transport.getPeer()
        opening = Opening(self, self.hop, self._policy, self._settings)
        ip, port = getattr(address, "host", ""), getattr(address, "port", 0)
        opened = Deferred.fromCoroutine(opening.run(ip, port))
        opened.addCallbacks(self._opened, self._not_opened, callbackArgs=(opening,))

    def _opened(self, peer: Peer, opening: Opening) -> None:
        self.peer, self.capabilities = peer, opening.capabilities
        most = self.capabilities.most_messages
        self._most_messages = min(self._most_messages, most or self._most_messages)
        if self.hop.xclient:
            self._pose = Pose(self, opening, self._settings.timeouts.hello)
        self.state = _IDLE
        self._opened_at = self._settings.clock.seconds()
        self.opened.callback(self)
        if self.state is _IDLE:
            self._deadline.within(_FIRST_MESSAGE_SECONDS)

    def _not_opened(self, failure: Failure) -> None:
        if not failure.check(DeliveryError):
            self._log.failure("{hop} broke the client", failure, hop=str(self.hop))
            failure = Failure(HostFailure(reply(451, "4.3.0", "Internal error")))
        if self.state is State.OPENING:
            self._write(QUIT)
            self._hang_up()
        self.opened.errback(failure)

    # ---- messages --------------------------------------------------------------------

    @property
    def is_free(self) -> bool:
        """May it be given a message, and is it young enough for one more?"""
        if self.state is not _IDLE or self._asked is not None or self._wants_to_leave:
            return False
        options = self._settings.options
        age = self._settings.clock.seconds() - self._opened_at
        return age < options.connection_age and self.messages < self._most_messages

    def deliver(self, envelope: Envelope) -> "Deferred[DeliveryResult]":
        """
        Send a message.

        @return: always tells of every recipient, also when the connection breaks. It
            fails only with what reading the message raised, and nobody got it then.
        @raise ValueError: if the client is not done with the message before, or not
            opened yet.
        """
        if self._job is not None or self.state is State.OPENING:
            raise ValueError(f"the client is {self.state.value}")
        if self.state is _IDLE and not self._reader.is_empty:
            self._break(_OUT_OF_STEP)
        if self.state is not _IDLE:
            said = Said(_GONE, Stage.MAIL, True)
            # A host that closes every new connection must not be tried without end.
            is_used = self.messages > 0
            return succeed(self._nothing_sent(envelope, said, untried=is_used))
        pose = self._pose
        if pose is not None and pose.is_due(client := xclient_of(envelope.notes)):
            return Deferred.fromCoroutine(self._deliver_as(client, envelope, pose))
        capabilities = self.capabilities
        most = capabilities.most_recipients
        if 0 < most < len(envelope.recipients):
            return Deferred.fromCoroutine(deliver_in_parts(self, envelope, most))
        said_now = unsuitable(envelope, capabilities, self._allows_8bit)
        if envelope.demands is not NO_DEMANDS:
            now, is_final = self._settings.now(), self.hop.using_lmtp
            said_now = unmet(envelope, capabilities, now, is_final) or said_now
        if said_now is not None:
            if said_now in (NO_8BIT, NO_BINARY) and self._converts:
                pending = self._deliver_converted(envelope, said_now)
                return Deferred.fromCoroutine(pending)
            return succeed(self._nothing_sent(envelope, said_now))
        refused = refused_recipients(envelope.recipients, capabilities)
        if not refused:
            return self._begin(envelope, envelope.recipients, ())
        without = {id(each.recipient) for each in refused}
        rest = tuple(each for each in envelope.recipients if id(each) not in without)
        if rest:
            return self._begin(envelope, rest, refused)
        return succeed(self._result(refused, None, 0.0))

    def _begin(
        self,
        envelope: Envelope,
        recipients: tuple[Any, ...],
        refused: tuple[Outcome, ...],
    ) -> "Deferred[DeliveryResult]":
        capabilities, timeouts = self.capabilities, self._settings.timeouts
        demanded = ""
        if envelope.demands is not NO_DEMANDS:
            now = self._settings.now()
            demanded = mail_parameters(envelope.demands, capabilities, now)
        dialogue = Dialogue(
            mail_command(envelope, capabilities, demanded),
            [rcpt_command(each, capabilities) for each in recipients],
            pipelining=capabilities.pipelining,
            per_recipient=self.hop.using_lmtp,
            reset_first=self._needs_reset,
            chunked=envelope.is_binary,
            before=forwarded(envelope, capabilities) if self.hop.xforward else (),
        )
        done: Deferred[DeliveryResult] = Deferred(self._called_off)
        began = self._settings.clock.seconds()
        self._job = Job(envelope, recipients, refused, dialogue, done, began)
        self.state = _SENDING
        self._deadline.limit(timeouts.for_message(envelope.size))
        self._deadline.within(self._by_stage[dialogue.stage])
        self._say(dialogue.start())
        return done

    async def _deliver_as(
        self, client: Attributes, envelope: Envelope, pose: Pose
    ) -> DeliveryResult:
        """Become the message's client, then send it."""
        self._deadline.clear()
        said = await pose.become(client)
        if said is None:
            self.capabilities, self._needs_reset = pose.capabilities, False
            return await self.deliver(envelope)
        self._wants_to_leave = True
        self._rest()
        untried = self.messages > 0 and said.answer.is_ours
        return self._nothing_sent(envelope, said, untried)

    @property
    def _converts(self) -> bool:
        return self._settings.options.without_8bitmime == "convert"

    async def _deliver_converted(
        self, envelope: Envelope, refusal: Said
    ) -> DeliveryResult:
        """The host does not take this: make it 7bit, which takes a while."""
        self._deadline.clear()
        try:
            plain = await seven_bit(envelope, self._settings.in_thread)
        except UnconvertibleError as error:
            self._rest()
            text = "{uuid} cannot be made 7bit for {hop}: {error}"
            self._log.info(text, uuid=envelope.uuid, hop=str(self.hop), error=error)
            return self._nothing_sent(envelope, refusal)
        except CancelledError:
            self.abort()
            return self._nothing_sent(envelope, Said(CALLED_OFF, Stage.MAIL, False))
        except Exception:
            self._rest()
            raise
        text = "{uuid} is made 7bit for {hop}, which takes nothing else"
        self._log.info(text, uuid=envelope.uuid, hop=str(self.hop))
        return await self.deliver(plain)

    def _called_off(self, _: object) -> None:
        self.abort()

    def _heard(self, answer: Answer) -> None:
        job = self._job
        if job is None:
            is_asked = self.state is _IDLE
            super()._heard(answer)
            if is_asked and self._asked is None:
                self._rest()
            return
        dialogue = job.dialogue
        octets = dialogue.answered(answer)
        if octets:
            self._say(octets)
        stage = dialogue.stage
        if stage is _DONE:
            self._finish(job)
        elif stage is _BODY:
            self._send_body(job)
        else:
            self._deadline.within(self._by_stage[stage])

    # ---- the body --------------------------------------------------------------------

    def _send_body(self, job: Job) -> None:
        envelope = job.envelope
        body, size, is_binary = envelope.body, envelope.size, envelope.is_binary
        if size <= MAX_ONE_WRITE and is_in_memory(body) and not is_binary:
            octets = whole_body(body)
            self._body_sent(None, job)
            self._write(octets)
            return
        self._send()
        self._is_direct = False
        self._made_progress()
        in_thread = None if is_in_memory(body) else self._settings.in_thread
        pieces = chunk_pieces(body, size) if is_binary else body_pieces(body, size)
        job.sender = sender = BodySender(self.transport, pieces, in_thread)
        sent = sender.start(self._made_progress)
        sent.addCallbacks(
            self._body_sent, self._body_failed, callbackArgs=(job,), errbackArgs=(job,)
        )
        sent.addErrback(self._broken)

    def _made_progress(self) -> None:
        self._deadline.within(self._by_stage[_BODY])

    def _body_sent(self, _: None, job: Job) -> None:
        job.sender = None
        job.dialogue.body_sent()
        self._deadline.within(self._by_stage[_DOT])

    def _body_failed(self, failure: Failure, job: Job) -> None:
        """There is no way to take a message back but to close the connection."""
        self._job = job.sender = None
        self._break(_UNREADABLE)
        job.done.errback(failure)

    def _broken(self, failure: Failure) -> None:
        self._log.failure("{hop} broke the client", failure, hop=str(self.hop))
        self.abort()

    # ---- the end of a message --------------------------------------------------------

    def _finish(self, job: Job) -> None:
        dialogue = job.dialogue
        self._job = None
        untried = dialogue.must_close and self._is_untried(dialogue)
        self.messages += 1
        if job.sender is not None:
            job.sender.stop()
        outcomes = tuple(map(Outcome, job.recipients, dialogue.said))  # type: ignore[arg-type]  # all are known
        seconds = self._settings.clock.seconds() - job.began
        result = self._result(outcomes + job.refused, dialogue.last, seconds, untried)
        if dialogue.must_close:
            self._break(_GONE)
        else:
            self.state = _IDLE
            self._needs_reset = dialogue.needs_reset
            self._deadline.clear()
        job.done.callback(result)
        self._rest()

    def _is_untried(self, dialogue: Dialogue) -> bool:
        """Did the peer only say that it had waited too long for this message?"""
        if not self.messages:
            return False
        last, first = dialogue.last, dialogue.said[0]
        if last is None:
            return self._is_gone
        return last.code == 421 and first is not None and first.stage in _BEFORE_RCPT

    def _rest(self) -> None:
        """Wait for another message, or leave."""
        if self.state is not _IDLE or self._job is not None:
            return
        seconds = self._settings.options.connection_idle
        if self.is_free and seconds:
            self._deadline.within(seconds)
        else:
            super().quit()

    def _awaited(self) -> str:
        if self._job is None:
            return super()._awaited()
        return f"the reply to {self._job.dialogue.stage.value}"

    def _end(self, why: Answer) -> None:
        super()._end(why)
        job = self._job
        if job is not None:
            # Whoever did not answer the end of a message may have taken it: to ask
            # another host at once would make a duplicate likely (RFC 1047). So it would
            # if we have called it off: somebody else may be given the message then.
            is_over = job.dialogue.stage is _DOT or why is CALLED_OFF
            job.dialogue.give_up(why, other_host=not is_over)
            self._finish(job)

    def quit(self) -> "Deferred[None]":
        """
        Close the connection: at once if it is idle, else after the message.

        @return: fires when it is closed.
        """
        self._wants_to_leave = True
        return super().quit()

    # ---- results ---------------------------------------------------------------------

    def _nothing_sent(
        self, envelope: Envelope, said: Said, untried: bool = False
    ) -> DeliveryResult:
        outcomes = tuple(Outcome(each, said) for each in envelope.recipients)
        return self._result(outcomes, None, 0.0, untried)

    def _result(
        self,
        outcomes: tuple[Outcome, ...],
        final: Answer | None,
        seconds: float,
        untried: bool = False,
    ) -> DeliveryResult:
        return DeliveryResult(
            outcomes=outcomes,
            peer=self.peer,
            final=final,
            seconds=seconds,
            untried=untried,
        )
