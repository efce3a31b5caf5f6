"""
Make one plugin: import it, fill its options, give it what it names.
"""

import inspect
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
from zope.interface import implementedBy

from harakatw.config.core import PluginTimeoutOptions
from harakatw.config.files import ConfigFiles
from harakatw.config.options import load_options
from harakatw.config.problems import Problem
from harakatw.errors import PluginError
from harakatw.hooks.declared import (
    HOOK_INTERFACES,
    DeclaredHook,
    declared_hooks,
    is_option_class,
    wanted_services,
)
from harakatw.hooks.search import PluginSearch
from harakatw.interfaces.marks import MARK


@attrs.frozen(eq=False)
class LoadedPlugin:
    """
    A plugin, ready to be asked.

    @ivar name: as in C{config/plugins}.
    @ivar instance: the object.
    @ivar hooks: which of its methods stand on which hooks.
    @ivar timeout_seconds: how long its verdicts may take (row RG07); 0 is for ever.
    @ivar files: the configuration files that it was made from.
    @ivar source: its Python file, absolute.
    @ivar problems: what the postmaster should look at in its files.
    """

    name: str
    instance: Any
    hooks: tuple[DeclaredHook, ...]
    timeout_seconds: float
    files: frozenset[str]
    source: str
    problems: tuple[Problem, ...]


@attrs.frozen
class PluginLoader:
    """
    Makes plugins from their names.

    @ivar search: where they are looked for.
    @ivar files: the instance's configuration.
    @ivar services: what a plugin may ask for, by the name of its attribute.
    @ivar timeout_seconds: for plugins without a time-out of their own.
    """

    search: PluginSearch
    files: ConfigFiles
    services: Mapping[str, object]
    timeout_seconds: float

    def load(self, name: str) -> LoadedPlugin:
        """
        Make the plugin C{name}.

        @raise PluginError: if it cannot be imported, breaks a contract, or wants what
            there is not; it names the plugin.
        """
        module = self.search.load(name)
        cls = plugin_class(name, module)
        hooks = declared_hooks(name, cls)
        arguments, files, problems = self._arguments(name, cls, module)
        try:
            instance = cls(**arguments)
        except Exception as error:
            raise PluginError(name, f"cannot be made: {error!r}") from error
        timeout, more = self._timeout(name)
        return LoadedPlugin(
            name,
            instance,
            hooks,
            timeout,
            files | {f"{name}.timeout"},
            str(Path(module.__file__ or "").resolve()),
            (*problems, *more, *own_problems(instance)),
        )

    def _arguments(
        self, name: str, cls: type, module: ModuleType
    ) -> tuple[dict[str, object], frozenset[str], tuple[Problem, ...]]:
        arguments: dict[str, object] = {}
        files: frozenset[str] = frozenset()
        problems: tuple[Problem, ...] = ()
        for wanted in wanted_services(cls):
            if is_option_class(wanted):
                loaded = load_options(wanted.type, self._files_for(module), name)
                arguments[wanted.name] = loaded.options
                files |= loaded.files
                problems += loaded.problems
            elif wanted.name == "name":
                arguments["name"] = name
            elif wanted.name in self.services:
                arguments[wanted.name] = self.services[wanted.name]
            elif wanted.required:
                known = ", ".join(sorted((*self.services, "name", "options")))
                raise PluginError(
                    name, f"wants {wanted.name!r}; what there is: {known}"
                )
        return arguments, files, problems

    def _files_for(self, module: ModuleType) -> ConfigFiles:
        """A package's plugin may bring a C{config/} folder with defaults (row CL07)."""
        shipped = Path(module.__file__ or "").parent / "config"
        return self.files.with_defaults(shipped) if shipped.is_dir() else self.files

    def _timeout(self, name: str) -> tuple[float, tuple[Problem, ...]]:
        loaded = load_options(PluginTimeoutOptions, self.files, name)
        own = loaded.options.timeout
        return self.timeout_seconds if own is None else own, loaded.problems


def own_problems(plugin: object) -> tuple[Problem, ...]:
    """What a plugin has to say of its files besides: its C{problems}, if it has any."""
    return tuple(getattr(plugin, "problems", ()))


def plugin_class(name: str, module: ModuleType) -> type:
    """
    The class that is the plugin: the module's only one with hooks, or its C{plugin}.

    @raise PluginError: if there is none, or more than one.
    """
    named = getattr(module, "plugin", None)
    if isinstance(named, type):
        return named
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and value.__module__ == module.__name__
        and _has_hooks(value)
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        raise PluginError(
            name, "has no class with hooks, such as @implementer(IRcptHook)"
        )
    names = ", ".join(cls.__name__ for cls in found)
    raise PluginError(
        name, f"has several classes with hooks ({names}): say plugin = ..."
    )


def _has_hooks(cls: type) -> bool:
    """Does it declare a hook, or try to?"""
    interfaces = implementedBy(cls)  # type: ignore[no-untyped-call]  # zope's
    if any(interface in _INTERFACES for interface in interfaces):
        return True
    return any(
        name.startswith("hook_") or hasattr(member, MARK)
        for name, member in inspect.getmembers(cls, callable)
    )


_INTERFACES = frozenset(HOOK_INTERFACES.values())
