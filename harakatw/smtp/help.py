"""
HELP.

@see: RFC 5321 section 4.1.1.8
"""

from typing import Final

from harakatw.reply import reply
from harakatw.smtp.session import Session

COMMANDS: Final = reply(
    214,
    "2.0.0",
    (
        "Commands: HELO EHLO MAIL RCPT DATA BDAT RSET NOOP VRFY ETRN HELP QUIT",
        "What else is offered here is in the reply to EHLO",
    ),
)


def help_(session: Session, argument: bytes) -> None:
    """Answer HELP."""
    session.reply(COMMANDS)
