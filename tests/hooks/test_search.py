"""Finding a plugin's file by its name in config/plugins."""

import sys
from pathlib import Path

from harakatw.errors import PluginError
from harakatw.hooks.search import RETIRED, relative_paths, successor
from tests.hooks.instances import InstanceTestCase


class NameTests(InstanceTestCase):
    """What names mean."""

    def test_retired(self) -> None:
        """Haraka's retired names find their successors, with or without the prefix."""
        self.assertEqual(successor("dnsbl"), "dns-list")
        self.assertEqual(successor("haraka-plugin-rcpt_to.max_count"), "limit")
        self.assertEqual(successor("haraka-plugin-dkim"), "dkim")
        self.assertEqual(successor("rcpt_to.in_host_list"), "rcpt_to.in_host_list")

    def test_successors_are_not_retired(self) -> None:
        """One step leads to today's name."""
        self.assertEqual(RETIRED.keys() & set(RETIRED.values()), set())

    def test_paths(self) -> None:
        """Dots part folders, hyphens become underscores."""
        self.assertIn("rcpt_to/in_host_list.py", relative_paths("rcpt_to.in_host_list"))
        self.assertIn("dns_list.py", relative_paths("dns-list"))
        self.assertEqual(
            relative_paths("queue/smtp_forward")[0], "queue/smtp_forward.py"
        )

    def test_not_a_name(self) -> None:
        """What could lead out of the plugin folders is no name."""
        outside = self.plugins.parent / "outside.py"
        outside.write_text("raise SystemExit('loaded')")
        for name in (
            "../outside",
            "/etc/passwd",
            "a/../../outside",
            "",
            ".",
            "..outside",
            "a//b",
            "a b",
            "a\n",
            "a\0",
            "./outside",
            "~root/x",
        ):
            error = self.assertRaises(PluginError, self.search().load, name)
            self.assertIn("not a plugin's name", str(error))


class FileTests(InstanceTestCase):
    """Where plugins are found."""

    def test_local(self) -> None:
        """The instance's own plugins are found under every spelling of the path."""
        for name, path in (
            ("mine", "mine"),
            ("queue/mine", "queue/mine"),
            ("rcpt_to.mine", "rcpt_to/mine"),
            ("rcpt_to.other", "rcpt_to.other"),
            ("my-list", "my_list"),
        ):
            self.write_plugin(path, f"name = {name!r}")
            self.assertEqual(self.search().load(name).name, name)

    def test_local_comes_first(self) -> None:
        """A plugin of the instance hides an installed or bundled one of its name."""
        (self.bundled / "both.py").write_text("where = 'bundled'")
        self.write_plugin("both", "where = 'instance'")
        self.assertEqual(self.search().load("both").where, "instance")

    def test_bundled(self) -> None:
        """Bundled plugins are modules of a package."""
        (self.bundled / "__init__.py").write_text("")
        (self.bundled / "rcpt_to").mkdir()
        (self.bundled / "rcpt_to/theirs.py").write_text("where = __name__")
        self.patch(sys, "path", [str(self.bundled.parent), *sys.path])
        self.addCleanup(self._forget_bundled)
        module = self.search().load("rcpt_to.theirs")
        self.assertEqual(module.where, "tests_bundled.rcpt_to.theirs")

    def _forget_bundled(self) -> None:
        for name in [each for each in sys.modules if each.startswith("tests_bundled")]:
            del sys.modules[name]

    def test_read_afresh(self) -> None:
        """A plugin that was edited is read again, whatever its time stamp says."""
        self.write_plugin("mine", "version = 1")
        first = self.search().load("mine")
        self.write_plugin("mine", "version = 2")
        second = self.search().load("mine")
        self.assertEqual((first.version, second.version), (1, 2))

    def test_instances_are_apart(self) -> None:
        """Two instances in one process may have different plugins of one name."""
        self.write_plugin("mine", "version = 1")
        first = self.search().load("mine")
        self.setUp()
        self.write_plugin("mine", "version = 2")
        second = self.search().load("mine")
        self.assertIsNot(first, second)
        self.assertNotEqual(first.__name__, second.__name__)
        self.assertIs(sys.modules[first.__name__], first)

    def test_broken(self) -> None:
        """A plugin with a mistake is named, with the mistake and its file."""
        for code in ("def (:", "import nowhere_to_be_found", "1 / 0"):
            self.write_plugin("broken", code)
            error = self.assertRaises(PluginError, self.search().load, "broken")
            self.assertIn("plugin broken:", str(error))
            self.assertIn("broken.py", str(error))

    def test_broken_edit(self) -> None:
        """When an edit breaks a plugin, the version in use stays importable."""
        self.write_plugin("mine", "version = 1")
        first = self.search().load("mine")
        self.write_plugin("mine", "1 / 0")
        self.assertRaises(PluginError, self.search().load, "mine")
        self.assertIs(sys.modules[first.__name__], first)

    def test_missing(self) -> None:
        """A name that there is not: where it was looked for, and what is like it."""
        self.write_plugin("rcpt_to/in_host_list", "")
        error = self.assertRaises(
            PluginError, self.search().load, "rcpt_to.in_hostlist"
        )
        self.assertIn("did you mean rcpt_to.in_host_list?", str(error))
        self.assertIn(str(self.plugins), str(error))

    def test_names(self) -> None:
        """All plugins that could be named are listed under the names they go by."""
        for path in ("mine", "queue/mine", "rcpt_to/mine", "sub/__init__"):
            self.write_plugin(path, "")
        (self.bundled / "theirs.py").write_text("")
        names = self.search().names()
        for name in ("mine", "queue/mine", "rcpt_to.mine", "theirs"):
            self.assertIn(name, names)
        self.assertNotIn("sub/__init__", names)


class InstalledTests(InstanceTestCase):
    """Plugins that come with an installed package."""

    def setUp(self) -> None:
        """Install a package, as pip would."""
        super().setUp()
        site = self.plugins.parent / "site"
        info = site / "other_plugins-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Name: other-plugins\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(
            "[harakatw.plugins]\n"
            "greylist = harakatw_tests_other\n"
            "greylist2 = harakatw_tests_other:Second\n"
            "broken = harakatw_tests_nowhere\n"
        )
        self._write_module(site)
        self.patch(sys, "path", [str(site), *sys.path])
        self.addCleanup(sys.modules.pop, "harakatw_tests_other", None)

    def _write_module(self, site: Path) -> None:
        code = "where = 'installed'\n\nclass Second:\n    pass\n"
        (site / "harakatw_tests_other.py").write_text(code)

    def test_found(self) -> None:
        """A plugin is found by its entry point, be that a module or a class in one."""
        for name in ("greylist", "greylist2"):
            self.assertEqual(self.search().load(name).where, "installed")
            self.assertIn(name, self.search().names())

    def test_between(self) -> None:
        """It comes after the instance's own and before the bundled ones."""
        (self.bundled / "greylist.py").write_text("where = 'bundled'")
        self.assertEqual(self.search().load("greylist").where, "installed")
        self.write_plugin("greylist", "where = 'instance'")
        self.assertEqual(self.search().load("greylist").where, "instance")

    def test_broken(self) -> None:
        """A package that cannot be imported is named, not passed over."""
        error = self.assertRaises(PluginError, self.search().load, "broken")
        self.assertIn("harakatw_tests_nowhere", str(error))
