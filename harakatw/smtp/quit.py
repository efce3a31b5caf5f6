"""
QUIT.

@see: RFC 5321 section 4.1.1.10
"""

from typing import Final

from harakatw.errors import ProtocolError
from harakatw.reply import reply
from harakatw.smtp.session import Session
from harakatw.verdict import Decision, Kind, Verdict, decide

NO_ARGUMENT: Final = reply(501, "5.5.4", "QUIT takes no argument")


def quit_session(session: Session, argument: bytes) -> None:
    """Answer QUIT, and close the connection."""
    if argument:
        raise ProtocolError(NO_ARGUMENT)
    session.ask("quit", (), _ruled)


def _ruled(session: Session, verdict: Verdict) -> None:
    rule = session.context.chains["quit"].rule
    decision = decide(rule, verdict) if verdict.kind is Kind.OK else rule.continued
    said = session.context.limits.close
    if verdict.kind is not Kind.OK and said:
        decision = Decision(
            False, reply(221, "2.0.0", f"{session.context.name} {said}")
        )
    session.obey(decision)
    session.close()
