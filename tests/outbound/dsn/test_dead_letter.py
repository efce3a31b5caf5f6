"""Mail that can be neither delivered nor returned (WK14)."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.interfaces.queue import ItemState, QueuedRecipient, QueueItem
from harakatw.outbound.dsn.dead_letter import dead_letter, is_double_bounce
from harakatw.reply import reply
from tests.outbound.dsn.reports import BOB, NOW, SENDER, queued_message, told


def queue_item(sender: str) -> QueueItem:
    """A message to Bob in the queue."""
    return QueueItem(
        id=7,
        message_id=3,
        message=queued_message(sender=sender),
        domain="far.example",
        site="mx.far.example",
        recipients=(QueuedRecipient(BOB),),
        attempts=2,
    )


class DeadLetterTests(SynchronousTestCase):
    """Double bounces."""

    def test_whose(self) -> None:
        """A bounce that fails has nobody to go back to."""
        self.assertTrue(is_double_bounce(queue_item("")))
        self.assertTrue(is_double_bounce(queue_item("no address")))
        self.assertFalse(is_double_bounce(queue_item(SENDER)))

    def test_kept(self) -> None:
        """It stays in the queue for the postmaster, who sees why; nobody tries it."""
        failed = told(answer=reply(550, "5.1.1", "no such user"))
        letter = dead_letter(queue_item(""), [failed], NOW)
        self.assertIs(letter.state, ItemState.DEAD)
        self.assertEqual((letter.id, letter.attempts, letter.due), (7, 3, NOW))
        self.assertEqual(letter.site, "mx.far.example")
        (recipient,) = letter.recipients
        self.assertEqual(recipient.address, BOB)
        self.assertEqual(recipient.last_reply, "550 5.1.1 no such user")
        self.assertEqual(letter.last_error, "double bounce: 550 5.1.1 no such user")
