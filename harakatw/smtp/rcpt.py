"""
RCPT: add a recipient to the transaction.

@see: RFC 5321 section 4.1.1.3, section 4.5.3.1.10 (too many recipients);
    L{harakatw.wire.extensions} for the parameters
"""

from typing import Final

from harakatw.address import Address
from harakatw.errors import ProtocolError
from harakatw.reply import reply
from harakatw.smtp.mail import PARAMS_NEED_EHLO
from harakatw.smtp.session import Session
from harakatw.verdict import CONT, Decision, Kind, Verdict
from harakatw.wire.params import EMPTY_PARAMS
from harakatw.wire.path import parse_path
from harakatw.wire.session import Phase

TOO_MANY: Final = reply(452, "4.5.3", "Too many recipients")
NOT_HERE: Final = Decision(
    True, reply(550, "5.1.1", "I cannot deliver mail for that recipient")
)


def rcpt(session: Session, argument: bytes) -> None:
    """Answer RCPT: parse, ask the plugins, keep or drop the recipient."""
    transaction = session.connection.transaction
    assert transaction is not None  # the table of phases lets nothing else through
    limits = session.context.limits
    utf8 = "SMTPUTF8" in transaction.mail_params
    recipient, params = parse_path(
        argument,
        b"TO:",
        utf8=utf8,
        strict=limits.strict_rfc1869,
        postel=limits.postel,
    )
    if params:
        if not session.connection.esmtp:
            raise ProtocolError(PARAMS_NEED_EHLO)
        session.offer.check_rcpt(params, utf8=utf8)
    transaction.rcpt_tried += 1
    if transaction.rcpt_tried > limits.max_recipients:
        session.connection.rcpt_tempfailed += 1
        session.reply(TOO_MANY)
        return
    transaction.rcpt_to.append(recipient)
    if params:
        transaction.set_rcpt_params(recipient, params)
    session.ask("rcpt", (recipient, params), _ruled, recipient)


def _ruled(session: Session, verdict: Verdict, recipient: Address) -> None:
    if verdict.kind is Kind.OK:
        session.ask("rcpt_ok", (recipient,), _confirmed, recipient, verdict)
    elif verdict.denies:
        _drop(session, session.decide("rcpt", verdict), recipient)
    elif session.connection.relaying:
        session.ask("rcpt_ok", (recipient,), _confirmed, recipient, CONT)
    else:
        _drop(session, NOT_HERE, recipient)


def _confirmed(
    session: Session, verdict: Verdict, recipient: Address, accepted: Verdict
) -> None:
    decision = session.decide("rcpt_ok", verdict)
    if decision.refused:
        _drop(session, decision, recipient)
        return
    if not verdict.lines:  # the words of the plugin that accepted serve as the reply
        decision = session.decide("rcpt_ok", accepted)
    if session.lmtp:
        session.took(recipient)
    session.connection.rcpt_accepted += 1
    session.phase = Phase.RCPT
    session.obey(decision)


def _drop(session: Session, decision: Decision, recipient: Address) -> None:
    """Refuse the recipient and forget it."""
    connection = session.connection
    if connection.transaction is not None:
        kept = [
            known for known in connection.transaction.rcpt_to if known is not recipient
        ]
        connection.transaction.rcpt_to = kept
        connection.transaction.set_rcpt_params(recipient, EMPTY_PARAMS)
    if decision.reply is not None and decision.reply.is_permanent:
        connection.rcpt_rejected += 1
    else:
        connection.rcpt_tempfailed += 1
    session.obey(decision)
