"""
DATA: take the message, rule on it, and hand it on.

@see: RFC 5321 section 4.1.1.4, section 6.1 (what a 250 promises), section 6.3 (loops)
"""

from typing import Final

from twisted.python.failure import Failure

from harakatw.config.connection import ConnectionOptions
from harakatw.errors import ProtocolError, StoreError
from harakatw.message.foreign import disown_results
from harakatw.message.mime.motion import Motion
from harakatw.reply import Reply, reply
from harakatw.smtp.accepted import hand_over
from harakatw.smtp.records import log_message, log_problem
from harakatw.smtp.session import Session
from harakatw.smtp.structure import catch_up, rewrite
from harakatw.smtp.trace import trace_field
from harakatw.smtp.transaction import Transaction
from harakatw.verdict import Decision, Verdict
from harakatw.wire.data import DataDecoder, LineWatch, repair_newlines
from harakatw.wire.params import is_binary
from harakatw.wire.session import RCPT_FIRST, Phase

NO_ARGUMENT: Final = reply(501, "5.5.4", "DATA takes no argument")
BINARY: Final = reply(503, "5.5.1", "A BINARYMIME message comes with BDAT")
BARE_NEWLINE: Final = reply(
    554, "5.6.0", "The message has a CR or LF that stands alone; lines end in CRLF"
)
TOO_MANY_PARTS: Final = reply(554, "5.6.0", "The message has too many MIME parts")
NOT_TAKEN: Final = reply(451, "4.3.0", "An attachment could not be looked at")
LOOP: Final = reply(554, "5.4.6", "Too many Received fields: this looks like a loop")
HEADER_TOO_LONG: Final = reply(552, "5.3.4", "The header of the message is too long")
STORAGE: Final = reply(452, "4.3.1", "Out of storage, try again later")


def data(session: Session, argument: bytes) -> None:
    """Answer DATA: ask the plugins, then let the message come."""
    if argument:
        raise ProtocolError(NO_ARGUMENT)
    transaction = session.connection.transaction
    assert transaction is not None  # the table of phases lets nothing else through
    if transaction.mail_params and is_binary(transaction.mail_params):
        raise ProtocolError(BINARY)
    if not transaction.rcpt_to:  # a plugin may have taken them all away again
        raise ProtocolError(
            session.no_recipient if transaction.rcpt_tried else RCPT_FIRST
        )
    session.ask("data", (), _ruled)


def _ruled(session: Session, verdict: Verdict) -> None:
    decision = session.decide("data", verdict)
    if decision.refused:
        refuse(session, decision)
        return
    transaction = session.connection.transaction
    if transaction is not None and transaction.motion is not None:
        transaction.motion.begin()
    session.decoder = DataDecoder(session.context.limits.max_data_line_length)
    session.phase = Phase.DATA
    session.data_began = session.context.clock.seconds()
    session.obey(decision)


def receive(session: Session, decoder: DataDecoder, octets: bytes) -> bytes:
    """
    Take a chunk of the message.

    @param octets: what the client sent; not empty.
    @return: what follows the end of the message; empty while it goes on.
    """
    transaction = session.connection.transaction
    assert transaction is not None  # so it is in phase DATA
    piece, rest = decoder.feed(octets)
    message = transaction.message
    if piece:
        if decoder.bare_newline:
            piece = repair_newlines(piece)
        message.append(piece)
        limit = session.context.limits.max_bytes
        if 0 < limit < message.size:
            message.destroy()  # what still comes is counted, not kept
        elif transaction.motion is not None:
            transaction.motion.receive(message, piece)
    if rest is not None:
        session.decoder = None
        finish(session, decoder, transaction)
        return rest
    if message.needs_spool:
        session.wait_for(message.spool().addErrback(not_spooled), _spooled)
    elif transaction.motion is not None and transaction.motion.is_held:
        catch_up(session, transaction.motion, _go_on)
    return b""


def not_spooled(failure: Failure) -> StoreError:
    """The disk is full or broken: the rest of the message is read and dropped."""
    failure.trap(StoreError)
    error = failure.value
    return error if isinstance(error, StoreError) else StoreError(str(error))


def spooled(session: Session, problem: StoreError | None) -> None:
    """What is in the file is there, or the rest is only counted."""
    transaction = session.connection.transaction
    if problem is not None and transaction is not None:
        transaction.store_failed = True
        log_problem(session, "the message cannot be spooled", problem)


def _spooled(session: Session, problem: StoreError | None) -> None:
    spooled(session, problem)
    transaction = session.connection.transaction
    motion = None if transaction is None else transaction.motion
    if motion is not None and motion.is_held:
        catch_up(session, motion, _go_on)


def _go_on(session: Session, _: None) -> None:
    """The wait is over; what comes next is read."""


def finish(session: Session, decoder: LineWatch, transaction: Transaction) -> None:
    """The message is whole: rule on its form, then ask the plugins."""
    message = transaction.message
    session.connection.octets += message.size
    limits = session.context.limits
    if 0 < limits.max_bytes < message.size:
        reject_too_big(session)
        return
    message.finish()
    motion = transaction.motion
    if motion is not None:
        motion.finish()
        if motion.is_held:
            catch_up(session, motion, _came, decoder, transaction)
            return
    _came(session, None, decoder, transaction)


def _came(
    session: Session, _: None, decoder: LineWatch, transaction: Transaction
) -> None:
    message, limits = transaction.message, session.context.limits
    fault = _fault(decoder, transaction, limits)
    if fault is not None:
        reject(session, Decision(True, fault))
        return
    if decoder.long_line:
        transaction.notes.set("data_line_length_exceeded", True)
    if limits.clean_auth_results:
        disown_results(message)
    if limits.add_received:
        message.header.add_raw_leading(trace_field(session, transaction))
    session.ask("data_post", (), _examined)


def _fault(
    decoder: LineWatch, transaction: Transaction, limits: ConnectionOptions
) -> Reply | None:
    """What is wrong with the form of the message, if anything?"""
    message = transaction.message
    if transaction.store_failed:
        return STORAGE
    if decoder.bare_newline and limits.bare_newline == "refuse":
        return BARE_NEWLINE
    if message.header_too_long:
        return HEADER_TOO_LONG
    if limits.max_received and message.received_count > limits.max_received:
        return LOOP
    if transaction.motion is not None:
        return _fault_of_parts(transaction.motion)
    return None


def reject_too_big(session: Session) -> None:
    """Refuse a message that is bigger than allowed."""
    session.ask("max_data_exceeded", (), _too_big)


def _fault_of_parts(motion: Motion) -> Reply | None:
    if motion.has_too_many_parts:
        return TOO_MANY_PARTS
    return NOT_TAKEN if motion.has_failed else None


def _too_big(session: Session, verdict: Verdict) -> None:
    decision = session.decide("max_data_exceeded", verdict)
    reject(session, Decision(True, decision.reply))


def _examined(session: Session, verdict: Verdict) -> None:
    decision = session.decide("data_post", verdict)
    transaction = session.connection.transaction
    if decision.refused:
        reject(session, decision)
    elif (
        transaction is not None
        and transaction.motion is not None
        and transaction.motion.changes
    ):
        rewrite(session, transaction.motion, transaction.message, _rewritten)
    else:
        hand_over(session)


def _rewritten(session: Session, problem: StoreError | None) -> None:
    if problem is None:
        hand_over(session)
        return
    log_problem(session, "the message cannot be changed", problem)
    reject(session, Decision(True, STORAGE))


def reject(session: Session, decision: Decision) -> None:
    """Refuse a message that came whole: the log has a line for each."""
    if session.context.log.info:
        log_message(session, decision)
    refuse_end(session, decision)


def refuse(session: Session, decision: Decision) -> None:
    """
    Refuse the message before it comes, and drop the transaction before the client is
    told.
    """
    _count(session, decision.reply)
    session.end_transaction(_refused, decision)


def refuse_end(session: Session, decision: Decision) -> None:
    """The same in reply to what may be the end of the message."""
    _count(session, decision.reply)
    session.end_transaction(_refused_end, decision)


def _count(session: Session, answer: Reply | None) -> None:
    if answer is not None and answer.is_permanent:
        session.connection.msg_rejected += 1
    else:
        session.connection.msg_tempfailed += 1


def _refused(session: Session, _: object, decision: Decision) -> None:
    session.obey(decision)


def _refused_end(session: Session, _: object, decision: Decision) -> None:
    session.answer_message(decision)
