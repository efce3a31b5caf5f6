"""The calls that wait for the writer."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

import attrs
from twisted.internet.defer import Deferred

from harakatw.errors import StoreError
from harakatw.interfaces.queue import NewItem, QueuedMessage, QueueItem, Retry
from harakatw.outbound.store.bodies import Bodies, BodyFile
from harakatw.outbound.store.database import Addition, QueueDatabase

T = TypeVar("T")


@attrs.define(eq=False)
class Operation(ABC, Generic[T]):
    """
    One call. L{run} and what comes before belong to the writer's thread, L{report} to
    the reactor's.

    @ivar done: what the caller got.
    @ivar error: why it failed.
    """

    done: "Deferred[T]" = attrs.field(factory=Deferred, init=False)
    error: BaseException | None = attrs.field(default=None, init=False)
    _outcome: Any = attrs.field(default=None, init=False)

    def prepare(self) -> None:
        """Do what can be done before the transaction begins; may raise anything."""

    @abstractmethod
    def run(self, database: QueueDatabase) -> None:
        """Do it, inside a transaction; may raise what L{QueueDatabase} raises."""

    def discard(self) -> None:
        """It failed: remove what it left outside the database."""

    def undo(self) -> "Operation[Any] | None":
        """What takes it back, if its result is of no use when nobody wants it."""
        return None

    @property
    def is_unwanted(self) -> bool:
        """Has the caller cancelled it?"""
        return self.done.called

    def report(self) -> None:
        """Tell the caller how it ended."""
        if self.error is None:
            self.done.callback(self._outcome)
        else:
            self.done.errback(_as_store_error(self.error))


@attrs.define(eq=False)
class Add(Operation[tuple[QueueItem, ...]]):
    """
    Stores a message.

    @ivar bodies: takes a body that is too big for the database.
    @ivar inline_octets: the biggest that is not.
    """

    message: QueuedMessage
    items: tuple[NewItem, ...]
    body: Iterable[bytes] | BodyFile
    lease_end: float
    bodies: Bodies
    inline_octets: int
    addition: Addition | None = attrs.field(default=None, init=False)

    def prepare(self) -> None:
        """Put a big body into its file."""
        body = self.body if isinstance(self.body, BodyFile) else b"".join(self.body)
        if isinstance(body, bytes) and len(body) > self.inline_octets:
            body = self.body = self.bodies.write((body,))
        self.addition = Addition(self.message, self.items, body, self.lease_end)

    def run(self, database: QueueDatabase) -> None:
        """Insert it."""
        assert self.addition is not None, "prepare() comes first"
        (self._outcome,) = database.add((self.addition,))

    def stored(self, items: tuple[QueueItem, ...]) -> None:
        """It was stored, together with others."""
        self._outcome = items

    def discard(self) -> None:
        """Remove the file of a body that nobody wants."""
        if isinstance(self.body, BodyFile):
            self.bodies.remove(self.body.name)

    def undo(self) -> Operation[Any]:
        """Take it out again."""
        return Settle(tuple(item.id for item in self._outcome), ())


@attrs.define(eq=False)
class Settle(Operation[None]):
    """Ends leases."""

    finished: Sequence[int]
    retries: Sequence[Retry]

    def run(self, database: QueueDatabase) -> None:
        """Remove and put back."""
        database.settle(self.finished, self.retries)


@attrs.define(eq=False)
class Lease(Operation[tuple[QueueItem, ...]]):
    """Takes items of a queue."""

    now: float
    site: str
    limit: int
    seconds: float

    def run(self, database: QueueDatabase) -> None:
        """Take what is due."""
        self._outcome = database.lease(self.now, self.site, self.limit, self.seconds)

    def undo(self) -> Operation[Any]:
        """Give the items back: who asked for them has gone."""
        ids = tuple(item.id for item in self._outcome)
        return Call(lambda database: database.give_back(ids))


@attrs.define(eq=False)
class Call(Operation[T]):
    """Does anything else with the database."""

    function: Callable[[QueueDatabase], T]

    def run(self, database: QueueDatabase) -> None:
        """Do it."""
        self._outcome = self.function(database)


def _as_store_error(error: BaseException) -> StoreError:
    if isinstance(error, StoreError):
        return error
    told = StoreError(f"the queue did not take it: {error}")
    told.__cause__ = error
    return told
