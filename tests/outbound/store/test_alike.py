"""Both stores do the same, whatever they are asked in whatever order."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from harakatw.interfaces.queue import Detour, Filter, IQueueStore, ItemState, QueueItem
from harakatw.outbound.store.memory import MemoryStore
from tests.outbound.store.fakes import (
    BODY,
    NowReactor,
    ids_of,
    make_store,
    message,
    new,
    retry,
)

DOMAINS = ("a.example", "b.example", "c.example")
Ask = Callable[[IQueueStore], "Deferred[Any]"]


class AlikeTests(SynchronousTestCase):
    """A store in SQLite and one in memory, asked the same at random."""

    def setUp(self) -> None:
        """Make both."""
        self.clock = NowReactor()
        disk = make_store(Path(self.mktemp()), reactor=self.clock)
        disk.open()
        self.addCleanup(disk.close)
        self.stores: tuple[IQueueStore, ...] = (disk, MemoryStore(self.clock))
        self.items: dict[int, QueueItem] = {}

    def ask(self, ask: Ask) -> Any:
        """Ask both, and get the answer of both."""
        first, second = (self.successResultOf(ask(store)) for store in self.stores)
        self.assertEqual(first, second)
        return first

    def at_random(self, chance: random.Random) -> Ask:
        """Something to be asked."""
        now = self.clock.seconds()
        domain = chance.choice(DOMAINS)
        ids = chance.sample(sorted(self.items), min(3, len(self.items)))
        seconds = chance.uniform(-50, 100)
        state = chance.choice((ItemState.READY, ItemState.HELD, ItemState.DEAD))
        which = Filter(ids=frozenset(ids), state=chance.choice((None, state)))
        retries = [
            retry(
                self.items[number],
                due=now + seconds + number / 1000,  # all different: ties have no order
                state=state,
                site=domain,
            )
            for number in ids
        ]
        new_items = [new(name) for name in chance.choices(DOMAINS, k=2)]
        about = message(queued_at=now)
        asked: tuple[Ask, ...] = (
            *[lambda store: store.add(about, new_items, (BODY,), abs(seconds) + 1)] * 3,
            lambda store: store.lease(now, domain, 100, abs(seconds) + 1),
            lambda store: store.settle(ids[:1], retries[1:]),
            lambda store: store.give_back(ids),
            lambda store: store.change(which, state),
            lambda store: store.change(which, None, now + seconds),
            lambda store: store.change(which, detour=Detour("x", domain)),
            lambda store: store.drop(which),
        )
        return chance.choice(asked)

    def test_alike(self) -> None:
        """They agree on all that there is, all that is due, and what to do next."""
        for seed in range(6):
            chance = random.Random(seed)
            for _ in range(50):
                self.answer(self.at_random(chance))
                self.clock.advance(chance.choice((0, 0, 5, 40)))
            everything = self.ask(lambda store: store.find(Filter(), 10_000))
            self.assertGreater(len(everything), 5)

    def answer(self, ask: Ask) -> None:
        """Ask both, and look at what they have then."""
        first, second = (self.successResultOf(ask(store)) for store in self.stores)
        if isinstance(first, tuple):  # of a lease, where items due since the same
            first, second = sorted(first, key=_id), sorted(second, key=_id)
        self.assertEqual(first, second)
        now = self.clock.seconds()
        found = self.ask(lambda store: store.find(Filter(), 10_000))
        self.items = {item.id: item for item in found}
        self.ask(lambda store: store.count())
        self.ask(lambda store: store.next_due(now))
        due = [self.successResultOf(store.due_sites(now, 100)) for store in self.stores]
        self.assertEqual(*(sorted(sites, key=str) for sites in due))
        self.assertEqual(ids_of(found), sorted(self.items))


def _id(item: QueueItem) -> int:
    return item.id
