"""What can be done with queued mail by hand."""

import attrs
from twisted.internet.defer import Deferred, fail

from harakatw.errors import StoreError
from harakatw.interfaces.queue import (
    Detour,
    Filter,
    ItemState,
    NewItem,
    QueuedMessage,
    QueuedRecipient,
)
from harakatw.outbound.control.requests import Verb
from harakatw.outbound.control.tool import Changed, scopes
from harakatw.reply import reply
from tests.outbound.control.queues import NOW, QueueTestCase

READY, LEASED, HELD, DEAD = ItemState
WHY = reply(554, "5.0.0", "Returned by the postmaster")
ALL = Filter()


class HoldTests(QueueTestCase):
    """Holding and releasing."""

    def test_hold(self) -> None:
        """What is held stays; what is dead is not touched."""
        ready, dead = self.add(), self.add(state=DEAD)
        self.assertEqual(self.result(self.tool.hold(ALL)), Changed(changed=1))
        self.assertEqual(self.states(), {ready: "held", dead: "dead"})

    def test_hold_again(self) -> None:
        """What is held already does not count."""
        self.add(state=HELD)
        self.assertEqual(self.result(self.tool.hold(ALL)).changed, 0)

    def test_hold_what_is_in_memory(self) -> None:
        """
        On a running server mail that waits for its turn is held, too, and what is being
        delivered is told.
        """
        waits, runs, ready = self.add(state=LEASED), self.add(state=LEASED), self.add()
        self.run_server().waiting.add(waits)
        done = self.result(self.tool.hold(ALL))
        self.assertEqual(done, Changed(changed=2, in_delivery=1))
        wanted = {waits: "held", runs: "leased", ready: "held"}
        self.assertEqual(self.states(), wanted)

    def test_hold_by_state(self) -> None:
        """C{state=ready} leaves alone what is in memory, C{state=leased} the rest."""
        waits, ready = self.add(state=LEASED), self.add()
        self.run_server().waiting.add(waits)
        self.result(self.tool.hold(Filter(state=READY)))
        self.assertEqual(self.states(), {waits: "leased", ready: "held"})
        done = self.result(self.tool.hold(Filter(state=LEASED)))
        self.assertEqual(done, Changed(changed=1))
        self.assertEqual(self.states(), {waits: "held", ready: "held"})

    def test_release(self) -> None:
        """What was held or given up is tried now; the engine is told to look."""
        held, dead, ready = self.add(state=HELD), self.add(state=DEAD), self.add()
        engine = self.run_server()
        self.assertEqual(self.result(self.tool.release(ALL)), Changed(changed=2))
        self.assertEqual(set(self.states().values()), {"ready"})
        dues = {number: item.due for number, item in self.items().items()}
        self.assertEqual(dues, {held: NOW, dead: NOW, ready: NOW + 600})
        self.assertEqual(engine.asked, ["look"])

    def test_release_one_state(self) -> None:
        """C{state=held} leaves the dead alone."""
        held, dead = self.add(state=HELD), self.add(state=DEAD)
        self.result(self.tool.release(Filter(state=HELD)))
        self.assertEqual(self.states(), {held: "ready", dead: "dead"})


class RetryTests(QueueTestCase):
    """Trying now."""

    def test_stopped(self) -> None:
        """Without a server what waits is due when there is one."""
        ready, held = self.add(), self.add(state=HELD)
        self.assertEqual(self.result(self.tool.retry(ALL)), Changed(changed=1))
        dues = {number: item.due for number, item in self.items().items()}
        self.assertEqual(dues, {ready: NOW, held: NOW + 600})

    def test_running(self) -> None:
        """A server is asked to do it, as only it knows what is being tried."""
        self.add(state=LEASED)
        self.add()
        engine = self.run_server()
        done = self.result(self.tool.retry(ALL))
        self.assertEqual(done, Changed(changed=1, in_delivery=1))
        self.assertEqual(engine.asked, ["flush"])


class RerouteTests(QueueTestCase):
    """Sending elsewhere."""

    WAY = Detour("relay.example:26", "relay.example:26")

    def test_reroute(self) -> None:
        """Mail waits in the other host's queue, and is due; what is held stays so."""
        ready, held = self.add(), self.add(state=HELD)
        done = self.result(self.tool.reroute(ALL, self.WAY))
        self.assertEqual(done, Changed(changed=2))
        for item in self.items().values():
            self.assertEqual(item.next_hop, "relay.example:26")
            self.assertEqual((item.site, item.due), ("relay.example:26", NOW))
        self.assertEqual(self.states(), {ready: "ready", held: "held"})

    def test_others_of_the_message(self) -> None:
        """A message for two domains goes elsewhere only where that is meant."""
        message = QueuedMessage(uuid="A", sender="s@x.example", size=1, queued_at=NOW)
        news = [
            NewItem(domain=domain, recipients=(QueuedRecipient(f"r@{domain}"),))
            for domain in ("a.example", "b.example")
        ]
        self.store.add(message, news, [b"x"])
        self.store.give_back(self.items())
        self.result(self.tool.reroute(Filter(domain="a.example"), self.WAY))
        ways = {item.domain: item.next_hop for item in self.items().values()}
        self.assertEqual(ways, {"a.example": "relay.example:26", "b.example": ""})

    def test_in_memory(self) -> None:
        """On a running server mail that waits for the old host goes to the new one."""
        runs, engine = self.add(state=LEASED), self.run_server()
        for which in (ALL, Filter(state=LEASED)):
            waits = self.add("b.example", state=LEASED)
            engine.waiting.add(waits)
            only = attrs.evolve(which, domain="b.example")
            done = self.result(self.tool.reroute(only, self.WAY))
            self.assertEqual(done, Changed(changed=1))
            self.assertEqual(self.states()[waits], "ready")
            self.assertEqual(self.items()[waits].site, "relay.example:26")
        self.assertEqual(self.states()[runs], "leased")
        self.assertEqual(engine.asked, ["recall", "look"] * 2)

    def test_usual_way(self) -> None:
        """The usual way is found again from the recipients' domain."""
        number = self.add()
        self.result(self.tool.reroute(ALL, self.WAY))
        self.result(self.tool.reroute(ALL, Detour("")))
        item = self.items()[number]
        self.assertEqual((item.next_hop, item.site), ("", "a.example"))


class DropTests(QueueTestCase):
    """Removing."""

    def test_drop(self) -> None:
        """What is meant is gone, in whatever state, but for what is being sent."""
        gone = (self.add(), self.add(state=HELD), self.add(state=DEAD))
        runs, waits = self.add(state=LEASED), self.add(state=LEASED)
        self.run_server().waiting.add(waits)
        done = self.result(self.tool.drop(ALL))
        self.assertEqual(done, Changed(changed=len(gone) + 1, in_delivery=1))
        self.assertEqual(self.states(), {runs: "leased"})
        self.assertEqual(self.reports.told, [])

    def test_leased_and_none_waits(self) -> None:
        """
        C{state=leased}, when nothing of that can be had, means nothing: least of all
        everything.
        """
        self.add()
        self.add(state=LEASED)
        self.run_server()
        done = self.result(self.tool.drop(Filter(state=LEASED)))
        self.assertEqual(done, Changed(changed=0, in_delivery=1))
        self.assertEqual(len(self.items()), 2)


class BounceTests(QueueTestCase):
    """Giving up."""

    def test_told_before_it_is_gone(self) -> None:
        """An item leaves the queue after its report is on disk."""
        number = self.add()
        self.reports.waits = Deferred()
        bouncing = Deferred.fromCoroutine(self.tool.bounce(ALL, WHY))
        self.assertNoResult(bouncing)
        self.assertEqual(self.states(), {number: "held"})
        self.reports.waits.callback(None)
        self.assertEqual(self.successResultOf(bouncing), Changed(changed=1))
        self.assertEqual(self.items(), {})

    def test_what_is_said(self) -> None:
        """Every recipient fails, with the words of the postmaster."""
        self.add()
        self.result(self.tool.bounce(ALL, WHY))
        (told,) = self.reports.told
        failed = [(each.recipient.address, each.reply) for each in told.bounces]
        self.assertEqual(failed, [("you@a.example", WHY)])

    def test_many(self) -> None:
        """All of them, page by page."""
        for _ in range(1203):
            self.add()
        self.assertEqual(self.result(self.tool.bounce(ALL, WHY)).changed, 1203)
        self.assertEqual(self.items(), {})

    def test_nobody_to_tell(self) -> None:
        """A bounce of a bounce is kept for the postmaster, who can drop it."""
        number = self.add(sender="")
        done = self.result(self.tool.bounce(ALL, WHY))
        self.assertEqual(done, Changed(changed=0, kept=1))
        self.assertEqual(self.states(), {number: "dead"})

    def test_damaged(self) -> None:
        """What is left of a damaged record is not thrown away by bouncing it."""
        number = self.add(state=DEAD)
        kept = self.store._items[number]
        kept.item = attrs.evolve(kept.item, recipients=())
        self.assertEqual(self.result(self.tool.bounce(ALL, WHY)).kept, 1)
        self.assertEqual(self.states(), {number: "dead"})
        self.assertEqual(self.reports.told, [])

    def test_in_delivery(self) -> None:
        """What may be delivered at this moment is not bounced as well."""
        runs, waits = self.add(state=LEASED), self.add(state=LEASED)
        self.run_server().waiting.add(waits)
        done = self.result(self.tool.bounce(ALL, WHY))
        self.assertEqual(done, Changed(changed=1, in_delivery=1))
        self.assertEqual(self.states(), {runs: "leased"})

    def test_no_report(self) -> None:
        """A report that cannot be stored leaves the item in the queue, held."""
        number = self.add()
        self.reports.waits = fail(StoreError("the disk is full"))
        bouncing = Deferred.fromCoroutine(self.tool.bounce(ALL, WHY))
        self.failureResultOf(bouncing, StoreError)
        self.assertEqual(self.states(), {number: "held"})


class ScopeTests(QueueTestCase):
    """What a dry run lists is what would be changed."""

    def test_scopes(self) -> None:
        """Verbs are for some states only, and a filter may narrow that down."""
        for verb, which, wanted in (
            (Verb.HOLD, ALL, (READY, LEASED)),
            (Verb.RELEASE, ALL, (HELD, DEAD)),
            (Verb.RETRY, ALL, (READY,)),
            (Verb.RETRY, Filter(state=HELD), ()),
            (Verb.RELEASE, Filter(state=DEAD), (DEAD,)),
            (Verb.DROP, ALL, (None,)),
            (Verb.BOUNCE, Filter(state=HELD), (HELD,)),
        ):
            found = tuple(each.state for each in scopes(verb, which))
            self.assertEqual(found, wanted, (verb, which))
