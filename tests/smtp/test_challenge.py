"""A plugin asks the client for another line in the midst of a command."""

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from harakatw.errors import ProtocolError
from harakatw.interfaces.hooks import IMailHook, IUnrecognizedCommandHook
from harakatw.verdict import CONT, Kind, Verdict, ok
from harakatw.wire.command import MAX_AUTH_LINE
from tests.log_events import collect_log
from tests.sessions import Site, make_site


@implementer(IUnrecognizedCommandHook)
class Asks:
    """
    Answers C{ASK N} by asking N times, and tells what it heard.

    @ivar heard: the answers.
    @ivar left: how often the client left instead of answering.
    """

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.left = 0

    def hook_unrecognized_command(
        self, connection: Any, verb: str, argument: str
    ) -> Any:
        """Hold the dialogue."""
        return self._ask(connection, int(argument or 1)) if verb == "ASK" else CONT

    async def _ask(self, connection: Any, times: int) -> Verdict:
        for number in range(times):
            try:
                self.heard.append(await connection.challenge(f"q{number}"))
            except ProtocolError as error:
                refusal = error.reply
                return Verdict(Kind.OK, refusal.lines, refusal.code, refusal.enhanced)
            except CancelledError:
                self.left += 1
                raise
        return ok("thank you")


class DialogueTests(SynchronousTestCase):
    """What the client says next is an answer, and no command."""

    def setUp(self) -> None:
        self.asks = Asks()
        self.site: Site = make_site(self.asks, plugin_timeout_seconds=30)
        self.site.greet()

    def test_answer(self) -> None:
        """The answer goes to the plugin, though it looks like a command."""
        self.assertEqual(self.site.client.ask("ASK"), "334 q0\r\n")
        self.assertEqual(self.site.client.ask("QUIT"), "250 thank you\r\n")
        self.assertEqual(self.asks.heard, [b"QUIT"])

    def test_empty(self) -> None:
        """An empty line is an answer, too."""
        self.site.client.ask("ASK")
        self.assertEqual(self.site.client.ask(""), "250 thank you\r\n")
        self.assertEqual(self.asks.heard, [b""])

    def test_every_cut(self) -> None:
        """However the network cuts it, the dialogue is the same."""
        octets = b"ASK 2\r\none\r\ntwo\r\nNOOP\r\n"
        wanted = "334 q0\r\n334 q1\r\n250 thank you\r\n250 2.0.0 OK\r\n"
        for at in range(len(octets) + 1):
            self.setUp()
            self.site.client.send(octets[:at])
            self.site.client.send(octets[at:])
            self.assertEqual(self.site.client.hear(), wanted, at)
            self.assertEqual(self.asks.heard, [b"one", b"two"])

    def test_one_by_one(self) -> None:
        """Octet by octet, too."""
        for octet in b"ASK 2\r\none\r\ntwo\r\nNOOP\r\n":
            self.site.client.send(bytes((octet,)))
        self.assertEqual(self.site.client.codes(), [334, 334, 250, 250])

    def test_longest(self) -> None:
        """An answer may be as long as RFC 4954 says, whatever commands may be."""
        self.site.client.ask("ASK")
        answer = b"x" * (MAX_AUTH_LINE - 2)
        self.assertEqual(self.site.client.ask(answer), "250 thank you\r\n")
        self.assertEqual(self.asks.heard, [answer])

    def test_too_long(self) -> None:
        """A longer one is refused with its own code, and the session goes on."""
        self.site.client.ask("ASK")
        said = self.site.client.ask(b"x" * (MAX_AUTH_LINE - 1), "NOOP")
        self.assertEqual(
            said,
            "500 5.5.6 Authentication exchange line is too long\r\n250 2.0.0 OK\r\n",
        )

    def test_endless(self) -> None:
        """An answer without an end is not kept."""
        self.site.client.ask("ASK")
        for _ in range(100):
            self.site.client.send(b"x" * 10_000)
        stream = self.site.client.protocol._stream
        self.assertLessEqual(len(stream.take_all()), MAX_AUTH_LINE)

    def test_bare_newline(self) -> None:
        """An answer ends in CRLF, as every line does."""
        self.site.client.ask("ASK")
        self.site.client.send(b"secret\n")
        self.assertTrue(self.site.client.hear().startswith("500 5.5.2 "))
        self.assertEqual(self.asks.heard, [])

    def test_client_leaves(self) -> None:
        """A client that leaves instead ends the wait."""
        self.site.client.ask("ASK")
        self.site.client.leave()
        self.assertEqual(self.asks.left, 1)
        self.assertEqual(len(self.site.server.factory.sweep.sessions), 0)
        self.assertEqual(self.site.server.clock.getDelayedCalls(), [])

    def test_plugin_timeout_counts_plugins_time_only(self) -> None:
        """A person at a keyboard may take longer than plugins may."""
        self.site.client.ask("ASK 3")
        for _ in range(3):
            self.site.server.clock.pump([1.0] * 200)
            self.site.client.say("slow")
        self.assertEqual(self.site.client.hear().splitlines()[-1], "250 thank you")

    def test_session_timeout(self) -> None:
        """But not longer than a session may say nothing."""
        self.site.client.ask("ASK")
        self.site.server.clock.pump([1.0] * 302)
        self.assertTrue(self.site.client.hear().startswith("421 4.4.2 "))
        self.assertTrue(self.site.client.transport.closed)

    def test_drips(self) -> None:
        """An answer that comes octet by octet does not extend that time."""
        self.site.client.ask("ASK")
        for _ in range(31):
            self.site.client.send(b"x")
            self.site.server.clock.pump([1.0] * 10)
        self.assertTrue(self.site.client.transport.closed)

    def test_shutdown(self) -> None:
        """A server that stops does not wait for an answer."""
        self.site.client.ask("ASK")
        self.site.client.protocol.shut_down()
        self.assertEqual(self.site.client.codes(), [421])

    def test_not_logged(self) -> None:
        """An answer is in no log, at no level."""
        events = collect_log(self)
        self.site.server.context.log.protocol = True
        self.site.client.ask("ASK", "c2VjcmV0")
        self.assertNotIn("c2VjcmV0", str(events))


@implementer(IMailHook)
class AsksTooLate:
    """Asks where nobody may."""

    def hook_mail(self, connection: Any, sender: Any, params: Any) -> Any:
        """Ask."""
        return connection.challenge("why")


class MisuseTests(SynchronousTestCase):
    """A mistake of a plugin's author."""

    def test_other_hook(self) -> None:
        """On other hooks there is no dialogue: the plugin is named in the log."""
        site = make_site(AsksTooLate())
        site.greet()
        self.assertEqual(
            site.client.ask("MAIL FROM:<a@b.example>"), "250 2.1.0 Sender OK\r\n"
        )
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_text(self) -> None:
        """A challenge cannot make two lines."""
        site = make_site()
        with self.assertRaises(ValueError):
            site.connection.challenge("a\r\n250 b")
        with self.assertRaises(ValueError):
            site.connection.challenge("a", code=250)

    def test_pause(self) -> None:
        """A plugin may let a client wait for longer than plugins may take."""
        waited: list[Deferred[None]] = []

        @implementer(IUnrecognizedCommandHook)
        class Waits:
            def hook_unrecognized_command(
                self, connection: Any, verb: str, argument: str
            ) -> Any:
                waited.append(connection.pause(60))
                return waited[0].addCallback(lambda _: ok("at last"))

        site = make_site(Waits(), plugin_timeout_seconds=30)
        site.greet()
        site.client.ask("WAIT")
        site.server.clock.pump([1.0] * 59)
        self.assertEqual(site.client.hear(), "")
        site.server.clock.advance(1)
        self.assertEqual(site.client.hear(), "250 at last\r\n")
