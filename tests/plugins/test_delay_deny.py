"""C{delay_deny}: denials that wait for a recipient (row PB08)."""

from typing import Any

from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.config.options import load_options
from harakatw.plugin import (
    DENY,
    OK,
    IConnection,
    IDataHook,
    IDenyHook,
    IRcptOkHook,
    Verdict,
    deny,
    deny_soft,
)
from harakatw.plugins.delay_deny import HEADER, DelayDeny, DelayDenyOptions
from harakatw.testing.server import MemoryClient, MemoryServer
from tests.config.folders import ConfigTestCase
from tests.fake_plugins import FakePlugin, fake_plugin, in_turn
from tests.plugins.keeper import AcceptAll, Keeper, send
from tests.plugins.makers import NotesOnConnection

NAME = "DelayDeny"
"""In a memory server plugins go by their classes' names."""

EHLO = "EHLO c.example"
MAIL = "MAIL FROM:<a@far.example>"
RCPT = "RCPT TO:<b@here.example>"
RELAY = NotesOnConnection(relaying=True)


def denying(hook: str, verdict: Verdict) -> FakePlugin:
    """A plugin that says this on a hook."""
    says: dict[str, Any] = {hook: verdict}
    return fake_plugin(**says)


class DelayTestCase(SynchronousTestCase):
    """A server that puts denials off."""

    def connect(
        self,
        *others: object,
        included: frozenset[str] = frozenset(),
        excluded: frozenset[str] = frozenset(),
    ) -> MemoryClient:
        """A client of a server where C{others} are asked before all recipients."""
        options = DelayDenyOptions(included_plugins=included, excluded_plugins=excluded)
        self.keeper = Keeper()
        plugins = [DelayDeny(options, NAME), *others, AcceptAll(), self.keeper]
        return MemoryServer(plugins).connect()

    def codes(self, client: MemoryClient, *lines: str) -> list[int]:
        """Say lines one by one; the codes of all answers so far."""
        for line in lines:
            client.say(line)
        return client.codes()


class StrangerTests(DelayTestCase):
    """A client that may not relay is refused, if later."""

    def test_contract(self) -> None:
        """It hears of denials, and has a word on recipients and on DATA."""
        tested = DelayDeny(DelayDenyOptions(), NAME)
        for interface in IDenyHook, IRcptOkHook, IDataHook:
            self.assertTrue(verifyObject(interface, tested))

    def test_each_hook(self) -> None:
        """A denial of the client or the sender is said to the first recipient."""
        for hook in "lookup_rdns", "connect", "ehlo", "mail", "rcpt":
            client = self.connect(denying(hook, deny("Not you")))
            self.assertEqual(self.codes(client, EHLO, MAIL), [220, 250, 250], hook)
            self.assertEqual(client.ask(RCPT), "550 5.7.1 Not you\r\n", hook)

    def test_helo(self) -> None:
        """HELO is as EHLO."""
        client = self.connect(fake_plugin(helo=DENY))
        said = self.codes(client, "HELO c.example", MAIL, RCPT)
        self.assertEqual(said, [220, 250, 250, 550])

    def test_every_recipient(self) -> None:
        """A denial of the client is said to each recipient, in each transaction."""
        client = self.connect(fake_plugin(connect=DENY))
        said = self.codes(client, EHLO, MAIL, RCPT, RCPT, "RSET", MAIL, RCPT)
        self.assertEqual(said, [220, 250, 250, 550, 550, 250, 250, 550])

    def test_sender(self) -> None:
        """A denied sender does not spoil the next transaction."""
        client = self.connect(fake_plugin(mail=in_turn([DENY, None])))
        said = self.codes(client, EHLO, MAIL, RCPT, "RSET", MAIL, RCPT)
        self.assertEqual(said, [220, 250, 250, 550, 250, 250, 250])

    def test_recipient(self) -> None:
        """A denied recipient does not spoil the next."""
        client = self.connect(fake_plugin(rcpt=in_turn([DENY, None, DENY])))
        said = self.codes(client, EHLO, MAIL, RCPT, RCPT, RCPT)
        self.assertEqual(said, [220, 250, 250, 550, 250, 550])

    def test_recipient_nobody_takes(self) -> None:
        """The denial of a recipient that nobody takes is not said to another."""
        client = self.connect(
            fake_plugin(rcpt=in_turn([DENY, None])),
            fake_plugin("Second", rcpt=in_turn([DENY, None])),
        )
        said = self.codes(client, EHLO, MAIL, RCPT, RCPT)
        self.assertEqual(said, [220, 250, 250, 550, 250])

    def test_rcpt_ok(self) -> None:
        """There is nothing to put a denial on C{rcpt_ok} off to."""
        client = self.connect(fake_plugin(rcpt_ok=deny_soft("Grey")))
        self.codes(client, EHLO, MAIL)
        self.assertEqual(client.ask(RCPT), "450 4.7.1 Grey\r\n")

    def test_kinds(self) -> None:
        """It is said as it was meant: for now or for good, with an end or without."""
        for verdict, answer, is_end in (
            (deny_soft("Later", code=451, enhanced="4.7.9"), "451 4.7.9 Later", False),
            (deny_soft("Later", code=421), "450 4.7.1 Later", False),
            (deny_soft("Later", disconnect=True), "450 4.7.1 Later", True),
            (deny("Out", disconnect=True), "550 5.7.1 Out", True),
            (deny("No", code=554), "554 5.7.1 No", False),
        ):
            client = self.connect(fake_plugin(connect=verdict))
            self.codes(client, EHLO, MAIL)
            self.assertEqual(client.ask(RCPT), f"{answer}\r\n")
            self.assertEqual(client.transport.closed, is_end)

    def test_first(self) -> None:
        """Of several the first is said, the client's before the sender's."""
        client = self.connect(
            fake_plugin("One", mail=deny("sender")),
            fake_plugin("Two", connect=deny("client"), ehlo=deny("name")),
        )
        self.codes(client, EHLO, MAIL)
        self.assertIn("client", client.ask(RCPT))

    def test_late_hooks(self) -> None:
        """From DATA on nothing is put off."""
        for hook, codes in (
            ("data", [250, 250, 554]),
            ("data_post", [250, 250, 354, 550]),
            ("queue", [250, 250, 354, 550]),
        ):
            client = self.connect(denying(hook, DENY))
            said = self.codes(client, EHLO, MAIL, RCPT, "DATA")
            if 354 in codes:
                said += self.codes(client, "Subject: x\r\n\r\nx\r\n.")
            self.assertEqual(said, [220, 250, *codes], hook)

    def test_bounded(self) -> None:
        """A client that tries often is remembered once."""
        client = self.connect(fake_plugin(ehlo=DENY))
        for _ in range(50):
            client.say(EHLO)
        postponed = client.protocol.connection.notes.get("delay_deny")
        self.assertEqual(len(postponed.session), 1)


class RelayTests(DelayTestCase):
    """A client that may relay by the time it names a recipient is not shut out."""

    def deliver(self, client: MemoryClient) -> bytes:
        """Send a message; what was queued."""
        self.codes(client, EHLO, MAIL, RCPT)
        self.assertEqual(send(client, "Subject: x", "", "x")[:3], "250")
        (kept,) = self.keeper.messages
        return kept.octets

    def test_denied_before(self) -> None:
        """None of the denials that were put off is applied, and a header tells."""
        client = self.connect(
            RELAY,
            fake_plugin("DNSList", connect=DENY, ehlo=DENY),
            fake_plugin("Access", mail=DENY, rcpt=DENY),
        )
        self.assertIn(f"{HEADER}: DNSList Access\r\n".encode(), self.deliver(client))

    def test_login_after_denial(self) -> None:
        """It is enough that the client logs in after it was denied."""

        def log_in(connection: IConnection, *_: Any) -> None:
            connection.relaying = True

        client = self.connect(
            fake_plugin("Denies", connect=DENY), fake_plugin("Login", mail=log_in)
        )
        self.assertIn(b"X-Haraka-Fail-Pre: Denies\r\n", self.deliver(client))

    def test_rcpt_ok(self) -> None:
        """Nor is a denial on C{rcpt_ok}, such as by a greylist."""
        client = self.connect(RELAY, fake_plugin(rcpt_ok=DENY))
        self.assertIn(b"Subject: x", self.deliver(client))

    def test_log(self) -> None:
        """The log says whose denial did not count."""
        with capturedLogs() as events:
            self.deliver(self.connect(RELAY, fake_plugin("Denies", connect=DENY)))
        found = [e for e in events if "is not applied" in e.get("log_format", "")]
        self.assertEqual([event["plugin"] for event in found], ["Denies"])

    def test_no_header(self) -> None:
        """Without denials there is no header."""
        self.assertNotIn(HEADER.encode(), self.deliver(self.connect(RELAY)))

    def test_header_per_message(self) -> None:
        """The header speaks of its own message only."""
        client = self.connect(RELAY, fake_plugin("Once", mail=in_turn([DENY, None])))
        self.assertIn(HEADER.encode(), self.deliver(client))
        self.keeper.messages.clear()
        self.assertNotIn(HEADER.encode(), self.deliver(client))


class ChoiceTests(DelayTestCase):
    """Whose denials are put off."""

    def greeting(self, *, included: str = "", excluded: str = "") -> int:
        """The code of the greeting when a plugin denies on C{connect}."""
        client = self.connect(
            fake_plugin("dns-list", connect=DENY),
            included=frozenset(included.split()),
            excluded=frozenset(excluded.split()),
        )
        return client.codes()[0]

    def test_included(self) -> None:
        """With a list of plugins, those on it, by name, hook or method."""
        for entry in "dns-list", "dns-list:connect", "dns-list:connect:hook_connect":
            self.assertEqual(self.greeting(included=entry), 220, entry)
        for entry in "other", "dns-list:mail", "dns-list:connect:other":
            self.assertEqual(self.greeting(included=entry), 554, entry)

    def test_excluded(self) -> None:
        """With a list of exceptions, all others."""
        for entry in "dns-list", "dns-list:connect", "dns-list:connect:hook_connect":
            self.assertEqual(self.greeting(excluded=entry), 554, entry)
        for entry in "", "other", "dns-list:mail":
            self.assertEqual(self.greeting(excluded=entry), 220, entry)

    def test_both(self) -> None:
        """With both lists the exceptions do not matter."""
        self.assertEqual(self.greeting(included="dns-list", excluded="dns-list"), 220)

    def test_retired_name(self) -> None:
        """A plugin may be listed under the name that it had in older Harakas."""
        self.assertEqual(self.greeting(included="dnsbl:connect"), 220)
        self.assertEqual(self.greeting(excluded="dnsbl"), 554)


class OptionTests(ConfigTestCase):
    """C{delay_deny.ini}."""

    def test_file(self) -> None:
        """Lists are cut at commas, semicolons and blanks."""
        self.write(
            "delay_deny.ini", "included_plugins=a, b;c:mail\nexcluded_plugins=d\n"
        )
        options = load_options(DelayDenyOptions, self.files(), "delay_deny").checked()
        self.assertEqual(options.included_plugins, {"a", "b", "c:mail"})
        self.assertEqual(options.excluded_plugins, {"d"})

    def test_defaults(self) -> None:
        """Without a file all denials are put off."""
        options = load_options(DelayDenyOptions, self.files(), "delay_deny").checked()
        self.assertEqual(options, DelayDenyOptions())
        tested = DelayDeny(options, NAME)
        client = MemoryServer([tested, fake_plugin(connect=DENY, rcpt=OK)]).connect()
        self.assertEqual(self.first(client), 220)

    def first(self, client: MemoryClient) -> int:
        """The code of the greeting."""
        return client.codes()[0]
