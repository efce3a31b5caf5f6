"""Who takes a message that nobody refused, and what the client is told."""

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from harakatw.errors import StoreError
from harakatw.interfaces.services import IOutbound
from harakatw.interfaces.session import IConnection
from harakatw.testing.server import MemoryServer
from harakatw.verdict import (
    CONT,
    DENY,
    DENYSOFT,
    DISCONNECT,
    OK,
    Verdict,
    deny,
    deny_soft,
    ok,
)
from tests.fake_plugins import fake_plugin, raising
from tests.sessions import ENVELOPE, Site, make_site
from tests.smtp.test_rcpt import allow_relay

MESSAGE = b"Subject: hi\r\n\r\nHello\r\n.\r\n"
RELAYS = {"connect": allow_relay}


@implementer(IOutbound)
class Engine:
    """
    An outbound engine that does as the test says.

    @ivar answer: what it gives each message.
    @ivar asked: how often it was asked.
    """

    def __init__(self, answer: "Deferred[str]") -> None:
        self.answer = answer
        self.asked = 0

    def send_email(
        self, sender: str, recipients: object, contents: object, notes: object = None
    ) -> "Deferred[str]":
        """Nobody sends mail of their own here."""
        raise AssertionError("not asked for")

    def flush(self, domain: str, *, below: bool = False) -> "Deferred[int]":
        """Nobody asks for this here."""
        raise AssertionError("not asked for")

    def queue(self, connection: IConnection) -> "Deferred[str]":
        """Count the message."""
        self.asked += 1
        return self.answer


class InboundTests(SynchronousTestCase):
    """Mail for us: a queue plugin must take it."""

    def _said(self, verdict: object) -> str:
        site = make_site(fake_plugin(queue=verdict))
        said = site.send_message(MESSAGE)
        return said.replace(site.connection.uuid, "UUID")

    def test_nobody_takes_it(self) -> None:
        """A message that no plugin takes is not lost: 451, the client keeps it."""
        for plugin in (fake_plugin(rcpt=OK), fake_plugin(rcpt=OK, queue=DISCONNECT)):
            client = MemoryServer([plugin]).connect()
            client.say("EHLO x", *ENVELOPE, "DATA")
            client.hear()
            client.send(MESSAGE)
            self.assertEqual(
                client.hear(),
                "451 4.3.5 No plugin queued the message, try again later\r\n",
            )
            self.assertEqual(client.protocol.connection.msg_tempfailed, 1)
            self.assertIsNone(client.protocol.connection.transaction)

    def test_taken(self) -> None:
        """The words of the plugin that took it are told, and always our id."""
        self.assertEqual(self._said(OK), "250 2.0.0 Message Queued (UUID.1)\r\n")
        self.assertEqual(self._said(ok("as 17")), "250 2.0.0 as 17 (UUID.1)\r\n")
        self.assertEqual(self._said(ok("2.6.0 as 17")), "250 2.6.0 as 17 (UUID.1)\r\n")

    def test_refused(self) -> None:
        """A plugin may refuse, for good or for now."""
        for verdict, said in (
            (DENY, "550 5.7.1 Message denied\r\n"),
            (deny("5.2.2 full"), "550 5.2.2 full\r\n"),
            (DENYSOFT, "450 4.3.0 Message not queued, try again later\r\n"),
            (deny_soft("busy", code=451), "451 4.3.0 busy\r\n"),
        ):
            self.assertEqual(self._said(verdict), said)

    def test_refused_and_closed(self) -> None:
        """DENYDISCONNECT closes after the reply."""
        site = make_site(fake_plugin(queue=deny("bye", disconnect=True)))
        self.assertEqual(site.send_message(MESSAGE), "550 5.7.1 bye\r\n")
        self.assertTrue(site.client.transport.closed)

    def test_broken(self) -> None:
        """
        A queue plugin that raises means "try later", and says so to nobody else: the
        next queue plugin is not asked, since the first may have the message already.
        """
        site = make_site(fake_plugin(queue=raising(RuntimeError("disk"))))
        self.assertEqual(site.send_message(MESSAGE)[:3], "450")
        self.assertEqual(site.mailbox.messages, [])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_queue_ok(self) -> None:
        """queue_ok is told the words, within the transaction, and cannot object."""
        open_then: list[bool] = []

        def note(connection: IConnection, text: str) -> Verdict:
            open_then.append(connection.transaction is not None)
            return DENY

        plugin = fake_plugin(queue=ok("as 17"), queue_ok=note)
        site = make_site(plugin)
        self.assertEqual(site.send_message(MESSAGE)[:3], "250")
        self.assertEqual(plugin.calls[-1], ("queue_ok", (site.connection, "as 17")))
        self.assertEqual(open_then, [True])


class OutboundTests(SynchronousTestCase):
    """Mail of those who may relay: the outbound engine takes it."""

    def _site(self, engine: Engine | None, **says: object) -> Site:
        return make_site(fake_plugin(**RELAYS, **says), outbound=engine)

    def test_engine(self) -> None:
        """The engine has the message on disk before the client is told."""
        engine = Engine(Deferred())
        site = self._site(engine)
        self.assertEqual(site.send_message(MESSAGE), "")
        engine.answer.callback("Message Queued")
        self.assertEqual(
            site.client.hear(),
            f"250 2.0.0 Message Queued ({site.connection.uuid}.1)\r\n",
        )

    def test_queue_plugins_not_asked(self) -> None:
        """The queue plugins for mail to us do not see it, queue_outbound's do."""
        plugin = fake_plugin("Other", queue=OK, queue_outbound=None)
        site = make_site(
            fake_plugin(**RELAYS), plugin, outbound=Engine(succeed("Queued"))
        )
        site.send_message(MESSAGE)
        self.assertEqual(plugin.asked, ["queue_outbound"])
        self.assertEqual(site.mailbox.messages, [])

    def test_plugin_takes_it(self) -> None:
        """A plugin that takes the message spares the engine."""
        engine = Engine(Deferred())
        site = self._site(engine, queue_outbound=ok("relayed"))
        self.assertIn("250 2.0.0 relayed", site.send_message(MESSAGE))
        self.assertEqual(engine.asked, 0)

    def test_not_stored(self) -> None:
        """A full disk: 452, never a 5xx (WK03)."""
        site = self._site(Engine(fail(StoreError("no space"))))
        self.assertEqual(site.send_message(MESSAGE)[:9], "452 4.3.1")
        self.assertEqual(site.connection.msg_tempfailed, 1)
        self.assertFalse(site.client.transport.closed)

    def test_engine_broken(self) -> None:
        """An error of ours ends this session with 421, and is logged."""
        site = self._site(Engine(fail(ZeroDivisionError())))
        self.assertEqual(site.send_message(MESSAGE)[:3], "421")
        self.assertTrue(site.client.transport.closed)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_no_engine(self) -> None:
        """Without an engine nobody takes the message: 451."""
        self.assertEqual(self._site(None).send_message(MESSAGE)[:9], "451 4.3.5")


class LeftTests(SynchronousTestCase):
    """The client is gone before it heard the reply to the final dot."""

    def test_plugin_ends(self) -> None:
        """
        A queue plugin is not broken off: the message may be on its way already. It
        counts as accepted, and the hooks run to their end, in order.
        """
        answer: Deferred[Verdict] = Deferred()
        plugin = fake_plugin(
            queue=answer, queue_ok=None, reset_transaction=None, disconnect=None
        )
        site = make_site(plugin)
        site.send_message(MESSAGE)
        site.client.leave()
        self.assertEqual(plugin.asked, ["queue"])
        answer.callback(OK)
        self.assertEqual(
            plugin.asked, ["queue", "queue_ok", "reset_transaction", "disconnect"]
        )
        self.assertEqual(site.connection.msg_accepted, 1)
        self.assertEqual(site.client.hear(), "")
        self.assertEqual(site.server.clock.getDelayedCalls(), [])

    def test_engine_ends(self) -> None:
        """The engine is not broken off either, whatever was waited for before."""
        cancelled: list[object] = []
        engine = Engine(Deferred(cancelled.append))
        plugin = fake_plugin(disconnect=None, **RELAYS)
        site = make_site(plugin, outbound=engine)
        site.send_message(MESSAGE)
        site.client.leave()
        self.assertEqual((cancelled, plugin.asked), ([], ["connect"]))
        engine.answer.callback("Message Queued")
        self.assertEqual(plugin.asked, ["connect", "disconnect"])
        self.assertEqual(site.connection.msg_accepted, 1)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_engine_not_begun(self) -> None:
        """
        When the client left before anybody took the message, nobody takes it any more:
        the client will send it again.
        """
        answer: Deferred[Verdict] = Deferred()
        engine = Engine(succeed("Queued"))
        site = self._left_early(answer, engine)
        answer.callback(CONT)
        self.assertEqual(engine.asked, 0)
        self.assertEqual(site.connection.msg_accepted, 0)

    def _left_early(self, answer: "Deferred[Verdict]", engine: Engine) -> Site:
        site = make_site(fake_plugin(queue_outbound=answer, **RELAYS), outbound=engine)
        site.send_message(MESSAGE)
        site.client.leave()
        return site

    def test_never_answers(self) -> None:
        """A queue plugin that never answers is waited for until its time is up."""
        plugin = fake_plugin(queue=Deferred(), disconnect=None)
        site = make_site(plugin)
        site.send_message(MESSAGE)
        site.client.leave()
        site.server.clock.advance(30)
        self.assertEqual(plugin.asked, ["queue", "disconnect"])
        self.assertEqual(site.server.clock.getDelayedCalls(), [])
