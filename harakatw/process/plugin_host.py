"""
The plugins of a running server: loaded at the start, swapped when their files change.
"""

from collections.abc import Mapping
from pathlib import Path

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from harakatw import plugins
from harakatw.errors import PluginError
from harakatw.hooks.loader import LoadedPlugin, PluginLoader
from harakatw.hooks.registry import Registry, load_plugins
from harakatw.hooks.search import PluginSearch
from harakatw.process.instance import Instance
from harakatw.process.settings import Settings

BUNDLED = "harakatw.plugins"


def plugin_search(local: Path | None = None) -> PluginSearch:
    """
    Where plugins are looked for.

    @param local: an instance's C{plugins/}, which need not exist; L{None} for the
        bundled and the installed plugins alone.
    """
    folder = Path(next(iter(plugins.__path__)))
    return PluginSearch(local or folder / "none of an instance", BUNDLED, folder)


class PluginHost:
    """
    Keeps the registry in force.

    @ivar registry: for sessions that begin now.
    """

    _log = Logger()

    def __init__(
        self, instance: Instance, services: Mapping[str, object], clock: IReactorTime
    ) -> None:
        """
        @param services: what plugins may ask for, by name.
        @param clock: for their time-outs.
        """
        self._instance = instance
        self._services = services
        self._clock = clock
        self.registry = Registry((), {})

    def load(self, settings: Settings) -> None:
        """
        Load the plugins of C{config/plugins}.

        @raise PluginError: if one cannot be loaded and C{ignore_bad_plugins} is not
            set.
        """
        self.registry = self._load(settings, frozenset(), frozenset())

    def reload(
        self, settings: Settings, changed: frozenset[str], sources: frozenset[str]
    ) -> None:
        """
        Swap the plugins whose files changed; open sessions keep what they began with.

        When anything is wrong all stays as it is, and the log says why.

        @param changed: names within C{config/}.
        @param sources: names within C{plugins/}.
        """
        before = self.registry
        try:
            after = self._load(settings, changed, sources)
        except PluginError as error:
            self._log.error("{error}: the plugins stay as they are", error=error)
            return
        self.registry = after
        before.shut_down(keep=after)

    def _load(
        self, settings: Settings, changed: frozenset[str], sources: frozenset[str]
    ) -> Registry:
        loader = PluginLoader(
            plugin_search(self._instance.plugins),
            settings.files,
            self._services,
            settings.server.plugin_timeout,
        )
        folder = self._instance.plugins.resolve()
        touched = frozenset(str(folder / source) for source in sources)
        known = {plugin.name: plugin for plugin in self.registry.plugins}

        def unchanged(name: str) -> LoadedPlugin | None:
            plugin = known.get(name)
            if plugin is None or plugin.source in touched:
                return None
            return None if plugin.files & changed or _all(changed) else plugin

        registry = load_plugins(
            settings.server.plugins,
            loader,
            self._clock,
            ignore_bad=settings.server.ignore_bad_plugins,
            unchanged=unchanged,
        )
        for plugin in registry.plugins:
            if plugin is not known.get(plugin.name):
                for problem in plugin.problems:
                    self._log.warn("{problem}", problem=str(problem))
        return registry


def _all(changed: frozenset[str]) -> bool:
    """Does a change of these concern every plugin?"""
    return not changed.isdisjoint(
        ("smtp.json", "smtp.yaml", "smtp.yml", "plugin_timeout")
    )
