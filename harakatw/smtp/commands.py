"""
The table: which verbs there are, and what answers each.

@see: RFC 5321 section 4.1.1, section 4.5.1 (the least that a server implements)
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from harakatw.smtp.bdat import bdat
from harakatw.smtp.data import data
from harakatw.smtp.etrn import etrn
from harakatw.smtp.helo import ehlo, helo
from harakatw.smtp.help import help_
from harakatw.smtp.mail import mail
from harakatw.smtp.noop import noop
from harakatw.smtp.quit import quit_session
from harakatw.smtp.rcpt import rcpt
from harakatw.smtp.rset import rset
from harakatw.smtp.session import Session
from harakatw.smtp.vrfy import expn, vrfy

Handler = Callable[[Session, bytes], None]
"""
Answers one command: is given the session and what stood after the verb, undecoded. It
may raise L{harakatw.errors.ProtocolError}, whose reply is then the answer.
"""

COMMANDS: Final[Mapping[bytes, Handler]] = MappingProxyType(
    {
        b"HELO": helo,
        b"EHLO": ehlo,
        b"MAIL": mail,
        b"RCPT": rcpt,
        b"DATA": data,
        b"BDAT": bdat,
        b"RSET": rset,
        b"NOOP": noop,
        b"VRFY": vrfy,
        b"ETRN": etrn,
        b"EXPN": expn,
        b"HELP": help_,
        b"QUIT": quit_session,
    }
)
