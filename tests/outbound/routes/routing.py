"""A router on a DNS made of a dictionary."""

import random
from collections.abc import Mapping
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from harakatw.dns.addresses import AddressLookup, Preference
from harakatw.dns.hosts import HostsFile
from harakatw.dns.mx import MXLookup
from harakatw.outbound.hop import Hop
from harakatw.outbound.routes.guard import Guard
from harakatw.outbound.routes.route import Route, RouteSettings
from harakatw.outbound.routes.router import Router
from harakatw.outbound.routes.walk import HopWalk
from harakatw.verdict import Verdict
from tests.dns.zones import FakeResolver, Zone, make_records

ME = "me.test"
OUR_IP = "203.0.113.9"
GUARD = Guard(names=frozenset((ME,)), addresses=(OUR_IP, "127.0.0.1"))


class RoutingTestCase(SynchronousTestCase):
    """
    A test with a router.

    @ivar resolver: was asked by the router.
    """

    resolver: FakeResolver
    clock: Clock
    router: Router

    def start(
        self, zone: Zone, settings: RouteSettings | None = None, hosts: str = ""
    ) -> None:
        """Make a router that knows a zone and a hosts file."""
        self.resolver, records, self.clock = make_records(zone)
        path = Path(self.mktemp())
        path.write_text(hosts)
        known = HostsFile(path, self.clock)
        self.router = Router(
            MXLookup(records, known, self.clock),
            AddressLookup(records, known, self.clock),
            settings or RouteSettings(guard=GUARD),
            random.Random(7),
        )

    def route(
        self,
        domain: str = "d.test",
        notes: Mapping[str, object] | None = None,
        verdict: Verdict | None = None,
    ) -> Route:
        """The route to a domain."""
        route = self.router.route(domain, notes or {}, verdict)
        return self.successResultOf(route) if isinstance(route, Deferred) else route

    def step(self, walk: HopWalk) -> Hop | None:
        """The next hop."""
        hop = walk.next_hop()
        return self.successResultOf(hop) if isinstance(hop, Deferred) else hop

    def hops(self, route: Route) -> list[Hop]:
        """All hops of a route."""
        walk, hops = self.router.walk(route), []
        while (hop := self.step(walk)) is not None:
            hops.append(hop)
        return hops

    def ways(
        self, zone: Zone, prefer: Preference = "default", guard: Guard = GUARD
    ) -> list[str]:
        """Which addresses are tried for mail to C{d.test}, in order."""
        self.start(zone, RouteSettings(guard=guard, prefer=prefer))
        return [hop.ip for hop in self.hops(self.route())]

    def refused(self, zone: Zone) -> str:
        """Why nothing is tried for mail to C{d.test}, as code and enhanced code."""
        self.start(zone)
        walk = self.router.walk(self.route())
        self.assertIsNone(self.step(walk))
        problem = walk.problem()
        return f"{problem.code} {problem.enhanced}"
