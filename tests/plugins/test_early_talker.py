"""C{early_talker}: clients that do not wait for the greeting (row PN10)."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.config.options import load_options
from harakatw.plugin import IConnectInitHook, IDataHook
from harakatw.plugins.early_talker import EarlyTalker, EarlyTalkerOptions
from harakatw.testing.server import MemoryClient, MemoryServer
from tests.config.folders import ConfigTestCase
from tests.fake_plugins import fake_plugin
from tests.plugins.keeper import AcceptAll
from tests.plugins.makers import NotesOnConnection
from tests.plugins.servers import STRANGER

NAME = "early_talker"
UP_TO_DATA = (
    "EHLO c.example",
    "MAIL FROM:<a@far.example>",
    "RCPT TO:<b@here.example>",
    "DATA",
)


class EarlyTalkerTests(SynchronousTestCase):
    """Who waits, and what becomes of who does not."""

    def connect(
        self,
        *others: object,
        ip: str = STRANGER,
        pause: float = 5,
        reject: bool = True,
        whitelist: tuple[str, ...] = (),
    ) -> MemoryClient:
        """A client that has just connected."""
        self.clock = Clock()
        options = EarlyTalkerOptions(
            pause=pause, reject=reject, ip_whitelist=dict.fromkeys(whitelist, "")
        )
        tested = EarlyTalker(options, NAME, self.clock)
        plugins = [*others, tested, AcceptAll()]
        return MemoryServer(plugins, clock=self.clock).connect(ip)

    def data(self, client: MemoryClient) -> str:
        """Say all up to DATA; the last answer."""
        return [client.ask(line) for line in UP_TO_DATA][-1]

    def found(self, client: MemoryClient) -> dict[str, list[str]]:
        """What the plugin recorded."""
        return dict(client.protocol.connection.results.get(NAME))

    def test_contract(self) -> None:
        """It stands on the first hook of a session, and on DATA."""
        tested = EarlyTalker(EarlyTalkerOptions(), NAME, Clock())
        self.assertTrue(verifyObject(IConnectInitHook, tested))
        self.assertTrue(verifyObject(IDataHook, tested))

    def test_patient(self) -> None:
        """Who waits for the greeting is served."""
        client = self.connect()
        self.clock.advance(4.9)
        self.assertEqual(client.hear(), "")
        self.clock.advance(0.1)
        self.assertEqual(client.codes(), [220])
        self.assertEqual(self.data(client)[:3], "354")
        self.assertEqual(self.found(client), {"pass": ["early"]})

    def test_early(self) -> None:
        """Who does not is told so at DATA, and disconnected."""
        client = self.connect()
        client.say("EHLO c.example")
        self.clock.advance(5)
        self.assertEqual(client.codes(), [220, 250])
        self.assertEqual(self.data(client), "554 5.7.1 You talk too soon\r\n")
        self.assertTrue(client.transport.closed)
        self.assertEqual(self.found(client), {"fail": ["early"]})

    def test_pipelined(self) -> None:
        """Who sends more along with a command that must be waited for is one too."""
        client = self.connect()
        self.clock.advance(5)
        client.say("EHLO c.example", "MAIL FROM:<a@far.example>")
        self.assertIn("554 5.7.1", self.data(client))
        self.assertEqual(self.found(client), {"pass": ["early"], "fail": ["early"]})

    def test_no_reject(self) -> None:
        """It may be noted only, for other plugins to judge."""
        client = self.connect(reject=False)
        client.say("EHLO c.example")
        self.clock.advance(5)
        self.assertEqual(self.data(client)[:3], "354")
        self.assertEqual(self.found(client), {"fail": ["early"]})

    def test_off(self) -> None:
        """Without a pause it does nothing."""
        client = self.connect(pause=0)
        client.say("EHLO c.example", "MAIL FROM:<a@far.example>")
        self.assertEqual(self.data(client)[:3], "354")
        self.assertEqual(self.found(client), {})

    def test_excused(self) -> None:
        """Clients that are known or near do not wait, and may be hasty."""
        relay = NotesOnConnection(relaying=True)
        login = NotesOnConnection({"auth_user": "u"})
        good = fake_plugin(
            connect_init=lambda connection: connection.results.add("karma", good=1)
        )
        for others, ip, whitelist, why in (
            ((relay,), STRANGER, (), "relay"),
            ((login,), STRANGER, (), "authed"),
            ((good,), STRANGER, (), "+karma"),
            ((), STRANGER, (STRANGER,), "whitelist"),
            ((), STRANGER, ("2001:db8::/32", "9.9.0.0/16"), "whitelist"),
            ((), "127.0.0.1", (), "local_ip"),
            ((), "10.1.2.3", (), "private_ip"),
        ):
            client = self.connect(*others, ip=ip, whitelist=whitelist)
            self.assertEqual(client.codes(), [220], why)
            client.say("EHLO c.example", "NOOP")
            self.assertIn("354", self.data(client), why)
            self.assertEqual(self.found(client), {"skip": [why]})

    def test_bad_karma(self) -> None:
        """A client that is known for nothing good waits."""
        bad = fake_plugin(
            connect_init=lambda connection: connection.results.add("karma", good=0)
        )
        self.assertEqual(self.connect(bad).codes(), [])

    def test_login_later(self) -> None:
        """Who was hasty and then logs in is served."""
        client = self.connect()
        client.say("EHLO c.example")
        self.clock.advance(5)
        client.protocol.connection.relaying = True
        self.assertEqual(self.data(client)[:3], "354")
        self.assertEqual(self.found(client), {"fail": ["early"], "skip": ["relay"]})

    def test_leaves(self) -> None:
        """A client that leaves meanwhile leaves nothing behind."""
        client = self.connect()
        client.leave()
        self.clock.advance(0)
        waiting = [call.getTime() for call in self.clock.getDelayedCalls()]
        self.assertNotIn(5, waiting)


class OptionTests(ConfigTestCase):
    """C{early_talker.ini}."""

    def test_file(self) -> None:
        """Pause, rejection and networks, as in Haraka's file."""
        self.write(
            "early_talker.ini",
            "pause=7\nreject=false\n\n[ip_whitelist]\n192.0.2.1\n2001:db8::/32\n",
        )
        options = load_options(EarlyTalkerOptions, self.files(), NAME).checked()
        self.assertEqual((options.pause, options.reject), (7, False))
        self.assertEqual(list(options.ip_whitelist), ["192.0.2.1", "2001:db8::/32"])

    def test_defaults(self) -> None:
        """Without a file clients wait five seconds, and hasty ones are refused."""
        options = load_options(EarlyTalkerOptions, self.files(), NAME).checked()
        self.assertEqual((options.pause, options.reject), (5, True))

    def test_wrong(self) -> None:
        """A pause that no client waits for, and what is no network, are reported."""
        for content in "pause = 400\n", "pause = -1\n", "[ip_whitelist]\n192.0.2.300\n":
            self.write("early_talker.ini", content)
            loaded = load_options(EarlyTalkerOptions, self.files(), NAME)
            self.assertEqual(len(loaded.problems), 1, content)
            self.assertEqual(loaded.options, EarlyTalkerOptions())
