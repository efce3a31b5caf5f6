"""
A reactor that wastes less on each event.

For every event Twisted's epoll reactor enters a logging context, through five Python
calls, so that C{twisted.python.log} can tell which protocol was at work. Our records
say that themselves (C{uuid}), and those calls are a seventh of all CPU of a small
message. And it tells L{harakatw.net.rounds.Round} when a round ends. Nothing else
differs.

@see: C{docs/decisions/0004-quick-reactor.md}
"""

import sys
import time
from select import EPOLLIN
from typing import Any

from twisted.internet.epollreactor import EPollReactor
from twisted.internet.main import installReactor
from twisted.logger import Logger

from harakatw.net.rounds import Round


class QuickReactor(EPollReactor):
    """
    Twisted's epoll reactor, with a shorter way from the kernel to C{doRead}.

    @ivar round: what is to be sent when the round ends.
    """

    _log = Logger()

    def __init__(self) -> None:
        self.round = Round()
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's

    seconds = staticmethod(time.monotonic)
    """
    What all delayed calls go by. Twisted's own is the time of day: when that is set,
    every time-out would fire at once or hours late.
    """

    def doPoll(self, timeout: float | None) -> None:
        """
        Wait for events, and have them dealt with.

        @param timeout: seconds to wait at most; L{None} is for ever.
        """
        try:
            events = self._poller.poll(
                -1 if timeout is None else timeout, len(self._selectables)
            )
        except InterruptedError:
            return  # a signal came: its handler has run
        selectables = self._selectables
        for number, event in events:
            selectable = selectables.get(number)
            if selectable is None:
                continue  # it was closed by an event before this one
            if event == EPOLLIN:
                self._read(selectable)
            else:
                self._doReadOrWrite(  # type: ignore[no-untyped-call]
                    selectable, number, event
                )

    doIteration = doPoll

    def runUntilCurrent(self) -> None:
        """
        Make the calls that are due, then send: after the events of L{doPoll}, and
        before it waits again.
        """
        self.round.is_open = True  # now it is certain that this is called
        super().runUntilCurrent()
        self.round.end()

    def _read(self, selectable: Any) -> None:
        """The plain case: there is something to read, and nothing else."""
        try:
            why = selectable.doRead()
        except Exception as error:
            self._log.failure("unexpected error while reading")
            why = error
        if why:
            self._disconnectSelectable(  # type: ignore[no-untyped-call]
                selectable, why, True
            )


def install_quick_reactor() -> bool:
    """
    Make this the process's reactor, unless there is one already.

    @return: was it installed? A postmaster's C{--reactor} comes first.
    """
    if "twisted.internet.reactor" in sys.modules:
        return False
    installReactor(QuickReactor())
    return True
