"""Queues that do not do at once what they are asked for."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import attrs
from twisted.internet.defer import Deferred, fail, succeed

from harakatw.errors import StoreError
from harakatw.interfaces.queue import NewItem, QueuedMessage, QueueItem, Retry
from harakatw.outbound.store.memory import MemoryStore


@attrs.define(eq=False)
class HeldStore(MemoryStore):
    """
    Adds a message when it is told to.

    @ivar is_held: or at once, as others do.
    @ivar waiting: what is to be added, each with what to call then.
    @ivar added: what was, in order, with the body.
    @ivar broken_bodies: messages whose bodies cannot be read.
    @ivar chunks: what all bodies are instead, read a chunk at a time.
    @ivar settled: ids of items that were done or put back, in order, and of messages
        that were added in between, as C{+} and the sender.
    """

    is_held: bool = False
    waiting: list[tuple[Callable[[], Any], Deferred[Any]]] = attrs.field(factory=list)
    added: list[tuple[QueuedMessage, tuple[NewItem, ...], bytes]] = attrs.field(
        factory=list
    )
    broken_bodies: set[int] = attrs.field(factory=set)
    settled: list[str] = attrs.field(factory=list)
    chunks: Iterable[bytes] | None = None

    def add(
        self,
        message: QueuedMessage,
        items: Sequence[NewItem],
        body: Iterable[bytes],
        seconds: float = 3600.0,
    ) -> "Deferred[tuple[QueueItem, ...]]":
        octets = b"".join(body)

        def commit() -> "Deferred[tuple[QueueItem, ...]]":
            self.added.append((message, tuple(items), octets))
            self.settled.append(f"+{message.sender}")
            return MemoryStore.add(self, message, items, (octets,), seconds)

        if not self.is_held:
            return commit()
        done: Deferred[Any] = Deferred()
        self.waiting.append((commit, done))
        return done

    def commit(self) -> None:
        """Have the oldest message that waits on disk."""
        commit, done = self.waiting.pop(0)
        commit().addCallback(done.callback)

    def refuse(self) -> None:
        """The disk does not take the oldest message that waits."""
        _, done = self.waiting.pop(0)
        done.errback(StoreError("no space left on device"))

    def read_body(self, message_id: int) -> "Deferred[Iterable[bytes]]":
        if message_id in self.broken_bodies:
            return fail(StoreError("its body is missing"))
        if self.chunks is not None:
            return succeed(self.chunks)
        return MemoryStore.read_body(self, message_id)

    def settle(self, done: Iterable[int], retries: Iterable[Retry]) -> "Deferred[None]":
        ended, others = tuple(done), tuple(retries)
        self.settled += [f"-{number}" for number in ended]
        self.settled += [f"={each.id} {each.state.value}" for each in others]
        return MemoryStore.settle(self, ended, others)

    def bodies(self) -> int:
        """How many bodies are kept."""
        return len(cast(Any, self)._bodies)
