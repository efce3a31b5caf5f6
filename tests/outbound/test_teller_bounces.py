"""Reports that are not sent: plugins forbid them, or there is nobody to tell."""

from typing import Any, cast

from twisted.internet.defer import Deferred
from zope.interface import implementer

from harakatw.errors import StoreError
from harakatw.interfaces.queue import (
    ItemState,
    QueuedRecipient,
)
from harakatw.plugin import CONT, DENY, OK, IBounceHook, IHMail
from harakatw.verdict import DENYSOFT
from tests.log_events import collect_log
from tests.outbound.post_office import (
    ALICE,
    BOB,
    FIRST,
    MESSAGE,
    PostOffice,
)
from tests.outbound.telling import Intact, Listens, TellerTestCase

CAROL = "carol@far.example"
MINUTE, HOUR = 60.0, 3600.0


class BounceHookTests(TellerTestCase):
    """The hook C{bounce}."""

    def bounce(self, *plugins: object, sender: str = ALICE) -> PostOffice:
        """An engine whose message has bounced."""
        post = self.office(*plugins)
        self.answer(post, bob=b"550 5.1.1 who")
        self.put(post, sender=sender)
        post.run()
        return post

    def test_told(self) -> None:
        """It is told who has failed, and what was said by whom."""
        listens = Listens()
        self.bounce(listens)
        (bounce,) = listens.bounces
        self.assertEqual(bounce.text, "550 5.1.1 who")
        (undelivered,) = bounce.recipients
        self.assertEqual(undelivered.recipient.address, BOB)
        assert undelivered.peer is not None
        self.assertEqual(undelivered.peer.ip, FIRST)

    def test_goes_on(self) -> None:
        """With C{CONT}, or nothing, the report is sent."""
        for answer in (None, CONT):
            self.assertEqual(len(self.bounce(Listens(answer)).reports()), 1)

    def test_silent(self) -> None:
        """Anything else means that none is; the message is gone."""
        for answer in (OK, DENY, DENYSOFT):
            post = self.bounce(Listens(answer))
            self.assertEqual((post.reports(), post.items()), ([], ()))

    def test_silent_about_failure(self) -> None:
        """That is about failure: a report of delay is sent all the same."""
        post = self.office(Listens(OK), delay_warning=30.0)
        self.answer(post, bob=b"450 4.2.1 grey", carol=b"450 4.2.1 grey")
        self.put(post, QueuedRecipient(BOB), QueuedRecipient(CAROL))
        post.run(30)
        self.answer(post, bob=b"450 4.2.1 grey", carol=b"550 5.1.1 who")
        post.run(40)
        self.assertEqual(self.blocks(post), ["bob@far.example delayed 4.2.1"])

    def test_hangs(self) -> None:
        """A plugin that gives no verdict in time has not said that nobody be told."""
        post = self.bounce(Listens(Deferred()))
        self.assertEqual(post.reports(), [])
        post.run(35)
        self.assertEqual(len(post.reports()), 1)

    def test_raises(self) -> None:
        """Nor has one that makes a mistake."""

        @implementer(IBounceHook)
        class Raises:
            def hook_bounce(self, hmail: IHMail, error: object) -> None:
                raise ZeroDivisionError()

        self.assertEqual(len(self.bounce(Raises()).reports()), 1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class NullPathTests(TellerTestCase):
    """Mail that must not be answered, and its end (row OB48)."""

    def test_no_report(self) -> None:
        """Nothing is said to the null path, whatever was asked for."""
        post = self.office(delay_warning=30.0)
        self.answer(post, carol=b"450 4.2.1 grey")
        everything = "SUCCESS,FAILURE,DELAY"
        self.put(
            post,
            QueuedRecipient(BOB, notify=everything),
            QueuedRecipient(CAROL, notify=everything),
            sender="",
        )
        post.run(100)
        self.assertEqual(len(post.store.added), 1)

    def test_double_bounce(self) -> None:
        """
        What can be neither delivered nor returned is kept as dead, the log says so, and
        nobody tries it again (weakness WK14).
        """
        events = collect_log(self)
        post = self.office()
        self.answer(post, bob=b"550 5.1.1 who")
        self.put(post, sender="")
        post.run(HOUR)
        (item,) = post.items()
        self.assertIs(item.state, ItemState.DEAD)
        self.assertEqual(item.last_error, "double bounce: 550 5.1.1 who")
        self.assertEqual(len(post.store.added), 1)
        why = [event["why"] for event in events if "why" in event]
        self.assertEqual(why, [item.last_error])

    def test_some(self) -> None:
        """
        If only some have failed they are kept by themselves, with the message, and the
        others are tried again and get it.
        """
        post = self.office()
        self.answer(post, bob=b"550 5.1.1 who", carol=b"450 4.2.1 grey")
        to = QueuedRecipient(BOB), QueuedRecipient(CAROL)
        self.put(post, *to, sender="")
        post.run()
        ready, dead = post.items()
        self.assertEqual((ready.state, dead.state), (ItemState.READY, ItemState.DEAD))
        self.assertEqual([each.address for each in ready.recipients], [CAROL])
        self.assertEqual([each.address for each in dead.recipients], [BOB])
        self.assertEqual(dead.recipients[0].last_reply, "550 5.1.1 who")
        self.assertEqual(dead.message, ready.message)
        # Both are on disk before the item that they were is touched.
        self.assertEqual(post.store.settled, ["+", "+", "=2 dead", "=1 ready"])
        self.answer(post)
        post.run(100)
        self.assertEqual(post.first.recipients, [CAROL])
        self.assertEqual(post.items(), (dead,))
        body = self.successResultOf(post.store.read_body(dead.message_id))
        self.assertEqual(b"".join(body), MESSAGE)

    def test_some_delivered(self) -> None:
        """If the others have got it, what is left of the item is who has not."""
        post = self.office()
        self.answer(post, bob=b"550 5.1.1 who")
        self.put(post, QueuedRecipient(BOB), QueuedRecipient(CAROL), sender="")
        post.run(HOUR)
        self.assertEqual(post.first.recipients, [CAROL])
        (dead,) = post.items()
        self.assertIs(dead.state, ItemState.DEAD)
        self.assertEqual([each.address for each in dead.recipients], [BOB])
        self.assertEqual(dead.attempts, 1)
        self.assertEqual(post.store.settled, ["+", "=1 dead"])

    def test_some_much_later(self) -> None:
        """The part that is kept is nobody's to try, however old the message is."""
        post = self.office(intervals=(5 * HOUR, 5 * HOUR))
        self.answer(post, bob=b"450 4.2.1 grey", carol=b"450 4.2.1 grey")
        self.put(post, QueuedRecipient(BOB), QueuedRecipient(CAROL), sender="")
        post.run(4 * HOUR)
        self.answer(post, bob=b"550 5.1.1 who", carol=b"450 4.2.1 grey")
        post.run(2 * HOUR)
        self.answer(post)
        post.run(10 * HOUR)
        self.assertEqual(post.first.recipients, [CAROL])
        (dead,) = post.items()
        self.assertIs(dead.state, ItemState.DEAD)

    def test_some_and_full_disk(self) -> None:
        """
        While the disk does not take the part, the item stays as it is; nothing is kept
        twice.
        """
        post = self.office()
        self.answer(post, bob=b"550 5.1.1 who", carol=b"450 4.2.1 grey")
        self.put(post, QueuedRecipient(BOB), QueuedRecipient(CAROL), sender="")
        post.store.is_held = True
        for _ in range(2):
            post.run(2 * MINUTE)
            post.store.refuse()
        post.store.is_held = False
        post.run(10)
        ready, dead = post.items()
        self.assertEqual((ready.state, dead.state), (ItemState.READY, ItemState.DEAD))
        self.assertEqual(len(self.flushLoggedErrors(StoreError)), 2)

    def test_some_and_no_body(self) -> None:
        """
        If the message cannot be read nobody can be tried again either: the whole item
        is kept as dead.
        """
        post = self.office()
        self.answer(post, bob=b"550 5.1.1 who", carol=b"450 4.2.1 grey")
        to = QueuedRecipient(BOB), QueuedRecipient(CAROL)
        post.courier._store = cast(Any, Intact(post.store))
        post.store.broken_bodies.add(1)
        self.put(post, *to, sender="", in_memory=False)
        post.run(HOUR)
        (dead,) = post.items()
        self.assertIs(dead.state, ItemState.DEAD)
        self.assertEqual([each.address for each in dead.recipients], [BOB, CAROL])
        self.assertEqual(post.first.taken, [])

    def test_plugin_drops(self) -> None:
        """A plugin that wants no report wants no dead letter either."""
        post = self.office(Listens(OK))
        self.answer(post, bob=b"550 5.1.1 who")
        self.put(post, sender="")
        post.run()
        self.assertEqual(post.items(), ())

    def test_report_bounces(self) -> None:
        """A report that bounces is the end: it is kept, and no other is written."""
        post = self.office()
        self.answer(post, bob=b"550 5.1.1 who")
        post.home.refuse(rcpt=b"550 5.1.1 Alice has left")
        self.put(post)
        post.run(HOUR)
        (dead,) = post.items()
        self.assertIs(dead.state, ItemState.DEAD)
        self.assertEqual(dead.message.sender, "")
        self.assertEqual([each.address for each in dead.recipients], [ALICE])
        self.assertEqual(len(post.store.added), 2)

    def test_unreadable_sender(self) -> None:
        """So is mail whose sender in the queue is no address any more."""
        post = self.office()
        self.answer(post, bob=b"550 5.1.1 who")
        self.put(post, sender="no address")
        post.run()
        (dead,) = post.items()
        self.assertIs(dead.state, ItemState.DEAD)
