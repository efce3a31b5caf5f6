"""
Tell of an attempt, and only then forget the item.

A bounce must be in the queue, on disk, before the item that it is about leaves it.
"""

from collections.abc import Callable
from functools import partial

import attrs
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from harakatw.outbound.attempt import Settlement, Work
from harakatw.outbound.scheduler.again import Again
from harakatw.outbound.scheduler.ledger import Ledger

Told = Settlement | None
Settled = Callable[[Work, Settlement], "Told | Deferred[Told]"]


@attrs.define(eq=False)
class Reports:
    """
    Tells whoever makes bounces, and enters the outcome in the ledger.

    @ivar pending: how many items are not in the ledger yet.
    """

    _settled: Settled
    _ledger: Ledger
    again: Again
    pending: int = 0
    _log = Logger()

    def tell(self, work: Work, settlement: Settlement) -> None:
        """
        Say what follows from an attempt, until somebody has heard it.

        What it returns is entered instead of C{settlement}.
        """
        self.pending += 1
        self._tell(work, settlement)

    def _tell(self, work: Work, settlement: Settlement) -> None:
        try:
            told = self._settled(work, settlement)
        except Exception:
            self._failed(Failure(), work, settlement)
            return
        if isinstance(told, Deferred):
            arguments = (work, settlement)
            told.addCallbacks(
                self._told, self._failed, callbackArgs=arguments, errbackArgs=arguments
            )
        else:
            self._told(told, work, settlement)

    def _told(self, told: Told, work: Work, settlement: Settlement) -> None:
        self.again.worked()
        self.pending -= 1
        retry = (told or settlement).retry
        if retry is None:
            self._ledger.done(work.item.id)
        else:
            self._ledger.retry((retry,))

    def _failed(self, failure: Failure, work: Work, settlement: Settlement) -> None:
        uuid = work.item.message.uuid
        self._log.failure("{uuid}: no report; to be tried again", failure, uuid=uuid)
        self.again.later(partial(self._tell, work, settlement))
