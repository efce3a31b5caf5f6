"""What C{haraka -o} prints."""

from twisted.internet.task import Clock

from harakatw.cli.create import write_files
from harakatw.cli.order import show_order
from tests.cli.instances import InstanceTestCase

EARLY = '''\
"""Wants to be asked first, by another name."""

from harakatw.plugin import *


class Early:
    @on_hook(IRcptHook, -50)
    def look(self, connection, recipient, params):
        return None
'''


class OrderTests(InstanceTestCase):
    """Which plugin is asked when."""

    def show(self) -> int:
        """Print the order."""
        return show_order(self.instance(), self.services(), Clock(), self.out)

    def test_order(self) -> None:
        """
        Plugins stand by hook in the order in which they are asked, with method,
        priority and time-out.
        """
        self.plugin("second", "OK")
        self.plugin("third", "CONT")
        files = {"plugins/first.py": EARLY, "config/third.timeout": "2.5\n"}
        write_files(self.directory, files)
        self.write(plugins="second\nthird\nfirst\n", plugin_timeout="0\n")
        self.assertEqual(self.show(), 0)
        lines = [line.split() for line in self.printed().splitlines()]
        self.assertEqual(
            lines,
            [
                ["plugin", "method", "priority", "timeout"],
                ["rcpt"],
                ["first", "look", "-50", "none"],
                ["second", "hook_rcpt", "0", "none"],
                ["third", "hook_rcpt", "0", "2.5", "s"],
            ],
        )

    def test_bad_plugin(self) -> None:
        """A plugin that cannot be loaded is told, and the others still stand there."""
        self.plugin("mine", "OK")
        self.write(plugins="nosuch\nmine\n")
        self.assertEqual(self.show(), 1)
        self.assertIn("error: plugin nosuch: not found", self.printed())
        self.assertIn("mine", self.printed().splitlines()[-1])

    def test_no_plugins(self) -> None:
        """Without plugins there is a headline and nothing else."""
        self.assertEqual(self.show(), 0)
        self.assertEqual(len(self.printed().splitlines()), 1)
