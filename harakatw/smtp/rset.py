"""
RSET: drop the open transaction.

@see: RFC 5321 section 4.1.1.5
"""

from typing import Final

from harakatw.errors import ProtocolError
from harakatw.reply import reply
from harakatw.smtp.session import Session
from harakatw.verdict import Verdict

NO_ARGUMENT: Final = reply(501, "5.5.4", "RSET takes no argument")


def rset(session: Session, argument: bytes) -> None:
    """Answer RSET."""
    if argument:
        raise ProtocolError(NO_ARGUMENT)
    session.ask("rset", (), _asked)


def _asked(session: Session, _: Verdict) -> None:
    session.end_transaction(_done)


def _done(session: Session, _: object) -> None:
    session.obey(session.context.chains["rset"].rule.continued)
