"""The server stops: what sessions are told, and what becomes of their messages."""

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError

from tests.functional.hurry import HurriedReactor, reactor
from tests.functional.server import ENVELOPE, INSTANCE, RunningServer, ServerTestCase

SLOW = '''
"""Takes as long to queue a message as the test wants."""

from harakatw.plugin import IQueueHook, IRcptHook, implementer


@implementer(IQueueHook, IRcptHook)
class Slow:
    def __init__(self, server):
        self.server = server

    def hook_rcpt(self, connection, recipient, params):
        return self.wait() if recipient.user == "slow" else None

    def hook_queue(self, connection):
        return self.wait()

    def wait(self):
        self.server.notes.get("asked").callback(None)
        return self.server.notes.get("verdict")
'''


class ShutdownTestCase(ServerTestCase):
    """Has a server whose queue plugin waits."""

    def site(self, smtp_ini: str = "", factor: float = 1.0) -> RunningServer:
        """
        Start it.

        @param smtp_ini: more of C{smtp.ini}.
        """
        self.asked: Deferred[None] = Deferred()
        self.verdict: Deferred[None] = Deferred()
        server = self.start(
            {
                "plugins/slow.py": SLOW,
                "config/plugins": f"slow\n{INSTANCE['config/plugins']}",
                "config/smtp.ini": f"{INSTANCE['config/smtp.ini']}{smtp_ini}",
            },
            HurriedReactor(factor),
        )
        server.service.server.notes.set("asked", self.asked)
        server.service.server.notes.set("verdict", self.verdict)
        return server


class AtOnceTests(ShutdownTestCase):
    """Without C{graceful_shutdown}."""

    async def test_everybody_is_told(self) -> None:
        """
        Whatever a session does, it is told 421 and closed: between commands, within a
        message, and while a plugin rules on a recipient.
        """
        server = self.site()
        idle = await self.greeted(server)
        sending = await self.in_data(server)
        sending.say("Subject: half")
        waiting = await self.greeted(server)
        waiting.say(ENVELOPE[0], "RCPT TO:<slow@here.example>")
        await waiting.codes(1)
        await self.asked.addTimeout(5, reactor)
        await server.stop()
        for client in (idle, sending, waiting):
            self.assertEqual(await client.rest(), [421])
        self.assertEqual(server.delivered(), [])
        self.assertEqual(list(server.service.sweep.sessions), [])

    async def test_being_queued(self) -> None:
        """
        A message that is just being queued is queued, and its client reads the 250
        before the 421: else it would send it a second time.
        """
        server = self.site()
        port = server.port
        client = await self.in_data(server)
        client.say("Subject: whole", "", "x", ".")
        await self.asked.addTimeout(5, reactor)
        stopped = Deferred.fromCoroutine(server.stop())
        await self.assertFailure(
            Deferred.fromCoroutine(self.connect(server, port)), ConnectionRefusedError
        )
        self.assertFalse(stopped.called)
        self.verdict.callback(None)
        self.assertEqual(await client.rest(), [250, 421])
        await stopped
        (message,) = server.delivered()
        self.assertIn(b"Subject: whole\r\n", message)


class GracefulTests(ShutdownTestCase):
    """With C{graceful_shutdown}."""

    GRACEFUL = "graceful_shutdown=true\nforce_shutdown_timeout=60\n"

    async def test_sessions_end_by_themselves(self) -> None:
        """
        An open session goes on to send its message, while new ones find the port
        closed; when it has quit the server is down.
        """
        server = self.site(self.GRACEFUL)
        port = server.port
        client = await self.greeted(server)
        stopped = Deferred.fromCoroutine(server.stop())
        await self.assertFailure(
            Deferred.fromCoroutine(self.connect(server, port)), ConnectionRefusedError
        )
        client.say(*ENVELOPE, "DATA")
        self.assertEqual(await client.codes(3), [250, 250, 354])
        self.verdict.callback(None)
        self.assertEqual((await client.ask("", "x", "."))[:3], "250")
        self.assertFalse(stopped.called)
        client.say("QUIT")
        self.assertEqual(await client.rest(), [221])
        await stopped
        self.assertEqual(len(server.delivered()), 1)

    async def test_forced(self) -> None:
        """
        A session that does not end in C{force_shutdown_timeout} is told 421. That is a
        minute here, on a server whose time passes a hundred times as fast.
        """
        server = self.site(self.GRACEFUL, 100.0)
        client = await self.greeted(server)
        began = reactor.seconds()
        await server.stop()
        lasted = (reactor.seconds() - began) * 100
        self.assertTrue(59 <= lasted <= 120, lasted)
        self.assertEqual(await client.rest(), [421])
