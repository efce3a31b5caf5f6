"""
Row 39: something in the queue is damaged, the rest is delivered, and nothing thrown
away.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

from twisted.internet.task import deferLater

from harakatw.interfaces.queue import Filter, ItemState, QueueItem
from tests.functional.hurry import reactor
from tests.functional.relaying import RelayTestCase, Sink
from tests.functional.server import RunningServer
from tests.functional.test_relay import MESSAGE, without_trace

BIG: Final = MESSAGE + b"x" * 70_000 + b"\r\n"

Damage = Callable[[Path], None]


def statement(sql: str, *values: object) -> Damage:
    """Damage done by a statement."""

    def run(queue: Path) -> None:
        database = sqlite3.connect(queue / "queue.db", isolation_level=None)
        if database.execute(sql, values).rowcount != 1:
            raise AssertionError(f"{sql} should meet one row")
        database.close()

    return run


def first_body(queue: Path) -> Path:
    """The only body that is in a file."""
    (body,) = (queue / "bodies").iterdir()
    return body


class DamageTestCase(RelayTestCase):
    """Has a server with three messages, one of them damaged."""

    async def damaged(self, damage: Damage, *messages: bytes) -> RunningServer:
        """
        Queue messages, damage the queue, and let the server deliver.

        @param messages: to 0@far.example and so on.
        """
        self.sink_host: Sink = await self.sink()
        files = {"config/outbound.ini": "disabled=true\n"}
        first = self.relay({"any": self.sink_host.where}, files)
        for number, message in enumerate(messages):
            await self.submit(first, (f"{number}@far.example",), message)
        await first.stop()
        damage(first.directory / "queue")
        first.write("config/outbound.ini", "disabled=false\n")
        return self.begin(first.directory)

    async def dead(self, server: RunningServer) -> QueueItem:
        """The only item that is left: nobody tries it, and it tells why."""
        await self.leaves(server, 1)
        (item,) = await self.queued(server, Filter(state=ItemState.DEAD))
        return item

    def check_arrived(self, *numbers: int) -> None:
        """These, and no others, have arrived as they were sent."""
        expected = [f"{number}@far.example" for number in numbers]
        self.assertEqual(self.sink_host.recipients(), expected)
        for taken in self.sink_host.taken:
            self.assertIn(without_trace(taken.octets), (MESSAGE, BIG))


class ItemTests(DamageTestCase):
    """One of three messages is damaged."""

    async def check(self, damage: Damage, *messages: bytes) -> str:
        """
        The first message is set aside, and the others arrive.

        @return: why.
        """
        server = await self.damaged(damage, *messages)
        item = await self.dead(server)
        self.assertEqual(item.id, 1)
        self.check_arrived(1, 2)
        await self.log.wait_for(item.last_error)
        return item.last_error

    async def test_row(self) -> None:
        """A row that cannot be understood is kept for the postmaster."""
        damage = statement("UPDATE items SET recipients = '[[' WHERE id = 1")
        why = await self.check(damage, MESSAGE, MESSAGE, MESSAGE)
        self.assertIn("damaged: ", why)

    async def test_message_row(self) -> None:
        """So is an item whose message is gone."""
        damage = statement("DELETE FROM messages WHERE id = 1")
        why = await self.check(damage, MESSAGE, MESSAGE, MESSAGE)
        self.assertIn("its message is missing", why)

    async def test_body(self) -> None:
        """So is one whose body has another size than it should."""
        damage = statement("UPDATE messages SET body = x'40' WHERE id = 1")
        why = await self.check(damage, MESSAGE, MESSAGE, MESSAGE)
        self.assertIn("the body of message 1 is damaged", why)

    async def test_no_file(self) -> None:
        """So is one whose file is gone."""
        why = await self.check(
            lambda queue: first_body(queue).unlink(), BIG, MESSAGE, MESSAGE
        )
        self.assertTrue("cannot be read" in why or "missing" in why, why)

    async def test_unreadable_file(self) -> None:
        """So is one whose file cannot be opened."""

        def damage(queue: Path) -> None:
            body = first_body(queue)
            body.unlink()
            body.symlink_to(body)

        why = await self.check(damage, BIG, MESSAGE, MESSAGE)
        self.assertTrue("cannot be read" in why or "missing" in why, why)

    async def test_changed_file(self) -> None:
        """
        A file with other octets than those that were taken is noticed at its end, at
        the latest: the message is not ended, so that nobody takes it.
        """

        def damage(queue: Path) -> None:
            body = first_body(queue)
            body.write_bytes(body.read_bytes().replace(b"xx", b"xy", 1))

        why = await self.check(damage, BIG, MESSAGE, MESSAGE)
        self.assertIn("has other octets than those written", why)


class DatabaseTests(DamageTestCase):
    """The database itself is damaged."""

    async def test_page(self) -> None:
        """
        With a page of garbage in it the database is set aside at the start; what can
        be read of it is delivered, and only that.
        """

        def damage(queue: Path) -> None:
            with (queue / "queue.db").open("r+b") as file:
                octets = file.read()
                file.seek(octets.rindex(b"Hello, Bob.") // 4096 * 4096)
                file.write(b"\xa5" * 4096)

        server = await self.damaged(damage, *[MESSAGE] * 40)
        await self.log.wait_for("was damaged (")
        queue = server.directory / "queue"
        self.assertTrue((queue / "queue.db.damaged-1").exists())
        await self.ended(server)
        dead = await self.queued(server, Filter(state=ItemState.DEAD))
        self.assertEqual(len(self.sink_host.taken) + len(dead), 40)
        self.assertGreater(len(self.sink_host.taken), 20)
        for taken in self.sink_host.taken:
            self.assertEqual(without_trace(taken.octets), MESSAGE)

    async def test_garbage(self) -> None:
        """
        Of a file that is nothing but garbage nothing can be read: it is kept, and the
        server takes mail, into a new one.
        """

        def damage(queue: Path) -> None:
            (queue / "queue.db").write_bytes(b"\xa5" * 40_960)

        server = await self.damaged(damage, MESSAGE)
        await self.submit(server, ("new@far.example",), MESSAGE)
        await self.emptied(server)
        self.assertEqual(self.sink_host.recipients(), ["new@far.example"])
        aside = server.directory / "queue/queue.db.damaged-1"
        self.assertEqual(aside.read_bytes(), b"\xa5" * 40_960)

    async def ended(self, server: RunningServer) -> None:
        """Wait until nothing is left to try."""
        counts = {ItemState.READY: 1}
        while counts[ItemState.READY] or counts[ItemState.LEASED]:
            await deferLater(reactor, 0.02)
            counts = dict(await server.service.outbound.store.count())
