"""
BDAT: take the message in chunks.

Whatever becomes of the command, its octets are read, and never taken for commands: a
chunk that is refused is answered after its end (survey row 3).

@see: RFC 3030 section 2
"""

from collections.abc import Callable
from typing import Final

from harakatw.errors import ProtocolError, StoreError
from harakatw.reply import Reply, reply
from harakatw.smtp.data import (
    STORAGE,
    finish,
    not_spooled,
    refuse_end,
    reject,
    reject_too_big,
    spooled,
)
from harakatw.smtp.session import Dropping, Session
from harakatw.smtp.structure import catch_up
from harakatw.smtp.transaction import Transaction
from harakatw.verdict import Decision, Verdict
from harakatw.wire.chunks import Chunk, ChunkDecoder, OctetCounter, parse_bdat
from harakatw.wire.data import repair_newlines
from harakatw.wire.params import is_binary
from harakatw.wire.session import (
    HELLO_FIRST,
    MAIL_FIRST,
    RCPT_FIRST,
    Phase,
)

NOT_OFFERED: Final = reply(502, "5.5.1", "BDAT is not offered here")

Then = Callable[[Session], None]
"""What is done when the octets of a refused chunk are gone."""


def bdat(session: Session, argument: bytes) -> None:
    """Answer BDAT, before or after its octets have come."""
    try:
        chunk = parse_bdat(argument)
    except ProtocolError as error:
        session.bad_command(error)
        session.close()
        return
    session.in_chunks = not chunk.is_last
    refusal = _refusal(session)
    transaction = session.connection.transaction
    if refusal is not None or transaction is None:
        answer = refusal or MAIL_FIRST
        _drop(session, chunk, lambda session: session.reply(answer))
    elif transaction.chunks is None:
        session.ask("data", (), _ruled, chunk, transaction)
    else:
        _take(session, chunk, transaction, transaction.chunks)


def _refusal(session: Session) -> Reply | None:
    """Why no chunk may come now, if so."""
    phase, transaction = session.phase, session.connection.transaction
    if phase is Phase.REFUSED:
        return session.refusal
    if "CHUNKING" not in session.offer.keywords:
        return NOT_OFFERED
    if phase is Phase.START:
        return HELLO_FIRST
    if transaction is None:
        return MAIL_FIRST
    if not transaction.rcpt_to:
        return session.no_recipient if transaction.rcpt_tried else RCPT_FIRST
    return None


def _ruled(
    session: Session, verdict: Verdict, chunk: Chunk, transaction: Transaction
) -> None:
    """The plugins have said whether a message may come at all."""
    decision = session.decide("data", verdict)
    if decision.refused:
        _drop(session, chunk, lambda session: refuse_end(session, decision))
        return
    binary = is_binary(transaction.mail_params)
    limit = session.context.limits.max_data_line_length
    transaction.chunks = decoder = ChunkDecoder(limit, is_binary=binary)
    transaction.message.is_binary = binary
    if transaction.motion is not None:
        transaction.motion.begin()
    session.phase = Phase.CHUNKS
    session.data_began = session.context.clock.seconds()
    _take(session, chunk, transaction, decoder)


def _take(
    session: Session, chunk: Chunk, transaction: Transaction, decoder: ChunkDecoder
) -> None:
    """Let the octets of a chunk come, unless they are too many."""
    limit = session.context.limits.max_bytes
    if 0 < limit < transaction.message.size + chunk.octets:
        transaction.message.destroy()
        _drop(session, chunk, reject_too_big)
        return
    decoder.begin(chunk)
    session.decoder = decoder
    if not chunk.octets:  # nothing will come that could wake it up
        receive_chunk(session, decoder, b"")


# ---- octets --------------------------------------------------------------------------


def receive_chunk(
    session: Session, decoder: ChunkDecoder | Dropping, octets: bytes
) -> bytes:
    """
    Take octets that follow a BDAT.

    @return: what follows the end of the chunk; empty while it goes on.
    """
    if isinstance(decoder, Dropping):
        return _dropped(session, decoder, octets)
    transaction = session.connection.transaction
    assert transaction is not None  # or there would be no chunks
    piece, rest = decoder.feed(octets)
    message = transaction.message
    if piece:
        if decoder.bare_newline:
            piece = repair_newlines(piece)
        message.append(piece)
        if transaction.motion is not None:
            transaction.motion.receive(message, piece)
    if rest is not None:
        session.decoder = None
    if message.needs_spool:
        spooling = message.spool().addErrback(not_spooled)
        session.wait_for(spooling, _spooled, decoder)
    elif transaction.motion is not None and transaction.motion.is_held:
        catch_up(session, transaction.motion, _go_on, decoder)
    elif rest is not None:
        _came(session, transaction, decoder)
    return rest or b""


def _spooled(
    session: Session, problem: StoreError | None, decoder: ChunkDecoder
) -> None:
    spooled(session, problem)
    transaction = session.connection.transaction
    motion = None if transaction is None else transaction.motion
    if motion is not None and motion.is_held:
        catch_up(session, motion, _go_on, decoder)
    else:
        _go_on(session, None, decoder)


def _go_on(session: Session, _: None, decoder: ChunkDecoder) -> None:
    transaction = session.connection.transaction
    if session.decoder is None and transaction is not None:
        _came(session, transaction, decoder)


def _came(session: Session, transaction: Transaction, decoder: ChunkDecoder) -> None:
    """A chunk is there as a whole."""
    if decoder.has_ended:
        finish(session, decoder, transaction)
    elif transaction.store_failed:
        reject(session, Decision(True, STORAGE))
    else:
        session.reply(Reply(250, "2.0.0", (f"{decoder.octets} octets received",)))


# ---- refused chunks ------------------------------------------------------------------


def _drop(session: Session, chunk: Chunk, then: Then) -> None:
    """Read the octets of a chunk that was refused, and only then answer."""
    if chunk.octets:
        session.decoder = Dropping(OctetCounter(chunk.octets), then)
    else:
        then(session)


def _dropped(session: Session, dropping: Dropping, octets: bytes) -> bytes:
    rest = dropping.counter.feed(octets)
    if rest is None:
        return b""
    session.decoder = None
    dropping.then(session)
    return rest
