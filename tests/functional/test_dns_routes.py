"""Routes by a real DNS server over loopback."""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.names import dns
from twisted.names.client import Resolver
from twisted.names.server import DNSServerFactory
from twisted.trial.unittest import TestCase

from harakatw.dns.addresses import AddressLookup
from harakatw.dns.hosts import HostsFile
from harakatw.dns.mx import MXLookup
from harakatw.dns.records import RecordLookup
from harakatw.outbound.routes.guard import Guard
from harakatw.outbound.routes.route import Route, RouteSettings
from harakatw.outbound.routes.router import Router
from tests.dns.zones import FakeResolver, Zone, a, aaaa, alias, mx

ZONE: Zone = {
    "d.test": [mx(20, "b.test"), mx(10, "a.test")],
    "a.test": [alias("c.test")],
    "b.test": [a("198.51.100.2")],
    "c.test": [a("198.51.100.1"), aaaa("2606:4700::1")],
    "null.test": [mx(0, "")],
    "bare.test": [a("198.51.100.4")],
    "big.test": [mx(n, f"host-with-a-long-name-{n}.big.test") for n in range(60)],
}


class DNSRouteTests(TestCase):
    """What the wire carries is understood."""

    timeout = 20

    def setUp(self) -> None:
        """Start a DNS server, and a router that asks it."""
        loop: Any = reactor
        factory = DNSServerFactory(clients=[FakeResolver(ZONE)])
        factory.noisy = False
        self.datagrams = loop.listenUDP(
            0, dns.DNSDatagramProtocol(factory), interface="127.0.0.1"
        )
        port = self.datagrams.getHost().port
        self.streams = loop.listenTCP(port, factory, interface="127.0.0.1")
        self.resolver = Resolver(
            servers=[("127.0.0.1", port)], timeout=(2,), reactor=reactor
        )
        self.addCleanup(self.datagrams.stopListening)
        self.addCleanup(self.streams.stopListening)
        clock = IReactorTime(reactor)
        records = RecordLookup(self.resolver, clock, 5.0)
        hosts = HostsFile(Path(self.mktemp()), clock)
        self.router = Router(
            MXLookup(records, hosts, clock),
            AddressLookup(records, hosts, clock),
            RouteSettings(guard=Guard()),
            random.Random(1),
        )

    async def _route(self, domain: str) -> Route:
        route = self.router.route(domain)
        return await route if isinstance(route, Deferred) else route

    async def _ips(self, domain: str) -> list[str]:
        route = await self._route(domain)
        return [hop.ip async for hop in self.router.walk(route)]

    async def test_route(self) -> None:
        """MX, aliases and both families of addresses."""
        found: Iterable[str] = await self._ips("d.test")
        self.assertEqual(found, ["2606:4700::1", "198.51.100.1", "198.51.100.2"])
        self.assertEqual(await self._ips("bare.test"), ["198.51.100.4"])

    async def test_problems(self) -> None:
        """A null MX, and a domain that does not exist."""
        for domain, enhanced in (("null.test", "5.1.10"), ("none.test", "5.1.2")):
            route = await self._route(domain)
            self.assertEqual(route.problem and route.problem.enhanced, enhanced)

    async def test_big(self) -> None:
        """An answer that does not fit into a datagram is asked for over TCP."""
        route = await self._route("big.test")
        for connection in self.resolver.connections:
            connection.transport.loseConnection()
        self.assertEqual(len(route.ranks), 60)
