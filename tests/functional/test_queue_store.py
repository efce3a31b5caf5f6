"""The queue with real threads, real crashes and a second process."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import SynchronousTestCase, TestCase

from harakatw.errors import StoreError
from harakatw.interfaces.queue import Filter, ItemState, QueueItem
from harakatw.outbound.store.sqlite import SQLiteStore
from harakatw.process.threads import PooledThreads
from tests.functional.queue_filler import body_of
from tests.outbound.store.fakes import (
    BODY,
    NOW,
    Faults,
    ids_of,
    make_store,
    message,
    new,
    retry,
)
from tests.rules.source import CHECKOUT

KILLS = 10


class ThreadTests(TestCase):
    """A queue beside a running reactor."""

    timeout = 30

    def setUp(self) -> None:
        """Open an empty queue."""
        self.faults = Faults()
        threads = PooledThreads(reactor, 4)  # type: ignore[arg-type]
        threads.start()
        self.addCleanup(threads.stop)
        self.store = SQLiteStore(
            Path(self.mktemp()),
            reactor,  # type: ignore[arg-type]
            threads,
            connect=self.faults.connect,
        )
        self.store.open()
        self.addCleanup(self.store.close)
        self.faults.statements.clear()

    def add(self, body: bytes = BODY) -> "Deferred[tuple[QueueItem, ...]]":
        """Queue a message."""
        return self.store.add(message(size=len(body)), (new(),), (body,))

    async def count(self, state: ItemState) -> int:
        """How many items are there of a state?"""
        return (await self.store.count())[state]

    async def test_group_commit(self) -> None:
        """Many messages that come at the same time share few writes to disk."""
        added = await gatherResults([self.add() for _ in range(300)])
        self.assertLess(self.faults.commits(), 30)
        ids = [number for items in added for number in ids_of(items)]
        self.assertEqual(len(set(ids)), 300)
        self.assertEqual(await self.count(ItemState.LEASED), 300)
        settled = [self.store.settle((number,), ()) for number in ids]
        await gatherResults(settled)
        self.assertEqual(await self.count(ItemState.LEASED), 0)
        self.assertLess(self.faults.commits(), 60)

    async def test_one_at_a_time(self) -> None:
        """A message that comes alone does not wait for others."""
        for number in range(5):
            (item,) = await self.add()
            self.assertEqual(self.faults.commits(), 2 * number + 1)
            await self.store.settle((item.id,), ())

    async def test_big_and_small(self) -> None:
        """Big and small messages are stored and read at the same time."""
        bodies = [os.urandom(100 if each % 4 else 200_000) for each in range(40)]
        added = await gatherResults([self.add(body) for body in bodies])
        for (item,), body in zip(added, bodies, strict=True):
            found = b"".join(await self.store.read_body(item.message_id))
            self.assertEqual(found, body)

    async def test_life(self) -> None:
        """A message is tried, put off, tried again, and done."""
        (item,) = await self.add()
        await self.store.settle((), (retry(item, due=NOW + 60),))
        self.assertEqual(await self.store.next_due(NOW), NOW + 60)
        (due,) = await self.store.due_sites(NOW + 60, 10)
        (leased,) = await self.store.lease(NOW + 60, due.site, 10, 60)
        self.assertEqual((leased.id, leased.attempts), (item.id, 1))
        await self.store.settle((item.id,), ())
        self.assertEqual(await self.store.find(Filter(), 10), ())

    async def test_close(self) -> None:
        """What was asked for is done before the queue is closed."""
        adding = [self.add() for _ in range(50)]
        closing = self.store.close()
        late = self.add()
        await gatherResults(adding)
        await closing
        self.failureResultOf(late, StoreError)
        self.store.open()
        self.assertEqual(await self.count(ItemState.READY), 50)


class KillTests(SynchronousTestCase):
    """A process that fills a queue and is killed (survey row 39)."""

    def setUp(self) -> None:
        """Have nothing queued."""
        self.directory = Path(self.mktemp())
        self.queued: dict[int, str] = {}
        self.tried: set[int] = set()
        self.settled: set[int] = set()

    def run_and_kill(self, lines: int) -> None:
        """Let a process fill the queue until it has printed so much, and kill it."""
        command = [sys.executable, "-m", "tests.functional.queue_filler"]
        filler = subprocess.Popen(
            [*command, str(self.directory.absolute())],
            stdout=subprocess.PIPE,
            cwd=CHECKOUT,
        )
        assert filler.stdout is not None
        with filler.stdout as output:
            self.assertEqual(output.readline(), b"open\n")
            self.assert_in_use(filler.pid)
            for _ in range(lines):
                self.note(output.readline())
            filler.send_signal(signal.SIGKILL)
            for line in output:
                self.note(line)
        self.assertEqual(filler.wait(), -signal.SIGKILL)

    def note(self, line: bytes) -> None:
        """The process said something; a kill may cut its last line short."""
        if not line.endswith(b"\n"):
            return
        number, _, domain = line[1:].decode().strip().partition(" ")
        if line.startswith(b"+"):
            self.queued[int(number)] = domain
        elif line.startswith(b"-"):
            self.tried.add(int(number))
        else:
            self.settled.add(int(number))

    def assert_in_use(self, pid: int) -> None:
        """Nobody else can open the queue meanwhile."""
        error = self.assertRaises(StoreError, make_store(self.directory).open)
        self.assertIn(f"(pid {pid})", str(error))

    def assert_complete(self) -> None:
        """All that was acknowledged is there, and nothing that was settled."""
        store = make_store(self.directory)
        store.open()
        found = self.everything(store)
        lost = self.queued.keys() - self.tried - found.keys()
        self.assertEqual(lost, set())
        self.assertEqual(self.settled & found.keys(), set())
        for number, item in found.items():
            self.assertEqual(self.queued.get(number, item.domain), item.domain)
            self.assertIs(item.state, ItemState.READY)
            body = self.successResultOf(store.read_body(item.message_id))
            self.assertEqual(b"".join(body), body_of(int(item.message.uuid)))
        self.successResultOf(store.close())

    def everything(self, store: SQLiteStore) -> dict[int, QueueItem]:
        """All that is queued, by id."""
        found = self.successResultOf(store.find(Filter(), 1_000_000))
        return {item.id: item for item in found}

    def test_kills(self) -> None:
        """
        Whenever the server is killed, no mail is lost that was acknowledged, none is
        there in part, and none comes again that was settled.
        """
        chance = random.Random(39)
        for _ in range(KILLS):
            self.run_and_kill(chance.randrange(1, 400))
            self.assert_complete()
        self.assertGreater(len(self.queued), 200)
        self.assertGreater(len(self.settled), 50)
        self.assertEqual(self.unknown_files(), set())

    def unknown_files(self) -> set[str]:
        """Bodies that are half written after the last start."""
        names: Any = os.listdir(self.directory / "bodies")
        return {name for name in names if name.endswith(".tmp")}
