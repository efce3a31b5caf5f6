"""Records of one type, with aliases followed."""

from itertools import pairwise
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.names import dns
from twisted.trial.unittest import SynchronousTestCase

from harakatw.dns.records import FAILED_SECONDS, Records, Status, is_host_name
from tests.dns.zones import BROKEN, SILENT, Zone, a, alias, make_records, mx


class LookupTests(SynchronousTestCase):
    """What the DNS may say, and for how long that holds."""

    def _ask(self, zone: Zone, name: str = "a.test", **says: Any) -> Records:
        self.resolver, records, _ = make_records(zone)
        for attribute, value in says.items():
            setattr(self.resolver, attribute, value)
        return self.successResultOf(records.ask(name, dns.A))

    def test_found(self) -> None:
        """Records hold as long as the shortest of them says."""
        records = [a("192.0.2.1", 300), a("192.0.2.2", 200)]
        found = self._ask({"a.test": records})
        self.assertEqual(found, Records(Status.FOUND, tuple(records), 200.0))

    def test_longest(self) -> None:
        """Nothing is believed for more than a day."""
        found = self._ask({"a.test": [a("192.0.2.1", 2**31 - 1)]})
        self.assertEqual(found.seconds, 86400.0)

    def test_no_data(self) -> None:
        """A name without such records is known to have none, as long as SOA says."""
        found = self._ask({"a.test": [mx(1, "b.test")]}, negative_seconds=90)
        self.assertEqual(found, Records(Status.NO_DATA, (), 90.0))

    def test_no_name(self) -> None:
        """A name that does not exist, likewise; never for more than three hours."""
        found = self._ask({}, negative_seconds=2**30)
        self.assertEqual(found, Records(Status.NO_NAME, (), 10800.0))

    def test_no_time(self) -> None:
        """Without SOA, "there is none" holds for a moment only (RFC 2308 section 5)."""
        zones: tuple[Zone, ...] = ({}, {"a.test": []})
        for zone in zones:
            found = self._ask(zone, negative_seconds=None)
            self.assertEqual(found.seconds, FAILED_SECONDS)

    def test_broken(self) -> None:
        """A server that cannot answer is asked again after a moment, not at once."""
        found = self._ask({"a.test": BROKEN})
        self.assertEqual((found.status, found.seconds), (Status.FAILED, FAILED_SECONDS))
        self.assertIn("DNSServerError", found.detail)

    def test_silent(self) -> None:
        """A server that says nothing fails the look-up in time, whatever comes then."""
        resolver, records, clock = make_records({"a.test": SILENT})
        asked = records.ask("a.test", dns.A)
        clock.advance(4.9)
        self.assertNoResult(asked)
        clock.advance(0.1)
        self.assertIs(self.successResultOf(asked).status, Status.FAILED)
        resolver.pending[0].callback(([], [], []))

    def test_alias(self) -> None:
        """An alias is followed, in one answer or more (RFC 1034 section 3.6.2)."""
        zone: Zone = {
            "a.test": [alias("b.test", 100)],
            "b.test": [alias("C.test")],
            "c.test": [a("192.0.2.1")],
        }
        for follows in (True, False):
            found = self._ask(zone, follows=follows)
            self.assertIs(found.status, Status.FOUND)
            self.assertEqual(found.seconds, 100.0)

    def test_alias_to_nothing(self) -> None:
        """An alias of a name that is not there, or has no such records."""
        zone: Zone = {"a.test": [alias("b.test")]}
        self.assertIs(self._ask(zone).status, Status.NO_NAME)
        self.assertIs(self._ask({**zone, "b.test": []}).status, Status.NO_DATA)
        self.assertIs(self._ask({**zone, "b.test": BROKEN}).status, Status.FAILED)

    def test_alias_to_no_host(self) -> None:
        """An alias of what is no name of a host leads nowhere."""
        zone = {"a.test": [alias("not a host")]}
        self.assertIs(self._ask(zone).status, Status.NO_NAME)

    def test_alias_chain(self) -> None:
        """Ten aliases are followed, eleven are not, and a ring ends."""
        names = ["a.test", *(f"n{number}.test" for number in range(1, 21))]
        zone: dict[str, list[Any]] = {
            name: [alias(after)] for name, after in pairwise(names)
        }
        for follows in (True, False):
            fits = self._ask({**zone, names[10]: [a("192.0.2.1")]}, follows=follows)
            self.assertIs(fits.status, Status.FOUND)
            long = self._ask({**zone, names[11]: [a("192.0.2.1")]}, follows=follows)
            self.assertIs(long.status, Status.FAILED)
            self.assertLessEqual(len(self.resolver.asked), 12)
            ring = self._ask({**zone, names[3]: [alias("a.test")]}, follows=follows)
            self.assertIs(ring.status, Status.FAILED)

    def test_stranger(self) -> None:
        """Records of another name, type or class in an answer are not taken."""
        resolver, records, _ = make_records({})
        strangers = [
            dns.RRHeader("evil.test", dns.A, payload=a("192.0.2.66"), ttl=9),
            dns.RRHeader("a.test", dns.MX, payload=mx(0, "evil.test"), ttl=9),
            dns.RRHeader("a.test", dns.A, dns.CH, payload=a("192.0.2.66"), ttl=9),
        ]
        resolver.query = lambda query, timeout=None: succeed((strangers, [], []))  # type: ignore[method-assign]
        found = self.successResultOf(records.ask("a.test", dns.A))
        self.assertEqual((found.status, found.payloads), (Status.NO_DATA, ()))

    def test_nonsense(self) -> None:
        """An answer that makes no sense is no answer."""
        resolver, records, _ = make_records({})
        resolver.query = lambda query, timeout=None: succeed(None)  # type: ignore[method-assign]
        asked: Deferred[Records] = records.ask("a.test", dns.A)
        self.assertIs(self.successResultOf(asked).status, Status.FAILED)

    def test_host_names(self) -> None:
        """What cannot be a host (RFC 952) is not asked for; underscores can be."""
        for name in ("a", "a.test", "_a.b-c.test", "a" * 63, "1.2", "a_b.test"):
            self.assertTrue(is_host_name(name), name)
        long = ".".join(["a" * 63] * 4)
        for name in ("", ".", "a.", ".a", "a..b", "a b", "-a", "a-", "a" * 64, long):
            self.assertFalse(is_host_name(name), name)
            self.assertIs(self._ask({}, name).status, Status.NO_NAME)
            self.assertEqual(self.resolver.asked, [])
