"""
One client's session: what the command handlers in this folder work on.

A handler is a plain function of the session and the command's argument. It answers with
L{Session.reply}, and asks plugins with L{Session.ask}, which comes back at once unless
a plugin has to be waited for; meanwhile later commands wait in order (RFC 2920 section
3.2).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from harakatw.address import Address
from harakatw.errors import ProtocolError
from harakatw.reply import Reply, reply
from harakatw.results import Results
from harakatw.smtp.connection import Connection
from harakatw.smtp.context import SessionContext
from harakatw.verdict import CONT, Decision, Then, Verdict, decide
from harakatw.wire.chunks import ChunkDecoder, OctetCounter
from harakatw.wire.data import DataDecoder
from harakatw.wire.extensions import NOTHING, Offer
from harakatw.wire.session import NO_RECIPIENT, Phase

TO_THE_END: Final = frozenset(
    ("queue", "queue_outbound", "queue_ok", "reset_transaction", "disconnect")
)
"""
What is not broken off when the client leaves: somebody may have the message already,
and what was taken is given back once.
"""

INTERNAL_ERROR: Final = reply(421, "4.3.0", "Internal error, try again later")
TOO_MANY_ERRORS: Final = reply(421, "4.7.0", "Too many errors")

# A member of an Enum costs a look-up each time it is named by its class.
_CLOSED: Final = Phase.CLOSED
_READY: Final = Phase.READY
_IN_TRANSACTION: Final = frozenset((Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.CHUNKS))
_STAY: Final = Then.STAY

Ruled = Callable[..., None]
"""
What goes on once a hook has ruled: called with the session, the verdict, and more.
"""


@attrs.frozen
class Dropping:
    """
    A chunk that was refused while it comes.

    @ivar counter: drops its octets.
    @ivar then: is called when they are gone.
    """

    counter: OctetCounter
    then: "Callable[[Session], None]"


class Session(ABC):
    """
    The state of one session, apart from octets and sockets.

    @ivar connection: what plugins see.
    @ivar context: what the session was begun with.
    @ivar phase: where it stands in the order of commands.
    @ivar offer: what EHLO announced; nothing else may be used.
    @ivar decoder: takes apart what comes while that is no command, else L{None}: a
        message, or a chunk of one, see L{harakatw.smtp.bdat}.
    @ivar refusal: in phase C{REFUSED}, the reply to everything.
    @ivar trace_from: who the client is, for trace fields; made when first needed.
    @ivar trace_protocol: how its mail comes, for trace fields; made at the same time.
    @ivar between_clients: has one client gone, and not the next one come?
    @ivar in_chunks: was the last BDAT one that did not end its message?
    @ivar lmtp: is LMTP spoken?
    @ivar no_recipient: the reply to DATA and BDAT if no recipient was accepted.
    @ivar tls_wanted: did a plugin ask for TLS while it answered this command?
    @ivar data_began: when 354 was said or the first BDAT came, in seconds of the clock.
    """

    _log = Logger()

    between_clients = False
    in_chunks = False
    lmtp = False
    no_recipient: Reply = NO_RECIPIENT
    connection: Connection
    context: SessionContext
    phase: Phase
    offer: Offer
    decoder: DataDecoder | ChunkDecoder | Dropping | None
    refusal: Reply | None
    trace_from: str
    trace_protocol: str
    data_began: float
    tls_wanted = False
    _asking: str
    _pending: "Deferred[Any] | None"
    _out: list[bytes]

    def __init__(self, connection: Connection, context: SessionContext) -> None:
        self.connection = connection
        self.context = context
        self.phase = Phase.CONNECTING
        self.offer = NOTHING
        self.decoder = None
        self.refusal = None
        self.trace_from = ""
        self.trace_protocol = ""
        self.data_began = 0.0
        self._asking = ""
        self._pending = None
        self._out = []

    # ---- to be had from the protocol -------------------------------------------------

    @abstractmethod
    def close(self) -> None:
        """Say no more: send what was said, and close the connection."""

    @abstractmethod
    def counts_as(self, ip: str) -> Reply | None:
        """
        Count this session to another address from now on.

        @return: a refusal, if that has too many already.
        """

    @abstractmethod
    def begin_tls(self, answer: Reply) -> None:
        """Answer STARTTLS, and encrypt the session."""

    @abstractmethod
    def _paused(self) -> None:
        """A verdict is waited for: read no more."""

    @abstractmethod
    def _resumed(self) -> None:
        """The wait is over: go on with what came meanwhile."""

    # ---- replies ---------------------------------------------------------------------

    def reply(self, answer: Reply) -> None:
        """Answer the command."""
        if answer.code >= 400:
            answer = self._refusal(answer)
        if self.phase is not _CLOSED:
            self._out.append(answer.encoded)
        if self.context.log.protocol:
            self._log_reply(answer)

    def bad_command(self, error: ProtocolError) -> None:
        """Refuse a command for its form or place; too many of these end the session."""
        self.reply(error.reply)
        self.count_error()

    def count_error(self) -> None:
        """A command was refused for its form or place."""
        connection = self.connection
        connection.errors += 1
        limit = self.context.limits.max_errors
        if limit and connection.errors >= limit:
            self.reply(TOO_MANY_ERRORS)
            self.close()

    def _refusal(self, answer: Reply) -> Reply:
        """
        Note a refusal, and put the session's id before it if so configured (VB23).
        """
        connection = self.connection
        connection.last_reply = f"{answer.code} {answer.enhanced} {answer.text}"
        shown = self.context.limits.deny_chars
        if not shown:
            return answer
        transaction = connection.transaction
        uuid = connection.uuid if transaction is None else transaction.uuid
        first = f"[{uuid[:shown]}@{self.context.name}] {answer.lines[0]}"
        return reply(answer.code, answer.enhanced, (first, *answer.lines[1:]))

    def _log_reply(self, answer: Reply) -> None:
        for line in answer.encoded.decode("ascii").split("\r\n")[:-1]:
            self._log.debug("{uuid} S: {line}", uuid=self.connection.uuid, line=line)

    def new_results(self) -> Results:
        """An empty store of results, which are logged as C{results.ini} says."""
        return Results(self.context.results, self._log_results)

    def _log_results(self, line: str) -> None:
        if self.context.log.info:
            transaction = self.connection.transaction
            uuid = self.connection.uuid if transaction is None else transaction.uuid
            self._log.info("{uuid} results {line}", uuid=uuid, line=line)

    # ---- plugins ---------------------------------------------------------------------

    def ask(
        self, hook: str, args: tuple[object, ...], then: Ruled, *state: object
    ) -> None:
        """
        Run a hook, and go on with C{then(session, verdict, *state)}.

        Once the session is closed, by a plugin too, only L{TO_THE_END} goes on.

        @param hook: its name.
        @param args: its arguments but for the connection.
        """
        if self.phase is _CLOSED and hook not in TO_THE_END:
            return
        self._asking = hook
        chain = self.context.chains[hook]
        if not chain.steps:
            then(self, CONT, *state)
            return
        outcome = chain.run(self.connection, *args)
        if type(outcome) is Verdict:
            if self.phase is not _CLOSED or hook in TO_THE_END:
                then(self, outcome, *state)
        else:
            self.wait_for(outcome, then, *state)  # type: ignore[arg-type]  # checked above

    def wait_for(self, pending: "Deferred[Any]", then: Ruled, *state: object) -> None:
        """
        Hold the session until C{pending} fires, then call C{then(session, result,
        *state)}.

        It must not fail but by our own fault, and then the session ends with 421.
        """
        self._pending = pending
        self._paused()
        pending.addCallback(self._settled, then, state)
        pending.addErrback(self._broken)

    def _goes_on(self) -> bool:
        return self.phase is not Phase.CLOSED or self._asking in TO_THE_END

    @property
    def waiting(self) -> bool:
        """Is a verdict being waited for?"""
        return self._pending is not None

    def _settled(self, result: object, then: Ruled, state: tuple[object, ...]) -> None:
        self._pending = None
        if self._goes_on():
            then(self, result, *state)
        if self._pending is None:
            self._resumed()

    def _broken(self, failure: Failure) -> None:
        self._pending = None
        if not (self.phase is Phase.CLOSED and failure.check(CancelledError)):
            self._log.failure(
                "{uuid} internal error", failure=failure, uuid=self.connection.uuid
            )
        self.fail()
        self._resumed()

    def fail(self) -> None:
        """Something of ours broke: end this session, and no other."""
        if self.phase is not Phase.CLOSED:
            self.reply(INTERNAL_ERROR)
            self.close()

    def obey(self, decision: Decision) -> None:
        """Give a decision's reply, and leave the session as it says."""
        if decision.reply is not None:
            self.reply(decision.reply)
        if decision.then is _STAY:
            return
        if decision.then is Then.CLOSE:
            self.close()
        else:
            self.refusal = decision.reply
            self.phase = Phase.REFUSED

    def took(self, recipient: Address) -> None:  # noqa: B027  # by default nothing
        """A recipient was accepted; called in LMTP only."""

    def answer_message(
        self, decision: Decision, each: Mapping[str, Verdict] | None = None
    ) -> None:
        """
        Answer the end of a message.

        @param each: what became of single recipients, by their addresses as they came:
            for LMTP.
        """
        self.obey(decision)

    def decide(self, hook: str, verdict: Verdict) -> Decision:
        """What does this verdict mean on this hook?"""
        return decide(self.context.chains[hook].rule, verdict)

    # ---- transactions ----------------------------------------------------------------

    def end_transaction(self, then: Ruled | None = None, *state: object) -> None:
        """
        Drop the open transaction, if any, and go on with C{then(session, verdict,
        *state)}.

        The C{reset_transaction} hook runs first (row HK21).
        """
        if self.connection.transaction is not None:
            self.ask("reset_transaction", (), _dropped, then, state)
        elif then is not None:
            then(self, None, *state)


def _dropped(
    session: Session, _: Verdict, then: Ruled | None, state: tuple[object, ...]
) -> None:
    connection = session.connection
    if connection.transaction is not None:
        connection.transaction.destroy()
        connection.transaction = None
    if connection.watch is not None:
        connection.unskip_plugins()
    if session.phase in _IN_TRANSACTION:
        session.phase = _READY
    if then is not None:
        then(session, None, *state)
