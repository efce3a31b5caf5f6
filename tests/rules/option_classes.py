"""Finds the classes that say which configuration files there are."""

import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

import attrs

import harakatw
from harakatw.config.schema import METADATA_KEY, OptionClass, item_type, options
from harakatw.hooks.declared import wanted_services
from harakatw.hooks.loader import plugin_class
from harakatw.hooks.search import PluginSearch
from tests.rules.source import CHECKOUT

Pair = tuple[str, OptionClass]
"""An owner's name, which may name its files, and a class of options."""

PLUGINS = "harakatw.plugins"
OWNER = "PLUGIN"
"""Stands for a plugin's name where a class describes a file of each plugin."""


def option_classes() -> list[Pair]:
    """The core's option classes by module, then those of the plugins by name."""
    modules = [
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(harakatw.__path__, "harakatw.")
        if not found.name.startswith(PLUGINS) and not found.name.endswith("__main__")
    ]
    return [*core_pairs(modules), *plugin_pairs(CHECKOUT / PLUGINS.replace(".", "/"))]


def core_pairs(modules: Iterable[ModuleType]) -> Iterator[Pair]:
    """The classes with options of these modules; not those that are part of another."""
    found = [cls for module in modules for cls in _defined_in(module)]
    inner = {
        item_type(option)
        for cls in found
        for option in options(cls, OWNER)
        if option.source.kind == "sections"
    }
    return ((OWNER, cls) for cls in found if cls not in inner)


def _defined_in(module: ModuleType) -> Iterator[OptionClass]:
    for value in vars(module).values():
        is_own = getattr(value, "__module__", "") == module.__name__
        if is_own and isinstance(value, type) and _has_options(value):
            yield value


def _has_options(cls: type) -> bool:
    if not attrs.has(cls):
        return False
    return any(METADATA_KEY in field.metadata for field in attrs.fields(cls))


def plugin_pairs(bundled: Path) -> Iterator[Pair]:
    """The bundled plugins that have options."""
    search = PluginSearch(bundled / "no such folder", PLUGINS, bundled)
    for name in search.names():
        if re.split(r"[./]", name)[-1].startswith("_"):
            continue  # what several plugins share
        for wanted in wanted_services(plugin_class(name, search.load(name))):
            if wanted.name == "options":
                yield name, wanted.type
