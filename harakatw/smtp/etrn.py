"""
ETRN: try mail that waits for a domain now, since its host can be reached again.

Those who may relay may ask for it; a domain is compared with those in the queue, and is
nothing else (survey row 27).

@see: RFC 1985
"""

from typing import Final

from twisted.python.failure import Failure

from harakatw.address_grammar import GrammarError, canonical_domain
from harakatw.errors import ProtocolError, StoreError
from harakatw.reply import reply
from harakatw.smtp.records import log_problem
from harakatw.smtp.session import Session

NOT_OFFERED: Final = reply(502, "5.5.1", "ETRN is not offered to you")
NOT_YOURS: Final = reply(459, "4.7.0", "ETRN is for those who may relay")
BAD_NODE: Final = reply(501, "5.5.4", "Syntax: ETRN domain, or ETRN @domain")
NO_QUEUES: Final = reply(459, "4.7.0", "There are no queues with names here")
NO_QUEUE: Final = reply(458, "4.3.0", "The queue cannot be worked on now")
NOTHING: Final = reply(251, "2.0.0", "No messages wait for that")

_MAX_DETAIL: Final = 80  # octets of a refused argument that the log gets


def etrn(session: Session, argument: bytes) -> None:
    """Answer ETRN."""
    outbound = session.context.outbound
    if "ETRN" not in session.offer.keywords or outbound is None:
        raise ProtocolError(NOT_OFFERED)
    if not session.connection.relaying:  # where users log in, and one has not
        raise ProtocolError(NOT_YOURS)
    if argument.startswith(b"#"):
        session.reply(NO_QUEUES)
        return
    domain, below = _node(argument)
    pending = outbound.flush(domain, below=below)
    pending.addErrback(_unable)
    session.wait_for(pending, _flushed, domain)


def _node(argument: bytes) -> tuple[str, bool]:
    """The domain, and whether those below it are meant, too."""
    below = argument.startswith(b"@")
    try:
        return canonical_domain(argument[below:].decode("ascii")), below
    except (UnicodeDecodeError, GrammarError):
        raise ProtocolError(BAD_NODE, node=argument[:_MAX_DETAIL]) from None


def _unable(failure: Failure) -> StoreError:
    failure.trap(StoreError)
    error = failure.value
    return error if isinstance(error, StoreError) else StoreError(str(error))


def _flushed(session: Session, found: int | StoreError, domain: str) -> None:
    if isinstance(found, StoreError):
        log_problem(session, "ETRN cannot be done", found)
        session.reply(NO_QUEUE)
    elif not found:
        session.reply(NOTHING)
    else:
        text = f"{found} pending messages for node {domain} started"
        session.reply(reply(253, "2.0.0", text))
