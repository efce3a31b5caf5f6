"""What a client hears before it has said anything (RFC 5321 section 3.1)."""

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from harakatw.config.connection import ConnectionOptions
from harakatw.interfaces.services import INameLookup
from harakatw.verdict import DENY, DENYDISCONNECT, DENYSOFT, deny, ok
from harakatw.wire.session import Phase
from tests.fake_plugins import fake_plugin
from tests.sessions import make_site


@implementer(INameLookup)
class HeldNames:
    """
    A resolver that answers when the test says so.

    @ivar asked: the addresses.
    @ivar answer: fires with the name.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Deferred[str] = Deferred()

    def lookup_name(self, ip: str) -> "Deferred[str]":
        """Note the address."""
        self.asked.append(ip)
        return self.answer


class GreetingTests(SynchronousTestCase):
    """The 220, and who is told something else."""

    def test_greeting(self) -> None:
        """A client is greeted with the server's name at once."""
        self.assertEqual(make_site().client.hear(), "220 mail.example ESMTP\r\n")

    def test_session_id(self) -> None:
        """
        The greeting shows the beginning of the session's id, with which the postmaster
        finds the session in the log.
        """
        site = make_site(options=ConnectionOptions(banner_chars=8))
        shown = site.connection.uuid[:8]
        self.assertEqual(site.client.hear(), f"220 mail.example ESMTP ({shown})\r\n")

    def test_worded_by_plugin(self) -> None:
        """A plugin may word the greeting; our name stays in front."""
        site = make_site(fake_plugin(connect=ok(["be brief", "or be gone"])))
        said = site.client.hear()
        self.assertEqual(said, "220-mail.example ESMTP be brief\r\n220 or be gone\r\n")

    def test_waits_for_plugin(self) -> None:
        """Nobody is greeted before the plugins have ruled."""
        verdict: Deferred[None] = Deferred()
        site = make_site(fake_plugin(connect=verdict))
        self.assertEqual(site.client.hear(), "")
        verdict.callback(None)
        self.assertEqual(site.client.codes(), [220])

    def test_plugins_in_order(self) -> None:
        """connect_init comes first, then the name is looked up, then connect."""
        plugin = fake_plugin(connect=None, lookup_rdns=None, connect_init=DENY)
        make_site(plugin)
        self.assertEqual(plugin.asked, ["connect_init", "lookup_rdns", "connect"])

    def test_early_talker(self) -> None:
        """
        Who talks before the greeting is noted, heard once the greeting is out, and
        cannot fill our memory meanwhile: nothing more is read.
        """
        verdict: Deferred[None] = Deferred()
        site = make_site(fake_plugin(connect=verdict))
        site.client.say("EHLO client.example")
        self.assertTrue(site.connection.early_talker)
        self.assertEqual(site.client.transport.producerState, "paused")
        verdict.callback(None)
        self.assertEqual(site.client.codes(), [220, 250])
        self.assertEqual(site.client.transport.producerState, "producing")

    def test_left_before_greeting(self) -> None:
        """A client that leaves before the plugins ruled is not greeted, nor logged."""
        plugin = fake_plugin(connect=Deferred(), disconnect=None)
        site = make_site(plugin)
        site.client.leave()
        self.assertEqual(plugin.asked, ["connect", "disconnect"])
        self.assertEqual(self.flushLoggedErrors(), [])


class NameTests(SynchronousTestCase):
    """The client's name by DNS."""

    def test_looked_up(self) -> None:
        """The greeting waits for the client's name, so that plugins can rule on it."""
        names, plugin = HeldNames(), fake_plugin(connect=None)
        site = make_site(plugin, names=names, ip="2001:db8::5")
        self.assertEqual((names.asked, plugin.asked), (["2001:db8::5"], []))
        names.answer.callback("host.example")
        self.assertEqual(site.connection.remote.host, "host.example")
        self.assertEqual(plugin.asked, ["connect"])
        self.assertEqual(site.client.codes(), [220])

    def test_left_meanwhile(self) -> None:
        """A client that leaves during the look-up is nothing to alarm the log about."""
        names = HeldNames()
        plugin = fake_plugin(disconnect=None)
        make_site(plugin, names=names).client.leave()
        self.assertEqual(plugin.asked, ["disconnect"])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_plugin_knows(self) -> None:
        """A plugin that names the client spares the look-up."""
        names = HeldNames()
        for verdict in (ok("known.example"), ok(value="known.example")):
            site = make_site(fake_plugin(lookup_rdns=verdict), names=names)
            self.assertEqual(site.connection.remote.host, "known.example")
        self.assertEqual(names.asked, [])

    def test_unknown(self) -> None:
        """Without a resolver the client's name is unknown, and it is greeted."""
        site = make_site()
        self.assertEqual(site.connection.remote.host, "Unknown")

    def test_hostile_name(self) -> None:
        """A name by DNS is written by the client's owner: it cannot add a line."""
        names = HeldNames()
        site = make_site(names=names)
        names.answer.callback("x\r\n250 8BITMIME\x1b[2J")
        site.client.hear()
        said = site.client.ask("HELO client.example")
        self.assertEqual(said.count("\r\n"), 1)
        self.assertNotIn("\x1b", said)


class RefusedTests(SynchronousTestCase):
    """Clients that plugins refuse before the greeting."""

    def test_until_quit(self) -> None:
        """
        A refused client hears the same 554 to whatever it says, and 221 to QUIT
        (RFC 5321 section 3.1).
        """
        for hook in ("connect", "lookup_rdns"):
            site = make_site(fake_plugin(**{hook: deny("Not you")}))
            self.assertEqual(site.client.hear(), "554 5.7.1 Not you\r\n")
            said = site.client.ask("EHLO x", "MAIL FROM:<a@b.example>", "NOOP")
            self.assertEqual(said, "554 5.7.1 Not you\r\n" * 3)
            self.assertFalse(site.client.transport.closed)
            site.client.say("QUIT")
            self.assertEqual(site.client.codes(), [221])
            self.assertTrue(site.client.transport.closed)

    def test_for_now(self) -> None:
        """A client refused for now hears 421, also at each later command."""
        site = make_site(fake_plugin(connect=DENYSOFT))
        site.client.say("EHLO client.example")
        self.assertEqual(site.client.codes(), [421, 421])

    def test_errors_count(self) -> None:
        """A refused client cannot go on for ever: each command counts as an error."""
        site = make_site(
            fake_plugin(connect=DENY), options=ConnectionOptions(max_errors=3)
        )
        site.client.say(*["NOOP"] * 5)
        self.assertEqual(site.client.codes(), [554, 554, 554, 554, 421])
        self.assertTrue(site.client.transport.closed)

    def test_closed_at_once(self) -> None:
        """DENYDISCONNECT tells the client why, and closes."""
        plugin = fake_plugin(connect=DENYDISCONNECT, disconnect=None)
        site = make_site(plugin)
        self.assertEqual(site.client.codes(), [554])
        self.assertTrue(site.client.transport.closed)
        self.assertIs(site.client.protocol.phase, Phase.CLOSED)
        site.client.say("EHLO client.example")
        self.assertEqual(site.client.hear(), "")
