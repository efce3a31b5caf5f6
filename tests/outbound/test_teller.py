"""What senders are told of an attempt, and when."""

from typing import Any, cast

from harakatw.errors import StoreError
from harakatw.interfaces.queue import (
    QueuedRecipient,
)
from tests.log_events import collect_log
from tests.outbound.post_office import (
    ALICE,
    BOB,
    FIRST,
)
from tests.outbound.telling import Intact, Listens, TellerTestCase, Unreadable

CAROL = "carol@far.example"
MINUTE, HOUR = 60.0, 3600.0


class FailureTests(TellerTestCase):
    """Reports of failure."""

    def test_one(self) -> None:
        """One report tells of all who have failed, and of nobody else."""
        post = self.office()
        self.answer(
            post, dave=b"550 5.1.1 who", erin=b"552 5.2.2 full", carol=b"450 4.2.1 grey"
        )
        names = ("bob", "carol", "dave", "erin")
        self.put(post, *(QueuedRecipient(f"{name}@far.example") for name in names))
        post.run()
        expected = ["dave@far.example failed 5.1.1", "erin@far.example failed 5.2.2"]
        self.assertEqual(self.blocks(post), expected)
        (item,) = post.items()
        self.assertEqual([each.address for each in item.recipients], [CAROL])

    def test_recipients(self) -> None:
        """It goes to the sender from the null path, and has the words of the host."""
        post = self.office()
        self.answer(post, bob=b"550 5.1.1 who is Bob?")
        self.put(post)
        post.run()
        (taken,) = post.home.taken
        self.assertEqual((taken.sender, taken.recipients), ("", (ALICE,)))
        self.assertIn(b"550 5.1.1 who is Bob?", taken.octets)
        self.assertIn(b"Original-Envelope-Id: QQ314159", taken.octets)
        self.assertIn(b"Subject: hello", taken.octets)

    def test_not_asked_for(self) -> None:
        """Who does not want to know is not told; the message is gone all the same."""
        post = self.office()
        self.answer(post, bob=b"550 5.1.1 who")
        self.put(post, QueuedRecipient(BOB, notify="NEVER"))
        post.run()
        self.assertEqual(post.reports(), [])
        self.assertEqual(post.items(), ())

    def test_given_up(self) -> None:
        """After the last attempt the last temporary answer is reported."""
        post = self.office(intervals=(MINUTE,))
        self.answer(post, bob=b"450 4.2.1 grey")
        self.put(post)
        post.run(2 * MINUTE)
        self.assertEqual(self.blocks(post), ["bob@far.example failed 4.2.1"])
        self.assertEqual(post.items(), ())

    def test_from_queue(self) -> None:
        """The header comes from the queue if the message is not in memory any more."""
        post = self.office()
        self.answer(post, bob=b"550 5.1.1 who")
        self.put(post, in_memory=False)
        post.run()
        self.assertIn("Subject: hello", self.report(post).as_string())

    def test_body_lost(self) -> None:
        """Without its body the sender is told all the same."""
        for is_missing in (True, False):
            post = self.office()
            self.answer(post, bob=b"550 5.1.1 who")
            if is_missing:
                post.store.broken_bodies.add(1)
            else:
                post.teller._threads = cast(Any, Unreadable())
            post.courier._store = cast(Any, Intact(post.store))
            self.put(post, in_memory=False)
            post.run()
            self.assertEqual(self.blocks(post), ["bob@far.example failed 5.1.1"])
            self.assertNotIn("Subject: hello", self.report(post).as_string())
            self.assertEqual(post.items(), ())


class OrderTests(TellerTestCase):
    """A report is safe before what it is about is forgotten."""

    def test_durable(self) -> None:
        """The item leaves the queue when the report is on disk, and not before."""
        post = self.office()
        self.answer(post, bob=b"550 5.1.1 who")
        self.put(post)
        post.store.settled.clear()
        post.store.is_held = True
        post.run(HOUR)
        self.assertEqual(post.store.settled, [])
        self.assertEqual(len(post.items()), 1)
        post.store.is_held = False
        post.store.commit()
        post.run()
        self.assertEqual(post.store.settled[:2], ["+", "-1"])
        self.assertEqual(len(post.reports()), 1)

    def test_full_disk(self) -> None:
        """
        While the disk does not take the report it is tried again, and neither the
        plugins nor the log hear of it twice.
        """
        events = collect_log(self)
        listens = Listens()
        post = self.office(listens)
        self.answer(post, carol=b"550 5.1.1 who")
        self.put(post, QueuedRecipient(BOB), QueuedRecipient(CAROL))
        post.store.is_held = True
        for _ in range(3):
            post.run(2 * MINUTE)
            post.store.refuse()
        post.store.is_held = False
        post.run(5 * MINUTE)
        self.assertEqual(len(post.reports()), 1)
        self.assertEqual(post.items(), ())
        self.assertEqual((len(listens.bounces), len(listens.deliveries)), (1, 1))
        about = [event for event in events if event.get("uuid") == "U.1"]
        words = [event["word"] for event in about if "word" in event]
        self.assertEqual(words, ["delivered", "bounced"])
        self.assertEqual(len(self.flushLoggedErrors(StoreError)), 3)

    def test_two_reports(self) -> None:
        """If one report of two is on disk it is not written again with the other."""
        post = self.office(delay_warning=30.0)
        self.answer(post, bob=b"450 4.2.1 grey", carol=b"450 4.2.1 grey")
        self.put(post, QueuedRecipient(BOB), QueuedRecipient(CAROL))
        post.run(30)
        self.answer(post, bob=b"450 4.2.1 grey", carol=b"550 5.1.1 who")
        post.store.is_held = True
        post.run(35)
        post.store.commit()
        post.store.refuse()
        post.store.is_held = False
        post.run(MINUTE)
        actions = [b"Action: delayed" in report for report in post.reports()]
        self.assertEqual(sorted(actions), [False, True])
        self.assertEqual(len(self.flushLoggedErrors(StoreError)), 1)
        (item,) = post.items()
        self.assertTrue(item.warned)


class DeliveredTests(TellerTestCase):
    """Success."""

    def test_hook(self) -> None:
        """The hook C{delivered} is told who has got it, from whom, and how."""
        listens = Listens()
        post = self.office(listens)
        post.first.take = lambda taken: b"250 2.6.0 queued as 4711"
        self.answer(post, carol=b"450 4.2.1 grey")
        self.put(post, QueuedRecipient(BOB), QueuedRecipient(CAROL))
        post.run()
        (delivery,) = listens.deliveries
        self.assertEqual(delivery.recipients, (BOB,))
        self.assertEqual((delivery.host, delivery.ip), ("mx1.far.example", FIRST))
        self.assertEqual((delivery.port, delivery.mode), (25, "ESMTP"))
        self.assertEqual(delivery.response, "250 2.6.0 queued as 4711")
        self.assertFalse(delivery.secured or delivery.authenticated)
        self.assertGreater(delivery.delay, 0)

    def test_nobody_asked(self) -> None:
        """Without a wish for it there is no report of success."""
        for notify in ("", "FAILURE,DELAY", "NEVER"):
            post = self.office()
            self.put(post, QueuedRecipient(BOB, notify=notify))
            post.run()
            self.assertEqual(post.first.recipients, [BOB])
            self.assertEqual(post.reports(), [])

    def test_asked(self) -> None:
        """
        Who asks for it is told that the message was passed on to a host that will not
        report (RFC 3461 section 5.2.2).
        """
        post = self.office()
        asking = QueuedRecipient(BOB, notify="SUCCESS,FAILURE")
        self.put(post, asking, QueuedRecipient(CAROL))
        post.run()
        self.assertEqual(self.blocks(post), ["bob@far.example relayed 2.0.0"])
        self.assertEqual(post.items(), ())

    def test_passed_on(self) -> None:
        """A host that takes the wish on reports itself."""
        post = self.office()
        post.first.offers = (b"DSN",)
        self.put(post, QueuedRecipient(BOB, notify="SUCCESS"))
        post.run()
        self.assertIn(b"NOTIFY=SUCCESS", post.first.commands)
        self.assertEqual(post.reports(), [])


class DelayTests(TellerTestCase):
    """Reports of delay."""

    def test_once(self) -> None:
        """The sender is told after C{delay_warning}, once, until when it is tried."""
        post = self.office(delay_warning=MINUTE, intervals=(50.0,) * 10)
        self.answer(post, bob=b"450 4.2.1 grey")
        self.put(post)
        post.run(55)
        self.assertEqual(post.reports(), [])
        post.run(300)
        self.assertEqual(self.blocks(post), ["bob@far.example delayed 4.2.1"])
        self.assertIn("Will-Retry-Until", self.report(post).as_string())
        post.run(HOUR)
        kinds = [b"Action: delayed" in report for report in post.reports()]
        self.assertEqual(kinds, [True, False])

    def test_not_asked_for(self) -> None:
        """Who does not want it gets none."""
        post = self.office(delay_warning=MINUTE)
        self.answer(post, bob=b"450 4.2.1 grey")
        self.put(post, QueuedRecipient(BOB, notify="FAILURE"))
        post.run(100)
        self.assertEqual(post.reports(), [])
