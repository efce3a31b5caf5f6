"""
The queue's store alone: messages are queued, and settled at once.

Prints the rate, the CPU time for both calls together, and how long a caller waited for
its message to be on disk; the slowest of these had a checkpoint in between.
"""

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import react

from benchmarks._server import machine
from harakatw.interfaces.queue import NewItem, QueuedMessage, QueuedRecipient
from harakatw.outbound.store.sqlite import SQLiteStore
from harakatw.process.threads import PooledThreads

MESSAGES = 20_000
OCTETS = 5_000
CALLERS = (1, 50, 200)


async def call(store: SQLiteStore, messages: int, waits: list[float]) -> None:
    """Queue and settle messages one after the other."""
    item = NewItem(domain="a.example", recipients=(QueuedRecipient("r@a.example"),))
    body = (os.urandom(OCTETS),)
    for _ in range(messages):
        now = time.time()
        about = QueuedMessage(
            uuid="ABC.1", sender="s@ours.example", size=OCTETS, queued_at=now
        )
        began = time.perf_counter()
        added = await store.add(about, (item,), body)
        waits.append(time.perf_counter() - began)
        await store.settle([each.id for each in added], ())


async def measure(store: SQLiteStore, callers: int) -> None:
    """Measure with so many callers at the same time."""
    waits: list[float] = []
    messages = MESSAGES if callers > 1 else MESSAGES // 10
    began, cpu = time.perf_counter(), time.process_time()
    calls = [call(store, messages // callers, waits) for _ in range(callers)]
    await gatherResults(map(Deferred.fromCoroutine, calls))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    waits.sort()
    middle, late = waits[len(waits) // 2], waits[len(waits) * 99 // 100]
    print(
        f"{callers} at a time: {messages / seconds:,.0f} messages/s,"
        f" {cpu / messages * 1e6:.0f} us CPU each; on disk after {middle * 1e3:.1f} ms,"
        f" 99 % after {late * 1e3:.1f} ms, all after {waits[-1] * 1e3:.1f} ms"
    )


async def run(reactor: Any, folder: str) -> None:
    """Measure on an empty queue."""
    threads = PooledThreads(reactor, 4)
    threads.start()
    store = SQLiteStore(Path(folder), reactor, threads)
    try:
        store.open()
        for callers in CALLERS:
            await measure(store, callers)
        await store.close()
    finally:
        threads.stop()


if __name__ == "__main__":
    print(machine())
    with tempfile.TemporaryDirectory(prefix="harakatw-store-", dir=".") as place:
        react(lambda reactor: Deferred.fromCoroutine(run(reactor, place)))
