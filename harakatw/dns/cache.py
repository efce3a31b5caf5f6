"""Answers that are remembered for as long as their owner allows."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

T = TypeVar("T")

MAX_ENTRIES = 10_000
"""Answers that one cache remembers; the one used longest ago makes room."""


@attrs.frozen
class Timed(Generic[T]):
    """
    An answer.

    @ivar seconds: how long it holds; 0 if it is not to be remembered.
    """

    value: T
    seconds: float


class LookupCache(Generic[T]):
    """
    Asks for each name once: while an answer holds it is given at once, and whoever asks
    for a name while the answer is on its way waits for that answer.
    """

    def __init__(
        self,
        clock: IReactorTime,
        ask: Callable[[str], "Deferred[Timed[T]]"],
        max_entries: int = MAX_ENTRIES,
    ) -> None:
        """
        @param ask: finds the answer to a name.
        """
        self._clock = clock
        self._ask = ask
        self._max_entries = max_entries
        self._known: OrderedDict[str, tuple[float, T]] = OrderedDict()
        self._waiting: dict[str, list[Deferred[T]]] = {}

    def get(self, name: str) -> "T | Deferred[T]":
        """
        Find the answer to a name.

        @return: the answer, or what fires with it if it is not known yet, and fails as
            the look-up does. To cancel that affects nobody else who waits.
        """
        known = self._known.get(name)
        if known is not None and self._clock.seconds() < known[0]:
            self._known.move_to_end(name)
            return known[1]
        answer: Deferred[T] = Deferred()
        waiting = self._waiting.get(name)
        if waiting is not None:
            waiting.append(answer)
            return answer
        self._waiting[name] = [answer]
        asked = self._ask(name)
        asked.addCallback(self._found, name).addErrback(self._failed, name)
        return answer

    def _found(self, answer: Timed[T], name: str) -> None:
        if answer.seconds > 0:
            self._known[name] = (self._clock.seconds() + answer.seconds, answer.value)
            self._known.move_to_end(name)
            if len(self._known) > self._max_entries:
                self._known.popitem(last=False)
        for waiting in self._waiting.pop(name):
            waiting.callback(answer.value)

    def _failed(self, failure: Failure, name: str) -> None:
        for waiting in self._waiting.pop(name, ()):
            waiting.errback(failure)

    def __len__(self) -> int:
        """How many answers are remembered."""
        return len(self._known)
