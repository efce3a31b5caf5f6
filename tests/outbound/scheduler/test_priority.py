"""Which of the items of one site goes first (RFC 6710 section 4)."""

import attrs
from twisted.trial.unittest import SynchronousTestCase

from harakatw.interfaces.queue import Demands
from harakatw.outbound.attempt import Work
from harakatw.outbound.options import SiteLimits
from harakatw.outbound.scheduler.backoff import BackoffSettings
from harakatw.outbound.scheduler.site import Site, make_site
from tests.outbound.test_attempt import ITEM
from tests.properties import given, st


def work(number: int, priority: int, queue: str = "") -> Work:
    """An item with a priority."""
    message = attrs.evolve(ITEM.message, demands=Demands(priority=priority))
    return Work(attrs.evolve(ITEM, id=number, message=message), None, queue)


def order(site: Site) -> list[int]:
    """In which order they go."""
    return [site.pop().item.id for _ in range(len(site.ready))]


class PriorityTests(SynchronousTestCase):
    """Among equals, first come, first served."""

    def setUp(self) -> None:
        """A site with nothing to do."""
        self.site = make_site("d.example", SiteLimits(connections=1), BackoffSettings())

    @given(st.lists(st.integers(-9, 9), max_size=30))
    def test_order(self, priorities: list[int]) -> None:
        """Whatever comes, higher goes before lower."""
        for number, priority in enumerate(priorities):
            self.site.push(work(number, priority))
        wanted = sorted(range(len(priorities)), key=lambda each: -priorities[each])
        self.assertEqual(order(self.site), wanted)
        self.assertEqual(self.site.fresh, 0)

    @given(st.lists(st.tuples(st.booleans(), st.integers(-2, 2)), max_size=40))
    def test_mixed(self, steps: list[tuple[bool, int]]) -> None:
        """Also while some go, and some come back to be the first again."""
        waiting: list[tuple[int, int]] = []
        for number, (comes, priority) in enumerate(steps):
            if comes or not waiting:
                self.site.push(work(number, priority))
                waiting.append((-priority, number))
                continue
            taken = self.site.pop()
            self.assertEqual(taken.item.id, min(waiting)[1])
            if priority:
                waiting.remove(min(waiting))
            else:
                self.site.push_back(taken)
        self.assertEqual(order(self.site), [number for _, number in sorted(waiting)])
