"""C{tarpit}: slow answers (row PB26)."""

import math

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.config.options import load_options
from harakatw.hooks.declared import HOOK_INTERFACES
from harakatw.plugins.tarpit import HOOKS, Tarpit, TarpitOptions
from harakatw.testing.server import MemoryClient, MemoryServer
from tests.config.folders import ConfigTestCase
from tests.plugins.keeper import AcceptAll, Keeper
from tests.plugins.makers import NotesOnConnection, NotesOnTransaction

NAME = "tarpit"

DIALOGUE = (
    ("HELO c.example", "helo"),
    ("EHLO c.example", "ehlo"),
    ("NOOP", "noop"),
    ("VRFY x", "vrfy"),
    ("FOO", "unrecognized_command"),
    ("RSET", "rset"),
    ("MAIL FROM:<a@far.example>", "mail"),
    ("RCPT TO:<b@here.example>", "rcpt rcpt_ok"),
    ("DATA", "data"),
    ("Subject: x\r\n\r\nx\r\n.", "data_post queue"),
    ("QUIT", "quit"),
)
"""What a client says, and the hooks that delay the answer."""


class TarpitTests(SynchronousTestCase):
    """Which answers are late, and how much."""

    def connect(self, *makers: object, options: TarpitOptions | None = None) -> None:
        """A client connects to a server with the plugin after C{makers}."""
        self.clock = Clock()
        self.tested = Tarpit(options or TarpitOptions(), NAME, self.clock)
        plugins = [*makers, self.tested, AcceptAll(), Keeper()]
        self.client = MemoryServer(plugins, clock=self.clock).connect()

    def waits(self, line: str = "") -> float:
        """Say a line; the seconds until its answer, in steps of half a second."""
        if line:
            self.client.say(line)
        began = self.clock.seconds()
        while not (said := self.client.hear()):
            self.assertLess(self.clock.seconds() - began, 100, line)
            self.clock.advance(0.5)
        self.assertLess(said[:3], "600")
        return self.clock.seconds() - began

    def test_contract(self) -> None:
        """It stands on each hook that it can delay."""
        for hook in HOOKS:
            tested = Tarpit(TarpitOptions(), NAME, Clock())
            self.assertTrue(verifyObject(HOOK_INTERFACES[hook], tested))

    def test_no_note(self) -> None:
        """Nobody is slowed down unless a plugin asks for it."""
        self.connect()
        self.assertEqual(self.waits(), 0)
        for line, _ in DIALOGUE:
            self.assertEqual(self.waits(line), 0, line)
        self.assertTrue(self.client.transport.closed)

    def test_connection(self) -> None:
        """A note on the session delays every answer, from the greeting on."""
        self.connect(NotesOnConnection({"tarpit": 2}))
        self.assertEqual(self.waits(), 2)
        for line, hooks in DIALOGUE:
            self.assertEqual(self.waits(line), 2 * len(hooks.split()), line)

    def test_transaction(self) -> None:
        """A note on the message delays answers as long as there is one."""
        self.connect(NotesOnTransaction({"tarpit": 1.5}))
        self.assertEqual(self.waits(), 0)
        for line, hooks in DIALOGUE:
            inside = set(hooks.split()) & {"mail", "rcpt", "data", "data_post"}
            expected = 1.5 * len(hooks.split()) if inside else 0
            self.assertEqual(self.waits(line), expected, line)

    def test_both(self) -> None:
        """The session's note counts before the message's, also when it says none."""
        for seconds in 3, 0:
            self.connect(
                NotesOnConnection({"tarpit": seconds}),
                NotesOnTransaction({"tarpit": 1}),
            )
            self.waits()
            self.waits("EHLO c.example")
            self.assertEqual(self.waits("MAIL FROM:<a@far.example>"), seconds)

    def test_hooks(self) -> None:
        """Only hooks on the list are delayed."""
        options = TarpitOptions(hooks_to_delay=("ehlo", "rcpt_ok"))
        self.connect(NotesOnConnection({"tarpit": 2}), options=options)
        self.assertEqual(self.waits(), 0)
        for line, hooks in DIALOGUE:
            count = len({"ehlo", "rcpt_ok"} & set(hooks.split()))
            self.assertEqual(self.waits(line), 2 * count, line)

    def test_limit(self) -> None:
        """A delay ends before the plugin's time does, which would refuse the mail."""
        for seconds in 60, "60", 30.0:
            self.connect(NotesOnConnection({"tarpit": seconds}))
            self.assertEqual(self.waits(), 27)

    def test_nonsense(self) -> None:
        """A note that is no number of seconds delays nothing, and refuses nothing."""
        notes: tuple[object, ...] = ("x", "", [], -1, math.nan, math.inf, 10**400)
        for note in notes:
            self.connect(NotesOnConnection({"tarpit": note}))
            self.assertEqual(self.waits(), 0, note)

    def test_leaves(self) -> None:
        """A client that leaves meanwhile leaves nothing behind."""
        self.connect(NotesOnConnection({"tarpit": 7}))
        self.client.leave()
        waiting = [call.getTime() for call in self.clock.getDelayedCalls()]
        self.assertNotIn(7, waiting)


class OptionTests(ConfigTestCase):
    """C{tarpit.ini} and C{tarpit.timeout}."""

    def load(self) -> TarpitOptions:
        """The options, free of problems."""
        return load_options(TarpitOptions, self.files(), NAME).checked()

    def test_hooks(self) -> None:
        """All hooks without a file; those listed with one; no others than there are."""
        self.assertEqual(self.load().hooks_to_delay, HOOKS)
        self.write("tarpit.ini", "hooks_to_delay=connect, mail;rcpt\n")
        self.assertEqual(self.load().hooks_to_delay, ("connect", "mail", "rcpt"))
        self.write("tarpit.ini", "hooks_to_delay=connect, male\n")
        loaded = load_options(TarpitOptions, self.files(), NAME)
        self.assertEqual(loaded.options.hooks_to_delay, HOOKS)
        self.assertIn("'male'", str(loaded.problems[0]))

    def test_longest(self) -> None:
        """The longest delay follows the time that the plugin has; 0 is for ever."""
        self.assertEqual(self.load().longest, 27)
        self.write("plugin_timeout", "10")
        self.assertEqual(self.load().longest, 9)
        self.write("tarpit.timeout", "100")
        self.assertEqual(self.load().longest, 90)
        self.write("tarpit.timeout", "0")
        self.assertEqual(self.load().longest, math.inf)

    def test_without_limit(self) -> None:
        """Without a time limit there is none to a delay either."""
        clock = Clock()
        tested = Tarpit(TarpitOptions(timeout=0), NAME, clock)
        maker = NotesOnConnection({"tarpit": 90})
        server = MemoryServer([maker, tested], clock=clock, plugin_timeout_seconds=0)
        client: MemoryClient = server.connect()
        clock.advance(89)
        self.assertEqual(client.hear(), "")
        clock.advance(1)
        self.assertEqual(client.codes(), [220])
