"""
MAIL: open a transaction.

@see: RFC 5321 section 4.1.1.2, RFC 6409 section 4.3 (530); L{harakatw.wire.extensions}
    for the parameters
"""

from collections.abc import Mapping
from typing import Final

from harakatw.address import Address
from harakatw.errors import ProtocolError
from harakatw.reply import reply
from harakatw.smtp.secure import check_guard
from harakatw.smtp.session import Session
from harakatw.smtp.transaction import Transaction
from harakatw.verdict import Decision, Verdict
from harakatw.wire.path import parse_path
from harakatw.wire.session import Phase

PARAMS_NEED_EHLO: Final = reply(555, "5.5.4", "Parameters need EHLO")
TOO_MANY_MESSAGES: Final = reply(421, "4.7.0", "Too many messages in one session")


def mail(session: Session, argument: bytes) -> None:
    """Answer MAIL: parse, ask the plugins, open the transaction."""
    limits = session.context.limits
    connection = session.connection
    if session.context.listener.guarded:
        check_guard(session)
    if limits.max_messages and connection.tran_count >= limits.max_messages:
        session.reply(TOO_MANY_MESSAGES)
        session.close()
        return
    sender, params = parse_path(
        argument,
        b"FROM:",
        utf8=session.offer.utf8,
        strict=limits.strict_rfc1869,
        postel=limits.postel,
    )
    if params:
        if not connection.esmtp:
            raise ProtocolError(PARAMS_NEED_EHLO)
        session.offer.check_mail(params)
    _open(session, sender, params)
    session.ask("mail", (sender, params), _ruled)


def _open(session: Session, sender: Address, params: Mapping[str, str | None]) -> None:
    connection = session.connection
    connection.tran_count += 1
    limit = session.context.limits.max_transaction_seconds
    connection.transaction = Transaction(
        uuid=f"{connection.uuid}.{connection.tran_count}",
        mail_from=sender,
        mail_params=params,
        relaying=connection.relaying,
        deadline=session.context.clock.seconds() + limit if limit else 0.0,
        store=session.context.store,
        connection=connection,
    )
    session.phase = Phase.MAIL


def _ruled(session: Session, verdict: Verdict) -> None:
    decision = session.decide("mail", verdict)
    if decision.refused:
        session.end_transaction(_refused, decision)
    else:
        session.obey(decision)


def _refused(session: Session, _: object, decision: Decision) -> None:
    session.obey(decision)
