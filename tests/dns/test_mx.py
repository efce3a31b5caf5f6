"""The hosts that take the mail for a domain."""

from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from harakatw.dns.hosts import HostsFile
from harakatw.dns.mx import MAX_RECORDS, MXAnswer, MXLookup, MXRecord
from harakatw.dns.records import Status
from tests.dns.zones import BROKEN, SILENT, Zone, a, alias, make_records, mx


class MXTests(SynchronousTestCase):
    """RFC 5321 section 5.1."""

    def _lookup(self, zone: Zone, hosts: str = "") -> MXLookup:
        self.resolver, records, self.clock = make_records(zone)
        path = Path(self.mktemp())
        path.write_text(hosts)
        return MXLookup(records, HostsFile(path, self.clock), self.clock)

    def _found(self, zone: Zone, domain: str = "d.test", hosts: str = "") -> MXAnswer:
        found = self._lookup(zone, hosts).lookup_mx(domain)
        return self.successResultOf(found) if isinstance(found, Deferred) else found

    def test_sorted(self) -> None:
        """Hosts come by preference, then by name, in lower case."""
        zone = {"d.test": [mx(20, "B.test"), mx(10, "c.test"), mx(20, "a.test")]}
        self.assertEqual(
            self._found(zone),
            MXAnswer(
                "d.test",
                Status.FOUND,
                (
                    MXRecord(10, "c.test"),
                    MXRecord(20, "a.test"),
                    MXRecord(20, "b.test"),
                ),
            ),
        )

    def test_implicit(self) -> None:
        """A domain without MX records is its own host."""
        found = self._found({"d.test": [a("192.0.2.1")]})
        self.assertTrue(found.is_implicit)
        self.assertEqual(found.records, (MXRecord(0, "d.test"),))

    def test_no_domain(self) -> None:
        """A domain that does not exist is told from one that nobody knows about."""
        self.assertEqual(self._found({}), MXAnswer("d.test", Status.NO_NAME))
        found = self._found({"d.test": BROKEN})
        self.assertEqual((found.status, found.records), (Status.FAILED, ()))
        self.assertNotEqual(found.detail, "")

    def test_null(self) -> None:
        """A domain may say that it takes no mail (RFC 7505)."""
        for preference in (0, 10):
            found = self._found({"d.test": [mx(preference, "")]})
            self.assertTrue(found.is_null)
            self.assertEqual(found.records, ())

    def test_null_among_others(self) -> None:
        """With other records beside it, the dot means nothing."""
        found = self._found({"d.test": [mx(0, ""), mx(10, "a.test")]})
        self.assertFalse(found.is_null)
        self.assertEqual(found.records, (MXRecord(10, "a.test"),))

    def test_alias(self) -> None:
        """A domain may be an alias of another."""
        zone: Zone = {"d.test": [alias("e.test")], "e.test": [mx(10, "a.test")]}
        self.assertEqual(self._found(zone).records, (MXRecord(10, "a.test"),))

    def test_many(self) -> None:
        """Of a thousand hosts the best hundred are taken."""
        records = [mx(number, f"h{number}.test") for number in range(1000, 0, -1)]
        found = self._found({"d.test": records}).records
        self.assertEqual(len(found), MAX_RECORDS)
        self.assertEqual((found[0].preference, found[-1].preference), (1, 100))

    def test_twice(self) -> None:
        """A host that is named twice counts once, by its better preference."""
        found = self._found({"d.test": [mx(20, "a.test"), mx(10, "A.test")]})
        self.assertEqual(found.records, (MXRecord(10, "a.test"),))

    def test_no_host_names(self) -> None:
        """What can be no host is left out; such records are no null MX."""
        bad = [mx(0, "a b.test"), mx(0, "-.test"), mx(0, b"\xff.test".decode("latin1"))]
        bad[2].name.name = b"\xff.test"
        found = self._found({"d.test": bad})
        self.assertEqual((found.records, found.is_null), ((), False))
        found = self._found({"d.test": [*bad, mx(9, "a.test")]})
        self.assertEqual(found.records, (MXRecord(9, "a.test"),))

    def test_localhost(self) -> None:
        """The local host is never looked for in the DNS (RFC 6761 section 6.3)."""
        self.assertTrue(self._found({}, "localhost").is_implicit)
        self.assertEqual(self.resolver.asked, [])

    def test_hosts_file(self) -> None:
        """A domain that only the hosts file has is its own host."""
        self.assertTrue(self._found({}, hosts="192.0.2.1 d.test\n").is_implicit)
        zone = {"d.test": [mx(10, "a.test")]}
        self.assertFalse(self._found(zone, hosts="192.0.2.1 d.test\n").is_implicit)

    def test_hosts_file_and_trouble(self) -> None:
        """While the DNS is down, mail is not led past the MX hosts."""
        found = self._found({"d.test": BROKEN}, hosts="192.0.2.1 d.test\n")
        self.assertIs(found.status, Status.FAILED)

    def test_time_out(self) -> None:
        """A silent DNS ends the look-up, and is left alone for ten seconds."""
        lookup = self._lookup({"d.test": SILENT})
        found = lookup.lookup_mx("d.test")
        assert isinstance(found, Deferred)
        self.clock.advance(5)
        self.assertIs(self.successResultOf(found).status, Status.FAILED)
        self.clock.advance(9.9)
        self.assertIsInstance(lookup.lookup_mx("d.test"), MXAnswer)
        self.clock.advance(0.1)
        self.assertIsInstance(lookup.lookup_mx("d.test"), Deferred)
        self.clock.advance(5)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_remembered(self) -> None:
        """Answers are remembered as long as they hold, also that there is no domain."""
        for zone, seconds in (({"d.test": [mx(1, "a.test", 30)]}, 30), ({}, 60)):
            lookup = self._lookup(zone)
            first = lookup.lookup_mx("d.test")
            assert isinstance(first, Deferred)
            answer = self.successResultOf(first)
            self.clock.advance(seconds - 1)
            self.assertIs(lookup.lookup_mx("d.test"), answer)
            self.clock.advance(1)
            self.assertIsInstance(lookup.lookup_mx("d.test"), Deferred)
