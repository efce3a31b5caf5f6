"""What every store must do, whatever it keeps mail in."""

from collections.abc import Iterator
from typing import Any, Protocol

import attrs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.errors import StoreError
from harakatw.interfaces.queue import (
    Demands,
    Filter,
    IQueueStore,
    ItemState,
    NewItem,
    QueuedRecipient,
    QueueItem,
    SiteCount,
)
from tests.outbound.store.fakes import BODY, NOW, ids_of, message, new, retry


class _Ticking(Protocol):
    def advance(self, rightNow: float, /) -> None: ...


class StoreTestCase(SynchronousTestCase):
    """
    Has a store.

    @ivar store: it, open; made by L{setUp}.
    @ivar clock: what it tells the time by.
    """

    store: IQueueStore
    clock: _Ticking

    def add(
        self, *items: NewItem, seconds: float = 3600.0, **more: Any
    ) -> tuple[QueueItem, ...]:
        """Queue a message; its items are leased."""
        return self.successResultOf(
            self.store.add(message(**more), items or (new(),), (BODY,), seconds)
        )

    def queue(self, *items: NewItem, **more: Any) -> tuple[QueueItem, ...]:
        """Queue a message that nobody leases."""
        added = self.add(*items, **more)
        self.successResultOf(self.store.give_back(ids_of(added)))
        return added

    def found(self, limit: int = 100, after: int = 0, **which: Any) -> list[int]:
        """The ids that a filter finds."""
        items = self.store.find(Filter(**which), limit, after)
        return ids_of(self.successResultOf(items))

    def the(self, number: int) -> QueueItem:
        """The item of an id."""
        found = self.store.find(Filter(ids=frozenset((number,))), 2)
        (item,) = self.successResultOf(found)
        return item

    def leased(
        self,
        site: str = "a.example",
        now: float = NOW,
        limit: int = 100,
        seconds: float = 60.0,
    ) -> list[int]:
        """The ids that somebody gets who asks for a lease."""
        return ids_of(self.successResultOf(self.store.lease(now, site, limit, seconds)))

    def due(self, now: float = NOW, limit: int = 100) -> list[SiteCount]:
        """Which queues have something due?"""
        found = self.successResultOf(self.store.due_sites(now, limit))
        return list(found)

    def change(self, which: Filter, **how: Any) -> int:
        """Change items. How many?"""
        return self.successResultOf(self.store.change(which, **how))

    def settle(self, *done: int) -> None:
        """Items are delivered."""
        self.successResultOf(self.store.settle(done, ()))


class AddContract(StoreTestCase):
    """Queueing mail."""

    def test_interface(self) -> None:
        """A store can stand wherever one is asked for."""
        self.assertTrue(verifyObject(IQueueStore, self.store))

    def test_added(self) -> None:
        """Whoever queues mail gets its items leased, so that nobody sends it twice."""
        about = message(
            sender="jörg@ours.example",
            envid="QQ+2B314159",
            ret="HDRS",
            is_8bit=True,
            is_binary=True,
            is_utf8=True,
            notes={"queue": {"wants": "outbound"}, "n": [1, None, "\ud800"]},
        )
        to = QueuedRecipient("r@a.example", "NEVER", "rfc822;r@a.example", "")
        item = NewItem(domain="a.example", recipients=(to,), due=NOW + 5)
        (added,) = self.successResultOf(self.store.add(about, (item,), (BODY,)))
        self.assertEqual(added.message, about)
        self.assertEqual(added.recipients, (to,))
        self.assertEqual((added.domain, added.site), ("a.example", "a.example"))
        self.assertEqual((added.due, added.attempts), (NOW + 5, 0))
        self.assertIs(added.state, ItemState.LEASED)
        self.assertEqual(self.the(added.id), added)
        self.assertEqual(self.leased(now=NOW + 10), [])
        self.assertEqual(self.due(NOW + 10), [])

    def test_demands(self) -> None:
        """What few senders ask for is kept with the message, beside the notes."""
        demands = Demands(
            requires_tls=True, priority=-3, released_at=NOW, deliver_by=NOW + 0.5
        )
        for notes in ({}, {"a": [1]}):
            self.add(demands=demands, notes=notes, uuid=f"{len(notes)}.1")
            about = self.the(self.found()[-1]).message
            self.assertEqual((about.demands, about.notes), (demands, notes))

    def test_several_domains(self) -> None:
        """Each domain has its own item and fate; the body is there until the last."""
        first, second, third = self.add(
            new("a.example"), new("b.example", "x", "y"), new("c.example", site="mx.c")
        )
        self.assertEqual(len({first.id, second.id, third.id}), 3)
        self.assertEqual(
            [each.site for each in (first, second, third)],
            ["a.example", "b.example", "mx.c"],
        )
        self.assertEqual(len({each.message_id for each in (first, second, third)}), 1)
        self.settle(second.id)
        self.settle(first.id)
        body = self.successResultOf(self.store.read_body(third.message_id))
        self.assertEqual(b"".join(body), BODY)
        self.assertEqual(self.found(), [third.id])
        self.settle(third.id)
        self.failureResultOf(self.store.read_body(third.message_id), StoreError)

    def test_several_messages(self) -> None:
        """A message that is delivered leaves the others alone."""
        (first,) = self.add(uuid="A.1")
        (second,) = self.add(uuid="B.1")
        self.settle(first.id)
        body = self.successResultOf(self.store.read_body(second.message_id))
        self.assertEqual(b"".join(body), BODY)
        self.assertEqual(self.the(second.id).message.uuid, "B.1")

    def test_chunks(self) -> None:
        """A body may come in any number of chunks, none included."""
        for chunks in ((), (b"",), tuple(BODY[i : i + 1] for i in range(len(BODY)))):
            added = self.store.add(message(), (new(),), iter(chunks))
            (item,) = self.successResultOf(added)
            body = self.successResultOf(self.store.read_body(item.message_id))
            self.assertEqual(b"".join(body), b"".join(chunks))

    def test_body_again(self) -> None:
        """A body can be read again, for the next host."""
        (item,) = self.add()
        body = self.successResultOf(self.store.read_body(item.message_id))
        self.assertEqual([b"".join(body), b"".join(body)], [BODY, BODY])

    def test_unreadable_body(self) -> None:
        """A message whose spool file fails is not queued at all."""

        def chunks() -> Iterator[bytes]:
            yield BODY
            raise StoreError("a spool file lost its end")

        self.failureResultOf(self.store.add(message(), (new(),), chunks()), StoreError)
        self.assertEqual(self.found(), [])

    def test_nobody(self) -> None:
        """A message to nobody is a mistake of ours, not one to be stored."""
        empty = NewItem(domain="a.example", recipients=())
        self.assertRaises(ValueError, self.store.add, message(), (), ())
        self.assertRaises(ValueError, self.store.add, message(), (new(), empty), ())
        self.assertEqual(self.found(), [])


class LeaseContract(StoreTestCase):
    """Taking what is due."""

    def test_order(self) -> None:
        """Of one queue the longest due come first, and no more than asked for."""
        items = self.queue(new(), new(), new(), new("b.example"))
        for item, due in zip(items, (30.0, 10.0, 20.0, 0.0), strict=True):
            which = Filter(ids=frozenset((item.id,)))
            self.change(which, due=NOW + due)
        self.assertEqual(self.leased(now=NOW + 9), [])
        self.assertEqual(self.leased(now=NOW + 30, limit=2), [items[1].id, items[2].id])
        self.assertEqual(self.leased(now=NOW + 30), [items[0].id])
        self.assertEqual(self.leased("b.example"), [items[3].id])
        self.assertEqual(self.leased("c.example"), [])

    def test_urgent(self) -> None:
        """What is urgent comes before what has waited longer (RFC 6710 section 4)."""
        ids = [
            self.queue(demands=Demands(priority=priority), uuid=f"{number}.1")[0].id
            for number, priority in enumerate((0, -5, 3, 0, 9, 3))
        ]
        for number, item_id in enumerate(ids):
            self.change(Filter(ids=frozenset((item_id,))), due=NOW - 60 + number)
        wanted = [ids[number] for number in (4, 2, 5, 0, 1, 3)]
        self.assertEqual(self.leased(limit=2), wanted[:2])
        self.assertEqual(self.leased(limit=3), wanted[2:5])
        self.assertEqual(self.leased(limit=3), wanted[5:])

    def test_urgent_but_not_due(self) -> None:
        """What is urgent waits for its time all the same."""
        (item,) = self.queue(demands=Demands(priority=9))
        self.change(Filter(), due=NOW + 60)
        self.assertEqual(self.leased(now=NOW + 59), [])
        self.assertEqual(self.leased(now=NOW + 60), [item.id])

    def test_whole_item(self) -> None:
        """What is leased is what was queued."""
        (item,) = self.queue(new("a.example", "x", "y"), notes={"a": 1})
        (taken,) = self.successResultOf(self.store.lease(NOW, "a.example", 1, 60))
        self.assertEqual(taken, item)
        self.assertEqual(self.the(item.id), item)

    def test_expiry(self) -> None:
        """An item whose lease has run out is anybody's: its owner must have failed."""
        (item,) = self.queue()
        self.assertEqual(self.leased(seconds=60), [item.id])
        self.assertEqual(self.leased(now=NOW + 59), [])
        self.assertEqual(self.due(NOW + 59), [])
        self.assertEqual(self.due(NOW + 60), [SiteCount("a.example", 1, NOW + 60)])
        self.assertEqual(self.leased(now=NOW + 60), [item.id])
        self.assertEqual(self.leased(now=NOW + 60), [])

    def test_expiry_of_first(self) -> None:
        """So it is with the lease of whoever queued it."""
        (item,) = self.add(seconds=10.0)
        self.assertEqual(self.successResultOf(self.store.next_due(NOW)), NOW + 10)
        self.assertEqual(self.leased(now=NOW + 9), [])
        self.assertEqual(self.leased(now=NOW + 10), [item.id])

    def test_give_back(self) -> None:
        """What is given back is due as it was before."""
        (item,) = self.add(new())
        self.successResultOf(self.store.give_back((item.id, 12345)))
        self.assertEqual(self.the(item.id), attrs.evolve(item, state=ItemState.READY))
        self.assertEqual(self.leased(), [item.id])

    def test_give_back_what_is_not_leased(self) -> None:
        """To give back what somebody put on hold does not release it."""
        (item,) = self.queue()
        self.change(Filter(), state=ItemState.HELD)
        self.successResultOf(self.store.give_back((item.id,)))
        self.assertIs(self.the(item.id).state, ItemState.HELD)
        self.assertEqual(self.leased(), [])

    def test_late_settlement(self) -> None:
        """Mail delivered after its lease ran out is gone all the same."""
        (item,) = self.add(seconds=10.0)
        self.assertEqual(self.leased(now=NOW + 11), [item.id])
        self.settle(item.id)
        self.assertEqual(self.found(), [])

    def test_clock_goes_back(self) -> None:
        """Mail waits a day longer when the clock is put back a day, but is not lost."""
        (item,) = self.queue()
        self.assertEqual(self.leased(now=NOW - 86_400), [])
        self.assertEqual(self.due(NOW - 86_400), [])
        self.assertEqual(self.successResultOf(self.store.next_due(NOW - 86_400)), NOW)
        self.assertEqual(self.leased(now=NOW), [item.id])


class SettleContract(StoreTestCase):
    """After an attempt."""

    def test_retry(self) -> None:
        """What is left of an item waits as the scheduler wants it."""
        (item,) = self.add(new("a.example", "x", "y"))
        left = (attrs.evolve(item.recipients[1], last_reply="450 4.2.1 é\udc80"),)
        wanted = retry(
            item,
            recipients=left,
            due=NOW + 64.5,
            attempts=3,
            site="mx.a.example",
            warned=True,
            last_error="timeout",
        )
        self.successResultOf(self.store.settle((), (wanted,)))
        expected = attrs.evolve(
            item,
            recipients=left,
            due=NOW + 64.5,
            attempts=3,
            site="mx.a.example",
            warned=True,
            last_error="timeout",
            state=ItemState.READY,
        )
        self.assertEqual(self.the(item.id), expected)
        self.assertEqual(self.leased("a.example", now=NOW + 99), [])
        self.assertEqual(self.leased("mx.a.example", now=NOW + 64), [])
        self.assertEqual(self.leased("mx.a.example", now=NOW + 65), [item.id])

    def test_other_site(self) -> None:
        """A queue that an item is moved to is seen, though nothing was in it before."""
        (item,) = self.add()
        moved = retry(item, site="mx.a.example", due=NOW + 5)
        self.successResultOf(self.store.settle((), (moved,)))
        self.assertEqual(self.due(NOW + 5), [SiteCount("mx.a.example", 1, NOW + 5)])

    def test_dead(self) -> None:
        """A double bounce stays for the postmaster, and nobody tries it again."""
        (item,) = self.add()
        dead = retry(item, state=ItemState.DEAD, last_error="double bounce")
        self.successResultOf(self.store.settle((), (dead,)))
        self.assertIs(self.the(item.id).state, ItemState.DEAD)
        self.assertEqual(self.due(NOW + 1e9), [])
        self.assertEqual(self.leased(now=NOW + 1e9), [])
        body = self.successResultOf(self.store.read_body(item.message_id))
        self.assertEqual(b"".join(body), BODY)

    def test_together(self) -> None:
        """Some items of one message may be done and others not."""
        first, second = self.add(new(), new("b.example"))
        self.successResultOf(self.store.settle((first.id,), (retry(second),)))
        self.assertEqual(self.found(), [second.id])
        self.assertEqual(self.leased("b.example"), [second.id])

    def test_gone(self) -> None:
        """To settle what is gone changes nothing."""
        (item,) = self.add()
        self.settle(item.id)
        self.successResultOf(self.store.settle((item.id, 99), (retry(item),)))
        self.successResultOf(self.store.settle((), ()))
        self.assertEqual(self.found(), [])

    def test_mistakes(self) -> None:
        """An item without recipients, or one that nobody could take, is refused."""
        (item,) = self.add()
        for wrong in (
            retry(item, recipients=()),
            retry(item, state=ItemState.LEASED),
        ):
            self.assertRaises(ValueError, self.store.settle, (item.id,), (wrong,))
        self.assertEqual(self.the(item.id), item)


class DueContract(StoreTestCase):
    """What is there to be done."""

    def test_due_sites(self) -> None:
        """The queues that have waited longest come first."""
        self.queue(new("b.example"), new("b.example"), new("c.example"))
        (late,) = self.queue(new("a.example"))
        self.change(Filter(domain="c.example"), due=NOW - 20)
        self.change(Filter(ids=frozenset((late.id,))), due=NOW + 20)
        c, b = SiteCount("c.example", 1, NOW - 20), SiteCount("b.example", 2, NOW)
        self.assertEqual(self.due(), [c, b])
        self.assertEqual(self.due(limit=1), [c])
        self.assertEqual(self.due(NOW - 1), [c])
        a = SiteCount("a.example", 1, NOW + 20)
        self.assertEqual(self.due(NOW + 20), [c, b, a])

    def test_due_sites_follow(self) -> None:
        """A queue is listed as long as it has something due, and with its real time."""
        first, second = self.queue(new(), new())
        self.change(Filter(ids=frozenset((first.id,))), due=NOW - 9)
        self.assertEqual(self.due(), [SiteCount("a.example", 2, NOW - 9)])
        self.assertEqual(self.leased(limit=1), [first.id])
        self.assertEqual(self.due(), [SiteCount("a.example", 1, NOW)])
        self.change(Filter(), due=NOW + 9)
        self.assertEqual(self.due(), [])
        self.change(Filter(), due=NOW - 5)
        self.assertEqual(self.due(), [SiteCount("a.example", 1, NOW - 5)])
        self.change(Filter(), state=ItemState.HELD)
        self.assertEqual(self.due(), [])
        self.change(Filter(ids=frozenset((second.id,))), state=ItemState.READY)
        self.assertEqual(self.due(), [SiteCount("a.example", 1, NOW - 5)])
        self.settle(second.id)
        self.assertEqual(self.due(), [])

    def test_next_due(self) -> None:
        """The scheduler learns when to look again, whatever is due already."""
        self.assertIsNone(self.successResultOf(self.store.next_due(NOW)))
        first, second, third = self.queue(new(), new(), new())
        self.assertIsNone(self.successResultOf(self.store.next_due(NOW)))
        self.change(Filter(ids=frozenset((second.id,))), due=NOW + 30)
        self.assertEqual(self.successResultOf(self.store.next_due(NOW)), NOW + 30)
        self.assertEqual(self.leased(limit=1, seconds=20), [first.id])
        self.assertEqual(self.successResultOf(self.store.next_due(NOW)), NOW + 20)
        self.assertEqual(self.successResultOf(self.store.next_due(NOW + 20)), NOW + 30)
        self.change(Filter(ids=frozenset((second.id,))), state=ItemState.HELD)
        self.assertIsNone(self.successResultOf(self.store.next_due(NOW + 20)))
        self.settle(third.id)
