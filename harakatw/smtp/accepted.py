"""
A message that nobody refused: have it queued, and only then say 250.

@see: RFC 5321 section 6.1; Haraka rows HK18 to HK20
"""

from collections.abc import Mapping
from typing import Final

from twisted.python.failure import Failure

from harakatw.errors import StoreError
from harakatw.reply import Reply, reply
from harakatw.smtp.records import log_message
from harakatw.smtp.session import Session
from harakatw.verdict import OK, Decision, Kind, Verdict, decide, deny_soft, ok
from harakatw.wire.session import Phase

NOT_STORED: Final = deny_soft(
    "The message could not be stored, try again later", code=452, enhanced="4.3.1"
)


_SOFT: Final = frozenset((Kind.DENYSOFT, Kind.DENYSOFTDISCONNECT))

PARTLY: Final = deny_soft(
    "Some recipients could not be served, try again later", code=451, enhanced="4.3.0"
)


def hand_over(session: Session) -> None:
    """Ask for somebody to take responsibility for the message."""
    hook = "queue_outbound" if session.connection.relaying else "queue"
    session.ask(hook, (), _ruled, hook)


def _ruled(session: Session, verdict: Verdict, hook: str) -> None:
    outbound = session.context.outbound
    if verdict.value is not None and not session.lmtp:
        verdict = _of_all(verdict)
    if verdict.kind is Kind.OK:
        session.ask("queue_ok", (verdict.text,), _queued, verdict)
    elif (
        verdict.kind is Kind.CONT
        and hook == "queue_outbound"
        and outbound is not None
        and session.phase is not Phase.CLOSED  # who has left will send it again
    ):
        pending = outbound.queue(session.connection)
        pending.addCallbacks(_stored, _not_stored)
        session.wait_for(pending, _ruled, hook)
    else:
        decision = session.decide(hook, verdict)
        _answer(session, Decision(True, decision.reply, decision.then))


def _of_all(verdict: Verdict) -> Verdict:
    """
    One verdict out of one for each recipient, where there can be but one reply.

    A plugin should not have let it come to this. If any recipient is to be tried again
    then all are: some get the message twice, but nobody is left without it.
    """
    if verdict.kind is not Kind.OK or not isinstance(verdict.value, Mapping):
        return verdict
    each_one: Mapping[str, Verdict] = verdict.value
    denials = [each for each in each_one.values() if each.denies]
    if not denials:
        return verdict
    soft = [each for each in denials if each.kind in _SOFT]
    if len(denials) < len(each_one) and not soft:
        return PARTLY
    return soft[0] if soft else denials[0]


def _stored(text: str) -> Verdict:
    """It is on disk."""
    return ok(text) if text else OK


def _not_stored(failure: Failure) -> Verdict:
    """Whatever went wrong, the message is not kept, and the client keeps it (WK03)."""
    failure.trap(StoreError)
    return NOT_STORED


def _queued(session: Session, _: Verdict, accepted: Verdict) -> None:
    """Say 250, with the transaction's id so that it can be found again."""
    rule = session.context.chains["queue_ok"].rule
    transaction = session.connection.transaction
    uuid = "" if transaction is None else transaction.uuid
    if not (accepted.lines or accepted.code or accepted.enhanced):
        answer = Reply(250, "2.0.0", (f"Message Queued ({uuid})",))
    else:
        stock = decide(rule, accepted).reply
        text = f"{accepted.text or 'Message Queued'} ({uuid})"
        answer = reply(250, "" if stock is None else stock.enhanced, text)
    each = accepted.value if isinstance(accepted.value, Mapping) else None
    _answer(session, Decision(False, answer), each)


def _answer(
    session: Session, decision: Decision, each: Mapping[str, Verdict] | None = None
) -> None:
    connection, answer = session.connection, decision.reply
    if not decision.refused:
        connection.msg_accepted += 1
    elif answer is not None and answer.is_permanent:
        connection.msg_rejected += 1
    else:
        connection.msg_tempfailed += 1
    if session.context.log.info:
        log_message(session, decision)
    session.end_transaction(_obey, decision, each)


def _obey(
    session: Session,
    _: object,
    decision: Decision,
    each: Mapping[str, Verdict] | None,
) -> None:
    session.answer_message(decision, each)
