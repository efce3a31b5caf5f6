"""A queue in memory, with a tool for it, and stand-ins for what a server has."""

from typing import Any

import attrs
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from harakatw.interfaces.queue import (
    Filter,
    ItemState,
    NewItem,
    QueuedMessage,
    QueuedRecipient,
    QueueItem,
)
from harakatw.outbound.attempt import Settlement, Work
from harakatw.outbound.control.pauses import PauseBook
from harakatw.outbound.control.tool import QueueTool
from harakatw.outbound.dsn.dead_letter import dead_letter, is_double_bounce
from harakatw.outbound.dsn.outcomes import outcomes
from harakatw.outbound.scheduler.backoff import Health
from harakatw.outbound.scheduler.core import Target
from harakatw.outbound.scheduler.retry import unchanged
from harakatw.outbound.scheduler.snapshot import SiteSnapshot, Snapshot
from harakatw.outbound.store.filters import matcher
from harakatw.outbound.store.memory import MemoryStore
from harakatw.testing.threads import NoThreads

NOW = 1_700_000_000.0
BODY = b"Subject: hello\r\n\r\nIt waits.\r\n"


def at_now() -> Clock:
    """A clock that begins at L{NOW}."""
    clock = Clock()
    clock.advance(NOW)
    return clock


def site(name: str, **changes: Any) -> SiteSnapshot:
    """A site without troubles."""
    values: dict[str, Any] = {
        "ready": 3,
        "running": 1,
        "connections": 20,
        "health": Health.HEALTHY,
        "is_paused": False,
        "is_rate_limited": False,
        "failures": 0,
        "asked_in": 0.0,
        "why": "",
    }
    return SiteSnapshot(name=name, **{**values, **changes})


def snapshot(*sites: SiteSnapshot, **changes: Any) -> Snapshot:
    """A scheduler that has something to do."""
    values: dict[str, Any] = {
        "held": 4,
        "held_octets": 400,
        "routing": 0,
        "running": 1,
        "unproven": 0,
        "concurrency_max": 100,
        "unsettled": 0,
        "is_paused": False,
        "paused_sites": frozenset(),
        "paused_senders": frozenset(),
    }
    return Snapshot(sites=sites, **{**values, **changes})


@attrs.define(eq=False)
class FakeEngine:
    """
    Has some items in memory, and notes what it is asked.

    @ivar waiting: items that wait for their turn in memory, by id: to the store they
        are leased.
    @ivar asked: names of the methods that were called.
    """

    store: MemoryStore
    waiting: set[int] = attrs.field(factory=set)
    asked: list[str] = attrs.field(factory=list)
    shown: Snapshot = attrs.field(factory=snapshot)

    def recall(self, which: Filter) -> "Deferred[tuple[int, ...]]":
        """Put back, held, what is meant."""
        self.asked.append("recall")
        every: list[tuple[QueueItem, ...]] = []
        self.store.find(Filter(), 1000).addCallback(every.append)
        is_meant = matcher(which, NOW)
        meant = [
            item for item in every[0] if item.id in self.waiting and is_meant(item)
        ]
        held = [
            attrs.evolve(unchanged(item, item.site, item.due), state=ItemState.HELD)
            for item in meant
        ]
        self.store.settle((), held)
        self.waiting.difference_update(item.id for item in meant)
        return succeed(tuple(item.id for item in meant))

    def flush(self, which: Filter) -> "Deferred[int]":
        """As a scheduler does."""
        self.asked.append("flush")
        ready = attrs.evolve(which, state=ItemState.READY)
        return self.store.change(ready, None, NOW)

    def look(self) -> None:
        """Nothing is tried here."""
        self.asked.append("look")

    def pause(self, target: Target) -> None:
        """Note it."""
        self.asked.append(f"pause {target.site}{target.sender}")

    def resume(self, target: Target) -> None:
        """Note it."""
        self.asked.append(f"resume {target.site}{target.sender}")

    def snapshot(self) -> Snapshot:
        """What a test says."""
        return self.shown


@attrs.define(eq=False)
class Reports:
    """
    Stands for what tells senders.

    @ivar told: of which it was told.
    @ivar waits: fires when the report is on disk; L{None} is at once.
    """

    told: list[Settlement] = attrs.field(factory=list)
    waits: "Deferred[None] | None" = None

    def settled(self, work: Work, settlement: Settlement) -> Any:
        """Write it down; a double bounce is kept."""
        self.told.append(settlement)
        if self.waits is not None:
            return self.waits
        if is_double_bounce(work.item):
            failed = outcomes(settlement, NOW)
            letter = dead_letter(work.item, failed, NOW)
            return attrs.evolve(settlement, retry=letter)
        return None


class QueueTestCase(SynchronousTestCase):
    """
    Has a queue in memory.

    @ivar clock: begins at L{NOW}.
    @ivar engine: L{None} until a test says that a server runs.
    """

    def setUp(self) -> None:
        """Make an empty queue."""
        self.clock = at_now()
        self.store = MemoryStore(self.clock)
        self.reports = Reports()
        self.engine: FakeEngine | None = None
        self.pauses = PauseBook()

    def run_server(self) -> FakeEngine:
        """From now on there is a server that runs."""
        self.engine = FakeEngine(self.store)
        return self.engine

    @property
    def tool(self) -> QueueTool:
        """For the queue as it is."""
        return QueueTool(
            store=self.store,
            now=self.clock.seconds,
            settled=self.reports.settled,
            threads=NoThreads(),
            engine=self.engine,
            pauses=self.pauses,
        )

    def add(
        self,
        domain: str = "a.example",
        *,
        state: ItemState = ItemState.READY,
        age: float = 0.0,
        due_in: float = 600.0,
        body: bytes = BODY,
        **changes: Any,
    ) -> int:
        """
        Queue a message for one recipient.

        @param age: seconds since it was queued.
        @param due_in: seconds until the next attempt.
        @return: the id of its item.
        """
        values = {
            "uuid": "ABC.1",
            "sender": "me@ours.example",
            "size": len(body),
            "queued_at": NOW - age,
        }
        message = QueuedMessage(**{**values, **changes})
        recipient = QueuedRecipient(f"you@{domain}")
        new = NewItem(domain=domain, recipients=(recipient,), due=NOW + due_in)
        (item,) = self.successResultOf(self.store.add(message, [new], [body]))
        if state is not ItemState.LEASED:
            retry = attrs.evolve(unchanged(item, item.site, item.due), state=state)
            self.successResultOf(self.store.settle((), (retry,)))
        return item.id

    def items(self) -> dict[int, QueueItem]:
        """All that is queued, by id."""
        found = self.successResultOf(self.store.find(Filter(), 1000))
        return {item.id: item for item in found}

    def states(self) -> dict[int, str]:
        """The states of all items, by id."""
        return {number: item.state.value for number, item in self.items().items()}

    def result(self, coroutine: Any) -> Any:
        """What a coroutine that need not wait returns."""
        return self.successResultOf(Deferred.fromCoroutine(coroutine))
