"""
The queue of one process, in SQLite.

@see: C{docs/decisions/0010-the-queue-in-sqlite.md}
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import attrs
from twisted.internet.defer import Deferred, fail, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure
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
from harakatw.interfaces.services import IThreads
from harakatw.outbound.store.arguments import check_change, check_items, check_retries
from harakatw.outbound.store.batch import BatchRunner, Ended
from harakatw.outbound.store.bodies import BodyFile
from harakatw.outbound.store.database import QueueDatabase
from harakatw.outbound.store.disk import Disk
from harakatw.outbound.store.filters import Where, where_of
from harakatw.outbound.store.opened import OpenQueue, open_queue
from harakatw.outbound.store.operations import Add, Call, Lease, Operation, Settle
from harakatw.outbound.store.reader import QueueReader
from harakatw.outbound.store.recovery import Recovered, Recovery
from harakatw.outbound.store.schema import Connect, connect_database
from harakatw.outbound.store.writer import MakeWriter, Writer, WriterThread

T = TypeVar("T")

INLINE_OCTETS: Final = 65_536
"""The biggest body that is kept in the database itself."""

CHANGE_PAGE: Final = 1000
"""Items that are changed or dropped in one transaction."""

CLOSED: Final = "the queue is closed"
TELL_SECONDS: Final = 60.0
"""How often the same trouble is told, at most."""

NO_BODY: Final = "its body is missing or too short"

_ChangePage = Callable[[QueueDatabase, Sequence[int], Where], int]


class StoreReactor(Protocol):
    """What a store needs of the reactor."""

    def callFromThread(self, callable: Callable[..., Any], *args: Any) -> Any: ...

    def seconds(self) -> float:
        """Now, in seconds since 1970."""


@implementer(IQueueStore)
@attrs.define(eq=False)
class SQLiteStore:
    """
    Keeps mail in C{queue.db}, and big bodies in C{bodies/} beside it.

    @ivar directory: the queue's own; made if it is missing.
    @ivar threads: for big bodies and for reading; to be stopped after L{close} is done.
    @ivar inline_octets: the biggest body that is kept in the database.
    @ivar connect: opens databases.
    @ivar make_writer: makes what runs calls in batches.
    """

    directory: Path
    reactor: StoreReactor
    threads: IThreads
    inline_octets: int = INLINE_OCTETS
    _connect: Connect = attrs.field(default=connect_database, kw_only=True)
    _disk: Disk = attrs.field(factory=Disk, kw_only=True)
    _make_writer: MakeWriter = attrs.field(default=WriterThread, kw_only=True)
    _queue: OpenQueue | None = attrs.field(default=None, init=False)
    _writer: Writer | None = attrs.field(default=None, init=False)
    _told: dict[str, float] = attrs.field(factory=dict, init=False)
    _closed: "Deferred[None]" = attrs.field(factory=Deferred, init=False)
    _log = Logger()

    def open(self) -> None:
        """
        Open the queue, and begin to look for what a crash may have left. Blocks, for
        less than a second unless the database is damaged.

        @raise StoreError: the queue is in use by another process, or cannot be opened.
        """
        if self._queue is not None:
            raise StoreError(f"{self.directory} is open already")
        queue = open_queue(self.directory, self._connect, self._disk, self._tell)
        runner = BatchRunner(queue.database, queue.bodies, self._pass_on, queue.suspect)
        self._closed = Deferred()
        finish = partial(self._finish, queue, self._closed)
        self._queue, self._writer = queue, self._make_writer(runner.run, finish)
        self._writer.start()
        self._recover(queue)

    def close(self) -> "Deferred[None]":
        """
        Finish what was asked for, then close the queue. Calls made after this fail.

        @return: fires when another process may open it.
        """
        writer, self._queue, self._writer = self._writer, None, None
        if writer is None:
            return succeed(None)
        writer.stop()
        return self._closed

    def add(
        self,
        message: QueuedMessage,
        items: Sequence[NewItem],
        body: Iterable[bytes],
        seconds: float = 3600.0,
    ) -> "Deferred[tuple[QueueItem, ...]]":
        check_items(items)
        if self._queue is None:
            return fail(StoreError(CLOSED))
        bodies, inline_octets = self._queue.bodies, self.inline_octets
        operation = Add(
            message,
            tuple(items),
            body,
            message.queued_at + seconds,
            bodies,
            inline_octets,
        )
        if message.size <= inline_octets:
            return self._submit(operation)
        written = partial(self._body_written, operation)
        writing = self.threads.call(bodies.write, body)
        writing.addCallbacks(written, partial(_fail, operation))
        return operation.done

    def lease(
        self, now: float, site: str, limit: int, seconds: float
    ) -> "Deferred[tuple[QueueItem, ...]]":
        return self._submit(Lease(now, site, limit, seconds))

    def due_sites(self, now: float, limit: int) -> "Deferred[tuple[SiteCount, ...]]":
        return self._submit(Call(lambda database: database.due_sites(now, limit)))

    def next_due(self, now: float) -> "Deferred[float | None]":
        return self._submit(Call(lambda database: database.next_due(now)))

    def read_body(self, message_id: int) -> "Deferred[Iterable[bytes]]":
        return self._read(lambda reader: reader.body(message_id))

    def settle(self, done: Iterable[int], retries: Iterable[Retry]) -> "Deferred[None]":
        finished, others = tuple(done), tuple(retries)
        check_retries(others)
        return self._submit(Settle(finished, others))

    def give_back(self, ids: Iterable[int]) -> "Deferred[None]":
        given = tuple(ids)
        return self._submit(Call(lambda database: database.give_back(given)))

    def find(
        self, which: Filter, limit: int, after: int = 0
    ) -> "Deferred[tuple[QueueItem, ...]]":
        where = where_of(which, self.reactor.seconds())
        return self._read(lambda reader: reader.find(where, limit, after))

    def change(
        self,
        which: Filter,
        state: ItemState | None = None,
        due: float | None = None,
        detour: Detour | None = None,
    ) -> "Deferred[int]":
        check_change(state, due, detour)

        def change(database: QueueDatabase, ids: Sequence[int], where: Where) -> int:
            return database.change(ids, where, state, due, detour)

        return Deferred.fromCoroutine(self._in_pages(which, change))

    def drop(self, which: Filter) -> "Deferred[int]":
        return Deferred.fromCoroutine(self._in_pages(which, QueueDatabase.drop))

    def count(self) -> "Deferred[Mapping[ItemState, int]]":
        return self._read(QueueReader.count)

    async def _in_pages(self, which: Filter, apply: _ChangePage) -> int:
        """
        Apply a change to all items that a filter means, page by page: one transaction
        for a million would keep all mail waiting.
        """
        where = where_of(which, self.reactor.seconds())
        changed = after = 0
        while ids := await self._find_ids(where, after):
            run = partial(_run_page, apply, ids, where)
            changed += await self._submit(Call(run))
            after = ids[-1]
        return changed

    def _find_ids(self, where: Where, after: int) -> "Deferred[tuple[int, ...]]":
        return self._read(lambda reader: reader.find_ids(where, CHANGE_PAGE, after))

    def _read(self, read: Callable[[QueueReader], T]) -> "Deferred[T]":
        """Read in a thread, without waiting for what is written."""
        if self._queue is None:
            return fail(StoreError(CLOSED))
        return self.threads.call(read, self._queue.reader)

    def _submit(self, operation: Operation[T]) -> "Deferred[T]":
        """Have the writer run a call."""
        if self._writer is not None:
            self._writer.submit(operation)
        else:
            _fail(operation, Failure(StoreError(CLOSED)))
        return operation.done

    def _body_written(self, operation: Add, body: BodyFile) -> None:
        operation.body = body
        self._submit(operation)

    def _pass_on(self, ended: Ended) -> None:
        """A batch has ended; called in the writer's thread."""
        self.reactor.callFromThread(self._report, ended)

    def _report(self, ended: Ended) -> None:
        for item_id, why in ended.damaged:
            self._log.error(
                "{directory}: item {item} cannot be delivered and is kept: {why}",
                directory=self.directory,
                item=item_id,
                why=why,
            )
        for trouble in ended.troubles:
            self._tell_sometimes(trouble)
        for operation in ended.operations:
            if operation.is_unwanted:
                self._take_back(operation)
            else:
                operation.report()

    def _take_back(self, operation: Operation[Any]) -> None:
        """Undo what was done for a caller who gave up waiting meanwhile."""
        undo = operation.undo() if operation.error is None else None
        if undo is not None:
            self._submit(undo).addErrback(self._told_already)

    def _told_already(self, failure: Failure) -> None:
        """The log has it; then the lease ends by itself."""

    def _finish(self, queue: OpenQueue, closed: "Deferred[None]") -> None:
        """Called in the writer's thread when it has nothing left to do."""
        queue.close()
        self.reactor.callFromThread(closed.callback, None)

    def _recover(self, queue: OpenQueue) -> None:
        recovery = Recovery(
            bodies=queue.bodies,
            reader=queue.reader,
            disk=self._disk,
            now=self.reactor.seconds(),
            keeps_orphans=queue.was_damaged,
            is_over=lambda: self._queue is not queue,
        )
        recovering = self.threads.call(recovery.run)
        recovering.addCallback(self._recovered)
        recovering.addErrback(self._not_recovered, queue)

    def _recovered(self, found: Recovered) -> None:
        if found.removed or found.kept:
            self._log.info(
                "{directory}: {removed} leftovers of a crash were removed, and {kept} "
                "bodies without a message put aside",
                directory=self.directory,
                removed=found.removed,
                kept=found.kept,
            )
        if found.bodiless and self._queue is not None:
            condemn = partial(
                QueueDatabase.condemn, message_ids=found.bodiless, why=NO_BODY
            )
            self._submit(Call(condemn)).addErrback(self._told_already)

    def _not_recovered(self, failure: Failure, queue: OpenQueue) -> None:
        if self._queue is queue:  # otherwise it was closed under the search
            self._log.failure(
                "{directory}: cannot look for leftovers of a crash",
                failure,
                directory=self.directory,
            )

    def _tell_sometimes(self, trouble: str) -> None:
        """A full disk should not be filled with the news of it."""
        now = self.reactor.seconds()
        if abs(now - self._told.get(trouble, -TELL_SECONDS)) >= TELL_SECONDS:
            self._told = {
                known: when
                for known, when in self._told.items()
                if abs(now - when) < TELL_SECONDS
            }
            self._told[trouble] = now
            self._tell(trouble)

    def _tell(self, trouble: str) -> None:
        self._log.error(
            "{directory}: {trouble}", directory=self.directory, trouble=trouble
        )


def _run_page(
    apply: _ChangePage, ids: Sequence[int], where: Where, database: QueueDatabase
) -> int:
    return apply(database, ids, where)


def _fail(operation: Operation[Any], failure: Failure) -> None:
    """A call ends before the writer has seen it."""
    operation.error = failure.value
    operation.discard()
    if not operation.is_unwanted:
        operation.report()
