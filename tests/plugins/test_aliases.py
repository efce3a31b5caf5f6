"""C{aliases}: mail for one address that others get, or nobody (row PN02)."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.config.options import load_options
from harakatw.plugin import (
    DENY,
    OK,
    IQueueHook,
    IQueueOutboundHook,
    IRcptHook,
    IRcptOkHook,
)
from harakatw.plugins import aliases as module
from harakatw.plugins.aliases import Aliases, AliasesOptions
from tests.config.folders import ConfigTestCase
from tests.fake_plugins import fake_plugin
from tests.plugins.makers import NotesOnConnection, NotesOnTransaction
from tests.plugins.outbound import FakeOutbound
from tests.sessions import Site, make_site

MESSAGE = b"Subject: x\r\n\r\nhello\r\n.\r\n"


def drop() -> dict[str, object]:
    """An entry that drops."""
    return {"action": "drop"}


def to(*targets: str) -> dict[str, object]:
    """An entry that aliases."""
    return {"action": "alias", "to": targets[0] if len(targets) == 1 else [*targets]}


def plugin(
    entries: dict[str, object],
    outbound: FakeOutbound | None = None,
    hosts: tuple[str, ...] = ("here.example",),
) -> Aliases:
    """The plugin with these entries, on a server for these domains."""
    return Aliases(
        options=AliasesOptions(entries=entries, host_list=hosts),
        name="aliases",
        outbound=outbound or FakeOutbound(),
    )


class AliasTestCase(SynchronousTestCase):
    """A test with a server that takes mail for C{here.example}, and forwards."""

    def setUp(self) -> None:
        """Nothing is forwarded yet."""
        self.outbound = FakeOutbound()

    def site(self, entries: dict[str, object], *others: object, **more: Any) -> Site:
        """A client that has said MAIL; other plugins come after this one."""
        site = make_site(plugin(entries, self.outbound, **more), *others)
        site.greet()
        site.client.ask("MAIL FROM:<a@client.example>")
        return site

    def rcpt(self, site: Site, recipient: str) -> str:
        """Code and enhanced code of the answer to RCPT."""
        return site.client.ask(f"RCPT TO:<{recipient}>")[:9]

    def send(self, site: Site, *recipients: str) -> str:
        """Send a message to recipients that are all taken; returns the last answer."""
        for recipient in recipients:
            self.assertEqual(self.rcpt(site, recipient), "250 2.1.5", recipient)
        site.client.ask("DATA")
        site.client.send(MESSAGE)
        return site.client.hear()

    def delivered(self, entries: dict[str, object], *recipients: str) -> list[str]:
        """Who has got a message to these from the queue plugin."""
        site = self.site(entries)
        self.assertEqual(self.send(site, *recipients)[:3], "250")
        return [each for got in site.mailbox.messages for each in got.recipients]


class MatchTests(AliasTestCase):
    """Which entry is for a recipient."""

    def test_kinds(self) -> None:
        """
        An address, a user in any domain, a domain, and all: the most specific one wins,
        and case does not matter.
        """
        entries: dict[str, object] = {
            "*": to("all"),
            "@here.example": to("domain"),
            "Sales": to("user"),
            "sales@here.example": to("address"),
            "info@here.example": to("info-address"),
            "bob": to("bob-user"),
        }
        for recipient, user in {
            "SALES@Here.example": "address",
            "bob@here.example": "bob-user",
            "info@here.example": "info-address",
            "other@here.example": "domain",
        }.items():
            got = self.delivered(entries, recipient)
            self.assertEqual(got, [f"{user}@here.example"], recipient)
        del entries["@here.example"]
        got = self.delivered(entries, "other@here.example")
        self.assertEqual(got, ["all@here.example"])

    def test_subaddress(self) -> None:
        """
        What follows the first + or - of a user does not matter, unless an entry has it;
        a user goes before a domain.
        """
        entries: dict[str, object] = {
            "test2": to("short"),
            "test2-testing": to("long"),
            "x@here.example": to("x-address"),
            "@here.example": to("domain"),
        }
        for user, target in {
            "test2": "short",
            "test2-more": "short",
            "test2+more-and-more": "short",
            "test2-testing": "long",
            "test2-testing-more": "short",
            "x+y": "x-address",
            "test2more": "domain",
            "-": "domain",
        }.items():
            got = self.delivered(entries, f"{user}@here.example")
            self.assertEqual(got, [f"{target}@here.example"], user)

    def test_no_entry(self) -> None:
        """All others get their mail themselves."""
        got = self.delivered({"sales": to("bob")}, "carol@here.example")
        self.assertEqual(got, ["carol@here.example"])

    def test_quoted(self) -> None:
        """
        A user whose name looks like another's address is not that other (row 26).
        """
        entries: dict[str, object] = {
            "sales@here.example": to("bob"),
            "@here.example": to("carol"),
        }
        got = self.delivered(entries, '"sales@here.example"@here.example')
        self.assertEqual(got, ["carol@here.example"])

    def test_not_again(self) -> None:
        """A target is not looked up: aliases cannot go round in circles (row 30)."""
        entries: dict[str, object] = {
            "a": to("b"),
            "b": to("a"),
            "c": to("c"),
            "d": to("e"),
            "e": drop(),
        }
        for user, target in {"a": "b", "b": "a", "c": "c", "d": "e"}.items():
            got = self.delivered(entries, f"{user}@here.example")
            self.assertEqual(got, [f"{target}@here.example"])


class TargetTests(AliasTestCase):
    """Who gets the mail."""

    def test_several(self) -> None:
        """Each of a list, and each once, whoever was meant to get it besides."""
        entries: dict[str, object] = {
            "sales": to("alice@here.example", "bob", "bob"),
            "all": to("bob", "alice"),
        }
        got = self.delivered(entries, "sales@here.example", "all@here.example")
        self.assertEqual(sorted(set(got)), ["alice@here.example", "bob@here.example"])
        self.assertEqual(len(got), 3)  # the second RCPT stands for its own first target

    def test_plugins_rule_on_target(self) -> None:
        """Plugins after this one are asked about the first target, not the alias."""
        checker = fake_plugin(rcpt=None)
        site = self.site({"sales": to("alice", "bob")}, checker)
        self.send(site, "sales@here.example")
        ((_, (_, asked, _)),) = checker.calls
        self.assertEqual(asked.address, "alice@here.example")
        self.assertEqual(asked.original, "sales@here.example")

    def test_refused(self) -> None:
        """If one of them refuses, nobody on the list gets the message."""
        site = self.site({"sales": to("alice", "bob")}, fake_plugin(rcpt=DENY))
        self.assertEqual(self.rcpt(site, "sales@here.example"), "550 5.7.1")
        self.assertEqual(site.connection.transaction.rcpt_to, [])
        site = self.site({"sales": to("alice", "bob")}, fake_plugin(rcpt_ok=DENY))
        self.assertEqual(self.rcpt(site, "sales@here.example")[:3], "550")
        self.assertEqual(site.connection.transaction.rcpt_to, [])

    def test_reports(self) -> None:
        """What the sender wants to be told of, it is told of all (RFC 3461)."""
        site = self.site({"sales": to("alice@far.example", "bob@far.example")})
        site.client.ask("RCPT TO:<sales@here.example> ORCPT=rfc822;sales@here.example")
        self.send(site, "carol@here.example")
        self.assertEqual(
            self.outbound.orcpt,
            dict.fromkeys(
                ("alice@far.example", "bob@far.example"), "rfc822;sales@here.example"
            ),
        )

    def test_told(self) -> None:
        """The log and the results say what was done."""
        with capturedLogs() as events:
            site = self.site({"sales": to("alice"), "x": drop()})
            self.rcpt(site, "Sales+1@here.example")
            self.rcpt(site, "x@here.example")
        keys = [event["key"] for event in events if event.get("plugin") == "aliases"]
        self.assertEqual(keys, ["sales", "x"])
        results = site.connection.transaction.results.get("aliases")
        self.assertEqual(results["msg"], ["alias(sales)", "drop(x)"])


class DropTests(AliasTestCase):
    """Mail that nobody gets."""

    def test_alone(self) -> None:
        """The client is told 250, and nothing is delivered."""
        self.assertEqual(self.delivered({"x": drop()}, "x@here.example"), [])

    def test_others(self) -> None:
        """Other recipients of the message get it."""
        got = self.delivered(
            {"x": drop()}, "alice@here.example", "x@here.example", "bob@here.example"
        )
        self.assertEqual(got, ["alice@here.example", "bob@here.example"])

    def test_relaying(self) -> None:
        """Mail of clients that may relay is dropped as well."""
        keep = fake_plugin("Keep", queue_outbound=OK)
        tested = plugin({"x@far.example": drop()})
        site = make_site(NotesOnConnection(relaying=True), tested, keep)
        site.greet()
        site.client.ask("MAIL FROM:<a@client.example>")
        self.send(site, "x@far.example")
        self.assertEqual(keep.calls, [])
        site.client.ask("MAIL FROM:<a@client.example>")
        self.send(site, "x@far.example", "y@far.example")
        self.assertEqual(len(keep.calls), 1)

    def test_unknown(self) -> None:
        """Mail for a stranger's domain is not taken, though it would be dropped."""
        site = self.site({"x": drop()})
        self.assertEqual(self.rcpt(site, "x@far.example"), "550 5.1.1")


class ForwardTests(AliasTestCase):
    """Targets that nobody here takes mail for."""

    def test_forwarded(self) -> None:
        """Mail of a stranger for an address of ours goes to its new place."""
        site = self.site({"bob": to("bob@far.example")})
        self.assertIn("250 2.0.0 Message Queued", self.send(site, "bob@here.example"))
        self.assertEqual(self.outbound.recipients, [("bob@far.example",)])
        self.assertEqual(site.mailbox.messages, [])

    def test_both(self) -> None:
        """Of several, each gets the message from where its mail is."""
        entries: dict[str, object] = {"all": to("alice", "bob@far.example")}
        site = self.site(entries)
        self.send(site, "carol@here.example", "all@here.example")
        self.assertEqual(self.outbound.recipients, [("bob@far.example",)])
        (delivered,) = site.mailbox.messages
        self.assertEqual(
            delivered.recipients, ("carol@here.example", "alice@here.example")
        )

    def test_named(self) -> None:
        """A key that names a domain makes it ours; one that does not, does not."""
        for key, recipient, answer in (
            ("bob@old.example", "bob@old.example", "250 2.1.5"),
            ("@old.example", "x@old.example", "250 2.1.5"),
            ("bob", "bob@old.example", "550 5.1.1"),
            ("*", "bob@old.example", "550 5.1.1"),
        ):
            site = self.site({key: to("bob@far.example")})
            self.assertEqual(self.rcpt(site, recipient), answer, key)

    def test_another_domain_of_ours(self) -> None:
        """A target that another plugin knows is delivered to here."""
        site = self.site({"@old.example": to("bob@here.example")}, hosts=())
        self.send(site, "x@old.example")
        (delivered,) = site.mailbox.messages
        self.assertEqual(delivered.recipients, ("bob@here.example",))
        self.assertEqual(self.outbound.messages, [])

    def test_no_relay(self) -> None:
        """
        A list without domains does not open a relay to the domain that a stranger asks
        for, whatever else is on it (row 25).
        """
        for targets in (
            ("bob",),
            ("bob", "alice@here.example"),
            ("alice@here.example", "bob"),
        ):
            site = self.site({"sales": to(*targets)})
            self.assertEqual(self.rcpt(site, "sales@victim.example"), "550 5.1.1")
            self.assertEqual(site.connection.transaction.rcpt_to, [])

    def test_no_room(self) -> None:
        """If it cannot be queued, nobody gets it now, and the client tries again."""
        self.outbound.is_full = True
        site = self.site({"all": to("alice", "bob@far.example")})
        said = self.send(site, "all@here.example")
        self.assertEqual(said[:9], "452 4.3.1")
        self.assertEqual(site.mailbox.messages, [])

    def test_own_queue(self) -> None:
        """A hop for this server's own mail is not one for what is forwarded."""
        seen = []

        class Watching(FakeOutbound):
            def queue(self, connection: Any) -> "Deferred[str]":
                seen.append(connection.transaction.notes.get("queue.next_hop"))
                return super().queue(connection)

        self.outbound = Watching()
        hop = {"queue.next_hop": "store.example"}
        site = make_site(
            NotesOnTransaction(hop),
            plugin({"all": to("alice", "bob@far.example")}, self.outbound),
        )
        site.greet()
        site.client.ask("MAIL FROM:<a@client.example>")
        self.send(site, "all@here.example")
        self.assertEqual(seen, [None])

    def test_relaying(self) -> None:
        """A client that may relay has all its mail queued as outbound mail anyway."""
        keep = fake_plugin("Keep", queue_outbound=OK)
        tested = plugin({"bob": to("bob@far.example", "alice")}, self.outbound)
        site = make_site(NotesOnConnection(relaying=True), tested, keep)
        site.greet()
        site.client.ask("MAIL FROM:<a@client.example>")
        self.send(site, "bob@here.example")
        self.assertEqual(len(keep.calls), 1)
        self.assertEqual(self.outbound.messages, [])


class LimitTests(AliasTestCase):
    """Row 23: what one client can make of aliases."""

    def test_fan_out(self) -> None:
        """Too many recipients, once aliases are resolved, are asked to come later."""
        self.patch(module, "MAX_RECIPIENTS", 25)
        many = {f"list{n}": to(*(f"u{n}.{i}" for i in range(10))) for n in range(4)}
        site = self.site({**many})
        answers = [self.rcpt(site, f"list{n}@here.example") for n in range(4)]
        self.assertEqual(answers, ["250 2.1.5"] * 2 + ["452 4.5.3"] * 2)
        self.assertEqual(len(site.connection.transaction.rcpt_to), 20)

    def test_repeated(self) -> None:
        """One list asked for a thousand times is not a thousand lists."""
        site = self.site({"list": to(*(f"u{i}" for i in range(1000)))})
        site.client.say(*["RCPT TO:<list@here.example>"] * 1000)
        self.assertEqual(site.client.codes(), [250] * 1000)
        self.assertLess(len(site.connection.transaction.rcpt_to), 2000)

    def test_interfaces(self) -> None:
        """The plugin has the methods that the server will call."""
        for interface in IRcptHook, IRcptOkHook, IQueueHook, IQueueOutboundHook:
            verifyObject(interface, plugin({}))


class FileTests(ConfigTestCase):
    """C{aliases.json}."""

    def load(self, text: str, name: str = "aliases.json") -> Any:
        """Read it."""
        self.write(name, text)
        return load_options(AliasesOptions, self.files(), "aliases")

    def test_haraka(self) -> None:
        """A file of Haraka's, also under its old name."""
        text = '{"a": {"action": "drop"}, "@b.example": {"action":"Alias","to":"c"}}'
        for name in "aliases", "aliases.json":
            loaded = self.load(text, name)
            self.assertEqual(loaded.problems, ())
            self.assertEqual(loaded.options.table.by_user["a"].targets, ())
            self.assertIn("b.example", loaded.options.table.by_domain)

    def test_mistakes(self) -> None:
        """A wrong entry is reported by its key; the others count."""
        for entry, why in {
            '"a": {"action": "fail", "to": "b"}': "the action 'fail' is unknown",
            '"a": {"to": "b"}': "the action None is unknown",
            '"a": {"action": ["drop"]}': "is unknown",
            '"a": {"action": "alias"}': '"to" must be an address',
            '"a": {"action": "alias", "to": []}': '"to" must be an address',
            '"a": {"action": "alias", "to": ["x", 1]}': '"to" must be an address',
            '"a": {"action": "alias", "to": "b c"}': "'b c' is no address",
            '"a": {"action": "alias", "to": "b@-"}': "'b@-' is no address",
            '"a": "drop"': "expected",
            '"a b": {"action": "drop"}': "'a b' is no address",
            '"@-": {"action": "drop"}': "'-' is no domain",
            '"GOOD": {"action": "drop"}': "'good' is an entry for the same",
            '"a": {"action": "drop", "two": 1}': "'two' is unknown",
        }.items():
            loaded = self.load('{"good": {"action": "drop"}, ' + entry + "}")
            (problem,) = loaded.errors
            self.assertEqual(problem.file, "config/aliases.json")
            self.assertIn(why, problem.message, entry)
            self.assertIn("good", loaded.options.table.by_user)

    def test_too_many(self) -> None:
        """A list that is too long is for a list manager."""
        many = ", ".join(f'"u{number}"' for number in range(1001))
        loaded = self.load('{"a": {"action": "alias", "to": [' + many + "]}}")
        self.assertIn("1001 addresses are more than 1000", str(loaded.errors))

    def test_no_json(self) -> None:
        """A file that is none is reported, and nothing is aliased."""
        loaded = self.load("{")
        self.assertIn("is not JSON", str(loaded.errors))
        self.assertEqual(loaded.options.entries, {})
