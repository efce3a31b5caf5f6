"""Instances with plugins of their own, for tests of loading."""

from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.files import ConfigFiles
from harakatw.hooks.loader import PluginLoader
from harakatw.hooks.registry import Registry, load_plugins
from harakatw.hooks.search import PluginSearch

RCPT_PLUGIN = """
from harakatw.plugin import OK, IRcptHook, implementer

@implementer(IRcptHook)
class Plugin:
    def hook_rcpt(self, connection, recipient, params):
        return OK
"""


class InstanceTestCase(SynchronousTestCase):
    """
    A test with an instance directory of its own.

    @ivar config: its C{config/}.
    @ivar plugins: its C{plugins/}.
    @ivar bundled: what stands for the bundled plugins, as the package C{tests_bundled}.
    @ivar services: what plugins can be given.
    @ivar clock: the time.
    """

    config: Path
    plugins: Path
    bundled: Path

    def setUp(self) -> None:
        """Make the folders."""
        root = Path(self.mktemp())
        self.config, self.plugins = root / "config", root / "plugins"
        self.bundled = root / "tests_bundled"
        for folder in (self.config, self.plugins, self.bundled):
            folder.mkdir(parents=True)
        self.services: dict[str, object] = {}
        self.clock = Clock()

    def write_plugin(self, name: str, code: str) -> None:
        """Put a plugin into the instance."""
        path = self.plugins / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, "utf-8")

    def search(self) -> PluginSearch:
        """Where plugins are looked for."""
        return PluginSearch(self.plugins, "tests_bundled", self.bundled)

    def loader(self) -> PluginLoader:
        """Makes plugins, with what the folders now hold."""
        return PluginLoader(self.search(), ConfigFiles(self.config), self.services, 30)

    def load(self, *names: str, **arguments: Any) -> Registry:
        """Load plugins."""
        return load_plugins(names, self.loader(), self.clock, **arguments)
