"""Limits and pauses by sender."""

import attrs
from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.attempt import Stage, Work
from harakatw.outbound.scheduler.senders import Senders
from tests.outbound.scheduler.world import World, settings
from tests.outbound.test_attempt import ITEM, MESSAGE

SENDER = "s@s.example"


def make_work(sender: str = SENDER) -> Work:
    """An item of a sender."""
    message = attrs.evolve(MESSAGE, sender=sender)
    return Work(attrs.evolve(ITEM, message=message), stage=Stage.READY)


class SendersTests(SynchronousTestCase):
    """At most two attempts at the same time for one sender."""

    def setUp(self) -> None:
        """Two run."""
        self.senders = Senders(2)
        self.running = [make_work() for _ in range(2)]
        for work in self.running:
            self.assertFalse(self.senders.must_wait(work))
            self.senders.started(work)

    def test_third(self) -> None:
        """The third waits; another sender's does not."""
        work = make_work()
        self.assertTrue(self.senders.must_wait(work))
        self.assertIs(work.stage, Stage.WAITING)
        self.assertFalse(self.senders.must_wait(make_work("other@s.example")))

    def test_order(self) -> None:
        """When one ends, the first that waited is the next."""
        works = [make_work() for _ in range(3)]
        for work in works:
            self.senders.must_wait(work)
        self.senders.ended(self.running[0])
        self.assertIs(self.senders.next(SENDER), works[0])
        self.assertFalse(self.senders.must_wait(works[0]))

    def test_returned(self) -> None:
        """What went back to the store meanwhile is passed over."""
        works = [make_work() for _ in range(2)]
        for work in works:
            self.senders.must_wait(work)
        works[0].stage = Stage.RETURNED
        self.assertIs(self.senders.next(SENDER), works[1])
        self.assertIsNone(self.senders.next(SENDER))
        self.assertFalse(self.senders.has_waiting)

    def test_no_trace(self) -> None:
        """Of senders with nothing to send nothing is kept."""
        for work in self.running:
            self.senders.ended(work)
        self.assertEqual(self.senders._running, {})

    def test_release(self) -> None:
        """When the limit changes, all may try again."""
        works = [make_work(), make_work()]
        for work in works:
            self.senders.must_wait(work)
        self.assertEqual(self.senders.release(), tuple(works))
        self.assertFalse(self.senders.has_waiting)

    def test_pause(self) -> None:
        """An address is the same in any case; the null path is written C{<>}."""
        self.senders.pause("S@S.example")
        self.senders.pause("<>")
        self.assertTrue(self.senders.is_paused(make_work()))
        self.assertTrue(self.senders.is_paused(make_work("")))
        self.assertFalse(self.senders.is_paused(make_work("b@s.example")))
        self.senders.resume("s@s.EXAMPLE")
        self.assertFalse(self.senders.is_paused(make_work()))


class ChangedLimitTests(SynchronousTestCase):
    """A postmaster changes the limit while mail waits for it."""

    def test_raised(self) -> None:
        """A higher limit holds for what waits already."""
        world = World(settings(sender_max=1), seconds=100.0)
        for number in range(6):
            world.offer(f"d{number}.example")
        self.assertEqual(len(world.started), 1)
        world.scheduler.configure(settings(sender_max=3))
        self.assertEqual(len(world.started), 3)
        world.scheduler.configure(settings())
        self.assertEqual(len(world.started), 6)
