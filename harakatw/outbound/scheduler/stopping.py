"""The end: attempts may finish, and the rest goes back to the store."""

from typing import Final

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from harakatw.outbound.scheduler.flow import Flow

LOOK_SECONDS: Final = 0.1
WRITE_SECONDS: Final = 5.0
"""How long the store may take to write what is left down."""


@attrs.define(eq=False)
class Stopping:
    """
    Waits until nothing is held any more.

    @ivar done: fires then, or when it has taken too long.
    """

    _flow: Flow
    _clock: IReactorTime
    _attempts_until: float
    done: "Deferred[None]" = attrs.field(factory=Deferred)
    _log = Logger()

    def look(self) -> None:
        """Is all of it done? If not, look again a moment later."""
        flow, now = self._flow, self._clock.seconds()
        if flow.dispatcher.running and now >= self._attempts_until:
            count = len(flow.dispatcher.running)
            self._log.warn("{count} attempts are given up, to stop", count=count)
            flow.return_running()
        if not flow.held and not flow.feeder.leases and not flow.ledger.unsettled:
            self._end()
        elif now >= self._attempts_until + WRITE_SECONDS:
            text = "what became of {count} items is not on disk: they are tried again"
            self._log.error(text, count=len(flow.held))
            self._end()
        else:
            self._clock.callLater(LOOK_SECONDS, self.look)

    def _end(self) -> None:
        self._flow.again.stop()
        self._flow.reports.again.stop()
        self.done.callback(None)
