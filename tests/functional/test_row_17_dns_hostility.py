"""
Row 17 over the wire: domains whose MX records are meant to do harm.

The DNS server is real, and the addresses lead back to this machine, whatever they are:
each connection to port 25 is noted and made to a host of the test's.

@see: RFC 5321 section 5.1, RFC 7505
"""

from collections.abc import Sequence
from typing import Any

from twisted.internet.task import deferLater
from twisted.names import dns
from twisted.names.server import DNSServerFactory

from harakatw.process import session_context
from tests.dns.zones import FakeResolver, Zone, a, aaaa, alias, mx
from tests.functional.hurry import HurriedReactor, reactor
from tests.functional.relaying import RelayTestCase
from tests.functional.server import RunningServer

MESSAGE = b"Subject: x\r\n\r\nhello\r\n"
GOOD = "198.51.100.1"
MX_RECORDS = 1000
FEW = 100


class Detour(HurriedReactor):
    """
    The reactor, but for port 25 of other hosts.

    @ivar port: of this machine, where connections to port 25 lead.
    @ivar tried: the addresses that were to be connected to.
    """

    def __init__(self, port: int) -> None:
        super().__init__(1.0)
        self.port = port
        self.tried: list[str] = []

    def connectTCP(self, host: str, port: int, *more: Any, **named: Any) -> Any:
        """Connect, elsewhere."""
        if port == 25:
            self.tried.append(host)
            host, port = "127.0.0.1", self.port
        return reactor.connectTCP(host, port, *more, **named)


class DNSHostilityTests(RelayTestCase):
    """A server without routes of its own, which asks the DNS."""

    async def relay_by_dns(self, zone: Zone, sink_is_up: bool = True) -> RunningServer:
        """A server, its DNS, and the host where all connections end."""
        self.sink_host, self.home = await self.sink(), await self.sink()
        self.resolver = FakeResolver(zone)
        factory = DNSServerFactory(clients=[self.resolver])
        factory.noisy = False
        datagrams = reactor.listenUDP(
            0, dns.DNSDatagramProtocol(factory), interface="127.0.0.1"
        )
        self.addCleanup(datagrams.stopListening)
        port = datagrams.getHost().port
        streams = reactor.listenTCP(port, factory, interface="127.0.0.1")
        self.addCleanup(streams.stopListening)
        servers = (("127.0.0.1", port),)
        self.patch(session_context, "name_servers", lambda path: servers)
        self.detour = Detour(self.sink_host.port if sink_is_up else 1)
        routes = {"client.example": self.home.where}
        return self.relay(routes, clock=self.detour)

    async def report(self, server: RunningServer) -> bytes:
        """Send a message that comes back; returns the report."""
        await self.submit(server, ("bob@far.example",), MESSAGE)
        await self.emptied(server)
        self.assertEqual(self.sink_host.taken, [])
        (taken,) = self.home.taken
        return taken.octets

    async def test_many_records(self) -> None:
        """Of a thousand hosts a dozen are tried, and few are looked up."""
        names = [f"mx{number}.far.example" for number in range(MX_RECORDS)]
        zone: dict[str, Sequence[Any]] = {
            name: [a(f"198.51.{number // 250}.{number % 250 + 1}")]
            for number, name in enumerate(names)
        }
        zone["far.example"] = [mx(number, name) for number, name in enumerate(names)]
        server = await self.relay_by_dns(zone, sink_is_up=False)
        await self.submit(server, ("bob@far.example",), MESSAGE)
        await self.leaves(server, 1)
        self.assertLessEqual(len(set(self.detour.tried)), 12)
        self.assertLess(len(self.resolver.asked), FEW)
        (item,) = await self.queued(server)
        self.assertLess(len(item.site), 2000)

    async def test_long_chain(self) -> None:
        """
        An alias of an alias of an alias, twenty times over: few are followed, and the
        message waits or comes back; one alias is no problem.
        """
        zone: dict[str, Sequence[Any]] = {
            f"c{number}.example": [alias(f"c{number + 1}.example")]
            for number in range(20)
        }
        zone["c20.example"] = [a(GOOD)]
        zone["far.example"] = [mx(10, "c0.example")]
        zone["near.example"] = [mx(10, "c19.example")]
        server = await self.relay_by_dns(zone)
        self.resolver.follows = False
        await self.submit(server, ("bob@near.example",), MESSAGE)
        await self.emptied(server)
        self.assertEqual(self.detour.tried, [GOOD])
        before = len(self.resolver.asked)
        await self.submit(server, ("bob@far.example",), MESSAGE)
        while not (self.home.taken or len(self.sink_host.taken) > 1):
            items = await self.queued(server)
            if items and items[0].last_error:
                break
            await deferLater(reactor, 0.02)
        self.assertLess(len(self.resolver.asked) - before, 60)

    async def test_endless_chain(self) -> None:
        """Aliases in a circle lead nowhere, and not for ever."""
        zone: Zone = {
            "far.example": [alias("b.example")],
            "b.example": [alias("far.example")],
        }
        server = await self.relay_by_dns(zone)
        self.resolver.follows = False
        await self.submit(server, ("bob@far.example",), MESSAGE)
        while not self.home.taken:
            items = await self.queued(server)
            if items and items[0].last_error:
                break
            await deferLater(reactor, 0.02)
        self.assertEqual(self.detour.tried, [])
        self.assertLess(len(self.resolver.asked), 60)

    async def test_null(self) -> None:
        """A null MX alone means no mail; beside others it does not count."""
        zone: Zone = {
            "far.example": [mx(0, "")],
            "both.example": [mx(0, ""), mx(10, "mx.example")],
            "mx.example": [a(GOOD)],
        }
        server = await self.relay_by_dns(zone)
        self.assertIn(b"\r\nStatus: 5.1.10\r\n", await self.report(server))
        self.assertEqual(self.detour.tried, [])
        await self.submit(server, ("bob@both.example",), MESSAGE)
        await self.emptied(server)
        self.assertEqual(self.sink_host.recipients(), ["bob@both.example"])

    async def test_local_addresses(self) -> None:
        """
        Hosts whose addresses are those of this machine, of the link or of nobody are
        never connected to; the sender is told.
        """
        records = (
            a("127.0.0.1"),
            a("127.8.9.10"),
            a("0.0.0.0"),
            a("169.254.169.254"),
            a("224.0.0.1"),
            a("255.255.255.255"),
            aaaa("::1"),
            aaaa("::"),
            aaaa("fe80::1"),
            aaaa("::ffff:127.0.0.1"),
            aaaa("64:ff9b::7f00:1"),
        )
        zone: dict[str, Sequence[Any]] = {}
        for number, record in enumerate(records):
            zone[f"d{number}.example"] = [mx(10, f"mx{number}.example")]
            zone[f"mx{number}.example"] = [record]
        server = await self.relay_by_dns(zone)
        for number in range(len(records)):
            await self.submit(server, (f"bob@d{number}.example",), MESSAGE)
        await self.emptied(server)
        self.assertEqual(self.detour.tried, [])
        self.assertEqual(len(self.home.taken), len(records))
        for taken in self.home.taken:
            self.assertIn(b"\r\nStatus: 5.4", taken.octets)

    async def test_ourselves(self) -> None:
        """A domain whose best host is this server: 5.4.6, by name as by address."""
        zone: Zone = {
            "far.example": [mx(10, "relay.example"), mx(20, "other.example")],
            "relay.example": [a(GOOD)],
            "other.example": [a("198.51.100.2")],
        }
        server = await self.relay_by_dns(zone)
        self.assertIn(b"\r\nStatus: 5.4.6\r\n", await self.report(server))
        self.assertEqual(self.detour.tried, [])

    async def test_before_us(self) -> None:
        """Hosts that come before this server are tried, those behind are not."""
        zone: Zone = {
            "far.example": [
                mx(5, "better.example"),
                mx(10, "relay.example"),
                mx(20, "worse.example"),
            ],
            "better.example": [a(GOOD)],
            "relay.example": [a("198.51.100.2")],
            "worse.example": [a("198.51.100.3")],
        }
        server = await self.relay_by_dns(zone, sink_is_up=False)
        await self.submit(server, ("bob@far.example",), MESSAGE)
        await self.leaves(server, 1)
        self.assertEqual(set(self.detour.tried), {GOOD})
