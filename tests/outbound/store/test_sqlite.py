"""Tests of C{harakatw.outbound.store.sqlite}."""

import os
from pathlib import Path
from typing import Any

import attrs
from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import StoreError
from harakatw.interfaces.queue import Filter, ItemState, QueueItem
from harakatw.outbound.store.sqlite import CHANGE_PAGE, SQLiteStore
from harakatw.testing.threads import HeldThreads
from tests.outbound.store import contract, tool_contract
from tests.outbound.store.fakes import (
    BODY,
    NOW,
    HeldWriter,
    LateReactor,
    NowReactor,
    held_writers,
    ids_of,
    make_store,
    message,
    new,
    retry,
)


class OnDisk(contract.StoreTestCase):
    """Mail in SQLite."""

    inline_octets = 65_536

    def setUp(self) -> None:
        """Make an empty queue."""
        self.clock = NowReactor()
        self.store = make_store(
            Path(self.mktemp()), reactor=self.clock, inline_octets=self.inline_octets
        )
        self.store.open()
        self.addCleanup(self.store.close)


class AddTests(OnDisk, contract.AddContract):
    """Queueing in SQLite."""


class AddFileTests(OnDisk, contract.AddContract):
    """Queueing with bodies in files."""

    inline_octets = 0


class LeaseTests(OnDisk, contract.LeaseContract):
    """Leases in SQLite."""


class SettleTests(OnDisk, contract.SettleContract):
    """Ends of leases in SQLite."""


class DueTests(OnDisk, contract.DueContract):
    """What is due in SQLite."""


class ToolTests(OnDisk, tool_contract.ToolContract):
    """Queue tools on a store in SQLite."""


class ToolFileTests(OnDisk, tool_contract.ToolContract):
    """Queue tools where bodies are in files."""

    inline_octets = 0


class FindTests(OnDisk, tool_contract.FindContract):
    """Filters on a store in SQLite."""


class StoreTests(SynchronousTestCase):
    """A queue that is opened and closed."""

    def setUp(self) -> None:
        """Choose a directory."""
        self.directory = Path(self.mktemp()) / "queue" / "1"

    def open(self, **more: Any) -> SQLiteStore:
        """Open the queue; it is closed when the test is over."""
        store = make_store(self.directory, **more)
        store.open()
        self.addCleanup(store.close)
        return store

    def close(self, store: SQLiteStore) -> None:
        """Close it now."""
        self.successResultOf(store.close())

    def add(
        self, store: SQLiteStore, body: bytes = BODY, **more: Any
    ) -> tuple[QueueItem, ...]:
        """Queue a message for two domains."""
        about = message(size=len(body), **more)
        items = (new(), new("b.example"))
        return self.successResultOf(store.add(about, items, (body,)))

    def all_of(self, store: SQLiteStore) -> tuple[QueueItem, ...]:
        """Everything that is queued."""
        return self.successResultOf(store.find(Filter(), 1000))

    def files(self) -> list[str]:
        """Bodies in files."""
        return os.listdir(self.directory / "bodies")


class OpenTests(StoreTests):
    """What outlives the process."""

    def test_reopened(self) -> None:
        """All mail is there after a restart, and nobody has it leased any more."""
        store = self.open()
        items = self.add(store, notes={"a": {"b": 1}})
        failed = retry(items[1], due=NOW + 60, last_error="timeout")
        self.successResultOf(store.settle((), (failed,)))
        before = self.all_of(store)
        self.close(store)

        store = self.open()
        after = self.all_of(store)
        self.assertEqual(
            after, (attrs.evolve(items[0], state=ItemState.READY), before[1])
        )
        (due,) = self.successResultOf(store.due_sites(NOW, 10))
        self.assertEqual((due.site, due.ready), ("a.example", 1))
        body = self.successResultOf(store.read_body(items[0].message_id))
        self.assertEqual(b"".join(body), BODY)

    def test_held_stays(self) -> None:
        """Mail on hold and dead mail stay so over a restart."""
        store = self.open()
        items = self.add(store)
        self.successResultOf(store.give_back(ids_of(items)))
        for item, state in zip(items, (ItemState.HELD, ItemState.DEAD), strict=True):
            which = Filter(ids=frozenset((item.id,)))
            self.successResultOf(store.change(which, state=state))
        before = self.all_of(store)
        self.close(store)
        self.assertEqual(self.all_of(self.open()), before)

    def test_ids(self) -> None:
        """No id is used twice, whatever was removed and however it ended."""
        store = self.open()
        first = self.add(store)
        self.successResultOf(store.settle(ids_of(first), ()))
        self.close(store)
        store = self.open()
        (second, third) = self.add(store)
        self.assertEqual(second.id, first[1].id + 1)  # and none is left out
        self.successResultOf(store.drop(Filter()))
        self.assertEqual(self.all_of(store), (second, third))

    def test_owner(self) -> None:
        """A second process is kept out, and told by whom."""
        self.open()
        second = make_store(self.directory)
        error = self.assertRaises(StoreError, second.open)
        self.assertIn("is in use by another process", str(error))
        self.assertIn(f"(pid {os.getpid()})", str(error))

    def test_open_twice(self) -> None:
        """So is a second call."""
        store = self.open()
        self.assertRaises(StoreError, store.open)
        self.add(store)

    def test_closed(self) -> None:
        """A closed queue takes nothing and says so; it can be opened again."""
        store = self.open()
        (item, _) = self.add(store)
        self.close(store)
        self.close(store)
        for call in (
            store.add(message(), (new(),), (BODY,)),
            store.lease(NOW, "a.example", 1, 60),
            store.due_sites(NOW, 1),
            store.next_due(NOW),
            store.read_body(item.message_id),
            store.settle((item.id,), ()),
            store.give_back((item.id,)),
            store.find(Filter(), 1),
            store.change(Filter(), due=NOW),
            store.drop(Filter()),
            store.count(),
        ):
            self.failureResultOf(call, StoreError)
        store.open()
        self.assertEqual(len(self.all_of(store)), 2)

    def test_private(self) -> None:
        """Nobody else on the host reads the mail."""
        old = os.umask(0)
        self.addCleanup(os.umask, old)
        store = self.open(inline_octets=0)
        self.add(store)
        found = [self.directory, *self.directory.rglob("*")]
        self.assertGreater(len(found), 5)
        wrong = [path for path in found if path.stat().st_mode & 0o077]
        self.assertEqual(wrong, [])

    def test_nowhere(self) -> None:
        """A directory that cannot be made is a clear error."""
        self.directory.parent.parent.mkdir(parents=True)
        self.directory.parent.write_text("in the way")
        error = self.assertRaises(StoreError, make_store(self.directory).open)
        self.assertIn(str(self.directory), str(error))


class BigBodyTests(StoreTests):
    """Bodies in files."""

    BIG = bytes(range(256)) * 1000

    def test_where(self) -> None:
        """Only bodies over the limit get a file, and only one each."""
        store = self.open(inline_octets=1000)
        self.add(store, b"x" * 1000)
        self.assertEqual(self.files(), [])
        items = self.add(store, b"x" * 1001)
        self.assertEqual(len(self.files()), 1)
        self.successResultOf(store.settle((items[0].id,), ()))
        self.assertEqual(len(self.files()), 1)
        self.successResultOf(store.settle((items[1].id,), ()))
        self.assertEqual(self.files(), [])

    def test_reopened(self) -> None:
        """They are there after a restart."""
        store = self.open()
        items = self.add(store, self.BIG)
        self.close(store)
        store = self.open()
        body = self.successResultOf(store.read_body(items[0].message_id))
        self.assertEqual(b"".join(body), self.BIG)

    def test_wrong_size(self) -> None:
        """A body that is bigger than was said gets a file as well."""
        store = self.open(inline_octets=1000)
        about = message(size=5)
        self.successResultOf(store.add(about, (new(),), (b"x" * 2000,)))
        self.assertEqual(len(self.files()), 1)

    def test_dropped(self) -> None:
        """They go with what is dropped."""
        store = self.open(inline_octets=0)
        items = self.add(store)
        self.successResultOf(store.give_back(ids_of(items)))
        self.successResultOf(store.drop(Filter()))
        self.assertEqual(self.files(), [])

    def test_read_while_removed(self) -> None:
        """A body that is being sent can be removed under the sender."""
        store = self.open()
        items = self.add(store, self.BIG)
        body = iter(self.successResultOf(store.read_body(items[0].message_id)))
        start = next(body)
        self.successResultOf(store.settle(ids_of(items), ()))
        self.assertEqual(self.files(), [])
        self.assertEqual(start + b"".join(body), self.BIG)

    def test_closed_meanwhile(self) -> None:
        """A queue that is closed while a body is written keeps nothing of it."""
        threads = HeldThreads()
        store = self.open(threads=threads)
        threads.run_one()  # the look for leftovers
        adding = store.add(message(size=10**6), (new(),), (self.BIG,))
        self.close(store)
        threads.run_one()
        self.failureResultOf(adding, StoreError)
        self.assertEqual(self.files(), [])


class CancelTests(StoreTests):
    """A caller that waits no longer, such as a queue hook that ran out of time."""

    def setUp(self) -> None:
        """Open a queue whose writer is slow."""
        super().setUp()
        made: list[HeldWriter] = []
        self.reactor = LateReactor()
        self.store = self.open(
            reactor=self.reactor, make_writer=held_writers(made), inline_octets=1000
        )
        (self.writer,) = made

    def work(self) -> None:
        """Let the writer and the reactor do all that they have to."""
        while self.writer.waiting or self.reactor.waiting:
            self.writer.work()
            self.reactor.work()

    def test_before(self) -> None:
        """What nobody waits for when its turn comes is not stored."""
        adding = self.store.add(message(), (new(),), (BODY,))
        big = self.store.add(message(size=2000), (new(),), (b"x" * 2000,))
        adding.cancel()
        big.cancel()
        self.work()
        self.failureResultOf(adding, CancelledError)
        self.failureResultOf(big, CancelledError)
        self.assertEqual(self.all_of(self.store), ())
        self.assertEqual(self.files(), [])

    def test_meanwhile(self) -> None:
        """
        What nobody waits for any more when it is stored is removed: the client was told
        to come again, and would have the message delivered twice.
        """
        adding = self.store.add(message(size=2000), (new(),), (b"x" * 2000,))
        self.writer.work()
        self.assertEqual(len(self.all_of(self.store)), 1)
        adding.cancel()
        self.failureResultOf(adding, CancelledError)
        self.work()
        self.assertEqual(self.all_of(self.store), ())
        self.assertEqual(self.files(), [])

    def test_lease(self) -> None:
        """What nobody waits for any more when it is leased is given back."""
        adding = self.store.add(message(), (new(),), (BODY,))
        self.work()
        (item,) = self.successResultOf(adding)
        giving = self.store.give_back((item.id,))
        self.work()
        self.successResultOf(giving)
        leasing = self.store.lease(NOW, "a.example", 1, 60)
        self.writer.work()
        leasing.cancel()
        self.failureResultOf(leasing, CancelledError)
        self.work()
        (item,) = self.all_of(self.store)
        self.assertIs(item.state, ItemState.READY)

    def test_others(self) -> None:
        """What cannot or need not be undone stays done."""
        adding = self.store.add(message(), (new(),), (BODY,))
        self.work()
        settling = self.store.settle(ids_of(self.successResultOf(adding)), ())
        self.writer.work()
        settling.cancel()
        self.failureResultOf(settling, CancelledError)
        self.work()
        self.assertEqual(self.all_of(self.store), ())


class ManyTests(StoreTests):
    """Queue tools on very many items."""

    def test_pages(self) -> None:
        """More items than one transaction takes are all changed, and all dropped."""
        store = self.open()
        many = CHANGE_PAGE * 2 + 1
        adding = store.add(message(), [new()] * many, (BODY,))
        self.successResultOf(store.give_back(ids_of(self.successResultOf(adding))))
        changing = store.change(Filter(state=ItemState.READY), state=ItemState.HELD)
        self.assertEqual(self.successResultOf(changing), many)
        dropping = store.drop(Filter(state=ItemState.HELD))
        self.assertEqual(self.successResultOf(dropping), many)
        self.assertEqual(self.all_of(store), ())
