"""
NOOP.

@see: RFC 5321 section 4.1.1.9 (an argument is allowed and ignored)
"""

from harakatw.smtp.session import Session
from harakatw.verdict import Verdict


def noop(session: Session, argument: bytes) -> None:
    """Answer NOOP."""
    session.ask("noop", (), _ruled)


def _ruled(session: Session, verdict: Verdict) -> None:
    session.obey(session.decide("noop", verdict))
