"""The thread that alone writes to a queue."""

import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, Final, Protocol

from harakatw.net.rounds import Round
from harakatw.outbound.store.operations import Operation

MAX_BATCH: Final = 512
"""Calls in one transaction; more wait for the next, so that replies are not late."""

RunBatch = Callable[[Sequence[Operation[Any]]], None]


class Writer(Protocol):
    """Runs calls in the order in which they came, one batch after the other."""

    def start(self) -> None:
        """Begin to run what is submitted."""

    def submit(self, operation: Operation[Any]) -> None:
        """Have a call run. Does not block."""

    def stop(self) -> None:
        """Run what was submitted, then finish. Does not block; nothing may follow."""


class MakeWriter(Protocol):
    """Makes a L{Writer}."""

    def __call__(self, run: RunBatch, finish: Callable[[], None]) -> Writer:
        """
        @param run: runs a batch; raises nothing.
        @param finish: is called once, after the last batch, in the same thread.
        """


class WriterThread:
    """
    The usual L{Writer}: a thread of its own, that takes all that waits as one batch.

    It does not keep the process alive: whoever wants an orderly end calls L{stop}. A
    queue survives a disorderly one.

    What comes during one round of the reactor is handed to it together: to wake a
    thread for each call costs more than most calls do, and makes its batches small.
    """

    def __init__(
        self, run: RunBatch, finish: Callable[[], None], ends: Round | None = None
    ) -> None:
        """
        @param ends: tells when a round is over; L{None} to hand each call over at once.
        """
        self._run = run
        self._finish = finish
        self._ends = ends or Round()
        self._gathered: list[Operation[Any]] = []
        self._waiting: SimpleQueue[Operation[Any] | None] = SimpleQueue()
        self._thread = threading.Thread(
            target=self._loop, name="queue-writer", daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, operation: Operation[Any]) -> None:
        """Have a call run."""
        if not self._ends.is_open:
            self._waiting.put(operation)
            return
        self._gathered.append(operation)
        if len(self._gathered) == 1:
            self._ends.at_end(self._hand_over)

    def _hand_over(self) -> None:
        gathered, self._gathered = self._gathered, []
        for operation in gathered:
            self._waiting.put(operation)

    def stop(self) -> None:
        """Let the thread end when it has run what waits."""
        self._hand_over()
        self._waiting.put(None)

    def join(self) -> None:
        """Wait until the thread has ended."""
        self._thread.join()

    def _loop(self) -> None:
        is_last = False
        while not is_last:
            batch = []
            for operation in self._take():
                if operation is None:
                    is_last = True
                else:
                    batch.append(operation)
            if batch:
                self._run(batch)
        self._finish()

    def _take(self) -> list[Operation[Any] | None]:
        """Wait for a call, and take what others wait."""
        first = self._waiting.get()
        others = min(self._waiting.qsize(), MAX_BATCH - 1)
        return [first, *(self._waiting.get() for _ in range(others))]
