"""
What a session writes to the log: a line for each message, one for the session.

@see: Haraka row VB24
"""

from typing import Final

from twisted.logger import Logger

from harakatw.smtp.connection import NO_PROXY
from harakatw.smtp.session import Session
from harakatw.verdict import Decision

_SUMMARY: Final = (
    "{uuid} disconnect ip={ip} rdns={rdns} helo={helo} relay={relay} early={early}"
    " esmtp={esmtp} tls={tls} errors={errors} txns={txns} rcpts={rcpts} msgs={msgs}"
    " bytes={octets} lr={last} time={seconds:.3f}"
)
_SUMMARY_BY_PROXY: Final = f"{_SUMMARY} proxy={{proxy}}"

_log = Logger(namespace="harakatw.smtp")


_OWN: Final = frozenset(("LOCAL", "UNKNOWN"))  # connections of a proxy's own


def log_message(session: Session, decision: Decision) -> None:
    """One line for a message that came whole, whatever became of it."""
    transaction, answer = session.connection.transaction, decision.reply
    if transaction is None or answer is None:
        return
    _log.info(
        "{uuid} message from={sender} rcpts={rcpts} size={size} helo={helo} ip={ip}"
        " reply={code} {text}",
        uuid=transaction.uuid,
        sender=str(transaction.mail_from),
        rcpts=",".join(map(str, transaction.rcpt_to)),
        size=transaction.data_bytes,
        helo=session.connection.hello.host,
        ip=session.connection.remote.ip,
        code=answer.code,
        text=answer.text,
    )


def log_problem(session: Session, what: str, problem: Exception) -> None:
    """Something of ours is not well: disk, database, look-up."""
    _log.error(
        "{uuid} {what}: {problem}",
        uuid=session.connection.uuid,
        what=what,
        problem=problem,
    )


def log_summary(session: Session) -> None:
    """
    One line for a session that is over, unless a proxy only looked whether we are well.
    """
    connection = session.connection
    if connection.proxy.protocol in _OWN and not connection.tran_count:
        return
    remote, hello = connection.remote, connection.hello
    seconds = session.context.clock.seconds() - connection.started
    proxy = {} if connection.proxy is NO_PROXY else {"proxy": connection.proxy.ip}
    _log.info(
        _SUMMARY_BY_PROXY if proxy else _SUMMARY,
        **proxy,
        uuid=connection.uuid,
        ip=remote.ip,
        rdns=remote.host,
        helo=hello.host,
        relay=_flag(connection.relaying),
        early=_flag(connection.early_talker),
        esmtp=_flag(connection.esmtp),
        tls=_flag(connection.tls.enabled),
        errors=connection.errors,
        txns=connection.tran_count,
        rcpts=_counts(
            connection.rcpt_accepted,
            connection.rcpt_tempfailed,
            connection.rcpt_rejected,
        ),
        msgs=_counts(
            connection.msg_accepted, connection.msg_tempfailed, connection.msg_rejected
        ),
        octets=connection.octets,
        last=connection.last_reply,
        seconds=seconds,
    )


def _flag(value: bool) -> str:
    return "Y" if value else "N"


def _counts(accepted: int, tempfailed: int, rejected: int) -> str:
    return f"{accepted}/{tempfailed}/{rejected}"
