"""
A postmaster edits files while the server runs.

The server's time passes faster than ours, since it waits a second for an editor to be
done.
"""

from collections.abc import Awaitable, Callable

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError

from tests.functional.client import DEADLINE_SECONDS, Client
from tests.functional.hurry import HurriedReactor, reactor
from tests.functional.processes import free_port
from tests.functional.server import ENVELOPE, INSTANCE, RunningServer, ServerTestCase

FACTOR = 20.0

RULES = '''
"""Refuses a recipient, with words of its own."""

from harakatw.plugin import CONT, IRcptHook, deny, implementer


@implementer(IRcptHook)
class Rules:
    def hook_rcpt(self, connection, recipient, params):
        return deny("{words}") if recipient.user == "nobody" else CONT
'''

NOBODY = "RCPT TO:<nobody@here.example>"
ELSEWHERE = "RCPT TO:<b@there.example>"


class ReloadTestCase(ServerTestCase):
    """Has a server, with a plugin of its own."""

    def setUp(self) -> None:
        """Start it."""
        super().setUp()
        self.server = self.start(
            {
                "plugins/rules.py": RULES.format(words="as it was"),
                "config/plugins": f"rules\n{INSTANCE['config/plugins']}",
                "config/connection.ini": "[max]\nbytes=1000000\n",
            },
            HurriedReactor(FACTOR),
        )

    async def in_mail(self, port: int = 0) -> Client:
        """A client that has named its sender."""
        client = await self.connect(self.server, port)
        await client.replies(1)
        client.say("EHLO client.example", ENVELOPE[0])
        self.assertEqual(await client.codes(2), [250, 250])
        return client

    async def answer(self, command: str) -> str:
        """What a new session is answered after MAIL."""
        client = await self.in_mail()
        answer = await client.ask(command)
        await client.leave()
        return answer

    async def size(self) -> str:
        """What a new session is told about the size of messages."""
        client = await self.connect(self.server)
        await client.replies(1)
        hello = await client.ask("EHLO client.example")
        await client.leave()
        return hello.rpartition("SIZE ")[2]

    async def until(self, ask: Callable[[], Awaitable[str]], expected: str) -> None:
        """Ask in new sessions until the answer begins so."""
        deadline = reactor.seconds() + DEADLINE_SECONDS
        answer = await ask()
        while not answer.startswith(expected):
            self.assertLess(reactor.seconds(), deadline, answer)
            answer = await ask()


class ConfigTests(ReloadTestCase):
    """Files in C{config/}."""

    async def test_host_list(self) -> None:
        """
        A domain that is added is taken in new sessions; an open session goes by the
        list that it began with.
        """
        before = await self.in_mail()
        self.assertEqual((await before.ask(ELSEWHERE))[:3], "550")
        self.server.write("config/host_list", "here.example\nthere.example\n")
        await self.until(lambda: self.answer(ELSEWHERE), "250")
        self.assertEqual((await before.ask(ELSEWHERE))[:3], "550")
        self.assertEqual((await before.ask(ENVELOPE[1]))[:3], "250")

    async def test_connection_ini(self) -> None:
        """Limits hold for new sessions; an open session keeps those it was told."""
        before = await self.in_mail()
        self.server.write("config/connection.ini", "[max]\nbytes=2000\n")
        await self.until(self.size, "2000")
        too_big = "MAIL FROM:<a@client.example> SIZE=3000"
        self.assertEqual((await before.ask("RSET"))[:3], "250")
        self.assertEqual((await before.ask(too_big))[:3], "250")
        after = await self.greeted(self.server)
        self.assertEqual((await after.ask(too_big))[:3], "552")

    async def test_me(self) -> None:
        """The server greets by its new name."""
        self.server.write("config/me", "new.here.example\n")

        async def greeting() -> str:
            client = await self.connect(self.server)
            (text,) = await client.replies(1)
            await client.leave()
            return text

        await self.until(greeting, "220 new.here.example ")

    async def test_plugins(self) -> None:
        """A plugin that is taken off the list is not asked in new sessions."""
        before = await self.in_mail()
        self.server.write("config/plugins", INSTANCE["config/plugins"])
        await self.until(lambda: self.answer(NOBODY), "250")
        self.assertEqual(await before.ask(NOBODY), "550 5.7.1 as it was")

    async def test_broken_ini(self) -> None:
        """
        A value that makes no sense leaves in force what was last good, not the default;
        the log names file and line. Once mended, the file counts.
        """
        self.server.write("config/connection.ini", "[max]\nbytes=2000\n")
        await self.until(self.size, "2000")
        self.server.write("config/connection.ini", "; oops\n[max]\nbytes=lots\n")
        said = await self.log.wait_for("config/connection.ini:3:")
        self.assertIn("bytes", said)
        self.assertEqual(await self.size(), "2000")
        self.server.write("config/connection.ini", "[max]\nbytes=3000\n")
        await self.until(self.size, "3000")

    async def test_broken_plugin_list(self) -> None:
        """A plugin that does not exist: the list stays as it was, and the log says."""
        self.server.write("config/plugins", f"rulse\n{INSTANCE['config/plugins']}")
        said = await self.log.wait_for("plugin rulse")
        self.assertIn("did you mean rules?", said)
        self.assertEqual(await self.answer(NOBODY), "550 5.7.1 as it was")

    async def test_log_level(self) -> None:
        """The log begins to show every command, without a restart."""
        self.server.write("config/log.ini", "level=protocol\n")

        async def shown() -> str:
            await self.answer("NOOP")
            return "yes" if " C: NOOP" in self.server.output.getvalue() else "no"

        await self.until(shown, "yes")


class PluginSourceTests(ReloadTestCase):
    """Files in C{plugins/}."""

    def rewrite(self, source: str) -> None:
        """Write the plugin."""
        self.server.write("plugins/rules.py", source)

    async def test_source(self) -> None:
        """New sessions get the new code; an open one keeps its chain to its end."""
        before = await self.in_mail()
        self.rewrite(RULES.format(words="as it is"))
        await self.until(lambda: self.answer(NOBODY), "550 5.7.1 as it is")
        self.assertEqual(await before.ask(NOBODY), "550 5.7.1 as it was")
        before.say("RSET", "EHLO client.example", ENVELOPE[0], NOBODY)
        self.assertEqual((await before.replies(4))[-1], "550 5.7.1 as it was")

    async def check_broken(self, source: str, line: int, word: str) -> None:
        """
        The log names the file, the line and what is wrong; sessions, open and new, go
        on with the code as it was; once mended, the new code runs.
        """
        before = await self.in_mail()
        self.rewrite(source)
        said = await self.log.wait_for("the plugins stay as they are")
        self.assertIn(f"plugins/rules.py:{line}:", said)
        self.assertIn(word, said)
        self.assertEqual(await before.ask(NOBODY), "550 5.7.1 as it was")
        self.assertEqual(await self.answer(NOBODY), "550 5.7.1 as it was")
        self.rewrite(RULES.format(words="mended"))
        await self.until(lambda: self.answer(NOBODY), "550 5.7.1 mended")

    async def test_syntax_error(self) -> None:
        """A plugin that is no Python."""
        await self.check_broken("x = 1\n\ndef def\n", 3, "SyntaxError")

    async def test_error_at_import(self) -> None:
        """A plugin that raises while it is imported."""
        await self.check_broken("\n\n\nx = y\n", 4, "NameError")

    async def test_missing_import(self) -> None:
        """A plugin that imports what is not there."""
        await self.check_broken("import no_such_module\n", 1, "no_such_module")


class ListenTests(ReloadTestCase):
    """C{listen} in C{config/smtp.ini}."""

    async def test_other_port(self) -> None:
        """
        The new port opens and the old one closes; who was connected stays connected.
        """
        old, new = self.server.port, free_port()
        before = await self.in_mail()
        self.server.write("config/smtp.ini", f"listen=127.0.0.1:{new}\n")
        await self.log.wait_for(f"listening on 127.0.0.1:{new}")
        self.assertEqual((await self.greeting(self.server, new))[:3], "220")
        await self.assertFailure(
            self.greeting(self.server, old), ConnectionRefusedError
        )
        self.assertEqual((await before.ask(ENVELOPE[1]))[:3], "250")

    async def test_one_more(self) -> None:
        """A port that is added opens beside the one that there is."""
        old, new = self.server.port, free_port()
        both = f"listen=127.0.0.1:0,127.0.0.1:{new}\n"
        self.server.write("config/smtp.ini", both)
        await self.log.wait_for(f"listening on 127.0.0.1:{new}")
        for port in (old, new):
            self.assertEqual((await self.greeting(self.server, port))[:3], "220")

    async def test_taken(self) -> None:
        """
        A port that is not to be had is told with the file, and the server still listens
        where it did.
        """
        other = self.start()
        port = self.server.port
        self.server.write("config/smtp.ini", f"listen=127.0.0.1:{other.port}\n")
        await self.log.wait_for("config/smtp.ini: [main] listen: cannot listen on")
        self.assertEqual((await self.greeting(self.server, port))[:3], "220")

    async def test_apart(self) -> None:
        """
        What is wrong with certificates for mail that leaves does not keep the server
        from listening elsewhere.
        """
        self.server.write("config/tls.ini", "[outbound]\nca=gone.pem\n")
        await self.log.wait_for("config/tls.ini: [outbound]: gone.pem is not there")
        port = free_port()
        self.server.write("config/smtp.ini", f"listen=127.0.0.1:{port}\n")
        await self.log.wait_for(f"listening on 127.0.0.1:{port}")
        self.assertEqual((await self.greeting(self.server, port))[:3], "220")

    async def test_nonsense(self) -> None:
        """Nor does it lose its port to a line that makes no sense."""
        port = self.server.port
        self.server.write("config/smtp.ini", "\nlisten=nowhere:x:y\n")
        await self.log.wait_for("config/smtp.ini:2:")
        self.assertEqual((await self.greeting(self.server, port))[:3], "220")

    def greeting(self, server: RunningServer, port: int) -> "Deferred[str]":
        """What a port says at first."""

        async def greet() -> str:
            client = await self.connect(server, port)
            (text,) = await client.replies(1)
            await client.leave()
            return text

        return Deferred.fromCoroutine(greet())
