"""Plugins as files: where each comes from, and what it says it is for."""

import ast
import enum
import importlib.util
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import attrs

from harakatw.config.schema import OptionClass, own_file
from harakatw.errors import PluginError
from harakatw.hooks.declared import is_option_class, wanted_services
from harakatw.hooks.loader import plugin_class
from harakatw.hooks.search import ENTRY_POINT_GROUP, PluginSearch, relative_paths


class Origin(enum.Enum):
    """Where a plugin comes from. The value is a headline."""

    LOCAL = "Of this instance"
    INSTALLED = "Installed"
    BUNDLED = "Bundled"


@attrs.frozen
class PluginFile:
    """
    A plugin that could stand in C{config/plugins}.

    @ivar name: as it would stand there.
    @ivar path: its Python file; L{None} if an installed package does not show it.
    @ivar shadows: does it hide a bundled plugin of the same name?
    """

    name: str
    origin: Origin
    path: Path | None
    shadows: bool = False

    @property
    def summary(self) -> str:
        """The first line of its docstring; its code is not run."""
        return "" if self.path is None else first_line(self.path)


def list_plugins(search: PluginSearch) -> tuple[PluginFile, ...]:
    """Every plugin by name. Files whose name begins with C{_} are none."""
    names = [name for name in search.names() if not _is_private(name)]
    return tuple(_locate(search, name) for name in names)


def _is_private(name: str) -> bool:
    return any(part.startswith("_") for part in name.replace(".", "/").split("/"))


def _locate(search: PluginSearch, name: str) -> PluginFile:
    """Where L{PluginSearch.load} would find it; in the same order."""
    bundled = _below(search.bundled_path, name)
    local = _below(search.local, name)
    if local is not None:
        return PluginFile(name, Origin.LOCAL, local, bundled is not None)
    for point in entry_points(group=ENTRY_POINT_GROUP, name=name):
        path = _module_file(point.module)
        return PluginFile(name, Origin.INSTALLED, path, bundled is not None)
    return PluginFile(name, Origin.BUNDLED, bundled)


def _below(folder: Path, name: str) -> Path | None:
    paths = (folder / relative for relative in relative_paths(name))
    return next((path for path in paths if path.is_file()), None)


def _module_file(module: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec is not None and spec.origin else None


def first_line(path: Path) -> str:
    """
    The first line of a module's docstring, or of its first class's.

    @return: C{""} if there is none; a word about it if the file is not Python.
    """
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError) as error:
        return f"(cannot be read: {error})"
    nodes: list[ast.Module | ast.ClassDef] = [tree]
    nodes += [node for node in tree.body if isinstance(node, ast.ClassDef)]
    for node in nodes:
        text = ast.get_docstring(node)
        if text:
            return text.strip().split("\n")[0]
    return ""


def options_of(search: PluginSearch, name: str) -> OptionClass | None:
    """
    The option class of a plugin, if it has one.

    @raise PluginError: if the plugin cannot be imported.
    """
    cls = plugin_class(name, search.load(name))
    for wanted in wanted_services(cls):
        if wanted.name == "options" and attrs.has(wanted.type):
            return wanted.type
    return None


def shared_options_of(
    search: PluginSearch, name: str
) -> Iterator[tuple[str, OptionClass]]:
    """
    The option classes that a plugin shares with others, each with the name of its file.

    @raise PluginError: if the plugin cannot be imported.
    """
    for wanted in wanted_services(plugin_class(name, search.load(name))):
        if wanted.name != "options" and is_option_class(wanted):
            yield own_file(wanted.type, name), wanted.type


def bundled_options(search: PluginSearch) -> Iterator[tuple[str, OptionClass]]:
    """
    The bundled plugins that have options, with these, and what they share.

    One that cannot be imported here, for want of a library that it needs, is left out.
    """
    shared: dict[str, OptionClass] = {}
    for plugin in list_plugins(search):
        if plugin.origin is Origin.BUNDLED:
            try:
                cls = options_of(search, plugin.name)
            except PluginError:
                continue
            if cls is not None:
                yield plugin.name, cls
            shared.update(shared_options_of(search, plugin.name))
    yield from shared.items()
