"""Row 30: reports about reports, and reports without end."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.dsn.recipients import Action, Kind
from harakatw.outbound.dsn.report import Reporter
from harakatw.wire.dsn import message_dsn, recipient_dsn
from tests.outbound.dsn.reports import (
    NOW,
    make_report,
    make_reporter,
    parsed,
    queued_message,
    told,
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
