"""
Row 42 over the wire: mail that cannot be delivered does not hold up mail that can. The
same with a million messages is in C{benchmarks/}.
"""

from collections.abc import Iterable

from twisted.internet.defer import gatherResults
from twisted.internet.task import deferLater

from harakatw.interfaces.queue import (
    Filter,
    ItemState,
    NewItem,
    QueuedMessage,
    QueuedRecipient,
)
from tests.functional.hurry import HurriedReactor, reactor
from tests.functional.relaying import RelayTestCase, until
from tests.functional.server import RunningServer

MESSAGE = b"Subject: x\r\n\r\nhello\r\n"
MANY = 5000
LIVE = 20


class StarvationTests(RelayTestCase):
    """A queue full of mail for hosts out of reach, and a host that is there."""

    async def fill(
        self, server: RunningServer, where: Iterable[tuple[str, str]]
    ) -> None:
        """
        Queue a message for each domain and next hop.
        """
        outbound = server.service.outbound
        adding = [
            outbound.store.add(
                *_message(number, *each, outbound.store.reactor.seconds())
            )
            for number, each in enumerate(where)
        ]
        added = await gatherResults(adding)
        await outbound.store.give_back([item.id for (item,) in added])
        outbound.scheduler.look()

    async def check(self, where: Iterable[tuple[str, str]]) -> None:
        """
        New mail for the host that is there arrives while the rest is being tried; what
        is in memory is bounded, and nothing is lost.
        """
        sink = await self.sink()
        server = self.relay({"live.example": sink.where})
        await self.fill(server, where)
        while not await self.queued(server, Filter(error="*refuse*")):
            await deferLater(reactor, 0.02)
        for number in range(LIVE):
            await self.submit(server, (f"{number}@live.example",), MESSAGE)
        scheduler = server.service.outbound.scheduler
        await until(lambda: len(sink.taken) == LIVE)
        await self.leaves(server, MANY)
        shown = scheduler.snapshot()
        self.assertLessEqual(shown.running, shown.concurrency_max)
        self.assertLessEqual(shown.held, 10_000)
        self.assertEqual(len(sink.taken), LIVE)
        counts = await server.service.outbound.store.count()
        self.assertEqual(counts[ItemState.READY], MANY)

    async def test_one_domain(self) -> None:
        """Thousands of messages for one domain that is down."""
        await self.check([("dead.example", "127.0.0.1:1")] * MANY)

    async def test_many_domains(self) -> None:
        """One message each for thousands of domains that are down."""
        await self.check(
            (f"d{number}.example", f"127.1.{number // 250}.{number % 250 + 1}:1")
            for number in range(MANY)
        )

    async def test_one_that_hangs(self) -> None:
        """Thousands for a host that takes connections, and says nothing."""
        silent = await self.sink()
        silent.greeting = b""
        sink = await self.sink()
        clock = HurriedReactor(20.0)  # or it takes half a minute to stop
        server = self.relay({"live.example": sink.where}, clock=clock)
        await self.fill(server, [("slow.example", silent.where)] * MANY)
        await until(lambda: silent.connections)
        for number in range(LIVE):
            await self.submit(server, (f"{number}@live.example",), MESSAGE)
        await until(lambda: len(sink.taken) == LIVE)
        self.assertLessEqual(silent.connections, 20)


def _message(
    number: int, domain: str, next_hop: str, now: float
) -> tuple[QueuedMessage, tuple[NewItem, ...], tuple[bytes, ...]]:
    message = QueuedMessage(
        uuid=f"U{number}.1",
        sender="alice@client.example",
        size=len(MESSAGE),
        queued_at=now,
        notes={"queue": {"next_hop": next_hop}},
    )
    to = (QueuedRecipient(f"bob@{domain}"),)
    return message, (NewItem(domain=domain, recipients=to, due=now),), (MESSAGE,)
