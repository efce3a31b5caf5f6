"""
A session is over: its last hooks, and its line in the log.

@see: Haraka rows HK21 and HK26 (both run though the client has left), VB24
"""

from collections.abc import Callable

from harakatw.smtp.records import log_summary
from harakatw.smtp.session import Session
from harakatw.verdict import Verdict

Farewell = Callable[[Session], None]
"""Called with the session when all is done."""


def say_farewell(session: Session, farewell: Farewell) -> None:
    """
    Run C{reset_transaction} and C{disconnect}, write the summary, then C{farewell}.
    """
    if session.connection.transaction is None:
        _disconnect(session, farewell)
        return
    _then(session, "reset_transaction", lambda: _dropped(session, farewell))


def _dropped(session: Session, farewell: Farewell) -> None:
    transaction = session.connection.transaction
    if transaction is not None:
        transaction.destroy()
        session.connection.transaction = None
    session.connection.unskip_plugins()
    _disconnect(session, farewell)


def _disconnect(session: Session, farewell: Farewell) -> None:
    if session.between_clients:
        farewell(session)
        return
    _then(session, "disconnect", lambda: _done(session, farewell))


def _then(session: Session, hook: str, then: Callable[[], None]) -> None:
    """Run a hook that nobody can interrupt any more."""
    outcome = session.context.chains[hook].run(session.connection)
    if isinstance(outcome, Verdict):
        then()
    else:
        outcome.addBoth(lambda _: then())


def _done(session: Session, farewell: Farewell) -> None:
    if session.context.log.info:
        log_summary(session)
    farewell(session)
