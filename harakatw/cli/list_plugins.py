"""
C{haraka -l}: the plugins that there are.

@see: Haraka row CI06
"""

from collections.abc import Iterable
from typing import TextIO

from harakatw.cli.plugin_files import Origin, PluginFile, list_plugins
from harakatw.hooks.search import PluginSearch


def show_plugins(search: PluginSearch, out: TextIO) -> int:
    """Print the plugins by where they come from, each with what it is for."""
    plugins = list_plugins(search)
    width = max((len(plugin.name) for plugin in plugins), default=0)
    for origin in Origin:
        _section(origin, [p for p in plugins if p.origin is origin], width, out)
    return 0


def _section(
    origin: Origin, plugins: Iterable[PluginFile], width: int, out: TextIO
) -> None:
    lines = [f"  {plugin.name:<{width}}  {_remark(plugin)}" for plugin in plugins]
    if lines:
        print(f"{origin.value}:", *map(str.rstrip, lines), sep="\n", file=out)


def _remark(plugin: PluginFile) -> str:
    hides = " (in place of the bundled one)" if plugin.shadows else ""
    return f"{plain(plugin.summary)}{hides}"


def plain(text: str) -> str:
    """Words of a docstring without their markup."""
    return text.replace("C{", "").replace("L{", "").replace("}", "")
