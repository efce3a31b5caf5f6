"""What the parts of the engine tell each other of an attempt."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.interfaces.queue import QueuedMessage, QueuedRecipient, QueueItem
from harakatw.outbound.attempt import Routed, Undelivered, Work
from harakatw.reply import reply

RECIPIENT = QueuedRecipient("a@d.example")
MESSAGE = QueuedMessage(uuid="U.1", sender="s@s.example", size=9, queued_at=0.0)
ITEM = QueueItem(
    id=1,
    message_id=1,
    message=MESSAGE,
    domain="d.example",
    site="d.example",
    recipients=(RECIPIENT,),
)


class UndeliveredTests(SynchronousTestCase):
    """Why somebody has not got a message, in a line."""

    def test_said(self) -> None:
        """Code, enhanced status code, and all lines of the text."""
        why = reply(450, "4.2.0", ["Greylisted", "Come again"])
        said = Undelivered(recipient=RECIPIENT, reply=why).said
        self.assertEqual(said, "450 4.2.0 Greylisted Come again")

    def test_without_enhanced_code(self) -> None:
        """Many hosts give no enhanced status code."""
        said = Undelivered(recipient=RECIPIENT, reply=reply(550, "", "No")).said
        self.assertEqual(said, "550 No")


class WorkTests(SynchronousTestCase):
    """An item on its way."""

    def test_site(self) -> None:
        """It waits in its domain's queue until its site is known."""
        work = Work(ITEM)
        self.assertEqual(work.site, "d.example")
        work.routed = Routed("mx.example")
        self.assertEqual(work.site, "mx.example")
