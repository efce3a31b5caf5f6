"""What C{haraka -l} prints."""

from harakatw.cli.list_plugins import plain, show_plugins
from tests.cli.instances import InstanceTestCase


class ShowPluginsTests(InstanceTestCase):
    """The list."""

    def test_sections(self) -> None:
        """Plugins stand under where they come from, each with its purpose."""
        self.plugin("mine", "OK")
        self.plugin("tarpit", "OK")
        self.assertEqual(show_plugins(self.instance().search, self.out), 0)
        lines = self.printed().splitlines()
        self.assertEqual(lines[0], "Of this instance:")
        self.assertRegex(lines[1], r"^  mine +Rules on recipients\.$")
        self.assertRegex(lines[2], r"^  tarpit .*\(in place of the bundled one\)$")
        self.assertEqual(lines[3], "Bundled:")
        self.assertTrue(any(line.startswith("  queue/maildir ") for line in lines[4:]))

    def test_no_private_helpers(self) -> None:
        """Files that plugins share are not offered as plugins."""
        show_plugins(self.instance().search, self.out)
        self.assertNotIn("  _", self.printed())

    def test_markup(self) -> None:
        """Marks of docstrings are left out."""
        self.assertEqual(plain("Reads C{a.ini} by L{b}."), "Reads a.ini by b.")
