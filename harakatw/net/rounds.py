"""
What is said during one round of the reactor goes out together at its end.

To send on a socket wakes whoever reads it, mostly on another processor. Sent one by
one, between the work for one client and for the next, each line finds its reader asleep
again; sent together, they find it awake.

@see: C{docs/decisions/0004-quick-reactor.md}
"""

from collections.abc import Callable
from typing import Final

from twisted.logger import Logger

MOST_WAITING: Final = 64
"""So many are sent before the end of the round: the first must not wait for long."""


class Round:
    """
    A round of the reactor: its delayed calls, and the events that it was told of.

    @ivar is_open: is there one, so that what is added will be called soon? Never on a
        reactor that knows nothing of this.
    """

    __slots__ = ("_calls", "is_open")

    _log = Logger()

    def __init__(self) -> None:
        self.is_open = False
        self._calls: list[Callable[[], None]] = []

    def at_end(self, send: Callable[[], None]) -> None:
        """
        Call C{send} when the round ends. It may be called at once.

        @param send: sends what is there to be sent by then, maybe nothing.
        """
        calls = self._calls
        calls.append(send)
        if len(calls) >= MOST_WAITING:
            self.end()

    def end(self) -> None:
        """
        Make the calls, and those that they ask for: the reactor may sleep for long
        then. One that raises is logged and does not stop the others.
        """
        while self._calls:
            calls, self._calls = self._calls, []
            for send in calls:
                try:
                    send()
                except Exception:
                    self._log.failure("unexpected error while sending")


def round_of(reactor: object) -> Round:
    """The rounds of a reactor; of one that has none, a round that is never open."""
    found = getattr(reactor, "round", None)
    return found if isinstance(found, Round) else Round()
