"""C{rcpt_to.in_host_list}: which recipients are ours (rows PB21, PB22, TE20)."""

import attrs
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from harakatw.address import Address
from harakatw.config.options import load_options
from harakatw.plugin import OK, IConnectInitHook, IConnection, IMailHook, IRcptHook
from harakatw.plugins._host_list import HostList, HostListOptions, make_host_list
from harakatw.plugins.rcpt_to.in_host_list import InHostList
from harakatw.testing.server import MemoryClient, MemoryServer
from harakatw.verdict import CONT, Verdict
from tests.config.folders import ConfigTestCase
from tests.plugins.keeper import greet

NAME = "rcpt_to.in_host_list"


@implementer(IConnectInitHook)
@attrs.frozen
class MayRelay:
    """Lets every client relay."""

    def hook_connect_init(self, connection: IConnection) -> Verdict:
        connection.relaying = True
        return CONT


def plugin(
    *hosts: str, regex: tuple[str, ...] = (), anti_spoof: bool = False
) -> InHostList:
    """The plugin with these lists."""
    options = HostListOptions(
        host_list=hosts, host_list_regex=regex, anti_spoof=anti_spoof
    )
    return InHostList(options=options, name=NAME)


def begin(
    tested: InHostList, sender: str = "a@far.example", relaying: bool = False
) -> MemoryClient:
    """A client that has said MAIL."""
    client = MemoryServer([*([MayRelay()] if relaying else []), tested]).connect()
    greet(client, sender)
    return client


def rcpt(client: MemoryClient, recipient: str) -> str:
    """Code and enhanced code of the answer to RCPT."""
    return client.ask(f"RCPT TO:{recipient}")[:9]


class RecipientTests(SynchronousTestCase):
    """Whom mail is taken for."""

    def test_listed(self) -> None:
        """A recipient in a listed domain is accepted, in whatever case it comes."""
        client = begin(plugin("here.example", "Two.Example"))
        for recipient in "<u@here.example>", "<u@HERE.example>", "<u@two.example>":
            self.assertEqual(rcpt(client, recipient), "250 2.1.5", recipient)

    def test_not_listed(self) -> None:
        """Any other domain is refused, also one below or above a listed one."""
        client = begin(plugin("here.example"))
        for host in "far.example", "sub.here.example", "example", "xhere.example":
            self.assertEqual(rcpt(client, f"<u@{host}>"), "550 5.1.1", host)

    def test_empty_list(self) -> None:
        """A server without a list takes mail for nobody, not even its postmaster."""
        client = begin(plugin())
        for recipient in "<u@here.example>", "<Postmaster>":
            self.assertEqual(rcpt(client, recipient), "550 5.1.1")

    def test_bare_postmaster(self) -> None:
        """Mail for Postmaster without a domain is taken (RFC 5321 section 4.1.1.3)."""
        for tested in plugin("here.example"), plugin(regex=(r".*\.example",)):
            self.assertEqual(rcpt(begin(tested), "<Postmaster>"), "250 2.1.5")

    def test_regex(self) -> None:
        """A pattern stands for the whole domain and disregards case."""
        client = begin(plugin(regex=(r"(?:mail\.)?here\.example", r"X[0-9]+\.test")))
        for host in "here.example", "mail.HERE.example", "x12.test":
            self.assertEqual(rcpt(client, f"<u@{host}>"), "250 2.1.5", host)
        for host in "here.example.org", "not-here.example", "hereXexample", "x.test":
            self.assertEqual(rcpt(client, f"<u@{host}>"), "550 5.1.1", host)

    def test_pattern_alternatives(self) -> None:
        """A bar in a pattern does not cut its anchors off."""
        client = begin(plugin(regex=("a.test|b.test",)))
        self.assertEqual(rcpt(client, "<u@a.test>"), "250 2.1.5")
        self.assertEqual(rcpt(client, "<u@a.test.evil.example>"), "550 5.1.1")
        self.assertEqual(rcpt(client, "<u@evil-b.test>"), "550 5.1.1")

    def test_international_domain(self) -> None:
        """A domain listed with its own letters is found by its A-label."""
        client = begin(plugin("bücher.example"))
        self.assertEqual(rcpt(client, "<u@xn--bcher-kva.example>"), "250 2.1.5")

    def test_literal(self) -> None:
        """An address literal is ours only if it is listed."""
        client = begin(plugin("[192.0.2.25]"))
        self.assertEqual(rcpt(client, "<u@[192.0.2.25]>"), "250 2.1.5")
        self.assertEqual(rcpt(client, "<u@[192.0.2.26]>"), "550 5.1.1")

    def test_relay_attempts(self) -> None:
        """No way of writing a foreign recipient makes it ours (row 25)."""
        client = begin(plugin("here.example"))
        for recipient in (
            '<"u@here.example"@far.example>',
            "<u%here.example@far.example>",
            "<@here.example:u@far.example>",
            "<u@far.example@here.example>",
        ):
            self.assertEqual(client.ask(f"RCPT TO:{recipient}")[0], "5", recipient)


class SenderTests(SynchronousTestCase):
    """What a sender of ours may do."""

    def test_local_sender_may_relay(self) -> None:
        """One of ours who may relay sends mail to anywhere, and is marked as ours."""
        client = begin(plugin("here.example"), "me@here.example", relaying=True)
        self.assertEqual(rcpt(client, "<u@far.example>"), "250 2.1.5")
        transaction = client.protocol.connection.transaction
        assert transaction is not None
        self.assertIs(transaction.notes.get("local_sender"), True)
        self.assertEqual(
            transaction.results.get(NAME)["pass"],
            ["relaying local_sender"],
        )

    def test_local_sender_without_relaying(self) -> None:
        """To use our domain in MAIL FROM gives no right to relay."""
        client = begin(plugin("here.example"), "me@here.example")
        self.assertEqual(rcpt(client, "<u@far.example>"), "550 5.1.1")

    def test_foreign_sender_who_may_relay(self) -> None:
        """Whoever may relay needs no word of this plugin."""
        tested = plugin("here.example")
        client = begin(tested, relaying=True)
        connection = client.protocol.connection
        verdict = tested.hook_rcpt(connection, Address("u", "far.example"), {})
        self.assertIs(verdict, CONT)

    def test_null_sender(self) -> None:
        """A bounce is taken, with and without protection from forged senders."""
        for anti_spoof in False, True:
            server = MemoryServer([plugin("here.example", anti_spoof=anti_spoof)])
            client = server.connect()
            self.assertEqual(greet(client, "")[:3], "250")
            self.assertEqual(rcpt(client, "<u@here.example>"), "250 2.1.5")
            results = client.protocol.connection.transaction
            assert results is not None
            self.assertEqual(results.results.get(NAME)["skip"], ["mail_from.null"])

    def test_forged_sender(self) -> None:
        """With anti_spoof a stranger cannot use our domain."""
        tested = plugin("here.example", regex=(r"x\.test",), anti_spoof=True)
        for host in "here.example", "x.test":
            said = greet(MemoryServer([tested]).connect(), f"me@{host}")
            why = f"Mail from domain '{host}' is not allowed from your host"
            self.assertEqual(said, f"550 5.7.1 {why}\r\n")

    def test_own_sender_with_anti_spoof(self) -> None:
        """With anti_spoof our own users, and strangers as themselves, still send."""
        tested = plugin("here.example", anti_spoof=True)
        client = MemoryServer([MayRelay(), tested]).connect()
        self.assertEqual(greet(client, "me@here.example")[:3], "250")
        client = MemoryServer([tested]).connect()
        self.assertEqual(greet(client, "a@far.example")[:3], "250")

    def test_forged_sender_without_protection(self) -> None:
        """As in Haraka, a forged sender passes unless anti_spoof is set."""
        client = MemoryServer([plugin("here.example")]).connect()
        self.assertEqual(greet(client, "me@here.example")[:3], "250")


class OrdinaryMailTests(SynchronousTestCase):
    """Mail from elsewhere to one of ours costs next to nothing."""

    def test_nothing_is_made(self) -> None:
        """Both hooks answer with a ready verdict, and leave no notes or results."""
        tested = plugin("here.example")
        client = begin(tested)
        connection = client.protocol.connection
        transaction = connection.transaction
        assert transaction is not None
        recipient = Address("u", "here.example")
        self.assertIs(
            tested.hook_mail(connection, Address("a", "far.example"), {}), CONT
        )
        self.assertIs(tested.hook_rcpt(connection, recipient, {}), OK)
        self.assertIsNone(transaction._notes)
        self.assertIsNone(transaction._results)

    def test_interfaces(self) -> None:
        """The plugin has the methods that the server will call."""
        for interface in IMailHook, IRcptHook:
            verifyObject(interface, plugin())


class ListTests(ConfigTestCase):
    """The files."""

    def _loaded(self) -> HostList:
        loaded = load_options(HostListOptions, self.files(), NAME)
        self.assertEqual(loaded.problems, ())
        return make_host_list(loaded.options)

    def test_files(self) -> None:
        """The three files are Haraka's, with comments and blank lines."""
        self.write("host_list", "# ours\nhere.example\n\nTWO.example\n")
        self.write("host_list_regex", ".*\\.dyn\\.example\n")
        self.write("host_list.anti_spoof", "true\n")
        hosts = self._loaded()
        self.assertEqual(hosts.names, {"here.example", "two.example"})
        self.assertTrue(hosts.contains("a.dyn.example"))
        self.assertFalse(hosts.contains("dyn.example"))
        loaded = load_options(HostListOptions, self.files(), NAME)
        self.assertTrue(loaded.options.anti_spoof)
        self.assertLessEqual(
            {"host_list", "host_list_regex", "host_list.anti_spoof"}, loaded.files
        )

    def test_anti_spoof_is_a_truth_value(self) -> None:
        """A file that says false turns the protection off (Haraka: on)."""
        self.write("host_list.anti_spoof", "false\n")
        loaded = load_options(HostListOptions, self.files(), NAME)
        self.assertFalse(loaded.options.anti_spoof)

    def test_absent(self) -> None:
        """Without files no domain is ours."""
        hosts = self._loaded()
        self.assertFalse(hosts)
        self.assertFalse(hosts.contains(""))

    def test_one_bad_line(self) -> None:
        """A bad line is reported, and the others stay in force."""
        self.write("host_list", "here.example\nno domain\n")
        self.write("host_list_regex", "(\n.*\\.test\n")
        hosts = self._loaded()
        self.assertTrue(hosts.contains("here.example"))
        self.assertTrue(hosts.contains("a.test"))
        self.assertEqual(len(hosts.mistakes), 2)
        self.assertIn("'no domain'", hosts.mistakes[0])
        self.assertIn("host_list_regex: '('", hosts.mistakes[1])

    def test_bad_lines_are_logged(self) -> None:
        """The postmaster reads of a bad line in the log when the plugin is loaded."""
        with capturedLogs() as events:
            plugin("no domain", "here.example").register()
        self.assertEqual(len(events), 1)
        self.assertIn("'no domain'", events[0]["mistake"])
