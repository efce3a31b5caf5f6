"""C{max_unrecognized_commands}: clients that do not speak SMTP."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.options import load_options
from harakatw.hooks.declared import declared_hooks
from harakatw.plugin import OK
from harakatw.plugins.max_unrecognized_commands import (
    MaxUnrecognizedCommands,
    MaxUnrecognizedCommandsOptions,
)
from harakatw.testing.server import MemoryClient, MemoryServer
from tests.config.folders import ConfigTestCase
from tests.fake_plugins import fake_plugin

NAME = "max_unrecognized_commands"


def connect(most: int, *others: object) -> MemoryClient:
    """A client of a server with the plugin."""
    options = MaxUnrecognizedCommandsOptions(max=most)
    client = MemoryServer([MaxUnrecognizedCommands(options, NAME), *others]).connect()
    client.hear()
    return client


class CountTests(SynchronousTestCase):
    """How many such commands there may be."""

    def test_limit(self) -> None:
        """The last one that is too many gets 521 and ends the session."""
        client = connect(3)
        client.say("FOO", "BAR x")
        self.assertEqual((client.codes(), client.transport.closed), ([500, 500], False))
        self.assertIn("521 5.5.2 Too many", client.ask("BAZ"))
        self.assertTrue(client.transport.closed)

    def test_none(self) -> None:
        """0 is no limit, and keeps nothing."""
        client = connect(0)
        client.say(*["FOO"] * 50)
        self.assertEqual(client.codes(), [500] * 50)
        self.assertEqual(len(client.protocol.connection.notes), 0)

    def test_known_commands(self) -> None:
        """Commands that the server knows do not count."""
        client = connect(2)
        client.say("FOO", *["NOOP", "RSET"] * 5)
        self.assertEqual(client.codes(), [500, *[250] * 10])

    def test_answered_by_plugin(self) -> None:
        """
        Neither do those that a plugin answers, though it stands further down in
        C{config/plugins}: AUTH and STARTTLS are such commands.
        """
        client = connect(2, fake_plugin(unrecognized_command=OK))
        client.say(*["FOO"] * 5)
        self.assertEqual(client.codes(), [250] * 5)

    def test_per_session(self) -> None:
        """Each session has a count of its own."""
        options = MaxUnrecognizedCommandsOptions(max=2)
        server = MemoryServer([MaxUnrecognizedCommands(options, NAME)])
        for client in [server.connect() for _ in range(3)]:
            self.assertIn("500 ", client.ask("FOO"))

    def test_results(self) -> None:
        """What was tried can be found in the results."""
        client = connect(5)
        client.say("FOO", "BAR")
        found = client.protocol.connection.results.get(NAME)["fail"]
        self.assertEqual(
            found, ["unrecognized command FOO", "unrecognized command BAR"]
        )

    def test_last(self) -> None:
        """It is asked after all others."""
        (declared,) = declared_hooks(NAME, MaxUnrecognizedCommands)
        wanted = "unrecognized_command", 100
        self.assertEqual((declared.hook, declared.priority), wanted)


class OptionTests(ConfigTestCase):
    """The file C{max_unrecognized_commands}."""

    def test_file(self) -> None:
        """A number, 10 if there is none; a negative one is a mistake."""
        for content, wanted in (None, 10), ("3\n", 3), ("0", 0), ("-1", 10), ("x", 10):
            if content is not None:
                self.write(NAME, content)
            loaded = load_options(MaxUnrecognizedCommandsOptions, self.files(), NAME)
            self.assertEqual(loaded.options.max, wanted)
            self.assertEqual(bool(loaded.problems), content in ("-1", "x"))
