"""What outbound plugins see of a queued message."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.interfaces.outbound_hooks import IHMail
from harakatw.interfaces.queue import QueuedMessage, QueuedRecipient, QueueItem
from harakatw.outbound.attempt import Work
from harakatw.outbound.hmail import HMail


def item(*recipients: str, **message: Any) -> QueueItem:
    """An item with the number 7."""
    given: dict[str, Any] = {
        "uuid": "U.1",
        "sender": "a@b.example",
        "size": 3,
        "queued_at": 0.0,
    }
    return QueueItem(
        id=7,
        message_id=5,
        message=QueuedMessage(**(given | message)),
        domain="d.example",
        site="mx.d.example",
        recipients=tuple(map(QueuedRecipient, recipients)),
    )


class HMailTests(SynchronousTestCase):
    """Names and shapes are those of a transaction."""

    def test_interface(self) -> None:
        """It has all that plugins are promised."""
        hmail = HMail(item("c@d.example"))
        verifyObject(IHMail, hmail)
        self.assertEqual((hmail.uuid, hmail.domain), ("U.1.7", "d.example"))

    def test_envelope(self) -> None:
        """Sender and recipients are addresses, quoted and non-ASCII ones too."""
        hmail = HMail(item('"x y"@d.example', "é@d.example", sender=""))
        self.assertTrue(hmail.mail_from.is_null)
        self.assertEqual([each.user for each in hmail.rcpt_to], ["x y", "é"])
        self.assertEqual(str(HMail(item()).mail_from), "<a@b.example>")

    def test_damaged(self) -> None:
        """
        An address of the queue that nobody can read shows as it is, and breaks no
        plugin.
        """
        hmail = HMail(item("no address", sender="neither"))
        (recipient,) = hmail.rcpt_to
        self.assertEqual(recipient.original, "no address")
        self.assertEqual((recipient.user, recipient.host), ("", ""))
        self.assertEqual(hmail.mail_from.original, "neither")

    def test_notes(self) -> None:
        """
        The notes of the transaction are there. What plugins change in them reaches the
        later hooks of the attempt, but not the queue.
        """
        work = Work(item("c@d.example", notes={"queue": {"wants": "x"}}))
        work.hmail.notes.set("queue.wants", "y")
        self.assertEqual(work.hmail.notes.get("queue.wants"), "y")
        self.assertEqual(work.item.message.notes, {"queue": {"wants": "x"}})
        self.assertEqual(Work(work.item).hmail.notes.get("queue.wants"), "x")
