"""Tests of C{harakatw.outbound.store.writer}."""

import threading
from collections.abc import Sequence
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from harakatw.net.rounds import Round
from harakatw.outbound.store.operations import Operation, Settle
from harakatw.outbound.store.writer import MAX_BATCH, WriterThread


class WriterThreadTests(SynchronousTestCase):
    """The thread that writes."""

    def setUp(self) -> None:
        """Note what a thread is asked to do."""
        self.batches: list[Sequence[Operation[Any]]] = []
        self.threads: set[threading.Thread] = set()
        self.finished = 0
        self.writer = WriterThread(self.run_batch, self.finish)

    def run_batch(self, batch: Sequence[Operation[Any]]) -> None:
        """A batch is to be run."""
        self.threads.add(threading.current_thread())
        self.batches.append(batch)

    def finish(self) -> None:
        """The last batch was run."""
        self.threads.add(threading.current_thread())
        self.finished += 1

    def work(self) -> None:
        """Let the thread do all that there is to do."""
        self.writer.start()
        self.writer.stop()
        self.writer.join()

    def test_batches(self) -> None:
        """All that waits is one batch, in order, but for a limit."""
        calls = [Settle((number,), ()) for number in range(MAX_BATCH + 3)]
        for call in calls:
            self.writer.submit(call)
        self.work()
        self.assertEqual([len(batch) for batch in self.batches], [MAX_BATCH, 3])
        self.assertEqual([call for batch in self.batches for call in batch], calls)

    def test_one_thread(self) -> None:
        """Everything is done in one thread, which is not the caller's, and ends."""
        self.writer.submit(Settle((), ()))
        self.work()
        (thread,) = self.threads
        self.assertIsNot(thread, threading.current_thread())
        self.assertFalse(thread.is_alive())
        self.assertTrue(thread.daemon)

    def test_round(self) -> None:
        """What comes during a round of the reactor is one batch, at its end."""
        ends = Round()
        ends.is_open = True
        self.writer = WriterThread(self.run_batch, self.finish, ends)
        calls = [Settle((number,), ()) for number in range(3)]
        for call in calls:
            self.writer.submit(call)
        self.assertTrue(self.writer._waiting.empty())
        ends.end()
        self.assertEqual(self.writer._waiting.qsize(), 3)
        self.work()
        self.assertEqual(self.batches, [calls])

    def test_stopped_in_a_round(self) -> None:
        """What came last is run though the round never ends."""
        ends = Round()
        ends.is_open = True
        self.writer = WriterThread(self.run_batch, self.finish, ends)
        call = Settle((), ())
        self.writer.submit(call)
        self.work()
        self.assertEqual((self.batches, self.finished), ([[call]], 1))

    def test_nothing(self) -> None:
        """A queue that was not used is finished too, once."""
        self.work()
        self.assertEqual((self.batches, self.finished), ([], 1))
