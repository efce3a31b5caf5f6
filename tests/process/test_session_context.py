"""Tests of C{harakatw.process.session_context}."""

from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock

from harakatw.dns.options import DNSOptions
from harakatw.observe.levels import LogSwitch
from harakatw.process import session_context
from harakatw.process.session_context import make_context, make_resolver
from harakatw.process.settings import read_settings
from harakatw.process.threads import PooledThreads
from harakatw.smtp.context import SessionContext
from harakatw.version import __version__
from tests.config.folders import ConfigTestCase


class ContextTests(ConfigTestCase):
    """What a session is bound to when it begins."""

    def setUp(self) -> None:
        """A machine with one name server."""
        super().setUp()
        self._reactor: Any = MemoryReactorClock()
        self.patch(session_context, "name_servers", lambda path: (("192.0.2.53", 53),))

    def _context(self, ini: str = "") -> SessionContext:
        self.write("connection.ini", ini)
        return make_context(
            read_settings(self.directory),
            "mail.example",
            {},
            reactor=self._reactor,
            threads=PooledThreads(self._reactor),
            log=LogSwitch(),
        )

    def test_greeting(self) -> None:
        """A client is greeted with the server's name (RFC 5321 section 4.2)."""
        (line,) = self._context("[headers]\nshow_version=false\n").greeting
        self.assertEqual(line, "mail.example ESMTP Haraka ready")

    def test_version(self) -> None:
        """With C{show_version} the greeting says which version this is."""
        (line,) = self._context("[headers]\nshow_version=true\n").greeting
        self.assertIn(f"Haraka/{__version__} ready", line)

    def test_own_greeting(self) -> None:
        """A greeting of the postmaster's own takes its place."""
        context = self._context("[message]\ngreeting[]=one\ngreeting[]=two\n")
        self.assertEqual(context.greeting, ("one", "two"))

    def test_size(self) -> None:
        """EHLO says how large a message may be (RFC 1870 section 4)."""
        context = self._context("[max]\nbytes=1000\n")
        self.assertIn("SIZE 1000", context.offers.offer(encrypted=False).lines)

    def test_smtputf8(self) -> None:
        """SMTPUTF8 is announced where it is on, and only there (RFC 6531)."""
        for said, announced in (("true", True), ("false", False)):
            context = self._context(f"[main]\nsmtputf8={said}\n")
            offer = context.offers.offer(encrypted=False)
            self.assertEqual("SMTPUTF8" in offer.keywords, announced)

    def test_extensions(self) -> None:
        """What the postmaster does not want is not announced."""
        context = self._context("[extensions]\ndsn=false\n")
        self.assertNotIn("DSN", context.offers.offer(encrypted=False).keywords)

    def test_time_out(self) -> None:
        """A silent client is waited for as long as smtp.ini says."""
        self.write("smtp.ini", "inactivity_timeout=77\n")
        self.assertEqual(self._context().inactivity_seconds, 77)

    def test_spool(self) -> None:
        """Messages go to the disk where and when connection.ini says."""
        store = self._context("[main]\nspool_dir=/var/s\nspool_after=9\n").store
        self.assertEqual((store.spool_dir, store.spool_after), ("/var/s", 9))


class ResolverTests(ConfigTestCase):
    """How the DNS is asked."""

    def _tries(self, milliseconds: float, tries: int) -> object:
        options = DNSOptions(timeout=milliseconds, tries=tries)
        return make_resolver(options, Clock()).timeout

    def test_tries(self) -> None:
        """The time is shared by all tries."""
        self.assertEqual(self._tries(9000, 3), (3, 3, 3))

    def test_short(self) -> None:
        """A try lasts a second at least: no time at all would ask in vain."""
        self.assertEqual(self._tries(500, 2), (1, 1))

    def test_servers_of_the_system(self) -> None:
        """The system's name servers are asked."""
        asked = (("192.0.2.53", 53), ("192.0.2.54", 53))
        self.patch(session_context, "name_servers", lambda path: asked)
        resolver = make_resolver(DNSOptions(), Clock())
        self.assertEqual(resolver.servers, list(asked))
