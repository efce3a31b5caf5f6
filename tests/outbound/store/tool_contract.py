"""What every store must do for the queue tools, whatever it keeps mail in."""

from typing import Any

from harakatw.errors import StoreError
from harakatw.interfaces.queue import Detour, Filter, ItemState, QueueItem, SiteCount
from tests.outbound.store.contract import StoreTestCase
from tests.outbound.store.fakes import NOW, ids_of, new, retry


class ToolContract(StoreTestCase):
    """What queue tools do."""

    def test_hold_and_release(self) -> None:
        """Held mail waits for the postmaster."""
        first, second = self.queue(new(), new("b.example"))
        held = self.change(Filter(domain="a.example"), state=ItemState.HELD)
        self.assertEqual(held, 1)
        self.assertEqual(self.leased(), [])
        self.assertEqual(self.found(state=ItemState.HELD), [first.id])
        self.assertEqual(self.found(state=ItemState.READY), [second.id])
        which = Filter(state=ItemState.HELD)
        self.assertEqual(self.change(which, state=ItemState.READY), 1)
        self.assertEqual(self.leased(), [first.id])

    def test_revive(self) -> None:
        """Dead mail can be tried again, when the postmaster says so."""
        (item,) = self.add()
        dead = retry(item, state=ItemState.DEAD)
        self.successResultOf(self.store.settle((), (dead,)))
        changed = self.change(Filter(), state=ItemState.READY, due=NOW + 5)
        self.assertEqual(changed, 1)
        self.assertEqual(self.leased(now=NOW + 4), [])
        self.assertEqual(self.leased(now=NOW + 5), [item.id])

    def test_reroute(self) -> None:
        """The postmaster sends mail another way, and back to the usual one."""
        (item,) = self.queue()
        way = Detour("relay.example:26", "relay.example")
        self.assertEqual(self.change(Filter(), detour=way), 1)
        self.assertEqual(self.the(item.id).next_hop, "relay.example:26")
        self.assertEqual(self.leased("relay.example", limit=0), [])
        self.assertEqual(self.due(), [SiteCount("relay.example", 1, NOW)])
        self.change(Filter(), detour=Detour(""))
        self.assertEqual(self.the(item.id).next_hop, "")
        self.assertEqual(self.leased("a.example"), [item.id])

    def test_leased_is_left_alone(self) -> None:
        """Mail on its way is neither held, nor re-scheduled, nor dropped."""
        (item,) = self.add()
        self.assertEqual(self.change(Filter(), state=ItemState.HELD), 0)
        self.assertEqual(self.change(Filter(), due=NOW - 5), 0)
        self.assertEqual(self.successResultOf(self.store.drop(Filter())), 0)
        self.assertEqual(self.the(item.id), item)

    def test_drop(self) -> None:
        """Dropped mail is gone, with its body."""
        first, second = self.queue(new(), new("b.example"))
        dropping = self.store.drop(Filter(domain="a.example"))
        self.assertEqual(self.successResultOf(dropping), 1)
        self.assertEqual(self.found(), [second.id])
        self.successResultOf(self.store.read_body(first.message_id))
        self.assertEqual(self.successResultOf(self.store.drop(Filter())), 1)
        self.failureResultOf(self.store.read_body(first.message_id), StoreError)

    def test_mistakes(self) -> None:
        """To change nothing, or to lease for nobody, is refused."""
        self.assertRaises(ValueError, self.store.change, Filter())
        self.assertRaises(ValueError, self.store.change, Filter(), ItemState.LEASED)

    def test_count(self) -> None:
        """The postmaster sees how much there is of what."""
        items = self.queue(new(), new(), new(), new())
        self.add()
        self.change(Filter(ids=frozenset((items[0].id,))), state=ItemState.HELD)
        self.change(Filter(ids=frozenset((items[1].id,))), state=ItemState.DEAD)
        self.assertEqual(
            self.successResultOf(self.store.count()),
            {
                ItemState.READY: 2,
                ItemState.LEASED: 1,
                ItemState.HELD: 1,
                ItemState.DEAD: 1,
            },
        )


class FindContract(StoreTestCase):
    """The filter of the queue tools."""

    def queued(self) -> tuple[QueueItem, ...]:
        """Three different messages."""
        (first,) = self.queue(new("a.example", "x", "Y"), uuid="AAA.1")
        (second,) = self.queue(
            new("b.example", site="mx.b"),
            uuid="BBB.1",
            sender="",
            queued_at=NOW - 3600,
        )
        (third,) = self.add(
            new("100%_c.example", "jörg"), uuid="AAB.1", sender="Ö@o.example"
        )
        failed = retry(third, last_error="421 Try *later*")
        self.successResultOf(self.store.settle((), (failed,)))
        return first, second, third

    def test_texts(self) -> None:
        """Texts are compared as a whole and without case, and a star is anything."""
        first, second, third = ids_of(self.queued())
        cases: tuple[tuple[dict[str, Any], list[int]], ...] = (
            ({}, [first, second, third]),
            ({"uuid": "aaa.1"}, [first]),
            ({"uuid": "aaa"}, []),
            ({"uuid": "AA*"}, [first, third]),
            ({"uuid": "*a*.*"}, [first, third]),
            ({"sender": "s@OURS.example"}, [first]),
            ({"sender": "<>"}, [second]),
            ({"sender": "ö@o.example"}, []),
            ({"sender": "Ö@O.example"}, [third]),
            ({"recipient": "y@a.example"}, [first]),
            ({"recipient": "x*"}, [first]),
            ({"recipient": "jör*"}, [third]),
            ({"recipient": "*@*.example"}, [first, second, third]),
            ({"recipient": "x@a.example*y@a.example"}, []),
            ({"domain": "100%_c.example"}, [third]),
            ({"domain": "_.example"}, []),
            ({"domain": "%"}, []),
            ({"domain": ".*"}, []),
            ({"domain": "*.example"}, [first, second, third]),
            ({"site": "mx.b"}, [second]),
            ({"site": "b.example"}, []),
            ({"error": "421*"}, [third]),
            ({"error": "421 try *LATER*"}, [third]),
            ({"error": "\\"}, []),
        )
        for which, expected in cases:
            self.assertEqual(self.found(**which), expected, which)

    def test_numbers(self) -> None:
        """Items are found by id, age and state, and all conditions must hold."""
        first, second, third = ids_of(self.queued())
        self.clock.advance(60)
        for which, expected in (
            ({"ids": frozenset((first, third, 999))}, [first, third]),
            ({"ids": frozenset((first,)), "uuid": "BBB.1"}, []),
            ({"older_seconds": 60.0}, [first, second, third]),
            ({"older_seconds": 61.0}, [second]),
            ({"older_seconds": 0.0}, [first, second, third]),
            ({"younger_seconds": 60.0}, []),
            ({"younger_seconds": 61.0}, [first, third]),
            ({"older_seconds": 61.0, "younger_seconds": 9e9}, [second]),
            ({"state": ItemState.READY}, [first, second, third]),
            ({"state": ItemState.LEASED}, []),
        ):
            self.assertEqual(self.found(**which), expected, which)

    def test_pages(self) -> None:
        """A long list comes in pages, by id."""
        first, second, third = ids_of(self.queued())
        self.assertEqual(self.found(limit=2), [first, second])
        self.assertEqual(self.found(limit=2, after=second), [third])
        self.assertEqual(self.found(limit=2, after=third), [])
        self.assertEqual(self.found(limit=1, domain="*c*"), [third])

    def test_change_by_filter(self) -> None:
        """A change means what a list with the same filter shows."""
        first, second, third = ids_of(self.queued())
        which = Filter(recipient="*@*.example", sender="*@*")
        self.assertEqual(self.change(which, state=ItemState.HELD), 2)
        self.assertEqual(self.found(state=ItemState.HELD), [first, third])
        which = Filter(error="421*")
        self.assertEqual(self.successResultOf(self.store.drop(which)), 1)
        self.assertEqual(self.found(), [first, second])
