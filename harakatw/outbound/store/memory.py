"""
A queue in memory: for tests, and for trying the engine in virtual time.

It keeps the contract of L{IQueueStore} but for one thing: nothing survives.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import attrs
from twisted.internet.defer import Deferred, fail, succeed
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
from harakatw.outbound.store.arguments import check_change, check_items, check_retries
from harakatw.outbound.store.filters import matcher


class _Clock(Protocol):
    def seconds(self) -> float:
        """Now, in seconds since 1970."""


@attrs.define
class _Kept:
    """
    An item.

    @ivar lease_end: while it is leased, in seconds since 1970.
    """

    item: QueueItem
    lease_end: float

    @property
    def is_leased(self) -> bool:
        return self.item.state is ItemState.LEASED

    @property
    def wake(self) -> float | None:
        """When somebody may take it; L{None} is never."""
        if self.is_leased:
            return self.lease_end
        return self.item.due if self.item.state is ItemState.READY else None


@implementer(IQueueStore)
@attrs.define(eq=False)
class MemoryStore:
    """
    All Deferreds have fired when they are returned.

    @ivar clock: tells how old items are, for L{Filter}.
    """

    clock: _Clock
    _items: dict[int, _Kept] = attrs.field(factory=dict, init=False)
    _bodies: dict[int, bytes] = attrs.field(factory=dict, init=False)
    _items_left: dict[int, int] = attrs.field(factory=dict, init=False)
    _next_id: int = attrs.field(default=1, init=False)

    def add(
        self,
        message: QueuedMessage,
        items: Sequence[NewItem],
        body: Iterable[bytes],
        seconds: float = 3600.0,
    ) -> "Deferred[tuple[QueueItem, ...]]":
        check_items(items)
        try:
            self._bodies[self._next_id] = b"".join(body)
        except StoreError:
            return fail()
        added = tuple(
            QueueItem(
                id=number,
                message_id=self._next_id,
                message=message,
                domain=item.domain,
                site=item.site or item.domain,
                recipients=item.recipients,
                due=item.due,
                state=ItemState.LEASED,
            )
            for number, item in enumerate(items, self._next_id)
        )
        self._items_left[self._next_id] = len(added)
        self._next_id += len(added)
        for each in added:
            self._items[each.id] = _Kept(each, message.queued_at + seconds)
        return succeed(added)

    def lease(
        self, now: float, site: str, limit: int, seconds: float
    ) -> "Deferred[tuple[QueueItem, ...]]":
        due = [each for each in self._due(now) if each[1].item.site == site]
        taken = [kept for _, kept in sorted(due, key=_by_turn)[:limit]]
        for kept in taken:
            kept.item = attrs.evolve(kept.item, state=ItemState.LEASED)
            kept.lease_end = now + seconds
        return succeed(tuple(kept.item for kept in taken))

    def due_sites(self, now: float, limit: int) -> "Deferred[tuple[SiteCount, ...]]":
        wakes: dict[str, list[float]] = {}
        for wake, kept in self._due(now):
            wakes.setdefault(kept.item.site, []).append(wake)
        sites = [SiteCount(site, len(due), min(due)) for site, due in wakes.items()]
        sites.sort(key=lambda site: site.earliest_due)
        return succeed(tuple(sites[:limit]))

    def next_due(self, now: float) -> "Deferred[float | None]":
        wakes = (kept.wake for kept in self._items.values())
        later = [wake for wake in wakes if wake is not None and wake > now]
        return succeed(min(later, default=None))

    def read_body(self, message_id: int) -> "Deferred[Iterable[bytes]]":
        body = self._bodies.get(message_id)
        if body is None:
            return fail(StoreError(f"there is no message {message_id}"))
        return succeed((body,))

    def settle(self, done: Iterable[int], retries: Iterable[Retry]) -> "Deferred[None]":
        others = tuple(retries)
        check_retries(others)
        for retry in others:
            if retry.id in self._items:
                kept = self._items[retry.id]
                changes = attrs.asdict(retry, recurse=False)
                del changes["id"]
                kept.item = attrs.evolve(kept.item, **changes)
        self._remove(done)
        return succeed(None)

    def give_back(self, ids: Iterable[int]) -> "Deferred[None]":
        for number in ids:
            kept = self._items.get(number)
            if kept is not None and kept.is_leased:
                kept.item = attrs.evolve(kept.item, state=ItemState.READY)
        return succeed(None)

    def find(
        self, which: Filter, limit: int, after: int = 0
    ) -> "Deferred[tuple[QueueItem, ...]]":
        found = [kept.item for kept in self._meant(which) if kept.item.id > after]
        return succeed(tuple(found[:limit]))

    def change(
        self,
        which: Filter,
        state: ItemState | None = None,
        due: float | None = None,
        detour: Detour | None = None,
    ) -> "Deferred[int]":
        check_change(state, due, detour)
        meant = self._free(which)
        for kept in meant:
            item = kept.item
            kept.item = attrs.evolve(
                item,
                state=item.state if state is None else state,
                due=item.due if due is None else due,
                site=item.site if detour is None else detour.site or item.domain,
                next_hop=item.next_hop if detour is None else detour.next_hop,
            )
        return succeed(len(meant))

    def drop(self, which: Filter) -> "Deferred[int]":
        meant = self._free(which)
        self._remove(kept.item.id for kept in meant)
        return succeed(len(meant))

    def count(self) -> "Deferred[Mapping[ItemState, int]]":
        counts = dict.fromkeys(ItemState, 0)
        for kept in self._items.values():
            counts[kept.item.state] += 1
        return succeed(counts)

    def _due(self, now: float) -> Iterator[tuple[float, _Kept]]:
        for kept in self._items.values():
            wake = kept.wake
            if wake is not None and wake <= now:
                yield wake, kept

    def _meant(self, which: Filter) -> list[_Kept]:
        is_meant: Callable[[QueueItem], bool] = matcher(which, self.clock.seconds())
        return [kept for kept in self._items.values() if is_meant(kept.item)]

    def _free(self, which: Filter) -> list[_Kept]:
        return [kept for kept in self._meant(which) if not kept.is_leased]

    def _remove(self, ids: Iterable[int]) -> None:
        """Remove items, and a body with the last item that needs it."""
        for number in ids:
            kept = self._items.pop(number, None)
            if kept is not None:
                message_id = kept.item.message_id
                self._items_left[message_id] -= 1
                if not self._items_left[message_id]:
                    del self._items_left[message_id], self._bodies[message_id]


def _by_turn(due: tuple[float, _Kept]) -> tuple[int, float]:
    """What is urgent first, then what has waited longest."""
    return -max(0, due[1].item.message.demands.priority), due[0]
