"""A queue in memory, which can be slow, and can be broken."""

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import attrs
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from zope.interface import implementer

from harakatw.errors import StoreError
from harakatw.interfaces.queue import (
    Detour,
    Filter,
    IQueueStore,
    ItemState,
    NewItem,
    QueuedMessage,
    QueueItem,
    Retry,
    SiteCount,
)

_T = TypeVar("_T")
LEASE_SECONDS = 3600.0


@implementer(IQueueStore)
@attrs.define(eq=False)
class FakeStore:
    """
    As much of a queue as a scheduler sees.

    @ivar now: seconds since 1970.
    @ivar latency: seconds until a call is answered; 0 is at once.
    @ivar broken: does every call fail?
    @ivar poison: items that can not be settled.
    @ivar bug_for: items for which C{settle} raises, at once.
    @ivar items: what is queued, by id.
    @ivar leased_until: for those that are leased.
    @ivar calls: how often each method was called.
    @ivar largest_lease: most items that one call took.
    """

    clock: Clock
    now: Callable[[], float]
    latency: float = 0.0
    broken: bool = False
    poison: set[int] = attrs.field(factory=set)
    bug_for: set[int] = attrs.field(factory=set)
    items: dict[int, QueueItem] = attrs.field(factory=dict)
    leased_until: dict[int, float] = attrs.field(factory=dict)
    calls: Counter[str] = attrs.field(factory=Counter)
    largest_lease: int = 0
    _ids: "itertools.count[int]" = attrs.field(factory=lambda: itertools.count(1))
    _heaps: dict[str, list[tuple[float, int]]] = attrs.field(factory=dict)

    def put(self, message: QueuedMessage, new: NewItem) -> QueueItem:
        """Have an item in the queue that nobody leased."""
        number = next(self._ids)
        item = QueueItem(
            id=number,
            message_id=number,
            message=message,
            domain=new.domain,
            site=new.site or new.domain,
            recipients=new.recipients,
            due=new.due,
        )
        self._store(item)
        return item

    def _store(self, item: QueueItem) -> None:
        self.items[item.id] = item
        self.leased_until.pop(item.id, None)
        self._push(item)

    def _push(self, item: QueueItem) -> None:
        heap = self._heaps.setdefault(item.site, [])
        heapq.heappush(heap, (self._wake(item), item.id))

    def _wake(self, item: QueueItem) -> float:
        return self.leased_until.get(item.id, item.due)

    def _answer(self, name: str, do: Callable[[], _T]) -> "Deferred[_T]":
        self.calls[name] += 1
        if not self.latency:
            return self._result(do)
        answered: Deferred[None] = Deferred()
        self.clock.callLater(self.latency, answered.callback, None)
        return answered.addCallback(lambda _: self._result(do))

    def _result(self, do: Callable[[], _T]) -> "Deferred[_T]":
        if self.broken:
            return fail(StoreError("no space left on device"))
        try:
            return succeed(do())
        except StoreError:
            return fail()

    def _first(self, site: str) -> tuple[float, int] | None:
        """The item of a queue that may be taken first."""
        heap = self._heaps.get(site, [])
        while heap:
            wake, number = heap[0]
            item = self.items.get(number)
            if (
                item is not None
                and item.state is ItemState.READY
                and (item.site, self._wake(item)) == (site, wake)
            ):
                return heap[0]
            heapq.heappop(heap)
        self._heaps.pop(site, None)
        return None

    # ---- IQueueStore -----------------------------------------------------------------

    def add(
        self,
        message: QueuedMessage,
        items: Sequence[NewItem],
        body: Iterable[bytes],
        seconds: float = LEASE_SECONDS,
    ) -> "Deferred[tuple[QueueItem, ...]]":
        """Queue items, leased."""
        added = []
        for new in items:
            item = self.put(message, new)
            self._lend(item, self.now() + seconds)
            added.append(item)
        return succeed(tuple(added))

    def _lend(self, item: QueueItem, until: float) -> None:
        self.leased_until[item.id] = until
        self._push(item)

    def lease(
        self, now: float, site: str, limit: int, seconds: float
    ) -> "Deferred[tuple[QueueItem, ...]]":
        """Take what is due."""

        def take() -> tuple[QueueItem, ...]:
            taken: list[QueueItem] = []
            while len(taken) < limit:
                first = self._first(site)
                if first is None or first[0] > now:
                    break
                item = self.items[first[1]]
                self._lend(item, now + seconds)
                taken.append(item)
            self.largest_lease = max(self.largest_lease, len(taken))
            return tuple(taken)

        return self._answer("lease", take)

    def due_sites(self, now: float, limit: int) -> "Deferred[tuple[SiteCount, ...]]":
        """Queues with something due."""

        def look() -> tuple[SiteCount, ...]:
            firsts = ((site, self._first(site)) for site in tuple(self._heaps))
            due = [(each[0], site) for site, each in firsts if each and each[0] <= now]
            return tuple(SiteCount(site, 1, wake) for wake, site in sorted(due)[:limit])

        return self._answer("due_sites", look)

    def next_due(self, now: float) -> "Deferred[float | None]":
        """The next time that something becomes due."""

        def look() -> float | None:
            wakes = [
                wake
                for heap in self._heaps.values()
                for wake, number in heap
                if wake > now and self._is_current(wake, number)
            ]
            return min(wakes, default=None)

        return self._answer("next_due", look)

    def _is_current(self, wake: float, number: int) -> bool:
        item = self.items.get(number)
        return (
            item is not None
            and item.state is ItemState.READY
            and self._wake(item) == wake
        )

    def read_body(self, message_id: int) -> "Deferred[Iterable[bytes]]":
        """Everybody says the same."""
        return succeed((b"Subject: hello\r\n\r\n",))

    def settle(self, done: Iterable[int], retries: Iterable[Retry]) -> "Deferred[None]":
        """End leases."""
        done, retries = tuple(done), tuple(retries)
        if self.bug_for.intersection(done):
            raise ValueError("a bug")

        def write() -> None:
            if self.poison.intersection((*done, *(each.id for each in retries))):
                raise StoreError("a damaged item")
            for number in done:
                del self.items[number]
                self.leased_until.pop(number, None)
            for each in retries:
                changes = attrs.asdict(each, recurse=False)
                self._store(attrs.evolve(self.items[each.id], **changes))

        return self._answer("settle", write)

    def give_back(self, ids: Iterable[int]) -> "Deferred[None]":
        """End leases."""
        numbers = tuple(ids)

        def write() -> None:
            for number in numbers:
                self._store(self.items[number])

        return self._answer("give_back", write)

    def find(
        self, which: Filter, limit: int, after: int = 0
    ) -> "Deferred[tuple[QueueItem, ...]]":
        """Look items up."""
        found = [each for each in self._matching(which) if each.id > after]
        return succeed(tuple(found[:limit]))

    def _matching(self, which: Filter) -> list[QueueItem]:
        return [
            item
            for item in self.items.values()
            if (not which.domain or item.domain == which.domain)
            and (not which.site or item.site == which.site)
            and (not which.sender or item.message.sender == which.sender)
            and (which.state is None or self._state(item) is which.state)
        ]

    def _state(self, item: QueueItem) -> ItemState:
        is_leased = self.leased_until.get(item.id, 0.0) > self.now()
        return ItemState.LEASED if is_leased else item.state

    def change(
        self,
        which: Filter,
        state: ItemState | None = None,
        due: float | None = None,
        detour: Detour | None = None,
    ) -> "Deferred[int]":
        """Change what is not leased."""

        def write() -> int:
            found = [
                item
                for item in self._matching(which)
                if self._state(item) is not ItemState.LEASED
            ]
            for item in found:
                new_state = item.state if state is None else state
                new_due = item.due if due is None else due
                self._store(attrs.evolve(item, state=new_state, due=new_due))
            return len(found)

        return self._answer("change", write)

    def drop(self, which: Filter) -> "Deferred[int]":
        """Remove what is not leased."""
        found = self._matching(which)
        for item in found:
            del self.items[item.id]
        return succeed(len(found))

    def count(self) -> "Deferred[Mapping[ItemState, int]]":
        """Count by state."""
        return succeed(Counter(map(self._state, self.items.values())))
