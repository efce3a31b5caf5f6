"""Row 40 over the wire: plugins that misbehave, as files of an instance."""

from collections.abc import Callable

from twisted.internet.defer import AlreadyCalledError, Deferred

from tests.functional.client import DEADLINE_SECONDS, Client
from tests.functional.hurry import reactor
from tests.functional.server import ENVELOPE, INSTANCE, RunningServer, ServerTestCase

FAULTY = '''
"""Does on MAIL what the sender's local part names."""

import time

from twisted.internet.defer import CancelledError, Deferred

from harakatw.plugin import (
    CONT,
    OK,
    ICapabilitiesHook,
    IDataPostHook,
    IDisconnectHook,
    IMailHook,
    IQueueHook,
    deny,
    implementer,
)


@implementer(IMailHook, ICapabilitiesHook, IDataPostHook, IQueueHook, IDisconnectHook)
class Faulty:
    def __init__(self, server, clock):
        self.server = server
        self.clock = clock

    def hook_mail(self, connection, sender, params):
        return getattr(self, sender.user, lambda: CONT)()

    def raises(self):
        raise ZeroDivisionError

    async def raises_later(self):
        await self.wait(0.01)
        raise ZeroDivisionError

    def never(self):
        return Deferred(lambda _: self.server.notes.set("told", True))

    async def stubborn(self):
        try:
            await Deferred()
        except CancelledError:
            await Deferred()

    def twice(self):
        answer = Deferred()
        self.clock.callLater(0, answer.callback, deny("first", code=550))
        self.clock.callLater(0, answer.callback, OK)
        return answer

    def late(self):
        answer = Deferred()
        self.server.notes.get("asked").callback(answer.callback)
        return answer

    def late_failure(self):
        answer = Deferred()
        fail = lambda _: answer.errback(ZeroDivisionError())
        self.server.notes.get("asked").callback(fail)
        return answer

    def blocks(self):
        time.sleep(0.2)
        return CONT

    def nonsense(self):
        return "OK"

    def wait(self, seconds):
        waiting = Deferred()
        self.clock.callLater(seconds, waiting.callback, None)
        return waiting

    def hook_capabilities(self, connection):
        connection.capabilities.clear()
        connection.capabilities.append("X-MUTATED")
        return CONT

    def hook_data_post(self, connection):
        transaction = connection.transaction
        if transaction.mail_from.user == "mutates":
            transaction.remove_header("Subject")
            transaction.add_header("Subject", "mutated")
            transaction.rcpt_to[0].user = "c"
            transaction.mail_from.user = "mutated"
            transaction.rcpt_to.append("not an address")
            raise ZeroDivisionError
        return CONT

    def hook_queue(self, connection):
        if connection.transaction.mail_from.user == "queue_raises":
            raise ZeroDivisionError
        return CONT

    def hook_disconnect(self, connection):
        gone = self.server.notes.get("gone")
        if gone is not None:
            gone.callback(None)
'''


class PluginFaultTests(ServerTestCase):
    """A fault costs the session one reply at most, and other sessions nothing."""

    def setUp(self) -> None:
        """Start a server whose plugins have a second each."""
        super().setUp()
        self.server = self.site()

    def site(self) -> RunningServer:
        """A server with the faulty plugin in front of the others."""
        return self.start(
            {
                "plugins/faulty.py": FAULTY,
                "config/plugins": f"faulty\n{INSTANCE['config/plugins']}",
                "config/plugin_timeout": "1\n",
            }
        )

    async def mail(self, fault: str) -> tuple[Client, str]:
        """Say MAIL; returns the client and what it is answered."""
        client = await self.greeted(self.server)
        return client, await client.ask(f"MAIL FROM:<{fault}@client.example>")

    async def goes_on(self, client: Client) -> None:
        """The session can send a message after all that."""
        client.say("RSET", *ENVELOPE, "DATA")
        self.assertEqual(await client.codes(4), [250, 250, 250, 354])
        self.assertEqual((await client.ask("Subject: x", "", "x", "."))[:3], "250")

    async def test_raises(self) -> None:
        """A plugin that raises is passed over; the log has its name and traceback."""
        for fault in ("raises", "raises_later"):
            client, answer = await self.mail(fault)
            self.assertEqual(answer[:3], "250", fault)
            await self.goes_on(client)
            (failure,) = self.flushLoggedErrors(ZeroDivisionError)
            self.assertIn("faulty.py", failure.getTraceback())
        said = [line for line in self.log.lines if "plugin faulty raised" in line]
        self.assertEqual(len(said), 2)
        self.assertIn("hook_mail", said[0])

    async def test_never_answers(self) -> None:
        """
        A plugin that never answers means "try later" after its second; it is told to
        stop, it is named in the log, and meanwhile another client is served.
        """
        waiting = Deferred.fromCoroutine(self.mail("never"))
        self.assertEqual((await self.send_message(self.server))[:3], "250")
        self.assertFalse(waiting.called)
        client, answer = await waiting
        self.assertEqual(answer[:3], "450")
        self.assertTrue(self.server.service.server.notes.get("told"))
        await self.log.wait_for("plugin faulty gave no verdict on mail within 1")
        await self.goes_on(client)

    async def test_will_not_stop(self) -> None:
        """Nor can a plugin hold the session that will not be told."""
        client, answer = await self.mail("stubborn")
        self.assertEqual(answer[:3], "450")
        await self.goes_on(client)

    async def test_twice(self) -> None:
        """Of two answers the first counts; the second is the plugin's own error."""
        client, answer = await self.mail("twice")
        self.assertEqual(answer, "550 5.7.1 first")
        await self.goes_on(client)
        self.assertEqual(len(self.flushLoggedErrors(AlreadyCalledError)), 1)

    async def test_after_disconnect(self) -> None:
        """
        A client that leaves while a plugin is at work is missed at once, and the late
        answer, good or bad, does no harm.
        """
        notes = self.server.service.server.notes
        for fault in ("late", "late_failure"):
            gone: Deferred[None] = Deferred()
            asked: Deferred[Callable[[None], None]] = Deferred()
            notes.set("gone", gone)
            notes.set("asked", asked)
            client = await self.greeted(self.server)
            client.say(f"MAIL FROM:<{fault}@client.example>")
            answer = await asked.addTimeout(DEADLINE_SECONDS, reactor)
            await client.leave()
            await gone.addTimeout(DEADLINE_SECONDS, reactor)
            notes.set("gone", None)
            answer(None)
        overdue = [line for line in self.log.lines if "gave no verdict" in line]
        self.assertEqual(overdue, [])
        self.assertEqual((await self.send_message(self.server))[:3], "250")

    async def test_blocks(self) -> None:
        """
        A plugin that blocks holds everybody up while it does, and then all are served.
        """
        other = await self.greeted(self.server)
        began = reactor.seconds()
        client = await self.greeted(self.server)
        client.say("MAIL FROM:<blocks@client.example>")
        other.say(ENVELOPE[0])
        self.assertEqual(await client.codes(1), [250])
        self.assertEqual(await other.codes(1), [250])
        self.assertLess(reactor.seconds() - began, 2)
        await self.goes_on(client)
        await self.goes_on(other)

    async def test_nonsense(self) -> None:
        """What is no verdict counts as none, and is named in the log."""
        client, answer = await self.mail("nonsense")
        self.assertEqual(answer[:3], "250")
        await self.log.wait_for("plugin faulty returned 'OK' from hook_mail")
        await self.goes_on(client)

    async def test_mutates(self) -> None:
        """
        A plugin that changes all that it can reach, and then raises, has changed its
        own message and session, and no other: whoever comes next finds all as it was.
        """
        client = await self.connect(self.server)
        await client.replies(1)
        hello = await client.ask("EHLO client.example")
        self.assertEqual(hello.split("\n")[1:], ["250 X-MUTATED"])
        client.say("MAIL FROM:<mutates@client.example>", ENVELOPE[1], "DATA")
        self.assertEqual(await client.codes(3), [250, 250, 354])
        answer = await client.ask("Subject: original", "", "x", ".")
        self.assertEqual(answer[:3], "450")
        self.assertEqual(self.server.delivered(), [])
        self.flushLoggedErrors()
        await self.goes_on(client)
        (message,) = self.server.delivered()
        self.assertIn(b"Return-Path: <a@client.example>\r\n", message)
        self.assertIn(b"\r\nSubject: x\r\n", message)
        context = self.server.service.context
        self.assertIn("PIPELINING", context.offers.offer(encrypted=False).keywords)

    async def test_queue_raises(self) -> None:
        """A queue plugin that raises: the client keeps the message and tries later."""
        envelope = ("MAIL FROM:<queue_raises@client.example>", ENVELOPE[1])
        client = await self.in_data(self.server, *envelope)
        self.assertEqual((await client.ask("", "x", "."))[:3], "450")
        self.assertEqual(self.server.delivered(), [])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        await self.goes_on(client)
