"""From a domain to a route."""

from collections.abc import Mapping

from twisted.internet.defer import Deferred

from harakatw.outbound.hop import Hop
from harakatw.outbound.routes.origin import Origin
from harakatw.outbound.routes.route import Route, RouteSettings
from harakatw.verdict import (
    CONT,
    DENY,
    DENYDISCONNECT,
    DENYSOFT,
    Verdict,
    deny,
    deny_soft,
    ok,
)
from tests.dns.zones import BROKEN, SILENT, Zone, a, mx
from tests.outbound.routes.routing import GUARD, ME, RoutingTestCase

GOOD: Zone = {
    "d.test": [mx(20, "b.mx.test"), mx(10, "a.mx.test"), mx(20, "c.mx.test")],
    "a.mx.test": [a("198.51.100.1")],
    "b.mx.test": [a("198.51.100.2")],
    "c.mx.test": [a("198.51.100.3")],
}


class DNSRouteTests(RoutingTestCase):
    """Nobody says anything: the DNS does (rows OB20 to OB22)."""

    def _ranks(self, route: Route) -> list[set[str]]:
        return [{hop.host for hop in rank.hops} for rank in route.ranks]

    def test_ranks(self) -> None:
        """Hosts are ordered by preference; those with the same one are equal."""
        self.start(GOOD)
        route = self.route()
        self.assertEqual(
            self._ranks(route), [{"a.mx.test"}, {"b.mx.test", "c.mx.test"}]
        )
        self.assertEqual(route.site, "(a|b|c).mx.test")
        self.assertEqual((route.problem, route.is_explicit), (None, False))

    def test_no_addresses_yet(self) -> None:
        """Addresses are not looked up before a host is tried."""
        self.start(GOOD)
        self.route()
        self.assertEqual(self.resolver.asked, [("d.test", "MX")])

    def test_at_once(self) -> None:
        """A route that is known costs no wait, and is not made again."""
        self.start(GOOD)
        route = self.route()
        self.assertIs(self.router.route("d.test"), route)
        self.clock.advance(300)
        self.assertIsInstance(self.router.route("d.test"), Deferred)

    def test_changed(self) -> None:
        """When a domain has moved to other hosts, so does its mail."""
        self.start(GOOD)
        self.route()
        self.resolver.zone["d.test"] = [mx(10, "c.mx.test")]
        self.clock.advance(300)
        self.assertEqual(self.route().site, "c.mx.test")

    def test_implicit(self) -> None:
        """A domain without MX is its own host and site."""
        self.start({"d.test": [a("198.51.100.1")]})
        route = self.route()
        self.assertEqual((route.site, route.is_implicit), ("d.test", True))
        self.assertEqual(self._ranks(route), [{"d.test"}])

    def test_problems(self) -> None:
        """What bounces, what is tried again, and with which words."""
        for records, wanted in (
            (None, "550 5.1.2"),
            (BROKEN, "451 4.4.3"),
            ([mx(0, "")], "556 5.1.10"),
            ([mx(0, "no host")], "550 5.4.4"),
            ([mx(0, ME)], "550 5.4.6"),
        ):
            zone: Zone = {} if records is None else {"d.test": records}
            self.assertEqual(self.refused(zone), wanted)
            route = self.route()
            self.assertEqual((route.site, route.ranks), ("d.test", ()))

    def test_silent(self) -> None:
        """A DNS that does not answer in time delays mail, and does not bounce it."""
        self.start({"d.test": SILENT})
        route = self.router.route("d.test")
        assert isinstance(route, Deferred)
        self.clock.advance(5)
        problem = self.successResultOf(route).problem
        self.assertEqual(problem and problem.enhanced, "4.4.3")

    def test_idn(self) -> None:
        """A domain in any script and case is looked up by its A-labels."""
        self.start({"xn--mnchen-3ya.test": [mx(1, "a.mx.test")]})
        for domain in ("m\u00fcnchen.test", "XN--MNCHEN-3YA.test", "M\u00dcNCHEN.TEST"):
            self.assertEqual(self.route(domain).site, "a.mx.test")

    def test_no_domain(self) -> None:
        """What is no domain bounces; the DNS is not asked."""
        self.start({})
        for domain in ("", "a b", "-a.test", "a..test", "[general:x]", "\u00fc..test"):
            problem = self.route(domain).problem
            self.assertEqual(problem and problem.enhanced, "5.1.2", domain)
        self.assertEqual(self.resolver.asked, [])

    def test_literal(self) -> None:
        """An address in square brackets is a host; the DNS is not asked."""
        self.start({})
        for domain, ip in (
            ("[198.51.100.1]", "198.51.100.1"),
            ("[IPv6:2606:4700::1]", "2606:4700::1"),
            ("[ipv6:2606:4700::1]", "2606:4700::1"),
        ):
            route = self.route(domain)
            self.assertEqual(route.site, domain.lower())
            self.assertEqual([hop.ip for hop in self.hops(route)], [ip])
        self.assertEqual(self.resolver.asked, [])

    def test_before_us(self) -> None:
        """
        A server that is an MX host itself sends only to better ones (RFC 5321
        section 5.1), unless it was told that the names do not matter.
        """
        records = [
            mx(5, "a.mx.test"),
            mx(10, ME),
            mx(10, "b.mx.test"),
            mx(20, "c.test"),
        ]
        self.start({"d.test": records})
        self.assertEqual(self._ranks(self.route()), [{"a.mx.test"}])
        self.start({"d.test": [mx(10, ME)]}, RouteSettings())
        self.assertEqual(self._ranks(self.route()), [{ME}])

    def test_own_queue(self) -> None:
        """A domain that has limits of its own is a site of its own."""
        settings = RouteSettings(
            guard=GUARD, has_own_queue=lambda name: name == "d.test"
        )
        self.start(GOOD, settings)
        self.assertEqual(self.route().site, "d.test")

    def test_shared_connections(self) -> None:
        """Domains with the same hosts share connections, unless one must not."""
        zone: Zone = {
            "d.test": [mx(1, "a.mx.test")],
            "e.test": [mx(5, "a.mx.test")],
            "a.mx.test": [a("198.51.100.1")],
        }
        self.start(zone)
        one, other = self.hops(self.route("d.test")), self.hops(self.route("e.test"))
        self.assertEqual(one, other)
        settings = RouteSettings(has_own_connections=lambda name: name == "d.test")
        self.start(zone, settings)
        self.assertEqual(self.hops(self.route("d.test"))[0].from_dns, "d.test")
        self.assertEqual(self.hops(self.route("e.test")), other)

    def test_notes(self) -> None:
        """Notes of one message are not another's."""
        self.start(GOOD)
        noted = self.route(notes={"outbound_helo": "out.test"})
        self.assertEqual(noted.origin, Origin("out.test"))
        self.assertEqual({hop.bind_helo for hop in self.hops(noted)}, {"out.test"})
        self.assertEqual({hop.bind_helo for hop in self.hops(self.route())}, {""})


class ExplicitRouteTests(RoutingTestCase):
    """A plugin or a note says where mail goes (rows OB23, OB33 and OB34)."""

    def setUp(self) -> None:
        """A DNS that knows better, and is not asked."""
        self.start({**GOOD, "relay.test": [a("127.0.0.1")]})

    def _one(self, value: object) -> Route:
        route = self.route(verdict=ok(value=value))
        self.assertIsNone(route.problem, route.detail)
        self.assertTrue(route.is_explicit)
        self.assertEqual(route.domain, "d.test")
        return route

    def test_own_connections(self) -> None:
        """
        A domain that must not share connections does not on this way either; but for
        sockets of this machine, which nobody else can listen to.
        """
        settings = RouteSettings(has_own_connections=lambda name: name == "d.test")
        self.start(GOOD, settings)
        for written, domain in (("10.0.0.1", "d.test"), ("lmtp:/run/lmtp", "")):
            route = self.route(verdict=ok(value=written))
            (rank,) = route.ranks
            self.assertEqual([hop.from_dns for hop in rank.hops], [domain])
        route = self.route("e.test", verdict=ok(value="10.0.0.1"))
        self.assertEqual(route.ranks[0].hops[0].from_dns, "")

    def test_forms(self) -> None:
        """A hop is a host, a URL or an object; this machine is as good as any."""
        cases: tuple[tuple[object, str, Hop], ...] = (
            ("10.0.0.1", "10.0.0.1:25", Hop(host="10.0.0.1", ip="10.0.0.1")),
            (
                "relay.test:2525",
                "relay.test:2525",
                Hop(host="relay.test", port=2525, ip="127.0.0.1"),
            ),
            (
                "smtp://u:p@relay.test:587",
                "relay.test:587",
                Hop(
                    host="relay.test",
                    port=587,
                    ip="127.0.0.1",
                    auth_user="u",
                    auth_pass="p",
                ),
            ),
            (
                {"exchange": "relay.test", "using_lmtp": True},
                "relay.test:24",
                Hop(host="relay.test", port=24, ip="127.0.0.1", using_lmtp=True),
            ),
            ("lmtp:/run/lmtp", "/run/lmtp", Hop(path="/run/lmtp", using_lmtp=True)),
            (["127.0.0.1"], "127.0.0.1:25", Hop(host="127.0.0.1", ip="127.0.0.1")),
        )
        for value, site, hop in cases:
            route = self._one(value)
            self.assertEqual((route.site, self.hops(route)), (site, [hop]))
        self.assertNotIn(("d.test", "MX"), self.resolver.asked)

    def test_list(self) -> None:
        """Several hops are tried by their priority."""
        route = self._one(
            [
                {"exchange": "10.0.0.3", "priority": 20},
                {"exchange": "10.0.0.1", "priority": 10},
                {"exchange": "10.0.0.2", "priority": "15"},
            ]
        )
        ips = [hop.ip for hop in self.hops(route)]
        self.assertEqual(ips, ["10.0.0.1", "10.0.0.2", "10.0.0.3"])

    def test_wrong(self) -> None:
        """A slip of the postmaster or of a plugin delays mail, and bounces none."""
        for value in (None, "", [], {}, 7, "ftp://x", ["a.test", ""], {"host": "a b"}):
            problem = self.route(verdict=ok(value=value)).problem
            self.assertEqual(problem and problem.enhanced, "4.3.5", repr(value))

    def test_wrong_notes(self) -> None:
        """A note that makes no sense does the same."""
        wrong: tuple[Mapping[str, object], ...] = (
            {"outbound_ip": "x"},
            {"queue": {"next_hop": "ftp://x"}},
        )
        for notes in wrong:
            route = self.route(notes=notes)
            self.assertEqual(route.problem and route.problem.enhanced, "4.3.5")
            self.assertNotEqual(route.detail, "")

    def test_no_secrets(self) -> None:
        """What the log gets of a wrong hop has no password in it."""
        route = self.route(verdict=ok(value="smtp://user:hunter2@a b:25"))
        self.assertIsNotNone(route.problem)
        self.assertNotIn("hunter2", repr(route))

    def test_order(self) -> None:
        """The hook counts more than the note, and the note more than the DNS."""
        notes = {"queue": {"next_hop": "smtp://10.0.0.2"}}
        self.assertEqual(self.route(notes=notes, verdict=CONT).site, "10.0.0.2:25")
        hooked = self.route(notes=notes, verdict=ok(value="10.0.0.1"))
        self.assertEqual(hooked.site, "10.0.0.1:25")
        self.assertEqual(self.route(verdict=CONT).site, "(a|b|c).mx.test")

    def test_denied(self) -> None:
        """A hook may bounce or delay, with words of its own (row HK31)."""
        cases: tuple[tuple[Verdict, str], ...] = (
            (DENY, "550 5.1.2 Mail for this domain is not delivered from here"),
            (DENYDISCONNECT, "550 5.1.2 Mail for this domain is not delivered"),
            (DENYSOFT, "451 4.4.4 Mail for this domain is not delivered from here now"),
            (deny("No mail for you"), "550 5.1.2 No mail for you"),
            (deny("Gone", code=554, enhanced="5.7.1"), "554 5.7.1 Gone"),
            (deny_soft("Closed", code=450), "450 4.4.4 Closed"),
        )
        for verdict, words in cases:
            problem = self.route(verdict=verdict).problem
            assert problem is not None
            said = f"{problem.code} {problem.enhanced} {problem.text}"
            self.assertTrue(said.startswith(words), said)

    def test_notes_apply(self) -> None:
        """Notes say who we are on a hop that leaves it open."""
        notes = {"outbound_ip": "192.0.2.4", "queue": {"next_hop": "10.0.0.2"}}
        (hop,) = self.hops(self.route(notes=notes))
        self.assertEqual(hop.bind, "192.0.2.4")
