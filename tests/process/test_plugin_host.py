"""Tests of C{harakatw.process.plugin_host}."""

import os
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import PluginError
from harakatw.process.instance import Instance
from harakatw.process.plugin_host import PluginHost, plugin_search
from harakatw.process.settings import read_settings
from tests.log_events import collect_log

WATCHED_PLUGIN = """
import attrs
from harakatw.config.options import doc
from harakatw.plugin import CONT, IRcptHook, implementer

@attrs.frozen(kw_only=True)
class Options:
    config_file = "{name}.ini"
    word: str = attrs.field(default="", metadata=doc("A word."))

@implementer(IRcptHook)
class Plugin:
    options: Options
    told: list[str]

    def __init__(self, options: Options, told: list[str]) -> None:
        self.options = options
        self.told = told

    def register(self):
        self.told.append("{name} begins{news}")

    def shutdown(self):
        self.told.append("{name} ends")

    def hook_rcpt(self, connection, recipient, params):
        return CONT
"""


class PluginHostTests(SynchronousTestCase):
    """Plugins of a running server."""

    def setUp(self) -> None:
        """An instance with two plugins, C{left} and C{right}."""
        self._instance = Instance(Path(self.mktemp()))
        self._instance.config.mkdir(parents=True)
        self._instance.plugins.mkdir()
        self._writes = 0
        self._told: list[str] = []
        for name in ("left", "right"):
            self._plugin(name)
        self._configure("plugins", "left\nright\n")
        services = {"told": self._told}
        self._host = PluginHost(self._instance, services, Clock())

    def _configure(self, name: str, text: str) -> None:
        (self._instance.config / name).write_text(text)

    def _plugin(self, name: str, news: str = "") -> None:
        self._source(name, WATCHED_PLUGIN.format(name=name, news=news))

    def _source(self, name: str, code: str) -> None:
        path = self._instance.plugins / f"{name}.py"
        path.write_text(code)
        self._writes += 1  # an editor's next save is later than the one before
        os.utime(path, (1_700_000_000 + self._writes,) * 2)

    def _load(self) -> dict[str, Any]:
        self._host.load(read_settings(self._instance.config))
        return self._loaded()

    def _reload(self, *changed: str, sources: tuple[str, ...] = ()) -> dict[str, Any]:
        settings = read_settings(self._instance.config)
        self._told.clear()
        self._host.reload(settings, frozenset(changed), frozenset(sources))
        return self._loaded()

    def _loaded(self) -> dict[str, Any]:
        return {each.name: each.instance for each in self._host.registry.plugins}

    def test_before_load(self) -> None:
        """Before the start there are no plugins."""
        self.assertEqual(self._loaded(), {})

    def test_load(self) -> None:
        """At the start plugins are made in the order of config/plugins."""
        self._configure("plugins", "right\nleft\n")
        self.assertEqual(list(self._load()), ["right", "left"])
        self.assertEqual(self._told, ["right begins", "left begins"])

    def test_bad_plugin_at_start(self) -> None:
        """
        A server whose plugin cannot be loaded does not start; it names the plugin.
        """
        self._source("right", "import there_is_no_such_module\n")
        error = self.assertRaises(PluginError, self._load)
        self.assertIn("right", str(error))
        self.assertEqual(self._loaded(), {})

    def test_ignored_bad_plugin(self) -> None:
        """With C{ignore_bad_plugins} it starts without that one (row RG18)."""
        self._source("right", "import there_is_no_such_module\n")
        self._configure("smtp.ini", "ignore_bad_plugins=true\n")
        self.assertEqual(list(self._load()), ["left"])

    def test_own_file_changed(self) -> None:
        """A change of one plugin's file swaps that plugin and no other."""
        before = self._load()
        self._configure("left.ini", "word=new\n")
        after = self._reload("left.ini")
        self.assertEqual(after["left"].options.word, "new")
        self.assertIs(after["right"], before["right"])
        self.assertEqual(self._told, ["left begins", "left ends"])

    def test_foreign_file_changed(self) -> None:
        """A change of a file that no plugin reads swaps none."""
        before = self._load()
        self.assertEqual(self._reload("log.ini"), before)
        self.assertEqual(self._told, [])

    def test_source_changed(self) -> None:
        """A plugin whose program was edited runs as it is now, without a restart."""
        before = self._load()
        self._plugin("right", " anew")
        after = self._reload(sources=("right.py",))
        self.assertIs(after["left"], before["left"])
        self.assertEqual(self._told, ["right begins anew", "right ends"])

    def test_common_files(self) -> None:
        """A change of what concerns all plugins swaps all."""
        for name in ("smtp.json", "plugin_timeout"):
            before = self._load()
            after = self._reload(name)
            for plugin in ("left", "right"):
                self.assertIsNot(after[plugin], before[plugin])

    def test_time_out_changed(self) -> None:
        """A plugin's new time-out is in force at once."""
        self._load()
        self._configure("left.timeout", "7")
        self._reload("left.timeout")
        seconds = [each.timeout_seconds for each in self._host.registry.plugins]
        self.assertEqual(seconds, [7, 30])

    def test_removed(self) -> None:
        """A plugin that is struck off the list is told that it ends."""
        self._load()
        self._configure("plugins", "right\n")
        self.assertEqual(list(self._reload("plugins")), ["right"])
        self.assertEqual(self._told, ["left ends"])

    def test_added(self) -> None:
        """A plugin that is added stands where the list says; the others stay."""
        before = self._load()
        self._plugin("middle")
        self._configure("plugins", "left\nmiddle\nright\n")
        after = self._reload("plugins")
        self.assertEqual(list(after), ["left", "middle", "right"])
        self.assertIs(after["right"], before["right"])
        self.assertEqual(self._told, ["middle begins"])

    def test_broken_on_reload(self) -> None:
        """
        A typing error in a plugin does not take a running server's plugins away; the
        log says so.
        """
        before = self._load()
        registry = self._host.registry
        self._source("right", "def hook_rcpt(:\n")
        events = collect_log(self)
        self.assertEqual(self._reload(sources=("right.py",)), before)
        self.assertIs(self._host.registry, registry)
        self.assertEqual(self._told, [])
        (error,) = (event["error"] for event in events if "error" in event)
        self.assertIn("right", str(error))

    def test_half_done(self) -> None:
        """What a reload began before it failed is ended; what was in force is not."""
        self._load()
        self._plugin("left", " anew")
        self._source("right", "def hook_rcpt(:\n")
        self._reload(sources=("left.py", "right.py"))
        self.assertEqual(self._told, ["left begins anew", "left ends"])

    def test_mended(self) -> None:
        """Once the error is mended the next reload takes the plugin."""
        self._load()
        self._source("right", "def hook_rcpt(:\n")
        self._reload(sources=("right.py",))
        self._plugin("right", " mended")
        self._reload(sources=("right.py",))
        self.assertEqual(self._told, ["right begins mended", "right ends"])

    def test_problem(self) -> None:
        """
        What a plugin does not understand in its file is logged when it is loaded, and
        not each time that something else changes.
        """
        self._configure("left.ini", "wrod=new\n")
        events = collect_log(self)
        self._load()
        self._reload("log.ini")
        problems = [event["problem"] for event in events if "problem" in event]
        self.assertEqual(len([each for each in problems if "wrod" in each]), 1)

    def test_bundled(self) -> None:
        """An instance without plugins of its own has the bundled ones."""
        module = plugin_search().load("rcpt_to.in_host_list")
        self.assertEqual(module.__name__, "harakatw.plugins.rcpt_to.in_host_list")
