"""C{recipient-routes}: who gets mail, and from which host (row PN31)."""

import attrs
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from harakatw.address import Address, parse_address
from harakatw.config.options import load_options
from harakatw.notes import Notes
from harakatw.plugin import (
    CONT,
    DENYSOFT,
    IGetMXHook,
    IHMail,
    IQueueHook,
    IRcptHook,
    IRcptOkHook,
    Verdict,
    ok,
)
from harakatw.plugins import _outbound_queue
from harakatw.plugins._transaction import transaction_of
from harakatw.plugins.recipient_routes import (
    RecipientRoutes,
    RecipientRoutesOptions,
    make_route_table,
)
from harakatw.testing.server import MemoryClient, MemoryServer
from tests.config.folders import ConfigTestCase
from tests.fake_plugins import fake_plugin
from tests.outbound.post_office import MESSAGE, PostOfficeTestCase
from tests.plugins.keeper import AcceptAll, Keeper, greet, send
from tests.plugins.makers import NotesOnTransaction
from tests.plugins.outbound import FakeOutbound

ENTRIES = {
    "Routed.example": "mail.example:225",
    "matt@routed.example": "lmtp://127.0.0.1:2525",
    '"odd one"@other.example': "192.0.2.1",
    "bücher.example": "[2001:db8::1]:26",
}


@implementer(IHMail)
@attrs.frozen
class FakeHMail:
    """A queued message for these recipients."""

    rcpt_to: list[Address]
    uuid: str = "A.1.1"
    domain: str = ""
    mail_from: Address = attrs.field(factory=Address)
    notes: Notes = attrs.field(factory=Notes)


def routes(outbound: FakeOutbound | None = None, **entries: str) -> RecipientRoutes:
    """The plugin with these entries, or with C{ENTRIES}."""
    return RecipientRoutes(
        options=RecipientRoutesOptions(entries=entries or ENTRIES),
        name="recipient-routes",
        outbound=outbound or FakeOutbound(),
    )


def begin(*plugins: object) -> MemoryClient:
    """A client that has said MAIL."""
    client = MemoryServer(plugins).connect()
    greet(client)
    return client


def rcpt(client: MemoryClient, recipient: str) -> str:
    """Code and enhanced code of the answer to RCPT."""
    return client.ask(f"RCPT TO:<{recipient}>")[:9]


class RecipientTests(SynchronousTestCase):
    """Whom mail is taken for."""

    def test_known(self) -> None:
        """Addresses and domains with a route are good, in whatever case they come."""
        for address, stored in {
            "anybody@routed.example": "file.domain",
            "ANYBODY@ROUTED.EXAMPLE": "file.domain",
            "Matt@routed.example": "file.email",
            '"odd one"@other.example': "file.email",
            "x@xn--bcher-kva.example": "file.domain",
        }.items():
            client = begin(routes())
            self.assertEqual(rcpt(client, address), "250 2.1.5", address)
            transaction = transaction_of(client.protocol.connection)
            results = transaction.results.get("recipient-routes")
            self.assertEqual(results["pass"], [stored])

    def test_unknown(self) -> None:
        """All others are left to other plugins, and refused if none knows them."""
        for address in (
            "matt@other.example",
            "odd@other.example",
            "x@sub.routed.example",
            '"matt@routed.example"@other.example',
            "Postmaster",
        ):
            self.assertEqual(rcpt(begin(routes()), address), "550 5.1.1", address)
            client = begin(routes(), AcceptAll())
            self.assertEqual(rcpt(client, address), "250 2.1.5", address)

    def test_interfaces(self) -> None:
        """The plugin has the methods that the server will call."""
        for interface in IRcptHook, IRcptOkHook, IQueueHook, IGetMXHook:
            verifyObject(interface, routes())


class GetMXTests(SynchronousTestCase):
    """Where the mail goes."""

    def hop(self, *addresses: str) -> Verdict:
        """What the plugin says to a message for these."""
        recipients = [parse_address(each, utf8=True) for each in addresses]
        domain = recipients[0].host
        return routes().hook_get_mx(FakeHMail(recipients), domain)

    def test_routes(self) -> None:
        """An address goes before its domain; what has no route goes by DNS."""
        self.assertEqual(self.hop("a@routed.example"), ok(value="mail.example:225"))
        self.assertEqual(
            self.hop("MATT@routed.example"), ok(value="lmtp://127.0.0.1:2525")
        )
        self.assertEqual(self.hop("u@xn--bcher-kva.example").value, "[2001:db8::1]:26")
        self.assertIs(self.hop("u@other.example"), CONT)

    def test_different(self) -> None:
        """
        Recipients that must not share a delivery and do, since the routes changed after
        they were queued, go to their domain's host; the postmaster is told.
        """
        with capturedLogs() as events:
            verdict = self.hop("matt@routed.example", "a@routed.example")
        self.assertEqual(verdict, ok(value="mail.example:225"))
        self.assertEqual(len(events), 1)
        with capturedLogs():
            verdict = self.hop('"odd one"@other.example', "a@other.example")
        self.assertIs(verdict, CONT)


class QueueTests(SynchronousTestCase):
    """Mail from strangers."""

    def setUp(self) -> None:
        """A server with a queue plugin for the recipients that have no route."""
        self.outbound = FakeOutbound()
        self.keeper = Keeper()
        self.tested = routes(self.outbound)

    def send(self, *recipients: str, plugins: tuple[object, ...] = ()) -> str:
        """Send a message; returns the answer."""
        after = plugins or (self.keeper,)
        client = begin(self.tested, AcceptAll(), *after)
        for recipient in recipients:
            rcpt(client, recipient)
        return send(client, "Subject: x", "")

    def kept(self) -> list[tuple[str, ...]]:
        """The recipients of what the queue plugin has got."""
        return [each.recipients for each in self.keeper.messages]

    def test_routed(self) -> None:
        """It is queued to be sent along the routes."""
        said = self.send("a@routed.example", "matt@routed.example")
        self.assertIn("250 2.0.0 Message Queued", said)
        self.assertEqual(
            self.outbound.recipients, [("a@routed.example", "matt@routed.example")]
        )
        self.assertEqual(self.kept(), [])

    def test_others(self) -> None:
        """Recipients without a route get theirs from the queue plugin."""
        self.send("a@routed.example", "a@other.example")
        self.assertEqual(self.outbound.recipients, [("a@routed.example",)])
        self.assertEqual(self.kept(), [("a@other.example",)])
        self.send("a@other.example")
        self.assertEqual(len(self.outbound.messages), 1)

    def test_again(self) -> None:
        """
        If those cannot get it now the client tries again, and nobody who has it gets it
        twice; a message that is sent twice on purpose comes twice.
        """
        broken = (fake_plugin(queue=DENYSOFT),)
        recipients = ("a@routed.example", "a@other.example")
        for _ in range(3):
            self.assertEqual(self.send(*recipients, plugins=broken)[:3], "450")
        self.assertEqual(self.send(*recipients)[:3], "250")
        self.assertEqual(self.outbound.recipients, [("a@routed.example",)])
        self.assertEqual(self.kept(), [("a@other.example",)])
        self.assertEqual(self.send(*recipients)[:3], "250")
        self.assertEqual(len(self.outbound.messages), 2)

    def test_known(self) -> None:
        """What is remembered of broken attempts is bounded."""
        self.patch(_outbound_queue, "MAX_KNOWN", 5)
        broken = (fake_plugin(queue=DENYSOFT),)
        for number in range(8):
            others = (f"a{number}@routed.example", "a@other.example")
            self.send(*others, plugins=broken)
        self.assertEqual(len(self.tested.parts._known), 5)

    def test_no_room(self) -> None:
        """What is not on the disk is not accepted."""
        self.outbound.is_full = True
        for others in ((), ("a@other.example",)):
            said = self.send("a@routed.example", *others)
            self.assertEqual(said[:9], "452 4.3.1")
        self.assertEqual(self.kept(), [])

    def test_wants(self) -> None:
        """A message that another plugin wants for a queue is left to that."""
        notes = NotesOnTransaction({"queue.wants": "lmtp"})
        client = begin(notes, self.tested, self.keeper)
        rcpt(client, "a@routed.example")
        send(client, "Subject: x", "")
        self.assertEqual(self.kept(), [("a@routed.example",)])
        self.assertEqual(self.outbound.messages, [])


class EngineTests(PostOfficeTestCase):
    """With the real outbound engine."""

    def queued(self, *users: str) -> list[list[str]]:
        """The recipients of each delivery, of a message to these."""
        post = self.office()
        tested = RecipientRoutes(
            options=RecipientRoutesOptions(entries=ENTRIES),
            name="recipient-routes",
            outbound=post.engine,
        )
        client = begin(tested)
        for user in users:
            self.assertEqual(rcpt(client, f"{user}@routed.example"), "250 2.1.5")
        client.ask("DATA")
        client.send(MESSAGE + b".\r\n")
        items = post.store.added[0][1]
        return [[each.address for each in item.recipients] for item in items]

    def test_split(self) -> None:
        """
        Of recipients in one domain, one with a route of its own is delivered to alone:
        its host does not get the mail of the others.
        """
        queued = self.queued("a", "matt", "b")
        self.assertIn(["matt@routed.example"], queued)
        self.assertEqual(len(queued), 3)

    def test_together(self) -> None:
        """Where only the domain has a route they stay together."""
        queued = self.queued("a", "b")
        self.assertEqual(queued, [["a@routed.example", "b@routed.example"]])


class FileTests(ConfigTestCase):
    """C{rcpt_to.routes.ini}."""

    def test_haraka(self) -> None:
        """A file of Haraka's is read; of Redis there is a notice."""
        self.write(
            "rcpt_to.routes.ini",
            "[redis]\nhost=127.0.0.1\nenabled=true\n\n"
            "[routes]\nexample.com=mail.example.com:225\n"
            "spam@example.com=honeybucket.where.com:26\n"
            'json.example={"priority": 0, "exchange": "mx.example", "port": 26}\n',
        )
        loaded = load_options(RecipientRoutesOptions, self.files(), "recipient-routes")
        self.assertEqual(loaded.errors, ())
        self.assertIn("later release", str(loaded.problems))
        self.assertEqual(len(loaded.options.table.by_domain), 2)
        self.assertEqual(len(loaded.options.table.by_address), 1)

    def test_mistakes(self) -> None:
        """A wrong entry is reported by its key; the others count."""
        for line, why in {
            "a@@b.example=mx.example": "'a@@b.example' is no address",
            "b..example=mx.example": "'b..example' is no domain",
            "b.example=mx.example:0": "0 is not a port",
            "b.example=http://mx.example": "is no hop: expected host",
            "b.example=": "is no hop",
            "c.example=mx.example\nC.example=mx2.example": "there is another entry",
        }.items():
            text = f"[routes]\ngood.example=mx.example\n{line}\n"
            self.write("rcpt_to.routes.ini", text)
            loaded = load_options(
                RecipientRoutesOptions, self.files(), "recipient-routes"
            )
            (problem,) = loaded.errors
            self.assertEqual(problem.file, "config/rcpt_to.routes.ini")
            self.assertEqual(problem.section, "routes")
            self.assertIn(why, problem.message)
            self.assertIn("good.example", loaded.options.table.by_domain)

    def test_password(self) -> None:
        """A problem shows no password."""
        table = make_route_table({"a.example": "smtp://user:secret@mx:0"})
        self.assertNotIn("secret", str(table.mistakes))
