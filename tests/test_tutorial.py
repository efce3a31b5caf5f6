"""The plugin of the tutorial does what the tutorial says."""

from datetime import datetime
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.files import ConfigFiles
from harakatw.hooks.loader import PluginLoader
from harakatw.hooks.search import PluginSearch
from harakatw.testing.server import MemoryClient, MemoryServer
from harakatw.verdict import OK
from tests.fake_plugins import fake_plugin
from tests.rules.source import CHECKOUT

EXAMPLES = CHECKOUT / "docs/examples"
TUTORIAL = CHECKOUT / "docs/tutorial.md"


class DisposableTests(SynchronousTestCase):
    """Addresses that expire."""

    def setUp(self) -> None:
        """Load the very file that the tutorial shows, as a server does."""
        self.now = datetime(2026, 12, 31, 23, 30)
        bundled = CHECKOUT / "harakatw/plugins"
        search = PluginSearch(EXAMPLES, "harakatw.plugins", bundled)
        files = ConfigFiles(Path(self.mktemp()))
        services = {"now": lambda: self.now.timestamp()}
        plugin: Any = PluginLoader(search, files, services, 30).load("disposable")
        self.accepts = fake_plugin(rcpt=OK)
        self.client: MemoryClient = MemoryServer(
            [plugin.instance, self.accepts]
        ).connect()
        self.client.say("EHLO shop.example", "MAIL FROM:<shop@example.com>")

    def reply(self, user: str) -> str:
        """What is said to a recipient."""
        return self.client.ask(f"RCPT TO:<{user}@example.org>")

    def accepted(self) -> list[str]:
        """Who the next plugin was asked about, as it saw them."""
        return [args[1].address for _, args in self.accepts.calls]

    def test_good(self) -> None:
        """Until its day is over, mail to the address reaches whom it is made of."""
        self.assertEqual(self.reply("anna-20261231")[:3], "250")
        self.assertEqual(self.accepted(), ["anna@example.org"])
        self.now = datetime(2026, 1, 1)
        self.assertEqual(self.reply("bob-b-20261231")[:3], "250")
        self.assertEqual(self.accepted()[1:], ["bob-b@example.org"])

    def test_expired(self) -> None:
        """From the next day on it is refused, and the sender reads why."""
        self.now = datetime(2027, 1, 1)
        reply = self.reply("anna-20261231")
        self.assertEqual(reply, "550 5.7.1 This address has expired\r\n")
        self.assertEqual(self.accepted(), [])

    def test_others(self) -> None:
        """Addresses without a date are left alone."""
        users = ("anna", "anna-2026", "anna-202612311", "-20261231", "a-x0261231")
        for user in users:
            self.assertEqual(self.reply(user)[:3], "250")
        self.assertEqual(self.accepted(), [f"{user}@example.org" for user in users])

    def test_no_such_day(self) -> None:
        """A date that is on no calendar does no harm."""
        self.assertEqual(self.reply("anna-20269999")[:3], "250")
        self.assertEqual(self.reply("anna-00000000")[:3], "550")


class PageTests(SynchronousTestCase):
    """What the tutorial promises."""

    def test_twenty_lines(self) -> None:
        """A useful plugin is a matter of twenty lines, blank ones included."""
        lines = (EXAMPLES / "disposable.py").read_text().splitlines()
        self.assertLessEqual(len(lines), 20)

    def test_shown(self) -> None:
        """The page shows that file, and not a copy."""
        text = TUTORIAL.read_text("utf-8")
        self.assertIn("```{literalinclude} examples/disposable.py\n", text)
        self.assertNotIn("class Disposable:", text)
