"""Along a route."""

from twisted.internet.defer import CancelledError, Deferred

from harakatw.outbound.hop import Hop
from harakatw.outbound.routes.guard import Guard
from harakatw.outbound.routes.route import Route
from harakatw.outbound.routes.walk import MAX_HOPS
from harakatw.verdict import ok
from tests.dns.zones import BROKEN, SILENT, Zone, a, aaaa, alias, mx
from tests.outbound.routes.routing import GUARD, OUR_IP, RoutingTestCase

ONE, TWO, THREE = "198.51.100.1", "198.51.100.2", "198.51.100.3"
SIX = "2606:4700::1"


def two_hosts(first: object, second: object) -> Zone:
    """A domain with hosts of preference 10 and 20, each with one record."""
    return {
        "d.test": [mx(10, "a.test"), mx(20, "b.test")],
        "a.test": [first],
        "b.test": [second],
    }


class OrderTests(RoutingTestCase):
    """What is tried after what."""

    def test_all_addresses(self) -> None:
        """All addresses of a host are tried, then those of the next."""
        zone = dict(two_hosts(a(ONE), a(THREE)))
        zone["a.test"] = [a(ONE), aaaa(SIX), a(TWO)]
        self.assertEqual(self.ways(zone), [SIX, ONE, TWO, THREE])
        self.assertEqual(self.ways(zone, prefer="v4"), [ONE, TWO, SIX, THREE])
        self.assertEqual(self.ways(zone, prefer="v6"), [SIX, ONE, TWO, THREE])

    def test_hop(self) -> None:
        """A hop has the name that TLS asks for, and the address to connect to."""
        self.start(two_hosts(a(ONE), a(TWO)))
        hops = self.hops(self.route())
        self.assertEqual(hops[0], Hop(host="a.test", ip=ONE))

    def test_equals(self) -> None:
        """Hosts of equal preference share the load; their addresses stay together."""
        zone: Zone = {
            "d.test": [
                mx(1, "a.test"),
                mx(1, "b.test"),
                mx(1, "c.test"),
                mx(9, "z.test"),
            ],
            "a.test": [aaaa(SIX), a(ONE)],
            "b.test": [a(TWO)],
            "c.test": [a(THREE)],
            "z.test": [a("198.51.100.9")],
        }
        self.start(zone)
        firsts: dict[str, int] = {}
        for _ in range(300):
            ips = [hop.ip for hop in self.hops(self.route())]
            self.assertEqual(ips[-1], "198.51.100.9")
            self.assertEqual(ips.index(ONE), ips.index(SIX) + 1)
            firsts[ips[0]] = firsts.get(ips[0], 0) + 1
        self.assertEqual(firsts.keys(), {SIX, TWO, THREE})
        self.assertGreater(min(firsts.values()), 60)

    def test_when_its_turn_comes(self) -> None:
        """The next host is looked up when the one before has failed."""
        self.start(two_hosts(a(ONE), a(TWO)))
        walk = self.router.walk(self.route())
        self.step(walk)
        self.assertNotIn(("b.test", "A"), self.resolver.asked)
        self.step(walk)
        self.assertIn(("b.test", "A"), self.resolver.asked)

    def test_at_once(self) -> None:
        """What is known costs no wait, and mail for busy domains no work."""
        self.start(two_hosts(a(ONE), a(TWO)))
        first = self.hops(self.route())[0]
        hop = self.router.walk(self.route()).next_hop()
        self.assertIs(hop, first)

    def test_changed_address(self) -> None:
        """When an address has changed, mail goes to the new one."""
        self.start(two_hosts(a(ONE, 60), a(TWO)))
        self.hops(self.route())
        self.resolver.zone["a.test"] = [a(THREE)]
        self.clock.advance(60)
        self.assertEqual(self.hops(self.route())[0].ip, THREE)

    def test_async_for(self) -> None:
        """A coroutine walks with C{async for}."""
        self.start(two_hosts(a(ONE), a(TWO)))
        route = self.route()

        async def collect() -> list[str]:
            return [hop.ip async for hop in self.router.walk(route)]

        walked = Deferred.fromCoroutine(collect())
        self.assertEqual(self.successResultOf(walked), [ONE, TWO])

    def test_called_off(self) -> None:
        """Whoever does not want to wait for addresses any more is told just that."""
        zone = {"d.test": [mx(10, "a.test"), mx(10, "b.test")]}
        self.start({**zone, "a.test": SILENT, "b.test": SILENT})
        hop = self.router.walk(self.route()).next_hop()
        assert isinstance(hop, Deferred)
        hop.cancel()
        self.failureResultOf(hop, CancelledError)

    def test_many(self) -> None:
        """A hundred hosts with 64 addresses each do not hold an attempt for days."""
        zone: dict[str, list[object]] = {"d.test": []}
        for number in range(100):
            zone["d.test"].append(mx(number, f"h{number}.test"))
            zone[f"h{number}.test"] = [
                a(f"198.51.{number}.{last}") for last in range(1, 33)
            ]
        self.assertEqual(len(self.ways(zone)), MAX_HOPS)

    def test_alias(self) -> None:
        """A host that is an alias is used all the same."""
        zone = {**two_hosts(alias("c.test"), a(TWO)), "c.test": [a(ONE)]}
        self.assertEqual(self.ways(zone), [ONE, TWO])


class MissingAddressTests(RoutingTestCase):
    """Hosts that cannot be found."""

    def test_next(self) -> None:
        """A host without an address is passed over, whatever the reason."""
        zone = two_hosts(mx(0, "x"), a(TWO))
        self.assertEqual(self.ways(zone), [TWO])
        self.assertEqual(self.ways({**zone, "a.test": BROKEN}), [TWO])

    def test_none(self) -> None:
        """With no address at all, mail bounces; it waits if there may be one."""
        zone = {"d.test": [mx(10, "a.test"), mx(20, "b.test")]}
        self.assertEqual(self.refused(zone), "550 5.4.4")
        self.assertEqual(self.refused({**zone, "b.test": BROKEN}), "451 4.4.3")

    def test_implicit(self) -> None:
        """A domain with neither MX nor address takes no mail."""
        self.assertEqual(self.refused({"d.test": []}), "550 5.1.2")

    def test_silent(self) -> None:
        """Hosts of one preference are looked up at the same time."""
        zone = {"d.test": [mx(1, f"h{n}.test") for n in range(10)]}
        self.start({**zone, **{f"h{n}.test": SILENT for n in range(10)}})
        walk = self.router.walk(self.route())
        hop = walk.next_hop()
        assert isinstance(hop, Deferred)
        self.clock.advance(5)
        self.assertIsNone(self.successResultOf(hop))
        self.assertEqual(walk.problem().enhanced, "4.4.3")

    def test_explicit(self) -> None:
        """A host that a postmaster wrote and nobody knows delays mail."""
        self.start({})
        route: Route = self.route(verdict=ok(value="typo.test"))
        walk = self.router.walk(route)
        self.assertIsNone(self.step(walk))
        self.assertEqual(walk.problem().enhanced, "4.4.4")

    def test_hosts_file(self) -> None:
        """The hosts file names hosts, also those that no domain could have."""
        self.start({}, hosts=f"{ONE} sink http_1\n")
        for written in ("sink:2525", "SINK:2525", "http_1"):
            (hop,) = self.hops(self.route(verdict=ok(value=written)))
            self.assertEqual(hop.ip, ONE)


class GuardTests(RoutingTestCase):
    """Survey row 17: MX records that lead to us or to what trusts us."""

    def test_forbidden(self) -> None:
        """Such addresses are left out, and the others tried."""
        zone = dict(two_hosts(a("127.0.0.1"), a(TWO)))
        self.assertEqual(self.ways(zone), [TWO])
        zone["b.test"] = [a("169.254.169.254"), aaaa("::1"), a(TWO), a("0.0.0.0")]
        self.assertEqual(self.ways(zone), [TWO])

    def test_nothing_else(self) -> None:
        """With no other address, mail bounces as in a loop."""
        zone = two_hosts(a("127.0.0.1"), aaaa("fe80::1"))
        self.assertEqual(self.refused(zone), "550 5.4.6")
        self.assertEqual(self.refused({"d.test": [a("127.0.0.1")]}), "550 5.4.6")

    def test_ours(self) -> None:
        """
        A host that has our address is us: only better ones are tried (RFC 5321
        section 5.1), not one of the same preference.
        """
        zone: Zone = {
            "d.test": [
                mx(5, "a.test"),
                mx(10, "b.test"),
                mx(10, "c.test"),
                mx(20, "z.test"),
            ],
            "a.test": [a(ONE)],
            "b.test": [a(TWO)],
            "c.test": [a(OUR_IP), a("198.51.100.7")],
            "z.test": [a(THREE)],
        }
        self.assertEqual(self.ways(zone), [ONE])
        zone = {**zone, "d.test": list(zone["d.test"])[1:]}
        self.assertEqual(self.refused(zone), "550 5.4.6")

    def test_better_host_is_unknown(self) -> None:
        """While a better host than us cannot be found, mail waits."""
        zone = {**two_hosts(a(ONE), a(OUR_IP)), "a.test": BROKEN}
        self.assertEqual(self.refused(zone), "451 4.4.3")

    def test_local_mx_ok(self) -> None:
        """A postmaster may allow this machine (row OB24)."""
        guard = Guard(names=GUARD.names, addresses=(OUR_IP,), local_ok=True)
        zone = two_hosts(a("127.0.0.1"), a(OUR_IP))
        self.assertEqual(self.ways(zone, guard=guard), ["127.0.0.1", OUR_IP])

    def test_literal(self) -> None:
        """An address that a client wrote is no way in, either."""
        self.start({})
        for domain in ("[127.0.0.1]", "[IPv6:::1]", f"[{OUR_IP}]", "[169.254.169.254]"):
            walk = self.router.walk(self.route(domain))
            self.assertIsNone(self.step(walk))
            self.assertEqual(walk.problem().enhanced, "5.4.6")

    def test_explicit(self) -> None:
        """What a postmaster wrote is not guarded."""
        self.start({})
        (hop,) = self.hops(self.route(verdict=ok(value=f"{OUR_IP}:2525")))
        self.assertEqual(hop.ip, OUR_IP)
