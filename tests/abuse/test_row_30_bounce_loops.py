"""Row 30: reports about reports, and reports without end."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.interfaces.queue import ItemState
from harakatw.outbound.dsn.recipients import Action, Kind
from harakatw.outbound.dsn.report import Reporter
from harakatw.outbound.routes.problems import LOOP
from harakatw.wire.dsn import message_dsn, recipient_dsn
from tests.dns.zones import a, mx
from tests.outbound.dsn.reports import (
    NOW,
    make_report,
    make_reporter,
    parsed,
    queued_message,
    told,
)
from tests.outbound.post_office import (
    ALICE,
    BOB,
    MESSAGE,
    ZONE,
    PostOfficeTestCase,
)
from tests.sessions import make_site


class BounceLoopTests(SynchronousTestCase):
    """Two servers that return each other's mail."""

    def _answer(self, reporter: Reporter, octets: bytes, sender: str) -> object:
        """What a server says when mail with that sender cannot be delivered."""
        message = queued_message(sender=sender, ret="FULL")
        failed = told(notify="FAILURE")
        return reporter.report(Kind.FAILURE, message, [failed], (octets,), NOW)

    def test_report_about_report(self) -> None:
        """The first report goes out; when it cannot be delivered, there is an end."""
        reporter = make_reporter()
        first = make_report(reporter=reporter)
        self.assertIsNone(self._answer(reporter, first.octets, ""))

    def test_autoresponders(self) -> None:
        """A report asks programs not to answer (RFC 3834)."""
        for action in Action:
            outcome = told(action=action, notify=action.kind.value)
            report = make_report(outcome, kind=action.kind)
            self.assertEqual(parsed(report)["Auto-Submitted"], "auto-replied")

    def test_wishes_of_a_bounce(self) -> None:
        """A client that asks for reports to the null path is heard, and gets none."""
        site = make_site()
        site.greet()
        site.client.say(
            "MAIL FROM:<> RET=FULL ENVID=x",
            "RCPT TO:<b@here.example> NOTIFY=SUCCESS,FAILURE,DELAY",
        )
        self.assertEqual(site.client.codes(), [250, 250])
        transaction = site.connection.transaction
        ret, envid = message_dsn(transaction.mail_params)
        (recipient,) = transaction.rcpt_to
        notify, orcpt = recipient_dsn(transaction.rcpt_params(recipient))
        message = queued_message(
            sender=transaction.mail_from.address, ret=ret, envid=envid
        )
        for action in Action:
            outcome = told(action=action, notify=notify, orcpt=orcpt)
            report = make_reporter().report(
                action.kind, message, [outcome], (b"",), NOW
            )
            self.assertIsNone(report)


class EngineLoopTests(PostOfficeTestCase):
    """The same through the engine, until nothing moves any more."""

    def test_null_path(self) -> None:
        """Mail from the null path to a bad address makes no report."""
        post = self.office()
        post.first.refuse(rcpt=b"550 5.1.1 who")
        post.send(BOB, sender="")
        post.run(86400)
        self.assertEqual(post.reports(), [])
        self.assertEqual([item.state for item in post.items()], [ItemState.DEAD])

    def test_bad_on_both_sides(self) -> None:
        """Neither sender nor recipient exist: one report, and that is the end."""
        post = self.office()
        for host in post.net.hosts.values():
            host.refuse(rcpt=b"550 5.1.1 who")
        post.send(BOB, sender=ALICE)
        post.run(10 * 86400)
        self.assertEqual(len(post.store.added), 2)
        self.assertEqual([item.state for item in post.items()], [ItemState.DEAD])

    def test_many_wishes(self) -> None:
        """
        A thousand recipients of whom the sender wants to hear: one report, not one for
        each, and none about that.
        """
        post = self.office()
        post.first.refuse(rcpt=b"550 5.1.1 who")
        post.send(*(f"user{number}@far.example" for number in range(1000)))
        post.run(3600)
        (report,) = post.reports()
        self.assertEqual(report.count(b"Final-Recipient:"), 1000)
        self.assertEqual(post.items(), ())

    def test_mx_is_us(self) -> None:
        """A domain whose MX host is this server: 5.4.6, and nobody is connected to."""
        zone = {**ZONE, "far.example": (mx(10, "me.example"),)}
        zone["me.example"] = (a("192.0.2.77"),)
        post = self.office(zone=zone)
        post.send(BOB, contents=MESSAGE)
        post.run(3600)
        (report,) = post.reports()
        self.assertIn(b"Status: 5.4.6", report)
        self.assertIn(LOOP.text.encode(), report)
        self.assertNotIn("192.0.2.77", post.net.tried)
