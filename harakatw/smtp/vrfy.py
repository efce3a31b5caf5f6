"""
VRFY and EXPN.

@see: RFC 5321 section 3.5, section 7.3 (why 252 is the best answer to a stranger)
"""

from typing import Final

from harakatw.errors import ProtocolError
from harakatw.reply import reply
from harakatw.smtp.session import Session
from harakatw.verdict import Decision, Verdict

WHOM: Final = reply(501, "5.5.4", "VRFY whom?")
NO_LISTS: Final = reply(502, "5.5.1", "EXPN is not implemented")


def vrfy(session: Session, argument: bytes) -> None:
    """
    Answer VRFY; the argument goes to the plugins (unlike Haraka's, weakness WK32).
    """
    try:
        text = argument.decode("utf-8")
    except UnicodeDecodeError:
        raise ProtocolError(WHOM) from None
    if not text or not text.isprintable():
        raise ProtocolError(WHOM)
    session.ask("vrfy", (text,), _ruled)


def expn(session: Session, argument: bytes) -> None:
    """Answer EXPN: there are no lists here."""
    session.reply(NO_LISTS)


def _ruled(session: Session, verdict: Verdict) -> None:
    """A denial also drops the transaction (row HK24)."""
    decision = session.decide("vrfy", verdict)
    if decision.refused:
        session.end_transaction(_refused, decision)
    else:
        session.obey(decision)


def _refused(session: Session, _: object, decision: Decision) -> None:
    session.obey(decision)
