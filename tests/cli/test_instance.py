"""An instance as the command sees it."""

from pathlib import Path
from typing import get_type_hints

from harakatw.cli.failure import CommandError
from harakatw.cli.instance import open_instance
from harakatw.process.settings import CORE, Settings
from tests.cli.instances import InstanceTestCase


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
        """What the server reads when it starts is what is checked."""
        read = {
            hint
            for hint in get_type_hints(Settings).values()
            if isinstance(hint, type) and hint.__name__.endswith("Options")
        }
        self.assertEqual({cls for _, cls in CORE}, read)
