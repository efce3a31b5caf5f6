"""
The trace field of a message, from what its session knows.

@see: RFC 5321 section 4.4, Haraka row VB21
"""

from harakatw.message.received import from_clause, tls_comment, with_keyword
from harakatw.smtp.session import Session
from harakatw.smtp.transaction import Transaction


def trace_field(session: Session, transaction: Transaction) -> bytes:
    """The Received field that goes in front of the message."""
    connection = session.connection
    recipients = transaction.rcpt_to
    tls = connection.tls
    if not session.trace_from:
        remote = connection.remote
        host = "" if remote.host in _NOT_NAMES else remote.host
        session.trace_from = from_clause(connection.hello.host, host, remote.ip)
        session.trace_protocol = _protocol(session, transaction)
    protocol = session.trace_protocol
    if transaction.mail_params:
        protocol = _protocol(session, transaction)
    return session.context.received.line(
        client=session.trace_from,
        protocol=protocol,
        uuid=transaction.uuid,
        mail_from=transaction.mail_from.address,
        seconds=session.context.now(),
        recipient=recipients[0].address if len(recipients) == 1 else "",
        tls=tls_comment("TLS", tls.cipher, verified=tls.verified)
        if tls.enabled
        else "",
    )


_NOT_NAMES = frozenset(("", "Unknown", "NXDOMAIN", "DNSERROR"))


def _protocol(session: Session, transaction: Transaction) -> str:
    connection = session.connection
    return with_keyword(
        extended=connection.esmtp,
        lmtp=session.lmtp,
        encrypted=connection.tls.enabled,
        authenticated="auth_user" in connection.notes,
        utf8="SMTPUTF8" in transaction.mail_params,
    )
