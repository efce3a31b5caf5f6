"""
What became of items, until it is on disk.

An item that was delivered and cannot be settled, because the disk is full, say, stays
here as long as it takes: it is not tried again.
"""

from collections.abc import Callable, Iterable
from functools import partial

import attrs
from twisted.internet.defer import fail
from twisted.logger import Logger
from twisted.python.failure import Failure

from harakatw.interfaces.queue import IQueueStore, Retry
from harakatw.outbound.scheduler.again import Again


@attrs.frozen(eq=False)
class Batch:
    """
    Leases that end.

    @ivar done: items to be removed.
    @ivar retries: items to be put back.
    """

    done: list[int] = attrs.field(factory=list)
    retries: list[Retry] = attrs.field(factory=list)

    def __len__(self) -> int:
        return len(self.done) + len(self.retries)

    def halves(self) -> "tuple[Batch, ...]":
        """The same in two batches, or in one if it is a single item."""
        if len(self) < 2:
            return (self,)
        if self.done and self.retries:
            return Batch(done=self.done), Batch(retries=self.retries)
        done, retries = len(self.done) // 2, len(self.retries) // 2
        return (
            Batch(self.done[:done], self.retries[:retries]),
            Batch(self.done[done:], self.retries[retries:]),
        )


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
    _on_disk: Callable[[Batch], None]
    _next: Batch = attrs.field(factory=Batch)
    _in_flight: int = 0
    _is_sending: bool = False
    _is_looping: bool = False
    _is_failing: bool = False
    _log = Logger()

    @property
    def unsettled(self) -> int:
        """How many items there are whose end is not on disk."""
        return len(self._next) + self._in_flight

    def done(self, item_id: int) -> None:
        """Remove an item."""
        self._next.done.append(item_id)
        if not self._is_sending:
            self._send_all()

    def retry(self, retries: Iterable[Retry]) -> None:
        """Put items back, after an attempt, or as they were."""
        self._next.retries.extend(retries)
        if not self._is_sending:
            self._send_all()

    def _send_all(self) -> None:
        if self._is_looping:
            return  # the store answered at once: the loop below is still at it
        self._is_looping = True
        while not self._is_sending:
            batch = self._next
            count = len(batch.done) + len(batch.retries)
            if not count:
                break
            self._next = Batch()
            self._is_sending = True
            self._in_flight += count
            self._write(batch)
        self._is_looping = False

    def _write(self, batch: Batch, *, is_retry: bool = False) -> None:
        try:
            writing = self._store.settle(batch.done, batch.retries)
        except Exception:  # a bug there must not stop the queue
            writing = fail()
        arguments = (batch, is_retry)
        writing.addCallbacks(
            self._written, self._failed, callbackArgs=arguments, errbackArgs=arguments
        )

    def _written(self, _: object, batch: Batch, is_retry: bool) -> None:
        if is_retry and not self._again:  # other items' success says nothing of these
            self._is_failing = False
            self._again.worked()
            self._log.info("what could not be written is in the queue")
        self._in_flight -= len(batch)
        self._on_disk(batch)
        self._ended(is_retry)

    def _failed(self, failure: Failure, batch: Batch, is_retry: bool) -> None:
        if not self._is_failing:
            self._is_failing = True
            text = "what became of {count} items cannot be written, and is kept"
            self._log.failure(text, failure, count=len(batch))
        for half in batch.halves():
            self._again.later(partial(self._write, half, is_retry=True))
        self._ended(is_retry)

    def _ended(self, is_retry: bool) -> None:
        if not is_retry:
            self._is_sending = False
            self._send_all()
