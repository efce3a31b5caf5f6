"""An instance as the command sees it."""

from pathlib import Path

from harakatw.cli.failure import CommandError
from harakatw.cli.instance import CORE, open_instance
from harakatw.config.core import PluginTimeoutOptions
from tests.cli.instances import InstanceTestCase
from tests.rules.option_classes import OWNER, option_classes


class OpenInstanceTests(InstanceTestCase):
    """What is known of an instance before it runs."""

    def test_no_instance(self) -> None:
        """A directory without C{config/} is refused, with the way to make one."""
        directory = Path(self.mktemp())
        error = self.assertRaises(CommandError, open_instance, directory)
        self.assertIn(f"haraka -i {directory.absolute()}", str(error))

    def test_plugin_names(self) -> None:
        """Plugins go by today's names, each once, in their order."""
        self.write(plugins="tarpit\nmail_from.access\n#off\naccess\nrdns.regexp\n")
        self.assertEqual(self.instance().plugin_names, ("tarpit", "access"))

    def test_core(self) -> None:
        """Every file that the server itself reads is among those that are checked."""
        every = {cls for name, cls in option_classes() if name == OWNER}
        self.assertEqual({cls for _, cls in CORE}, every - {PluginTimeoutOptions})
