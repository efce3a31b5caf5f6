"""Mail that the postmaster sends elsewhere."""

from types import SimpleNamespace
from typing import Any

import attrs

from harakatw.hooks.registry import make_chains
from harakatw.interfaces.queue import Detour, Filter
from harakatw.outbound.attempt import Routed, Work
from harakatw.outbound.courier import Courier
from harakatw.outbound.routes.route import RouteSettings
from harakatw.outbound.routes.router import Router
from tests.outbound.control.queues import QueueTestCase


class DetourTests(QueueTestCase):
    """Where an item goes that was rerouted."""

    def route(self, number: int, steps: tuple[object, ...] = ()) -> Any:
        """Ask for the route of an item, as the scheduler does."""
        unused: Any = None
        router = Router(unused, unused, RouteSettings(), unused)
        chains = {**make_chains((), self.clock), "get_mx": self.get_mx(steps)}
        courier = Courier(self.store, unused, router, lambda: chains, lambda site: None)
        return courier.route(Work(self.items()[number]))

    def get_mx(self, steps: tuple[object, ...]) -> Any:
        """A chain that must not be run."""

        def run(*args: object) -> None:
            raise AssertionError("the postmaster has spoken")

        return SimpleNamespace(steps=steps, run=run)

    def reroute(self, to: str, **more: Any) -> int:
        """Queue an item and send it elsewhere."""
        number = self.add(**more)
        self.store.change(Filter(), detour=Detour(to, "relay.example:26"))
        return number

    def test_hop(self) -> None:
        """It goes to the host that was said, and waits in that host's queue."""
        number = self.reroute("relay.example:26")
        routed = self.route(number)
        self.assertIsInstance(routed, Routed)
        self.assertEqual(routed.site, "relay.example:26")
        self.assertEqual(routed.site, self.items()[number].site)
        (rank,) = routed.route.ranks
        self.assertEqual([str(hop) for hop in rank.hops], ["relay.example:26"])
        self.assertTrue(routed.route.is_explicit)

    def test_plugins_and_notes(self) -> None:
        """Neither a plugin of C{get_mx} nor a note says otherwise."""
        notes = {"queue": {"next_hop": "other.example"}}
        number = self.reroute("relay.example:26", notes=notes)
        routed = self.route(number, steps=(object(),))
        self.assertEqual(routed.site, "relay.example:26")

    def test_damaged(self) -> None:
        """What cannot be understood keeps the item in the queue."""
        kept = self.store._items[self.add()]
        kept.item = attrs.evolve(kept.item, next_hop="no hop")
        result = self.route(kept.item.id)
        self.assertEqual(len(result.deferred), 1)
        self.assertEqual(result.failed, ())
