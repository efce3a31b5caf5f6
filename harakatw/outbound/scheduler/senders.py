"""Limits and pauses by sender: one customer does not take all there is."""

from collections import deque
from typing import Final

import attrs

from harakatw.outbound.attempt import Stage, Work

NULL_PATH: Final = "<>"
"""How the null path is written, to pause bounces."""


@attrs.define(eq=False)
class Senders:
    """
    What runs and waits for each sender.

    @ivar most: attempts at the same time for one sender; 0 is no limit.
    """

    most: int
    _paused: set[str] = attrs.field(factory=set)
    _running: dict[str, int] = attrs.field(factory=dict)
    _waiting: dict[str, deque[Work]] = attrs.field(factory=dict)

    @property
    def paused(self) -> frozenset[str]:
        """Whose mail is not to be sent, in lower case."""
        return frozenset(self._paused)

    @property
    def has_waiting(self) -> bool:
        """Does any item wait for its sender's turn?"""
        return bool(self._waiting)

    def pause(self, sender: str) -> None:
        """Send nothing of a sender from now on."""
        self._paused.add(_key(sender))

    def resume(self, sender: str) -> None:
        """Send a sender's mail again."""
        self._paused.discard(_key(sender))

    def is_paused(self, work: Work) -> bool:
        """Is this an item of a sender whose mail is not to be sent?"""
        return bool(self._paused) and _key(work.item.message.sender) in self._paused

    def must_wait(self, work: Work) -> bool:
        """
        Has the sender all that one gets? Then keep the item until L{next} or
        L{release} hands it out.
        """
        if not self.most:
            return False
        sender = work.item.message.sender
        if self._running.get(sender, 0) < self.most:
            return False
        work.stage = Stage.WAITING
        self._waiting.setdefault(sender, deque()).append(work)
        return True

    def started(self, work: Work) -> None:
        """Count an attempt that begins."""
        if self.most:
            sender = work.item.message.sender
            self._running[sender] = self._running.get(sender, 0) + 1

    def ended(self, work: Work) -> None:
        """Count an attempt that ends: L{next} may have another one."""
        sender = work.item.message.sender
        running = self._running.get(sender, 0)  # 0: there was no limit when it began
        if running > 1:
            self._running[sender] = running - 1
        elif running:
            del self._running[sender]

    def next(self, sender: str) -> Work | None:
        """The first item that waits for its sender's turn, which waits no more."""
        waiting = self._waiting.get(sender)
        found = None
        while waiting and found is None:
            work = waiting.popleft()
            found = work if work.stage is Stage.WAITING else None
        if not waiting:
            self._waiting.pop(sender, None)
        return found

    def release(self) -> tuple[Work, ...]:
        """All items that wait: they do no more."""
        waiting, self._waiting = self._waiting, {}
        works = (work for each in waiting.values() for work in each)
        return tuple(work for work in works if work.stage is Stage.WAITING)


def _key(sender: str) -> str:
    return sender.lower() or NULL_PATH
