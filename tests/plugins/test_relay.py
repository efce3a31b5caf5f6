"""C{relay}: who may relay, and by which host (row PN23)."""

from collections.abc import Mapping
from types import MappingProxyType

import attrs
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from harakatw.address import Address
from harakatw.config.options import Loaded, load_options
from harakatw.notes import Notes
from harakatw.plugin import (
    CONT,
    DENY,
    IConnectHook,
    IConnectInitHook,
    IConnection,
    IGetMXHook,
    IHMail,
    IRcptHook,
    IRcptOkHook,
    Params,
    Verdict,
    ok,
)
from harakatw.plugins._host_list import HostListOptions
from harakatw.plugins.rcpt_to.in_host_list import InHostList
from harakatw.plugins.relay import Relay, RelayOptions
from harakatw.testing.server import MemoryClient, MemoryServer
from tests.config.folders import ConfigTestCase
from tests.plugins.keeper import AcceptAll, Keeper, greet, send

NO_DOMAINS: Mapping[str, str] = MappingProxyType({})
DOMAINS: Mapping[str, str] = MappingProxyType(
    {
        "good.example": '{"action": "accept"}',
        "Perhaps.example": '{"action": "continue"}',
        "bad.example": '{"action": "deny"}',
        "hop.example": '{"nexthop": "192.0.2.9:2525"}',
        "any": '{"action": "accept", "nexthop": "smart.example"}',
    }
)


def relay(
    *acl_allow: str, domains: Mapping[str, str] = NO_DOMAINS, **switches: bool
) -> Relay:
    """The plugin with these settings; what is not said is off, but for C{acl}."""
    settings = {"force_routing": False, **switches}
    options = RelayOptions(acl_allow=acl_allow, domains=domains, **settings)
    return Relay(options=options, name="relay")


def by_domain(**switches: bool) -> Relay:
    """The plugin with C{dest_domains} on."""
    return relay(domains=DOMAINS, dest_domains=True, **switches)


def rcpt(client: MemoryClient, recipient: str) -> str:
    """Code and enhanced code of the answer to RCPT."""
    return client.ask(f"RCPT TO:<{recipient}>")[:9]


def begin(*plugins: object, sender: str = "a@far.example") -> MemoryClient:
    """A client that has said MAIL."""
    client = MemoryServer(plugins).connect()
    greet(client, sender)
    return client


@implementer(IRcptHook)
@attrs.frozen
class Refuse:
    """Refuses a domain."""

    host: str

    def hook_rcpt(
        self, connection: IConnection, recipient: Address, params: Params
    ) -> Verdict:
        return DENY if recipient.host == self.host else CONT


@implementer(IRcptOkHook)
@attrs.frozen
class RefuseLate:
    """Refuses a domain after another plugin took it."""

    host: str

    def hook_rcpt_ok(self, connection: IConnection, recipient: Address) -> Verdict:
        return DENY if recipient.host == self.host else CONT


class NetworkTests(SynchronousTestCase):
    """Clients that may relay because of their address."""

    def test_listed(self) -> None:
        """A client in a listed network sends mail to anywhere."""
        server = MemoryServer([relay("192.0.2.0/24", "2001:db8::/32")])
        for ip in "192.0.2.77", "2001:db8::1", "::ffff:192.0.2.1":
            client = server.connect(ip)
            greet(client)
            self.assertEqual(rcpt(client, "u@anywhere.example"), "250 2.1.5", ip)

    def test_not_listed(self) -> None:
        """Any other client does not."""
        server = MemoryServer([relay("192.0.2.0/25", "2001:db8::1")])
        for ip in "192.0.2.128", "2001:db8::2", "192.0.3.1":
            client = server.connect(ip)
            greet(client)
            self.assertEqual(rcpt(client, "u@anywhere.example"), "550 5.1.1", ip)
            stored = client.protocol.connection.results.get("relay")
            self.assertEqual(stored["skip"], ["acl(unlisted)"])

    def test_off(self) -> None:
        """With acl=false the list counts for nothing."""
        client = MemoryServer([relay("192.0.2.0/24", acl=False)]).connect()
        greet(client)
        self.assertEqual(rcpt(client, "u@anywhere.example"), "550 5.1.1")

    def test_lasts(self) -> None:
        """Relaying is granted for the whole session, not for one message."""
        keeper = Keeper()
        client = begin(relay("192.0.2.1"), keeper)
        for _ in range(2):
            rcpt(client, "u@anywhere.example")
            self.assertEqual(send(client, "Subject: x", "")[:3], "250")
            client.ask("MAIL FROM:<a@far.example>")
        self.assertEqual([m.hook for m in keeper.messages], ["queue_outbound"] * 2)

    def test_later_plugins_are_passed_over(self) -> None:
        """A client that may relay is not looked at by later C{connect} plugins."""

        @implementer(IConnectHook)
        class Refusing:
            def hook_connect(self, connection: IConnection) -> Verdict:
                return DENY

        server = MemoryServer([relay("192.0.2.1"), Refusing()])
        self.assertEqual(server.connect("192.0.2.1").codes(), [220])
        self.assertEqual(server.connect("192.0.2.2").codes(), [554])

    def test_open_relay_is_logged(self) -> None:
        """The postmaster is warned of a setting that lets everybody relay."""
        for tested in relay("0.0.0.0/0"), relay("::/0"), relay(all=True):
            with capturedLogs() as events:
                tested.register()
            self.assertEqual(len(events), 1)
        for tested in relay("192.0.2.0/24"), relay("0.0.0.0/0", acl=False):
            with capturedLogs() as events:
                tested.register()
            self.assertEqual(events, [])


class DestinationTests(SynchronousTestCase):
    """Domains that mail may go to whoever sends it."""

    def test_actions(self) -> None:
        """Each action does what it says; a domain without one is refused."""
        answers = {
            "good.example": "250 2.1.5",
            "perhaps.example": "250 2.1.5",
            "PERHAPS.example": "250 2.1.5",
            "bad.example": "550 5.7.1",
            "hop.example": "550 5.7.1",
            "other.example": "550 5.7.1",
            "sub.good.example": "550 5.7.1",
        }
        for host, answer in answers.items():
            self.assertEqual(rcpt(begin(by_domain()), f"u@{host}"), answer, host)

    def test_any_opens_nothing(self) -> None:
        """The action of the entry C{any} is not heeded: it would be an open relay."""
        for host in "any", "other.example":
            self.assertEqual(rcpt(begin(by_domain()), f"u@{host}"), "550 5.7.1")

    def test_continue_leaves_the_last_word(self) -> None:
        """With C{continue} a later plugin may refuse, with C{accept} it may not."""
        client = begin(by_domain(), Refuse("perhaps.example"), Refuse("good.example"))
        self.assertEqual(rcpt(client, "u@perhaps.example"), "550 5.7.1")
        self.assertEqual(rcpt(client, "u@good.example"), "250 2.1.5")

    def test_no_domains(self) -> None:
        """Without any entry nothing is refused here; other plugins decide."""
        client = begin(relay(dest_domains=True), AcceptAll())
        self.assertEqual(rcpt(client, "u@other.example"), "250 2.1.5")

    def test_off(self) -> None:
        """With dest_domains=false the actions count for nothing."""
        client = begin(relay(domains=DOMAINS))
        self.assertEqual(rcpt(client, "u@good.example"), "550 5.1.1")

    def test_who_may_relay_anyway(self) -> None:
        """A client in a listed network is not bound to these domains."""
        tested = relay("192.0.2.1", domains=DOMAINS, dest_domains=True)
        client = begin(tested)
        self.assertEqual(rcpt(client, "u@other.example"), "250 2.1.5")
        self.assertEqual(rcpt(client, "u@bad.example"), "250 2.1.5")

    def test_message_is_outbound(self) -> None:
        """Mail to such a domain is queued as outbound mail."""
        keeper = Keeper()
        client = begin(by_domain(), keeper)
        rcpt(client, "u@perhaps.example")
        self.assertEqual(rcpt(client, "u@other.example"), "550 5.7.1")
        send(client, "Subject: x", "")
        (kept,) = keeper.messages
        self.assertEqual(kept.hook, "queue_outbound")
        self.assertEqual(kept.recipients, ("u@perhaps.example",))


class GrantTests(SynchronousTestCase):
    """One good recipient must not open the relay for others."""

    def test_second_recipient(self) -> None:
        """After a recipient in a good domain, one elsewhere is refused as before."""
        client = begin(by_domain())
        for host in "good.example", "perhaps.example":
            self.assertEqual(rcpt(client, f"u@{host}"), "250 2.1.5")
            self.assertEqual(rcpt(client, "u@victim.example"), "550 5.7.1")

    def test_forged_local_sender(self) -> None:
        """
        Nor does a plugin in front take the client for one of ours who may relay, though
        it claims to be one.
        """
        hosts = InHostList(
            options=HostListOptions(host_list=("here.example",)), name="x"
        )
        client = begin(hosts, by_domain(), sender="me@here.example")
        self.assertEqual(rcpt(client, "u@good.example"), "250 2.1.5")
        self.assertEqual(rcpt(client, "u@victim.example"), "550 5.7.1")

    def test_next_message(self) -> None:
        """Nor is the next message of the session let through."""
        client = begin(by_domain(), Keeper())
        rcpt(client, "u@good.example")
        send(client, "Subject: x", "")
        client.ask("MAIL FROM:<a@far.example>")
        self.assertEqual(rcpt(client, "u@victim.example"), "550 5.7.1")

    def test_refused_after_all(self) -> None:
        """
        Mail for our own users stays inbound when the recipient elsewhere was refused by
        another plugin, early or late.
        """
        for refuse in Refuse("perhaps.example"), RefuseLate("perhaps.example"):
            keeper = Keeper()
            hosts = HostListOptions(host_list=("here.example",))
            ours = InHostList(options=hosts, name="x")
            client = begin(ours, by_domain(), refuse, keeper)
            self.assertEqual(rcpt(client, "u@perhaps.example"), "550 5.7.1")
            self.assertEqual(rcpt(client, "u@here.example"), "250 2.1.5")
            send(client, "Subject: x", "")
            self.assertEqual([m.hook for m in keeper.messages], ["queue"])


class AllTests(SynchronousTestCase):
    """The spam trap."""

    def test_all(self) -> None:
        """With all=true every recipient is taken."""
        client = begin(relay(all=True))
        self.assertEqual(rcpt(client, "u@anywhere.example"), "250 2.1.5")

    def test_all_after_domains(self) -> None:
        """With dest_domains besides, domains that are not listed are refused."""
        client = begin(by_domain(all=True))
        self.assertEqual(rcpt(client, "u@other.example"), "550 5.7.1")


@implementer(IHMail)
@attrs.define
class FakeHMail:
    """A queued message."""

    uuid: str = "U.1.1"
    domain: str = "other.example"
    mail_from: Address = attrs.field(factory=Address)
    rcpt_to: list[Address] = attrs.field(factory=list)
    notes: Notes = attrs.field(factory=Notes)


class RouteTests(SynchronousTestCase):
    """Where mail is sent instead of to the MX."""

    def _route(self, domain: str, domains: Mapping[str, str]) -> Verdict:
        tested = relay(domains=domains, force_routing=True)
        hmail = FakeHMail(domain=domain)
        verifyObject(IHMail, hmail)
        return tested.hook_get_mx(hmail, domain)

    def test_own_hop(self) -> None:
        """The nexthop of the domain's entry goes before that of C{any}."""
        verdict = self._route("hop.example", DOMAINS)
        self.assertEqual(verdict, ok(value="192.0.2.9:2525"))

    def test_any_hop(self) -> None:
        """Every domain without an entry goes to the nexthop of C{any}, or C{*}."""
        for name in "any", "*":
            domains = {name: '{"action": "continue", "nexthop": "127.0.0.1:26600"}'}
            verdict = self._route("other.example", domains)
            self.assertEqual(verdict, ok(value="127.0.0.1:26600"))

    def test_entry_without_hop(self) -> None:
        """A domain whose entry has no nexthop goes to its MX, whatever C{any} says."""
        self.assertIs(self._route("good.example", DOMAINS), CONT)

    def test_no_entry(self) -> None:
        """So does a domain without an entry where there is no C{any}."""
        self.assertIs(self._route("other.example", {}), CONT)

    def test_off(self) -> None:
        """With force_routing=false DNS is asked for every domain."""
        tested = relay(domains=DOMAINS)
        self.assertIs(tested.hook_get_mx(FakeHMail(), "hop.example"), CONT)

    def test_interfaces(self) -> None:
        """The plugin has the methods that the server will call."""
        for interface in IConnectInitHook, IConnectHook, IRcptHook, IGetMXHook:
            verifyObject(interface, relay())


class FileTests(ConfigTestCase):
    """The files."""

    def _load(self) -> Loaded[RelayOptions]:
        return load_options(RelayOptions, self.files(), "relay")

    def test_example(self) -> None:
        """A relay for this machine that sends all mail to one host."""
        self.write(
            "relay.ini", "[relay]\nacl=true\nforce_routing=true\ndest_domains=true\n"
        )
        self.write("relay_acl_allow", "127.0.0.0/8\n")
        self.write(
            "relay_dest_domains.ini",
            '[domains]\nany = {"action": "continue", "nexthop": "127.0.0.1:26600"}\n',
        )
        loaded = self._load()
        self.assertEqual(loaded.problems, ())
        client = MemoryServer([Relay(options=loaded.options, name="relay")]).connect(
            "127.0.0.1"
        )
        greet(client)
        self.assertEqual(rcpt(client, "u@other.example"), "250 2.1.5")

    def test_defaults(self) -> None:
        """Without files nobody may relay, and all mail goes to its MX."""
        options = self._load().options
        self.assertEqual(
            (options.acl, options.force_routing, options.dest_domains, options.all),
            (True, True, False, False),
        )
        self.assertEqual((options.acl_allow, options.domains), ((), {}))

    def test_bad_network(self) -> None:
        """A wrong network is reported by file and entry, and nobody may relay."""
        self.write("relay_acl_allow", "192.0.2.0/24\n10.0.0.0/33\n")
        loaded = self._load()
        (problem,) = loaded.problems
        self.assertEqual(problem.file, "config/relay_acl_allow")
        self.assertIn(
            "'10.0.0.0/33' is not an IP address or a network", problem.message
        )
        self.assertEqual(loaded.options.acl_allow, ())

    def test_bad_domains(self) -> None:
        """A wrong entry is reported by file, section and domain."""
        for entry, why in {
            "x.example = {action: accept}": "x.example: '{action: accept}' is not JSON",
            "x.example = true": "expected an object",
            'x.example = {"action": "allow"}': "'allow' is not one of accept, continue",
            'x.example = {"action": []}': "action [] is not one of",
            'x.example = {"next_hop": "a"}': "'next_hop' is unknown",
            'x.example = {"nexthop": "a:b:25"}': "nexthop 'a:b:25' is not host",
            'x_y.example = {"action": "deny"}': "'x_y.example' is no domain",
            "x.example = {}\nX.example = {}": "there is another entry for x.example",
            "any = {}\n* = {}": "there is another entry for any",
        }.items():
            self.write("relay_dest_domains.ini", f"[domains]\n{entry}\n")
            loaded = self._load()
            (problem,) = loaded.problems
            self.assertEqual(problem.file, "config/relay_dest_domains.ini")
            self.assertEqual(problem.section, "domains")
            self.assertIn(why, problem.message)
            self.assertEqual(loaded.options.domains, {})
