"""
What can be done with queued mail by hand.

@see: Haraka rows CI10 to CI13, OB17, OB18 and IS01; survey section 4 row 7
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

import attrs
from twisted.internet.defer import Deferred, DeferredLock

from harakatw.interfaces.queue import (
    Detour,
    Filter,
    IQueueStore,
    ItemState,
    QueueItem,
    SiteCount,
)
from harakatw.interfaces.services import IThreads
from harakatw.outbound.control.pauses import PauseBook
from harakatw.outbound.control.requests import Verb
from harakatw.outbound.control.returning import bounce_item
from harakatw.outbound.control.shape import Shape
from harakatw.outbound.scheduler.core import Target
from harakatw.outbound.scheduler.reports import Settled
from harakatw.outbound.scheduler.snapshot import Snapshot
from harakatw.reply import Reply

PAGE: Final = 500
"""Items that are in memory at a time."""

_READY, _LEASED, _HELD, _DEAD = ItemState

_SCOPES: Final[Mapping[Verb, tuple[ItemState, ...]]] = MappingProxyType(
    {
        Verb.HOLD: (_READY, _LEASED),
        Verb.RELEASE: (_HELD, _DEAD),
        Verb.RETRY: (_READY,),
    }
)


class Engine(Protocol):
    """
    What delivers, in a server that runs; see
    L{Scheduler<harakatw.outbound.scheduler.core.Scheduler>}.
    """

    def recall(self, which: Filter) -> "Deferred[tuple[int, ...]]":
        """Have items that wait in memory in the store instead, C{HELD}."""

    def flush(self, which: Filter) -> "Deferred[int]":
        """Have items that are C{READY} tried now."""

    def look(self) -> None:
        """Items may be due that were not."""

    def pause(self, target: Target) -> None:
        """Begin no attempt that is meant."""

    def resume(self, target: Target) -> None:
        """End a pause."""

    def snapshot(self) -> Snapshot:
        """Show what is going on."""


@attrs.frozen(kw_only=True)
class Changed:
    """
    What was done.

    @ivar changed: items.
    @ivar in_delivery: items that were meant and are being tried at this moment: they
        were left alone.
    @ivar kept: items without anybody to tell, which were not bounced and are C{DEAD}.
    """

    changed: int
    in_delivery: int = 0
    kept: int = 0


@attrs.frozen(eq=False, kw_only=True)
class QueueTool:
    """
    Looks at a queue, and changes it. Everything may fail with
    L{harakatw.errors.StoreError}; then some of what was meant may be done.

    @ivar store: the queue.
    @ivar now: seconds since 1970.
    @ivar settled: tells senders, as it does for the scheduler.
    @ivar threads: for reading bodies.
    @ivar engine: L{None} if there is no server that runs.
    @ivar pauses: what is paused.
    """

    store: IQueueStore
    now: Callable[[], float]
    settled: Settled
    threads: IThreads
    engine: Engine | None = None
    pauses: PauseBook = attrs.field(factory=PauseBook)
    _pausing: DeferredLock = attrs.field(factory=DeferredLock, init=False)

    # ---- look ------------------------------------------------------------------------

    async def pages(self, which: Filter) -> AsyncIterator[tuple[QueueItem, ...]]:
        """All items that are meant, by id."""
        after = 0
        while found := await self.store.find(which, PAGE, after):
            yield found
            after = found[-1].id

    async def number(self, which: Filter) -> int:
        """How many items are meant?"""
        found = 0
        async for page in self.pages(which):
            found += len(page)
        return found

    async def chunks(self, item: QueueItem) -> AsyncIterator[bytes]:
        """The octets of an item's message."""
        chunks = iter(await self.store.read_body(item.message_id))
        while chunk := await self.threads.call(next, chunks, b""):
            yield chunk

    async def counts(self) -> Mapping[ItemState, int]:
        """Items by state."""
        return await self.store.count()

    async def due_sites(self, limit: int) -> tuple[SiteCount, ...]:
        """Queues with items that are due, the longest waiting first."""
        return await self.store.due_sites(self.now(), limit)

    def snapshot(self) -> Snapshot | None:
        """What is going on, if there is a server."""
        return None if self.engine is None else self.engine.snapshot()

    async def shape(self, which: Filter) -> Shape:
        """How old the items are that are meant."""
        shape = Shape(self.now())
        async for page in self.pages(which):
            for item in page:
                shape.add(item)
        return shape

    # ---- change ----------------------------------------------------------------------

    async def hold(self, which: Filter) -> Changed:
        """Let items wait until they are released."""
        held = await self._change(which, (_READY,), state=_HELD)
        recalled = await self._recall(which)
        if self.engine is not None:  # some may have gone back to the store meanwhile
            held += await self._change(which, (_READY,), state=_HELD)
        return await self._done(which, held + len(recalled))

    async def release(self, which: Filter) -> Changed:
        """Have items tried that were held, or given up as C{DEAD}: now."""
        count = await self._change(
            which, (_HELD, _DEAD), state=_READY, due_seconds=self.now()
        )
        self._look()
        return Changed(changed=count)

    async def retry(self, which: Filter) -> Changed:
        """Have items tried now that wait for their time."""
        if self.engine is not None:
            count = await self.engine.flush(which)
        else:
            count = await self._change(which, (_READY,), due_seconds=self.now())
        return await self._done(which, count)

    async def reroute(self, which: Filter, detour: Detour) -> Changed:
        """
        Send items elsewhere: now, but for those that are C{HELD} or C{DEAD}; these stay
        so until they are released.
        """
        recalled, meant = await self._claim(which)
        count, now = 0, self.now()
        if meant is not None:
            count = await self.store.change(meant, None, now, detour)
        if recalled:  # they were being delivered, and still are to be
            await self.store.change(Filter(ids=recalled, state=_HELD), _READY)
        self._look()
        return await self._done(which, count)

    async def drop(self, which: Filter) -> Changed:
        """Remove items for good. Nobody is told."""
        _, meant = await self._claim(which)
        count = 0 if meant is None else await self.store.drop(meant)
        return await self._done(which, count)

    async def bounce(self, which: Filter, why: Reply) -> Changed:
        """
        Give items up, and tell their senders.

        Each is C{HELD} until its report is on disk: if this comes to an untimely end,
        some are so afterwards that were not before.

        @param why: what the report says; a 5xx reply.
        """
        _, meant = await self._claim(which)
        changed = kept = 0
        if meant is not None:
            async for page in self.pages(meant):
                for item in await self._for_us(page):
                    is_gone = await bounce_item(self.store, self.settled, item, why)
                    changed += is_gone
                    kept += not is_gone
        return attrs.evolve(await self._done(which, changed), kept=kept)

    async def pause(self, target: Target) -> bool:
        """
        Try nothing that is meant any more, also after a restart; what runs goes on.

        @return: was it not paused yet?
        """
        changed = await self._in_turn(self.pauses.add, target)
        if self.engine is not None:
            self.engine.pause(target)
        return changed

    async def resume(self, target: Target) -> bool:
        """End a pause; returns if there was one."""
        changed = await self._in_turn(self.pauses.remove, target)
        if self.engine is not None:
            self.engine.resume(target)
        return changed

    async def _in_turn(self, write: Callable[[Target], bool], target: Target) -> bool:
        """Two who pause at the same time do not overwrite each other's file."""
        changed: bool = await self._pausing.run(self.threads.call, write, target)
        return changed

    async def _for_us(self, page: Iterable[QueueItem]) -> tuple[QueueItem, ...]:
        """Those of some items that are not being delivered, and now will not be."""
        ids = frozenset(item.id for item in page if item.state is not _LEASED)
        if not ids:
            return ()
        await self.store.change(Filter(ids=ids, state=_READY), _HELD)
        found = await self.store.find(Filter(ids=ids), len(ids))
        return tuple(item for item in found if item.state in (_HELD, _DEAD))

    async def _claim(self, which: Filter) -> tuple[frozenset[int], Filter | None]:
        """
        Take what waits in memory out of the engine's hands.

        @return: the items that were there, and what is meant now that they are C{HELD};
            L{None} is nothing at all.
        """
        recalled = frozenset(await self._recall(which))
        if which.state is not _LEASED:
            return recalled, which
        return recalled, Filter(ids=recalled) if recalled else None

    async def _recall(self, which: Filter) -> tuple[int, ...]:
        if self.engine is None or which.state not in (None, _LEASED):
            return ()
        return await self.engine.recall(which)

    async def _change(
        self,
        which: Filter,
        states: Iterable[ItemState],
        *,
        state: ItemState | None = None,
        due_seconds: float | None = None,
    ) -> int:
        """Change what is in one of some states."""
        count = 0
        for each in narrowed(which, states):
            count += await self.store.change(each, state, due_seconds)
        return count

    def _look(self) -> None:
        if self.engine is not None:
            self.engine.look()

    async def _done(self, which: Filter, changed: int) -> Changed:
        busy = 0
        for leased in narrowed(which, (_LEASED,)):
            busy += await self.number(leased)
        return Changed(changed=changed, in_delivery=busy)


def scopes(verb: Verb, which: Filter) -> tuple[Filter, ...]:
    """
    What a verb changes of what is meant: one filter for each state, or one for all. Of
    items that are C{LEASED} some may be left alone.
    """
    states = _SCOPES.get(verb)
    return (which,) if states is None else narrowed(which, states)


def narrowed(which: Filter, states: Iterable[ItemState]) -> tuple[Filter, ...]:
    """What a filter means in these states, one filter for each."""
    if which.state is not None:
        return (which,) if which.state in states else ()
    return tuple(attrs.evolve(which, state=state) for state in states)
