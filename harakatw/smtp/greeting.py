"""
A new client: find its name, ask the plugins, greet it.

@see: RFC 5321 section 3.1, section 4.2 (the greeting); Haraka rows HK05 to HK07
"""

from harakatw.reply import reply
from harakatw.smtp.session import Session
from harakatw.verdict import Decision, Kind, Verdict
from harakatw.wire.session import Phase


def begin(session: Session) -> None:
    """The client has connected."""
    session.ask("connect_init", (), _set_up)


def _set_up(session: Session, _: Verdict) -> None:
    known = session.connection.remote.host
    if known:  # by who passes the connection on
        _named(session, known)
        return
    session.ask("lookup_rdns", (), _named_by_plugin)


def _named_by_plugin(session: Session, verdict: Verdict) -> None:
    remote = session.connection.remote
    decision = session.decide("lookup_rdns", verdict)
    if decision.refused:
        session.obey(decision)
    elif verdict.kind is Kind.OK:
        _named(session, str(verdict.value or verdict.text))
    elif session.context.names is None or not remote.ip:
        _named(session, "")
    else:
        session.wait_for(session.context.names.lookup_name(remote.ip), _named)


def _named(session: Session, name: str) -> None:
    session.connection.remote.host = name or "Unknown"
    session.ask("connect", (), _ruled)


def _ruled(session: Session, verdict: Verdict) -> None:
    decision = session.decide("connect", verdict)
    if decision.refused:
        session.obey(decision)
        return
    session.phase = Phase.START
    context = session.context
    lines = list(context.greeting)
    if verdict.kind is Kind.OK and verdict.lines:
        lines = [f"{context.name} ESMTP {verdict.lines[0]}", *verdict.lines[1:]]
    if session.lmtp:
        lines[0] = lines[0].replace(" ESMTP", " LMTP", 1)
    shown = context.limits.banner_chars
    if shown:
        lines[-1] += f" ({session.connection.uuid[:shown]})"
    session.obey(Decision(False, reply(220, "", lines)))
