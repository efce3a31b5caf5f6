"""
Verbs that the core does not know: plugins may (Haraka row HK11).

@see: RFC 5321 section 4.2.4 (500 and 502), RFC 4954 section 6 (454)
"""

from typing import Final

from harakatw.errors import ProtocolError
from harakatw.new_client import NewClient
from harakatw.reply import Reply, reply
from harakatw.smtp.anew import begin_again
from harakatw.smtp.secure import check_encrypted, refuse_tls
from harakatw.smtp.session import Session
from harakatw.verdict import DENYSOFT, Kind, Verdict
from harakatw.wire.session import Phase

NOT_TEXT: Final = reply(500, "5.5.2", "Command unrecognized: it is not text")
AUTH_LATER: Final = reply(454, "4.7.0", "Temporary authentication failure")

SWITCHED_OFF: Final = reply(500, "5.5.1", "Command not available here")

_MAX_VERB = 64
_CLOSING = 421


def unrecognized(session: Session, verb: bytes, argument: bytes) -> None:
    """
    Let the plugins answer.

    @raise ProtocolError: 500 if the line is not printable text, or the verb is that of
        an extension which the listener does not offer; 530 in clear where the listener
        needs TLS.
    """
    if session.phase is Phase.START and refuse_tls(session, verb):
        return
    try:
        name, text = verb.decode("ascii"), argument.decode("utf-8")
    except UnicodeDecodeError:
        raise ProtocolError(NOT_TEXT) from None
    if not (name.isprintable() and text.isprintable() and len(name) <= _MAX_VERB):
        raise ProtocolError(NOT_TEXT)
    if name in session.context.listener.no_extensions:
        raise ProtocolError(SWITCHED_OFF)
    if session.context.listener.guarded and name != "STARTTLS":
        check_encrypted(session)
    session.ask("unrecognized_command", (name, text), _ruled, name, text)


def _ruled(session: Session, verdict: Verdict, name: str, text: str) -> None:
    if verdict.kind is Kind.NEXT_HOOK:
        hook = str(verdict.value)
        if hook in session.context.chains and hook != "unrecognized_command":
            session.ask(hook, (name, text), _answered, name)
            return
    _answered(session, verdict, name)


def _answered(session: Session, verdict: Verdict, name: str) -> None:
    wants_tls, session.tls_wanted = session.tls_wanted, False
    if verdict.kind is Kind.OK:
        if isinstance(verdict.value, NewClient):
            begin_again(session, verdict.value)
        elif wants_tls:
            answer = reply(verdict.code or 250, verdict.enhanced, verdict.lines)
            session.end_transaction(_encrypt, answer)
        else:
            _obey_plugin(session, verdict, name)
        return
    if name == "AUTH" and verdict is DENYSOFT:  # no plugin said anything in time
        session.reply(AUTH_LATER)
        return
    decision = session.decide("unrecognized_command", verdict)
    if decision.reply is not None and not decision.refused:
        session.bad_command(ProtocolError(decision.reply, verb=name))
    else:
        session.obey(decision)
        session.count_error()


def _encrypt(session: Session, _: object, answer: Reply) -> None:
    session.begin_tls(answer)


def _obey_plugin(session: Session, verdict: Verdict, name: str) -> None:
    """A plugin knew the verb: give its reply, which may well be a refusal."""
    session.trace_from = ""  # what a trace field says may be another thing now
    session.reply(reply(verdict.code or 250, verdict.enhanced, verdict.lines))
    if verdict.code == _CLOSING:  # RFC 5321 section 3.8
        session.close()
    elif name == "AUTH" and verdict.code >= 500:  # or a client could go on for ever
        session.count_error()
