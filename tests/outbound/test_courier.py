"""Who says where an item goes, and what plugins make of an attempt."""

from twisted.internet.defer import Deferred
from zope.interface import implementer

from harakatw.interfaces.queue import Detour, Filter, ItemState
from harakatw.outbound.hop import Hop
from harakatw.outbound.scheduler.core import Target
from harakatw.plugin import (
    CONT,
    DENY,
    OK,
    IGetMXHook,
    IHMail,
    delay,
    deny,
    deny_soft,
    ok,
)
from harakatw.verdict import DENYSOFT, Kind, Verdict
from tests.dns.zones import BROKEN, mx
from tests.log_events import collect_log
from tests.outbound.listeners import CourierTestCase, Defers, Holds, Routes
from tests.outbound.post_office import (
    BOB,
    FIRST,
    SECOND,
    ZONE,
)

HOUR = 3600.0


class RouteTests(CourierTestCase):
    """The hook C{get_mx}, and what it is asked for."""

    def test_nobody_says(self) -> None:
        """Without a plugin, or with one that says nothing, the DNS is asked."""
        for plugins in ((), (Routes(None),), (Routes(CONT),)):
            post = self.office(*plugins)
            post.send()
            post.run()
            self.assertEqual(post.first.recipients, [BOB])
            self.assertIn(("far.example", "MX"), post.resolver.asked)

    def test_route(self) -> None:
        """
        A hop, a list of hops, a name with a port and a URL are routes; the DNS has no
        say then.
        """
        for value in (
            Hop(host=SECOND),
            [Hop(host=SECOND)],
            f"{SECOND}:2525",
            f"smtp://{SECOND}",
            {"exchange": SECOND, "port": 2525},
        ):
            routes = Routes(ok(value=value))
            post = self.office(routes)
            post.send()
            post.run()
            self.assertEqual(post.second.recipients, [BOB], value)
            self.assertEqual(routes.asked, ["far.example"])
            self.assertNotIn(("far.example", "MX"), post.resolver.asked)

    def test_waits(self) -> None:
        """A plugin may take its time to find out."""
        pending: Deferred[Verdict] = Deferred()
        post = self.office(Routes(pending))
        post.send()
        post.run()
        self.assertEqual(post.net.tried, [])
        pending.callback(ok(value=SECOND))
        post.run()
        self.assertEqual(post.second.recipients, [BOB])

    def test_hangs(self) -> None:
        """One that hangs counts as "later", and the mail stays."""
        post = self.office(Routes(Deferred()))
        post.send()
        post.run(31)
        (item,) = post.items(ItemState.READY)
        self.assertIn("451 4.4.4", item.last_error)
        self.assertEqual(item.attempts, 1)

    def test_denies(self) -> None:
        """C{DENY} bounces the message, in the plugin's words if it has any."""
        for verdict, said in (
            (DENY, b"Diagnostic-Code: smtp; 550 5.1.2"),
            (deny("not there"), b"not there"),
        ):
            post = self.office(Routes(verdict))
            post.send()
            post.run()
            self.assertEqual(post.items(), ())
            (report,) = post.reports()
            self.assertIn(said.split(b"; ")[-1], report)
            self.assertIn(b"Status: 5.1.2", report)

    def test_denies_for_now(self) -> None:
        """C{DENYSOFT} keeps it for the next attempt, which asks again."""
        routes = Routes(deny_soft("come back"))
        post = self.office(routes)
        post.send()
        post.run(70)
        (item,) = post.items(ItemState.READY)
        self.assertEqual(item.last_error, "451 4.4.4 come back")
        self.assertEqual(len(routes.asked), 2)

    def test_nonsense(self) -> None:
        """A route that is none does not bounce mail, and the log says what it was."""
        events = collect_log(self)
        post = self.office(Routes(ok(value="no host at all")))
        post.send()
        post.run()
        (item,) = post.items(ItemState.READY)
        self.assertIn("451 4.3.5", item.last_error)
        details = [str(event.get("detail", "")) for event in events]
        self.assertTrue(any("no host at all" in detail for detail in details))

    def test_raises(self) -> None:
        """A mistake in a plugin leaves it to the DNS."""

        @implementer(IGetMXHook)
        class Raises:
            def hook_get_mx(self, hmail: IHMail, domain: str) -> None:
                raise ZeroDivisionError()

        post = self.office(Raises())
        post.send()
        post.run()
        self.assertEqual(post.first.recipients, [BOB])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_postmaster(self) -> None:
        """Where the postmaster has sent an item, there it goes; no plugin is asked."""
        routes = Routes(ok(value=FIRST))
        post = self.office(routes)
        post.scheduler.pause(Target())
        post.send()
        self.successResultOf(post.scheduler.recall(Filter()))
        post.store.change(Filter(), ItemState.READY, 0.0, Detour(SECOND))
        routes.asked.clear()
        post.scheduler.resume(Target())
        post.run()
        self.assertEqual(post.second.recipients, [BOB])
        self.assertEqual(routes.asked, [])

    def test_no_domain(self) -> None:
        """A domain that is not there bounces, one that nobody can look up waits."""
        zone = {**ZONE, "far.example": BROKEN}
        post = self.office(zone=zone)
        post.send(BOB)
        post.send("carol@nowhere.example")
        post.run()
        (item,) = post.items()
        self.assertIn("451 4.4.3", item.last_error)
        (report,) = post.reports()
        self.assertIn(b"carol@nowhere.example", report)
        self.assertIn(b"Status: 5.1.2", report)

    def test_no_address(self) -> None:
        """MX hosts without any address bounce, with the reason."""
        post = self.office(zone={**ZONE, "far.example": (mx(10, "x.far.example"),)})
        post.send()
        post.run()
        (report,) = post.reports()
        self.assertIn(b"Status: 5.4.4", report)


class SendEmailTests(CourierTestCase):
    """The hook C{send_email}: may the attempt begin?"""

    def test_goes_on(self) -> None:
        """All but C{DELAY} with a number lets it begin."""
        for answer in (None, CONT, OK, DENY, DENYSOFT, Verdict(Kind.DELAY), "x"):
            post = self.office(Holds([answer]))
            post.send()
            post.run()
            self.assertEqual(post.first.recipients, [BOB], answer)

    def test_delay(self) -> None:
        """
        C{delay(seconds)} puts it off for as long, and does not count as one of the
        attempts that a message has.
        """
        holds = Holds([delay(HOUR)] * 4)
        post = self.office(holds, intervals=())
        post.send()
        post.run(4 * HOUR - 10)
        self.assertEqual(post.net.tried, [])
        (item,) = post.items()
        self.assertEqual(item.attempts, 0)
        post.run(20)
        self.assertEqual(post.first.recipients, [BOB])
        self.assertEqual(holds.asked, 5)

    def test_not_for_ever(self) -> None:
        """But C{max_lifetime} counts."""
        post = self.office(Holds([delay(HOUR)] * 20), max_lifetime=2.5 * HOUR)
        post.send()
        post.run(3 * HOUR)
        self.assertEqual(post.items(), ())
        self.assertEqual(len(post.reports()), 1)

    def test_no_number(self) -> None:
        """A delay that is no number is none."""
        for value in (float("nan"), "60", None):
            post = self.office(Holds([Verdict(Kind.DELAY, value=value)]))
            post.send()
            post.run()
            self.assertEqual(post.first.recipients, [BOB], value)

    def test_waits(self) -> None:
        """A plugin may take its time, and uses a connection that waits as usual."""
        pending: Deferred[None] = Deferred()
        post = self.office(Holds([None, pending]))
        post.send()
        post.run(1)
        post.send()
        post.run(1)
        self.assertEqual(len(post.first.taken), 1)
        pending.callback(None)
        post.run(1)
        self.assertEqual(len(post.first.taken), 2)
        self.assertEqual(post.net.tried, [FIRST])


class DeferredTests(CourierTestCase):
    """The hook C{deferred}, after a temporary failure."""

    def test_told(self) -> None:
        """It is told who is deferred, what was said, and by whom."""
        defers = Defers(None)
        post = self.busy(defers)
        post.send()
        post.run()
        (deferral,) = defers.told
        self.assertEqual(deferral.error, "451 4.3.0 later")
        (undelivered,) = deferral.recipients
        self.assertEqual(undelivered.recipient.address, BOB)
        self.assertEqual(undelivered.reply.code, 451)
        assert undelivered.peer is not None
        self.assertEqual(undelivered.peer.host, "mx2.far.example")

    def test_goes_on(self) -> None:
        """With C{CONT}, or C{DENYSOFT} without a number, the usual interval holds."""
        for answer in (None, CONT, DENYSOFT, deny_soft(value="soon")):
            post = self.busy(Defers(answer))
            began = post.clock.seconds()
            post.send()
            post.run()
            (item,) = post.items()
            self.assertApproximates(item.due - began, 60, 1)

    def test_seconds(self) -> None:
        """C{deny_soft(value=seconds)} says when to try again."""
        post = self.busy(Defers(deny_soft(value=HOUR)))
        began = post.clock.seconds()
        post.send()
        post.run()
        (item,) = post.items()
        self.assertApproximates(item.due - began, HOUR, 1)
        self.assertEqual(item.attempts, 1)

    def test_drop(self) -> None:
        """C{OK} and C{DENY} drop the message; nobody is told, but the log."""
        for answer in (OK, DENY, deny(disconnect=True), deny_soft(disconnect=True)):
            events = collect_log(self)
            post = self.busy(Defers(answer))
            post.send()
            post.run()
            self.assertEqual(post.items(), ())
            self.assertEqual(post.reports(), [])
            words = [event["word"] for event in events if "word" in event]
            self.assertEqual(words, ["dropped"])

    def test_others(self) -> None:
        """Who has failed for good is told even though the rest is dropped."""
        post = self.office(Defers(OK))
        post.first.object_to = lambda line: {
            b"b": b"450 later",
            b"c": b"550 5.1.1 who",
        }.get(line[9:10])
        post.send("b@far.example", "c@far.example")
        post.run()
        (report,) = post.reports()
        self.assertIn(b"c@far.example", report)
        self.assertNotIn(b"Final-Recipient: rfc822; b@far.example", report)
        self.assertEqual(post.items(), ())

    def test_permanent(self) -> None:
        """It is not asked about a permanent failure, nor about success."""
        defers = Defers(None)
        post = self.office(defers)
        post.send()
        post.run()
        post.first.refuse(mail=b"550 5.7.1 no")
        post.send()
        post.run()
        self.assertEqual(defers.told, [])

    def test_no_route(self) -> None:
        """It is asked as well when no host can be found for now."""
        defers = Defers(deny_soft(value=HOUR))
        post = self.office(defers, zone={**ZONE, "far.example": BROKEN})
        began = post.clock.seconds()
        post.send()
        post.run()
        (item,) = post.items()
        self.assertApproximates(item.due - began, HOUR, 1)
        self.assertIn("451 4.4.3", defers.told[0].error)
