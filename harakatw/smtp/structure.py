"""
A session waits: for plugins that are given attachments, and for a message to be changed
as plugins wish.

@see: Haraka rows TX09 to TX11
"""

from twisted.internet.defer import Deferred, TimeoutError
from twisted.python.failure import Failure

from harakatw.errors import StoreError
from harakatw.message.mime.motion import Motion
from harakatw.message.mime.streams import Flow
from harakatw.message.store import Message
from harakatw.smtp.records import log_problem
from harakatw.smtp.session import Ruled, Session


def catch_up(session: Session, motion: Motion, then: Ruled, *state: object) -> None:
    """
    Take no more while a plugin needs time for an attachment, then go on with
    C{then(session, None, *state)}.

    @param motion: held.
    """
    flow = motion.flow
    assert flow is not None  # or nobody could hold it
    free = flow.when_free()
    free.addTimeout(session.context.inactivity_seconds, session.context.clock)
    free.addErrback(_took_too_long, session, flow)
    session.wait_for(free, then, *state)


def _took_too_long(failure: Failure, session: Session, flow: Flow) -> None:
    """The message is refused, and no plugin is given more of it."""
    failure.trap(TimeoutError)
    problem = TimeoutError(f"{session.context.inactivity_seconds} seconds are over")
    log_problem(session, "a plugin takes too long with an attachment", problem)
    flow.fail()


def rewrite(session: Session, motion: Motion, message: Message, then: Ruled) -> None:
    """
    Change a message as plugins wish, then go on with C{then(session, problem)}.

    @param message: whole.
    @param then: is given the L{StoreError} if it could not be done, else L{None}.
    """
    changing = Deferred.fromCoroutine(motion.rewrite(message))
    session.wait_for(changing.addErrback(_not_changed), then)


def _not_changed(failure: Failure) -> StoreError:
    failure.trap(StoreError)
    error = failure.value
    return error if isinstance(error, StoreError) else StoreError(str(error))
