"""Plugins as files."""

from pathlib import Path

from harakatw.cli.create import write_files
from harakatw.cli.plugin_files import (
    Origin,
    bundled_options,
    first_line,
    list_plugins,
    options_of,
)
from harakatw.process.plugin_host import plugin_search
from tests.cli.instances import InstanceTestCase


class ListPluginsTests(InstanceTestCase):
    """Which plugins there are."""

    def test_origins(self) -> None:
        """The instance's own plugins are told from those that come with the server."""
        self.plugin("mine", "OK")
        found = {plugin.name: plugin for plugin in list_plugins(self.instance().search)}
        self.assertIs(found["mine"].origin, Origin.LOCAL)
        self.assertEqual(found["mine"].summary, "Rules on recipients.")
        self.assertIs(found["rcpt_to.in_host_list"].origin, Origin.BUNDLED)
        self.assertIn("config/host_list", found["rcpt_to.in_host_list"].summary)

    def test_in_place_of_a_bundled_one(self) -> None:
        """A plugin of the instance that hides a bundled one is noted as doing so."""
        self.plugin("tarpit", "OK")
        self.plugin("mine", "OK")
        found = {plugin.name: plugin for plugin in list_plugins(self.instance().search)}
        self.assertTrue(found["tarpit"].shadows)
        self.assertIs(found["tarpit"].origin, Origin.LOCAL)
        self.assertFalse(found["mine"].shadows)

    def test_helpers(self) -> None:
        """What plugins share is no plugin."""
        names = [plugin.name for plugin in list_plugins(plugin_search())]
        self.assertNotEqual(names, [])
        self.assertEqual([name for name in names if name == "_host_list"], [])

    def test_not_run(self) -> None:
        """Looking at a plugin does not run it."""
        files = {"plugins/bomb.py": '"""Ticks."""\nraise SystemExit("boom")\n'}
        write_files(self.directory, files)
        found = {plugin.name: plugin for plugin in list_plugins(self.instance().search)}
        self.assertEqual(found["bomb"].summary, "Ticks.")


class FirstLineTests(InstanceTestCase):
    """What a file says of itself."""

    def line(self, text: str) -> str:
        """The first line of a module's text."""
        path = Path(self.mktemp())
        path.write_text(text)
        return first_line(path)

    def test_class(self) -> None:
        """Without a docstring of the file, that of its class will do."""
        self.assertEqual(self.line('class C:\n    """Does it."""\n'), "Does it.")

    def test_nothing(self) -> None:
        """A file may say nothing."""
        self.assertEqual(self.line("x = 1\n"), "")

    def test_not_python(self) -> None:
        """A file that is no Python is still listed, with the reason."""
        self.assertIn("cannot be read", self.line("def f(:\n"))


class OptionsTests(InstanceTestCase):
    """What a plugin can be told."""

    def test_options(self) -> None:
        """A plugin's option class is found, and that there is none."""
        self.plugin("mine", "OK")
        search = self.instance().search
        self.assertIsNone(options_of(search, "mine"))
        cls = options_of(search, "rcpt_to.in_host_list")
        self.assertEqual(getattr(cls, "__name__", ""), "HostListOptions")

    def test_bundled(self) -> None:
        """The options of all bundled plugins are known, not those of the instance."""
        self.plugin("mine", "OK")
        names = [name for name, _ in bundled_options(self.instance().search)]
        self.assertIn("queue/maildir", names)
        self.assertNotIn("mine", names)
