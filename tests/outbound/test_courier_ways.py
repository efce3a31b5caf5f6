"""How an item gets to its hosts: from the queue, and over connections that wait."""

from collections.abc import Iterable, Iterator
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from zope.interface import implementer

from harakatw.errors import StoreError
from harakatw.interfaces.queue import ItemState
from harakatw.plugin import (
    IDeliveredHook,
    IHMail,
    ok,
)
from tests.dns.zones import SILENT, a, mx
from tests.log_events import collect_log
from tests.outbound.listeners import CourierTestCase, Holds, Routes
from tests.outbound.post_office import (
    BOB,
    FIRST,
    MESSAGE,
    SECOND,
    ZONE,
    PostOffice,
)

HOUR = 3600.0


@attrs.define(eq=False)
class Breaks:
    """
    A body that cannot be read to its end.

    @ivar good: how often it can be.
    """

    octets: bytes
    good: int = 0

    def __iter__(self) -> Iterator[bytes]:
        """Read it."""
        yield self.octets
        self.good -= 1
        if self.good < 0:
            raise StoreError("its body has other octets than those written")


class _Reads:
    """A queue that reads something else."""

    def __init__(self, store: Any, read_body: Any) -> None:
        self._store = store
        self.read_body = read_body

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class BodyTests(CourierTestCase):
    """Messages that are read from the queue."""

    def later(self, *plugins: object) -> PostOffice:
        """An engine with a message that waits in the queue."""
        post = self.busy(*plugins)
        post.send(BOB, "carol@far.example")
        post.run()
        for host in (post.first, post.second):
            host.object_to = lambda line: None
        return post

    def read(self, post: PostOffice, body: Iterable[bytes]) -> None:
        """What is read from now on."""
        ready: Any = lambda number: _fired(body)  # noqa: E731
        post.courier._store = _Reads(post.store, ready)  # type: ignore[assignment]

    def test_later(self) -> None:
        """The next attempt reads it from the queue."""
        post = self.later()
        post.run(60)
        (taken,) = post.first.taken
        self.assertTrue(taken.octets.endswith(MESSAGE.partition(b"\r\n\r\n")[2]))
        self.assertEqual(post.items(), ())

    def test_missing(self) -> None:
        """
        A message whose body is not there any more is kept for the postmaster, is not
        tried again, and does not bounce.
        """
        events = collect_log(self)
        post = self.later()
        (item,) = post.items()
        post.store.broken_bodies.add(item.message_id)
        post.run(3 * HOUR)
        (dead,) = post.items(ItemState.DEAD)
        self.assertEqual(dead.last_error, "its body is missing")
        self.assertEqual(len(dead.recipients), 2)
        self.assertEqual(post.first.taken + post.home.taken, [])
        self.assertTrue(any(event.get("why") == dead.last_error for event in events))

    def test_damaged(self) -> None:
        """So is one that turns out to be damaged while it is sent; no host gets it."""
        post = self.later()
        self.read(post, Breaks(MESSAGE * 10_000))
        post.run(60)
        (dead,) = post.items(ItemState.DEAD)
        self.assertIn("other octets", dead.last_error)
        self.assertEqual(post.first.taken + post.second.taken, [])

    def test_damaged_for_some(self) -> None:
        """
        If some have got it by then they are not among those that are kept: nobody gets
        it twice.
        """
        post = self.later()
        lmtp = {"host": FIRST, "using_lmtp": True, "port": 24}
        other = {"host": SECOND, "priority": 20}
        routes: Any = [lmtp, other]
        post.chains = self.office(Routes(ok(value=routes))).chains
        post.first.take = lambda taken: b"250 ok\r\n451 later"
        self.read(post, Breaks(MESSAGE * 10_000, good=1))
        post.run(60)
        self.assertEqual(post.net.tried[-2:], [FIRST, SECOND])
        (dead,) = post.items(ItemState.DEAD)
        self.assertEqual(
            [each.address for each in dead.recipients], ["carol@far.example"]
        )


def _fired(result: Any) -> "Deferred[Any]":
    fired: Deferred[Any] = Deferred()
    fired.callback(result)
    return fired


class WaitingConnectionTests(CourierTestCase):
    """The quick way, over a connection that waits."""

    def open(self, *plugins: object, **more: Any) -> PostOffice:
        """An engine with a connection that waits."""
        post = self.office(*plugins, **more)
        post.send()
        post.run(1)
        self.assertEqual(post.net.tried, [FIRST])
        return post

    def test_all(self) -> None:
        """All get it over the same connection, one after the other."""
        post = self.open()
        for _ in range(5):
            post.send()
            post.run(1)
        self.assertEqual(len(post.first.taken), 6)
        self.assertEqual(post.net.tried, [FIRST])
        self.assertEqual(post.items(), ())

    def test_told(self) -> None:
        """What plugins are told of it is the same as else."""
        told: list[Any] = []

        @implementer(IDeliveredHook)
        class Listens:
            def hook_delivered(self, hmail: IHMail, delivery: Any) -> None:
                told.append(delivery)

        post = self.open(Listens())
        post.first.take = lambda taken: b"250 2.6.0 queued as 4711"
        post.send()
        post.run(1)
        self.assertEqual(told[-1].response, "250 2.6.0 queued as 4711")
        self.assertEqual(attrs.evolve(told[-1], response="", delay=0), _plain(told[0]))

    def test_next_host(self) -> None:
        """If that host says "later" the next one is asked, and not the same again."""
        for answers in ({"mail": b"451 4.3.0 later"}, {"data": b"421 bye"}):
            post = self.open()
            post.first.refuse(**answers)
            post.send()
            post.run(1)
            self.assertEqual(post.net.tried, [FIRST, SECOND], answers)
            self.assertEqual(post.second.recipients, [BOB])
            self.assertEqual(len(post.first.taken), 1)

    def test_equal_hosts(self) -> None:
        """Nor if the hosts are equal, and their order is by chance."""
        zone = {
            **ZONE,
            "far.example": tuple(mx(10, f"mx{n}.far.example") for n in range(1, 7)),
            **{f"mx{n}.far.example": (a(f"192.0.2.{n}"),) for n in range(1, 7)},
        }
        for _ in range(5):
            post = self.office(zone=zone)
            hosts = [post.net.host(f"192.0.2.{n}") for n in range(1, 7)]
            for _ in range(40):  # until all six connections wait
                post.send()
                post.run(0.1)
            for host in hosts:
                host.refuse(mail=b"451 4.3.0 later")
                host.heard = [bytearray()]
            post.send()
            post.run(1)
            asked = [host.commands.count(b"MAIL") for host in hosts]
            self.assertEqual(asked, [1] * 6)

    def test_closed_meanwhile(self) -> None:
        """If it had just been closed the same host gets the message all the same."""
        post = self.open()
        answers = [b"421 4.4.2 idle", None]
        post.first.object_to = lambda line: answers.pop(0) if line[:1] == b"M" else None
        post.send()
        post.run(1)
        self.assertEqual(post.net.tried, [FIRST, FIRST])
        self.assertEqual(len(post.first.taken), 2)

    def test_some(self) -> None:
        """Some get it, others do not."""
        post = self.open()
        post.first.object_to = lambda line: (
            b"550 5.1.1 who" if line[9:10] == b"c" else None
        )
        post.send("b@far.example", "c@far.example")
        post.run()
        self.assertEqual(post.first.recipients, [BOB, "b@far.example"])
        (report,) = post.reports()
        self.assertIn(b"c@far.example", report)

    def test_addresses_unknown(self) -> None:
        """While addresses of the other hosts are looked up, the message waits."""
        post = self.open(zone={**ZONE, "mx2.far.example": SILENT})
        post.first.refuse(mail=b"451 4.3.0 later")
        post.send()
        post.run(4)
        self.assertEqual([item.state for item in post.items()], [ItemState.LEASED])
        post.run(5)
        (item,) = post.items(ItemState.READY)
        self.assertEqual(item.last_error, "451 4.3.0 later")


def _plain(delivery: Any) -> Any:
    return attrs.evolve(delivery, response="", delay=0)


class StopTests(CourierTestCase):
    """The server stops while a message is on its way."""

    def stop(self, post: PostOffice) -> None:
        """Stop, and wait until it is done."""
        stopped = post.scheduler.stop()
        post.run(60)
        self.successResultOf(stopped)

    def check(self, post: PostOffice) -> None:
        """The message is in the queue, and nobody was given it any more."""
        self.assertEqual(post.second.heard, [])
        (item,) = post.items(ItemState.READY)
        self.assertEqual([each.address for each in item.recipients], [BOB])

    def test_silent_host(self) -> None:
        """
        A host that does not answer is left after C{stop_seconds}, and no other one is
        asked: the message is in the queue again, and would be sent twice.
        """
        post = self.office()
        post.first.is_silent = True
        post.send()
        post.run(1)
        self.stop(post)
        self.check(post)

    def test_waiting_connection(self) -> None:
        """So is one that had taken mail over the same connection before."""
        post = self.office()
        post.send()
        post.run(1)
        post.first.is_silent = True
        post.send()
        post.run(1)
        self.stop(post)
        self.check(post)

    def test_plugin(self) -> None:
        """A plugin that has not let the attempt begin does not let it begin now."""
        post = self.office(Holds([Deferred()]), stop_seconds=5)
        post.send()
        post.run(1)
        self.stop(post)
        self.assertEqual(post.net.tried, [])
        self.check(post)
