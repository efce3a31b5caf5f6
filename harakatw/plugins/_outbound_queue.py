"""
Hand a message of any session to the outbound queue: for plugins that route.

@see: RFC 5321 section 6.1
"""

from typing import Final

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from harakatw.errors import StoreError
from harakatw.plugin import Answer, IConnection, IOutbound, deny_soft, ok

NOT_STORED: Final = deny_soft(
    "The message could not be stored, try again later", code=452, enhanced="4.3.1"
)

SPLIT: Final = "queue.split"
"""The note that each recipient is delivered to apart from the others."""


def queue_outbound(outbound: IOutbound, connection: IConnection) -> "Deferred[Answer]":
    """
    Queue the open transaction's message, whether its client may relay or not.

    @return: fires with C{OK} once it is on disk, or with a temporary refusal.
    """
    return outbound.queue(connection).addCallbacks(_queued, _not_queued)


def _queued(text: str) -> Answer:
    return ok(text)


def _not_queued(failure: Failure) -> Answer:
    failure.trap(StoreError)
    return NOT_STORED
