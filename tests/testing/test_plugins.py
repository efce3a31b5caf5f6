"""An instance's own plugins in their tests."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import PluginError
from harakatw.testing.plugins import plugin_module


class PluginModuleTests(SynchronousTestCase):
    """What an author's test gets."""

    def instance(self, text: str) -> Path:
        """An instance with a plugin."""
        directory = Path(self.mktemp())
        (directory / "plugins").mkdir(parents=True)
        (directory / "plugins/rcpt_to.mine.py").write_text(text)
        return directory

    def test_own(self) -> None:
        """The instance's file is found by its name in C{config/plugins}."""
        directory = self.instance("ANSWER = 42\n")
        self.assertEqual(plugin_module(directory, "rcpt_to.mine").ANSWER, 42)

    def test_bundled(self) -> None:
        """So are the plugins that come with the server."""
        module = plugin_module(Path(self.mktemp()), "rcpt_to.in_host_list")
        self.assertTrue(hasattr(module, "InHostList"))

    def test_broken(self) -> None:
        """A plugin that cannot be imported says so."""
        directory = self.instance("1/0\n")
        error = self.assertRaises(PluginError, plugin_module, directory, "rcpt_to.mine")
        self.assertIn("division by zero", str(error))
