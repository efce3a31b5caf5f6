"""A reactor on which the time of one server passes faster."""

from collections.abc import Callable
from typing import Any

import attrs
from twisted.internet import reactor as _reactor
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import directlyProvides, implementer, providedBy

reactor: Any = _reactor
"""The reactor that trial runs, whose methods Twisted's annotations do not know."""


@implementer(IDelayedCall)
@attrs.frozen(eq=False)
class _HurriedCall:
    """A delayed call that counts in the server's seconds."""

    _call: Any
    _factor: float

    def cancel(self) -> None:
        self._call.cancel()

    def active(self) -> bool:
        return bool(self._call.active())

    def getTime(self) -> float:
        return float(self._call.getTime()) * self._factor

    def delay(self, secondsLater: float) -> None:
        self._call.delay(secondsLater / self._factor)

    def reset(self, secondsFromNow: float) -> None:
        self._call.reset(secondsFromNow / self._factor)


@implementer(IReactorTime)
class HurriedReactor:
    """
    The reactor, but for a server on which a second lasts only a part of one.

    A server that is given this has real sockets, files and threads, and its least
    limits, which are a minute long, can be seen in a test.
    """

    def __init__(self, factor: float) -> None:
        """
        @param factor: how many of the server's seconds fit in one of ours.
        """
        self._factor = factor
        directlyProvides(self, providedBy(reactor))

    def seconds(self) -> float:
        """The server's time."""
        return float(reactor.seconds()) * self._factor

    def callLater(
        self, delay: float, callable: Callable[..., Any], *args: object, **kw: object
    ) -> IDelayedCall:
        return _HurriedCall(
            reactor.callLater(delay / self._factor, callable, *args, **kw),
            self._factor,
        )

    def getDelayedCalls(self) -> Any:
        return reactor.getDelayedCalls()

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)
