"""
Take messages and drop them.

@see: Haraka row PB13
"""

import os

import attrs
from twisted.logger import Logger

from harakatw.interfaces.session import IConnection
from harakatw.plugin import OK, IQueueHook, IQueueOutboundHook, Verdict, implementer

VARIABLE = "YES_REALLY_DO_DISCARD"
"""The environment variable that, unless empty, has every message dropped."""


def _is_asked_by_environment() -> bool:
    return bool(os.environ.get(VARIABLE))


@implementer(IQueueHook, IQueueOutboundHook)
@attrs.frozen
class Discard:
    """
    Says that a message is queued, and forgets it, where a note asks for that.

    @ivar drops_all: does every message go, unless a note wants another queue?
    """

    drops_all: bool = attrs.field(factory=_is_asked_by_environment)
    _log = Logger()

    def register(self) -> None:
        """Warn of what nobody should find out from missing mail."""
        if self.drops_all:
            self._log.warn("every message is discarded: {name} is set", name=VARIABLE)

    def hook_queue(self, connection: IConnection) -> Verdict | None:
        transaction = connection.transaction
        if transaction is None:
            return None
        wants = is_noted = False
        if transaction.notes:
            wants = transaction.notes.get("queue.wants")
            if wants and wants != "discard":
                return None
            is_noted = wants == "discard" or bool(transaction.notes.get("discard"))
        if self.drops_all:
            return OK
        if is_noted or (connection.notes and connection.notes.get("discard")):
            self._log.info("{uuid} discarded", uuid=transaction.uuid)
            return OK
        return None

    def hook_queue_outbound(self, connection: IConnection) -> Verdict | None:
        return self.hook_queue(connection)
