"""What C{haraka -p} begins."""

import unittest
from pathlib import Path

from twisted.internet.task import Clock

from harakatw.cli.check import check
from harakatw.cli.failure import CommandError
from harakatw.cli.new_plugin import check_name, class_name, new_plugin, plugin_files
from harakatw.cli.order import show_order
from tests.cli.instances import InstanceTestCase


class NameTests(InstanceTestCase):
    """Which names a plugin may have."""

    def test_good(self) -> None:
        """Names as Haraka's plugins have them are taken as they are."""
        for name in ("rcpt_to.disposable", "queue/my-store", "dns-list", "2fa"):
            self.assertEqual(check_name(name), name)

    def test_bad(self) -> None:
        """A name never leads out of the instance, and never into a hidden file."""
        for name in (
            "",
            "/etc/x",
            "../x",
            "a/../b",
            "a..b",
            ".x",
            "a/",
            "a//b",
            "a/.b",
            "a b",
            "a;b",
            "a\nb",
            "ä",
            "x.py",
            "x.",
        ):
            error = self.assertRaises(CommandError, check_name, name)
            self.assertIn("plugin's name", str(error))

    def test_class_name(self) -> None:
        """The class is named after the plugin, and is Python whatever that is."""
        names = ("rcpt_to.disposable", "none", "address", "2fa", "queue/my-store")
        found = [class_name(name) for name in names]
        wanted = ["RcptToDisposable", "None", "Address", "The2fa", "QueueMyStore"]
        self.assertEqual(found, [f"{word}Plugin" for word in wanted])
        self.assertTrue(all(name.isidentifier() for name in found))


class NewPluginTests(InstanceTestCase):
    """The files of a new plugin."""

    def make(self, name: str, *, force: bool = False) -> None:
        """Begin a plugin."""
        new_plugin(self.instance(), name, self.out, force=force)

    def test_its_test_passes(self) -> None:
        """The test that comes with a new plugin passes as it is."""
        self.make("rcpt_to.disposable")
        path = self.directory / "tests/test_rcpt_to_disposable.py"
        names = {"__name__": "made", "__file__": str(path)}
        exec(compile(path.read_text(), str(path), "exec"), names)
        loader = unittest.TestLoader()
        case: type[unittest.TestCase] = names["RcptToDisposablePluginTests"]  # type: ignore[assignment]  # what a test is named
        result = unittest.TestResult()
        loader.loadTestsFromTestCase(case).run(result)
        self.assertEqual((result.errors, result.failures), ([], []))
        self.assertEqual(result.testsRun, 2)

    def test_loads(self) -> None:
        """A new plugin is found, stands on its hook, and has nothing wrong with it."""
        for name in ("rcpt_to.disposable", "queue/my-store", "2fa"):
            self.make(name)
        self.write(plugins="rcpt_to.disposable\nqueue/my-store\n2fa\n")
        status = check(self.instance(), self.services(), self.out)
        self.assertEqual(status, 0, self.printed())
        show_order(self.instance(), self.services(), Clock(), self.out)
        self.assertIn("queue/my-store      hook_rcpt", self.printed())

    def test_page(self) -> None:
        """It has a page, which tells its option and its file."""
        self.make("queue/mine")
        text = (self.directory / "docs/plugins/queue/mine.md").read_text()
        self.assertIn("# queue/mine", text)
        self.assertIn("config/queue/mine.ini", text)

    def test_next_steps(self) -> None:
        """Whoever made a plugin is told how to have it asked, and where its test is."""
        self.make("mine")
        for word in ("config/plugins", "trial tests/test_mine.py", "haraka check"):
            self.assertIn(word, self.printed())

    def test_taken(self) -> None:
        """A plugin that somebody wrote is not overwritten by mistake."""
        self.plugin("mine", "OK")
        before = (self.directory / "plugins/mine.py").read_text()
        error = self.assertRaises(CommandError, self.make, "mine")
        self.assertIn("plugins/mine.py", str(error))
        self.assertEqual((self.directory / "plugins/mine.py").read_text(), before)
        self.assertFalse((self.directory / "docs").exists())

    def test_forced(self) -> None:
        """With C{-f} it is."""
        self.plugin("mine", "OK")
        self.make("mine", force=True)
        self.assertIn("MinePlugin", (self.directory / "plugins/mine.py").read_text())

    def test_hides_a_bundled_one(self) -> None:
        """A new plugin does not take the place of a bundled one by accident."""
        error = self.assertRaises(CommandError, self.make, "tarpit")
        self.assertIn("hide", str(error))
        self.make("tarpit", force=True)
        self.assertTrue((self.directory / "plugins/tarpit.py").exists())

    def test_stays_inside(self) -> None:
        """Every file of a plugin is below the instance."""
        root = Path("/instance")
        for path in plugin_files("a.b/c-d"):
            self.assertTrue((root / path).resolve().is_relative_to(root))
