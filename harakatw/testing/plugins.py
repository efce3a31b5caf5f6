"""An instance's own plugins, for their tests."""

from pathlib import Path
from typing import Any

from harakatw import plugins
from harakatw.hooks.search import PluginSearch


def plugin_module(instance: Path, name: str) -> Any:
    """
    Import a plugin as a server on this instance would.

    @param instance: the instance directory; the plugin's file is in its C{plugins/}.
    @param name: as in C{config/plugins}.
    @return: the module, with the plugin's class and that of its options.
    @raise PluginError: if there is none, or its code cannot be imported.
    """
    bundled = Path(next(iter(plugins.__path__)))
    search = PluginSearch(instance / "plugins", plugins.__name__, bundled)
    return search.load(name)
