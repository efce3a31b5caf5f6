"""
What became of items, until it is on disk.

An item that was delivered and cannot be settled, because the disk is full, say, stays
here as long as it takes: it is not tried again.
"""

from collections.abc import Callable
from functools import partial

import attrs
from twisted.logger import Logger
from twisted.python.failure import Failure

from harakatw.interfaces.queue import IQueueStore, Retry
from harakatw.outbound.scheduler.again import Again


@attrs.define(eq=False)
class Batch:
    """
    Leases that end.

    @ivar done: items to be removed.
    @ivar retries: items to be put back after an attempt, or into another queue.
    @ivar returned: items to be put back as they were.
    """

    done: list[int] = attrs.field(factory=list)
    retries: list[Retry] = attrs.field(factory=list)
    returned: list[int] = attrs.field(factory=list)

    def __len__(self) -> int:
        return len(self.done) + len(self.retries) + len(self.returned)

    def ids(self) -> list[int]:
        """All items."""
        return self.done + [each.id for each in self.retries] + self.returned


@attrs.define(eq=False)
class Ledger:
    """
    Ends leases.

    While the store is at it, what comes is gathered: the busier the store, the larger
    the batches. What could not be written is tried again in halves, so that an item
    that the store cannot take stands alone at last, and harms no other.
    """

    _store: IQueueStore
    _again: Again
    _settled: Callable[[Batch], None]
    _next: Batch = attrs.field(factory=Batch)
    _is_sending: bool = False
    _in_flight: int = 0
    _log = Logger()

    @property
    def unsettled(self) -> int:
        """How many items there are whose end is not on disk."""
        return len(self._next) + self._in_flight

    def done(self, item_id: int) -> None:
        """Remove an item."""
        self._next.done.append(item_id)
        if not self._is_sending:
            self._send_next()

    def retry(self, retry: Retry) -> None:
        """Put an item back, changed."""
        self._next.retries.append(retry)
        if not self._is_sending:
            self._send_next()

    def give_back(self, item_id: int) -> None:
        """Put an item back as it was."""
        self._next.returned.append(item_id)
        if not self._is_sending:
            self._send_next()

    def _send_next(self) -> None:
        while self._next and not self._is_sending:
            batch, self._next = self._next, Batch()
            self._is_sending = True
            self._in_flight += len(batch)
            self._send(batch, self._free)
            self._is_sending = self._is_sending and batch in self._open

    def _send(self, batch: Batch) -> None:
        raise NotImplementedError
