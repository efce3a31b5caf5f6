"""The addresses of a host."""

from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from harakatw.dns.addresses import (
    MAX_ADDRESSES,
    Addresses,
    AddressLookup,
    sort_addresses,
)
from harakatw.dns.hosts import HostsFile
from harakatw.dns.records import Status
from tests.dns.zones import BROKEN, SILENT, Zone, a, aaaa, alias, make_records, mx

FOUR, SIX = "192.0.2.1", "2001:db8::1"


class AddressTests(SynchronousTestCase):
    """Both families are looked up at the same time."""

    def _lookup(self, zone: Zone, hosts: str = "") -> AddressLookup:
        self.resolver, records, self.clock = make_records(zone)
        path = Path(self.mktemp())
        path.write_text(hosts)
        return AddressLookup(records, HostsFile(path, self.clock), self.clock)

    def _found(self, zone: Zone, host: str = "a.test", hosts: str = "") -> Addresses:
        found = self._lookup(zone, hosts).lookup_addresses(host)
        return self.successResultOf(found) if isinstance(found, Deferred) else found

    def test_both(self) -> None:
        """IPv6 comes first, unless the postmaster prefers IPv4 (row OB22)."""
        found = self._found({"a.test": [a(FOUR), aaaa(SIX), a("192.0.2.2")]})
        self.assertEqual(found, Addresses(Status.FOUND, (SIX,), (FOUR, "192.0.2.2")))
        self.assertEqual(found.ordered("default"), (SIX, FOUR, "192.0.2.2"))
        self.assertEqual(found.ordered("v6"), found.ordered("default"))
        self.assertEqual(found.ordered("v4"), (FOUR, "192.0.2.2", SIX))

    def test_one(self) -> None:
        """One family is enough."""
        found = self._found({"a.test": [a(FOUR)]})
        self.assertEqual(found, Addresses(Status.FOUND, (), (FOUR,)))

    def test_none(self) -> None:
        """No address is not the same as no answer."""
        self.assertIs(self._found({}).status, Status.NO_NAME)
        self.assertIs(self._found({"a.test": [mx(1, "b")]}).status, Status.NO_DATA)
        self.assertIs(self._found({"a.test": BROKEN}).status, Status.FAILED)

    def test_alias(self) -> None:
        """An MX host may be an alias, though RFC 2181 section 10.3 forbids it."""
        found = self._found({"a.test": [alias("b.test")], "b.test": [a(FOUR)]})
        self.assertEqual(found.v4, (FOUR,))

    def test_many(self) -> None:
        """A host with a thousand addresses has 32."""
        ips = [f"10.0.{number // 250}.{number % 250}" for number in range(1000)]
        found = self._found({"a.test": list(map(a, ips))})
        self.assertEqual(found.v4, tuple(ips[:MAX_ADDRESSES]))
        self.assertEqual(len(sort_addresses(ips).v4), MAX_ADDRESSES)

    def test_at_the_same_time(self) -> None:
        """A silent DNS costs its time-out once, not once for each family."""
        found = self._lookup({"a.test": SILENT}).lookup_addresses("a.test")
        assert isinstance(found, Deferred)
        self.clock.advance(5)
        self.assertIs(self.successResultOf(found).status, Status.FAILED)

    def test_remembered(self) -> None:
        """An answer is remembered for as long as both families allow."""
        for records in ([a(FOUR, 100), aaaa(SIX, 50)], [a(FOUR, 50), aaaa(SIX, 100)]):
            lookup = self._lookup({"a.test": records})
            first = lookup.lookup_addresses("a.test")
            assert isinstance(first, Deferred)
            found = self.successResultOf(first)
            self.clock.advance(49)
            self.assertIs(lookup.lookup_addresses("a.test"), found)
            self.clock.advance(1)
            lookup.lookup_addresses("a.test")
            self.assertEqual(len(self.resolver.asked), 4)

    def test_hosts_file(self) -> None:
        """What stands in the hosts file counts, and the DNS is not asked."""
        found = self._found({"a.test": [a(FOUR)]}, hosts="192.0.2.9 a.test\n")
        self.assertEqual(found.v4, ("192.0.2.9",))
        self.assertEqual(self.resolver.asked, [])

    def test_no_look_up(self) -> None:
        """An address is its own; the local host needs no DNS."""
        self.assertEqual(self._found({}, FOUR).v4, (FOUR,))
        self.assertEqual(self._found({}, SIX).v6, (SIX,))
        self.assertEqual(self._found({}, "localhost").v4, ("127.0.0.1",))
        self.assertEqual(self.resolver.asked, [])
