"""
HELO and EHLO.

@see: RFC 5321 section 4.1.1.1, section 4.1.4 (they end an open transaction)
"""

from typing import Final

from harakatw.reply import Reply, reply
from harakatw.smtp.connection import NO_HELLO, Hello
from harakatw.smtp.secure import needs_tls
from harakatw.smtp.session import Session
from harakatw.verdict import Verdict
from harakatw.wire.extensions import NOTHING, Offer
from harakatw.wire.helo import parse_helo
from harakatw.wire.session import Phase

_NO_STATUS: Final = ""  # RFC 2034 section 4: none in the replies to HELO and EHLO
_AUTH: Final = "AUTH "


def helo(session: Session, argument: bytes) -> None:
    """Answer HELO."""
    _greet(session, "HELO", parse_helo(argument))


def ehlo(session: Session, argument: bytes) -> None:
    """Answer EHLO."""
    _greet(session, "EHLO", parse_helo(argument))


def lhlo(session: Session, argument: bytes) -> None:
    """Answer LHLO, which is EHLO in LMTP (RFC 2033 section 4.1)."""
    _greet(session, "LHLO", parse_helo(argument))


def _greet(session: Session, verb: str, host: str) -> None:
    session.end_transaction(_asked, verb, host)


def _asked(session: Session, _: object, verb: str, host: str) -> None:
    session.connection.hello = Hello(verb, host)
    session.trace_from = ""
    hook = "helo" if verb == "HELO" else "ehlo"
    session.ask(hook, (host,), _ruled, verb, hook)


def _ruled(session: Session, verdict: Verdict, verb: str, hook: str) -> None:
    decision = session.decide(hook, verdict)
    if decision.refused:
        session.connection.hello = NO_HELLO
        session.phase = Phase.START
        session.obey(decision)
        return
    session.phase = Phase.READY
    if verb == "HELO":
        session.offer = NOTHING
        session.reply(_helo_reply(session))
        return
    connection = session.connection
    context = session.context
    offer = context.offers.offer(
        encrypted=connection.tls.enabled,
        authorised=context.listener.submission or connection.relaying,
    )
    connection.capabilities = list(offer.lines)
    session.ask("capabilities", (), _announce, offer)


def _announce(session: Session, _: Verdict, offer: Offer) -> None:
    lines = session.connection.capabilities
    if session.context.listener.guarded and needs_tls(session):
        lines = [line for line in lines if not str(line).upper().startswith(_AUTH)]
    session.offer = session.context.offers.edited(offer, lines)
    if session.offer is not offer:  # plugins see what was left of what they added
        session.connection.capabilities = list(session.offer.lines)
    first = _welcome(session)
    session.reply(Reply(250, _NO_STATUS, (first, *session.offer.lines)))


def _helo_reply(session: Session) -> Reply:
    return Reply(250, _NO_STATUS, (_welcome(session),))


def _welcome(session: Session) -> str:
    """
    Our name and, for whoever debugs, theirs; its text is printable, see L{parse_helo}.
    """
    remote = session.connection.remote
    said = session.context.limits.helo
    text = f"{session.context.name} Hello {remote.host or 'Unknown'} [{remote.ip}]"
    return reply(250, _NO_STATUS, f"{text} {said}".strip()).lines[0]
