"""Tests of C{harakatw.dns.names}."""

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.names import dns
from twisted.names.error import DNSNameError, DNSServerError
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.dns import names
from harakatw.dns.names import NO_ANSWER, NO_NAME, NameLookup
from harakatw.interfaces.services import INameLookup


class _Pointers:
    """
    A resolver that answers when the test says so.

    @ivar asked: the questions.
    @ivar answers: to these.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: list[Deferred[Any]] = []

    def lookupPointer(
        self, name: str, timeout: Sequence[int] | None = None
    ) -> "Deferred[Any]":
        """Ask."""
        self.asked.append(name)
        self.answers.append(Deferred())
        return self.answers[-1]


def pointers(*found: str) -> object:
    """An answer with these PTR records, as Twisted gives it."""
    records = [
        dns.RRHeader(b"q.test", dns.PTR, payload=dns.Record_PTR(name)) for name in found
    ]
    return records, [], []


class NameLookupTests(SynchronousTestCase):
    """The name of a client."""

    def setUp(self) -> None:
        """A look-up that may take five seconds."""
        self._clock = Clock()
        self._resolver = _Pointers()
        self._lookup = NameLookup(self._resolver, self._clock, 5)

    def _ask(self, answer: object, ip: str = "192.0.2.1") -> str:
        """Look an address up that the DNS knows this of."""
        name = self._lookup.lookup_name(ip)
        self._resolver.answers[-1].callback(answer)
        return self.successResultOf(name)

    def test_interface(self) -> None:
        """It is what sessions and plugins ask for names."""
        verifyObject(INameLookup, self._lookup)

    def test_ipv4(self) -> None:
        """An address is looked up below in-addr.arpa (RFC 1035 section 3.5)."""
        self.assertEqual(self._ask(pointers("mail.example")), "mail.example")
        self.assertEqual(self._resolver.asked, ["1.2.0.192.in-addr.arpa"])

    def test_ipv6(self) -> None:
        """An IPv6 address is looked up below ip6.arpa (RFC 3596 section 2.5)."""
        self._lookup.lookup_name("2001:db8::1")
        self.assertEqual(
            self._resolver.asked, ["1" + ".0" * 23 + ".8.b.d.0.1.0.0.2.ip6.arpa"]
        )

    def test_zone(self) -> None:
        """The interface of a link-local address is no part of the question."""
        self._lookup.lookup_name("fe80::1%eth0")
        self.assertTrue(self._resolver.asked[0].endswith("0.8.e.f.ip6.arpa"))

    def test_loopback(self) -> None:
        """The machine itself is localhost; nobody is asked."""
        for ip in ("127.0.0.1", "127.9.9.9", "::1"):
            name = self.successResultOf(self._lookup.lookup_name(ip))
            self.assertEqual(name, "localhost")
        self.assertEqual(self._resolver.asked, [])

    def test_no_address(self) -> None:
        """A client at a Unix socket has no name; nobody is asked."""
        name = self.successResultOf(self._lookup.lookup_name(""))
        self.assertEqual(name, NO_NAME)
        self.assertEqual(self._resolver.asked, [])

    def test_spelling(self) -> None:
        """A name is in lower case, and without a dot at its end."""
        self.assertEqual(self._ask(pointers("Mail.EXAMPLE.")), "mail.example")

    def test_several(self) -> None:
        """Of several names the first is taken."""
        self.assertEqual(self._ask(pointers("a.example", "b.example")), "a.example")

    def test_hostile(self) -> None:
        """
        Whoever owns an address owns its PTR record too: what is no host name does not
        come into headers and logs.
        """
        for name in ("a b.example", "a\r\nX: y", "<script>.example", "-", ""):
            self._clock.advance(1000)
            self.assertEqual(self._ask(pointers(name)), NO_NAME, name)
        self.assertEqual(self._ask(pointers("a b", "b.test"), "192.0.2.2"), "b.test")

    def test_other_records(self) -> None:
        """Records of other types in the answer are no names."""
        alias = dns.RRHeader(
            b"q.test", dns.CNAME, payload=dns.Record_CNAME("alias.test")
        )
        self.assertEqual(self._ask(([alias], [], [])), NO_NAME)

    def test_no_such_name(self) -> None:
        """That there is no name is an answer."""
        error = Failure(DNSNameError())
        self.assertEqual(self._ask(error), NO_NAME)

    def test_server_failure(self) -> None:
        """That nobody can say is another one."""
        error = Failure(DNSServerError())
        self.assertEqual(self._ask(error), NO_ANSWER)

    def test_time_out(self) -> None:
        """A silent DNS keeps no client waiting for more than the time-out."""
        name = self._lookup.lookup_name("192.0.2.1")
        self._clock.advance(4.9)
        self.assertNoResult(name)
        self._clock.advance(0.2)
        self.assertEqual(self.successResultOf(name), NO_ANSWER)

    def test_no_timer_left(self) -> None:
        """Once there is an answer nothing waits any more."""
        self._ask(pointers("a.test"))
        self.assertEqual(self._clock.getDelayedCalls(), [])

    def test_remembered(self) -> None:
        """A client that comes again within minutes costs no question."""
        self._ask(pointers("a.test"))
        self._clock.advance(299)
        again = self.successResultOf(self._lookup.lookup_name("192.0.2.1"))
        self.assertEqual((again, len(self._resolver.asked)), ("a.test", 1))

    def test_no_name_remembered(self) -> None:
        """Nor does one that has no name."""
        self._ask(pointers())
        again = self.successResultOf(self._lookup.lookup_name("192.0.2.1"))
        self.assertEqual(again, NO_NAME)

    def test_forgotten(self) -> None:
        """After five minutes the DNS is asked again, and its new answer counts."""
        self._ask(pointers("a.test"))
        self._clock.advance(300)
        self.assertEqual(self._ask(pointers("b.test")), "b.test")

    def test_failure_not_remembered(self) -> None:
        """After a failure of the DNS the next connection asks again."""
        self._ask(Failure(DNSServerError()))
        self.assertEqual(self._ask(pointers("a.test")), "a.test")

    def test_bounded(self) -> None:
        """A million clients do not fill the memory: the oldest is forgotten."""
        self.patch(names, "_CACHED", 2)
        for last in "123":
            self._ask(pointers(f"n{last}.test"), f"192.0.2.{last}")
        for last in "321":
            self._lookup.lookup_name(f"192.0.2.{last}")
        self.assertEqual(self._resolver.asked[3:], ["1.2.0.192.in-addr.arpa"])
