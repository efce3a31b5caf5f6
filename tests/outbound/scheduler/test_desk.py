"""Finding routes, some at a time."""

from typing import Any

import attrs
from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import TemporaryFailure
from harakatw.outbound.attempt import AttemptResult, Routed, Stage, Work
from harakatw.outbound.scheduler.desk import RoutingDesk
from harakatw.reply import reply
from tests.outbound.test_attempt import ITEM


class RoutingDeskTests(SynchronousTestCase):
    """A desk that looks for eight routes at the same time."""

    def setUp(self) -> None:
        """Routes are looked up unless a test says otherwise."""
        self.pending: dict[Work, Deferred[Any]] = {}
        self.known: dict[str, Any] = {}
        self.answers: list[tuple[Work, Any]] = []
        self.desk = self.make_desk()

    def make_desk(self) -> RoutingDesk:
        """A desk that notes its answers."""
        return RoutingDesk(8, self.route, self.note)

    def note(self, work: Work, answer: Any) -> None:
        """A route was found, or was not."""
        self.answers.append((work, answer))

    def route(self, work: Work) -> Any:
        """What a test says of a domain, or later."""
        if work.item.domain in self.known:
            return self.known[work.item.domain]
        self.pending[work] = Deferred()
        return self.pending[work]

    def submit(self, domain: str, queue: str = "") -> Work:
        """An item for a domain."""
        work = Work(attrs.evolve(ITEM, domain=domain), None, queue)
        self.desk.submit(work)
        return work

    def find(self, work: Work) -> None:
        """The route of an item is found."""
        self.pending.pop(work).callback(Routed("mx.example"))

    def test_at_once(self) -> None:
        """A route that is known costs no wait."""
        self.known["d.example"] = Routed("mx.example")
        work = self.submit("d.example")
        self.assertEqual(self.answers, [(work, Routed("mx.example"))])

    def test_most(self) -> None:
        """There are no more look-ups than there may be; then the next ones."""
        works = [self.submit(f"d{number}.example") for number in range(12)]
        self.assertEqual(list(self.pending), works[:8])
        self.assertEqual((self.desk.pending, self.desk.waiting), (8, 4))
        self.find(works[3])
        self.assertIn(works[8], self.pending)
        while self.pending:
            self.find(next(iter(self.pending)))
        self.assertEqual({work for work, _ in self.answers}, set(works))
        self.assertEqual((self.desk.pending, self.desk.waiting), (0, 0))

    def test_one_domain(self) -> None:
        """A domain whose name servers are down leaves the others most of the room."""
        for _ in range(20):
            self.submit("slow.example")
        self.assertEqual(self.desk.pending, 2)
        work = self.submit("d.example")
        self.assertIn(work, self.pending)

    def test_backlog(self) -> None:
        """The backlog leaves half of it to new mail."""
        for number in range(20):
            self.submit(f"d{number}.example", queue=f"d{number}.example")
        self.assertEqual(self.desk.pending, 4)
        work = self.submit("d.example")
        self.assertIn(work, self.pending)

    def test_new_mail_first(self) -> None:
        """New mail comes before the backlog when a place is free."""
        old = [self.submit(f"d{number}.example", queue="q") for number in range(5)]
        new = [self.submit(f"n{number}.example") for number in range(5)]
        self.find(old[0])
        self.assertIn(new[4], self.pending)
        self.assertNotIn(old[4], self.pending)

    def test_turns(self) -> None:
        """Domains take turns."""
        for number in range(8):
            self.submit(f"d{number}.example")
        for _ in range(5):
            self.submit("busy.example")
        other = self.submit("other.example")
        first, second = list(self.pending)[:2]
        self.find(first)
        self.find(second)
        self.assertIn(other, self.pending)

    def test_answers_at_once_after_a_wait(self) -> None:
        """
        Ten thousand items that waited for one slow route go on at once if theirs are
        known then.
        """
        slow = [self.submit(f"d{number}.example") for number in range(8)]
        works = [self.submit("d.example") for _ in range(10_000)]
        self.known["d.example"] = succeed(Routed("mx.example"))
        self.find(slow[0])
        self.assertEqual([work for work, _ in self.answers], [slow[0], *works])

    def test_raises(self) -> None:
        """A bug in a plugin that knows routes is logged; the item is tried again."""
        self.route = lambda work: 1 / 0  # type: ignore[method-assign]
        self.make_desk().submit(Work(ITEM))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        ((_, answer),) = self.answers
        self.assertEqual(answer.deferred[0].reply.enhanced, "4.3.0")

    def test_fails(self) -> None:
        """A name server that does not answer is no reason to bounce."""
        why = reply(451, "4.4.3", "DNS")
        self.known["d.example"] = fail(TemporaryFailure(why))
        self.submit("d.example")
        ((_, answer),) = self.answers
        self.assertIsInstance(answer, AttemptResult)
        self.assertEqual(answer.deferred[0].reply, why)

    def test_give_up(self) -> None:
        """A look-up that takes too long is given up; one that waits is not there."""
        work = self.submit("slow.example")
        waiting = [self.submit("slow.example") for _ in range(3)][-1]
        self.assertTrue(self.desk.give_up(work))
        self.assertFalse(self.desk.give_up(waiting))
        ((answered, answer),) = self.answers
        self.assertIs(answered, work)
        self.assertEqual(answer.deferred[0].reply.enhanced, "4.4.7")

    def test_returned(self) -> None:
        """An item that went back to the store meanwhile is not asked for."""
        works = [self.submit("d.example") for _ in range(4)]
        works[2].stage = Stage.RETURNED
        self.find(works[0])
        self.assertEqual(list(self.pending), [works[1], works[3]])

    def test_clear(self) -> None:
        """In the end all are handed back that have no route, and late ones are late."""
        works = [self.submit("d.example") for _ in range(4)]
        self.assertEqual(set(self.desk.clear()), set(works))
        self.assertEqual(self.answers, [])
        self.assertEqual((self.desk.pending, self.desk.waiting), (0, 0))
