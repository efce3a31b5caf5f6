"""Mail to be queued, and stores that need no thread and can be made to fail."""

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import attrs
from twisted.internet.task import Clock

from harakatw.interfaces.queue import (
    NewItem,
    QueuedMessage,
    QueuedRecipient,
    QueueItem,
    Retry,
)
from harakatw.outbound.store.operations import Operation
from harakatw.outbound.store.schema import BUSY_SECONDS
from harakatw.outbound.store.sqlite import SQLiteStore
from harakatw.outbound.store.writer import RunBatch
from harakatw.testing.threads import NoThreads

NOW = 1_700_000_000.0
BODY = b"Subject: hi\r\n\r\nHello.\r\n"


def message(uuid: str = "ABC.1", **more: Any) -> QueuedMessage:
    """A message that is queued at L{NOW}."""
    values: dict[str, Any] = {
        "sender": "s@ours.example",
        "size": len(BODY),
        "queued_at": NOW,
    }
    return QueuedMessage(uuid=uuid, **(values | more))


def new(domain: str = "a.example", *names: str, **more: Any) -> NewItem:
    """An item for some recipients of a domain, due at L{NOW}."""
    recipients = tuple(QueuedRecipient(f"{name}@{domain}") for name in names or ("r",))
    return NewItem(domain=domain, recipients=recipients, due=NOW, **more)


def retry(item: QueueItem, **more: Any) -> Retry:
    """What puts an item back as it is, due at L{NOW}."""
    values: dict[str, Any] = {
        "recipients": item.recipients,
        "due": NOW,
        "attempts": item.attempts + 1,
        "site": item.site,
        "warned": item.warned,
        "last_error": item.last_error,
    }
    return Retry(id=item.id, **(values | more))


class NowReactor(Clock):
    """A clock that begins at L{NOW}, and runs at once what threads have for it."""

    def __init__(self) -> None:
        super().__init__()
        self.advance(NOW)

    def callFromThread(
        self, callable: Callable[..., object], *args: object, **kw: object
    ) -> None:
        """There are no threads."""
        callable(*args, **kw)


class LateReactor(NowReactor):
    """
    Is busy: runs what threads have for it when it is told to.

    @ivar waiting: what they have.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Callable[[], object]] = []

    def callFromThread(
        self, callable: Callable[..., object], *args: object, **kw: object
    ) -> None:
        """Note it."""
        self.waiting.append(partial(callable, *args, **kw))

    def work(self) -> None:
        """Run what waits."""
        while self.waiting:
            self.waiting.pop(0)()


class NowWriter:
    """Runs each call at once, as a batch of its own."""

    def __init__(self, run: RunBatch, finish: Callable[[], None]) -> None:
        self.run = run
        self.finish = finish

    def start(self) -> None:
        """Nothing is to be done."""

    def submit(self, operation: Operation[Any]) -> None:
        """Run it."""
        self.run((operation,))

    def stop(self) -> None:
        """Finish."""
        self.finish()


class HeldWriter(NowWriter):
    """
    Runs calls when it is told to, all that wait as one batch.

    @ivar waiting: the calls.
    """

    def __init__(self, run: RunBatch, finish: Callable[[], None]) -> None:
        super().__init__(run, finish)
        self.waiting: list[Operation[Any]] = []

    def submit(self, operation: Operation[Any]) -> None:
        """Note it."""
        self.waiting.append(operation)

    def work(self) -> None:
        """Run what waits."""
        batch, self.waiting = self.waiting, []
        self.run(batch)


@attrs.define(eq=False)
class Faults:
    """
    Makes connections that fail on order.

    @ivar failing: statements that begin with one of these raise the error.
    @ivar statements: what was executed on any connection.
    @ivar timeout: how long to wait for a lock, in seconds.
    @ivar opened: all connections; of a store, the last but one is the writer's.
    """

    failing: dict[str, sqlite3.Error] = attrs.field(factory=dict)
    statements: list[str] = attrs.field(factory=list)
    timeout: float = BUSY_SECONDS
    opened: list[sqlite3.Connection] = attrs.field(factory=list)

    def connect(self, path: str) -> sqlite3.Connection:
        """Open a database file."""
        faults = self

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
                faults.see(sql)
                return super().execute(sql, *values)

            def executemany(self, sql: str, *values: Any) -> sqlite3.Cursor:
                faults.see(sql)
                return super().executemany(sql, *values)

        connection = sqlite3.connect(
            path,
            timeout=self.timeout,
            isolation_level=None,
            check_same_thread=False,
            factory=Connection,
        )
        self.opened.append(connection)
        return connection

    def see(self, sql: str) -> None:
        """A statement is about to be executed."""
        words = " ".join(sql.split())
        self.statements.append(words)
        for beginning, error in self.failing.items():
            if words.startswith(beginning):
                raise error

    def commits(self) -> int:
        """How many transactions there were."""
        return self.statements.count("COMMIT")


def sqlite_error(code: int, text: str) -> sqlite3.OperationalError:
    """
    An error as SQLite raises it.

    @param code: such as C{sqlite3.SQLITE_FULL}.
    """
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


def make_store(directory: Path, **more: Any) -> SQLiteStore:
    """A store without threads, not yet open."""
    values: dict[str, Any] = {
        "reactor": NowReactor(),
        "threads": NoThreads(),
        "make_writer": NowWriter,
    }
    return SQLiteStore(directory, **(values | more))


def held_writers(made: list[HeldWriter]) -> Callable[..., HeldWriter]:
    """
    What makes a L{HeldWriter}.

    @param made: where it is put.
    """

    def make(run: RunBatch, finish: Callable[[], None]) -> HeldWriter:
        made.append(HeldWriter(run, finish))
        return made[-1]

    return make


def ids_of(items: tuple[QueueItem, ...]) -> list[int]:
    """The ids of items."""
    return [item.id for item in items]
