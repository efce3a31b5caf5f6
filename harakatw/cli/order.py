"""
C{haraka -o}: which plugin is asked when.

@see: Haraka rows RG21 and CI09
"""

from collections.abc import Iterator, Mapping
from typing import TextIO

from twisted.internet.interfaces import IReactorTime

from harakatw.cli.instance import OpenInstance
from harakatw.errors import PluginError
from harakatw.hooks.chain import Chain, Origin
from harakatw.hooks.loader import LoadedPlugin, PluginLoader
from harakatw.hooks.registry import make_chains


def show_order(
    instance: OpenInstance,
    services: Mapping[str, object],
    clock: IReactorTime,
    out: TextIO,
) -> int:
    """
    Print the plugins of each hook in the order in which they are asked.

    Hooks on which no plugin stands are left out.

    @param services: what plugins may ask for, by name.
    @param clock: for chains, which are made and not run.
    @return: 1 if a plugin could not be loaded, which is then told, else 0.
    """
    loader = PluginLoader(
        instance.search, instance.files, services, instance.server.plugin_timeout
    )
    plugins: list[LoadedPlugin] = []
    failed = 0
    for name in instance.plugin_names:
        try:
            plugins.append(loader.load(name))
        except PluginError as error:
            print(f"error: {error}", file=out)
            failed = 1
    for line in _table(make_chains(plugins, clock)):
        print(line, file=out)
    return failed


def _table(chains: Mapping[str, Chain]) -> Iterator[str]:
    rows = [
        (hook, _cells(origin))
        for hook, chain in chains.items()
        for origin in chain.origins
    ]
    titles = ("plugin", "method", "priority", "timeout")
    every = (titles, *(cells for _, cells in rows))
    widths = [max(len(cells[column]) for cells in every) for column in range(4)]
    yield f"  {_line(titles, widths)}"
    before = ""
    for hook, cells in rows:
        if hook != before:
            yield hook
        before = hook
        yield f"  {_line(cells, widths)}"


def _cells(origin: Origin) -> tuple[str, str, str, str]:
    seconds = origin.timeout_seconds
    limit = f"{seconds:g} s" if seconds else "none"
    return origin.plugin, origin.method, str(origin.priority), limit


def _line(cells: tuple[str, str, str, str], widths: list[int]) -> str:
    plugin, method, priority, limit = cells
    return (
        f"{plugin:<{widths[0]}}  {method:<{widths[1]}}"
        f"  {priority:>{widths[2]}}  {limit:>{widths[3]}}"
    )
