"""
What a plugin class declares: its hooks, their priorities, and what it wants to be
given.
"""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_type_hints

import attrs
from zope.interface import implementedBy
from zope.interface.interface import InterfaceClass

from harakatw.errors import PluginError
from harakatw.hook_rules import HOOK_RULES
from harakatw.interfaces import hooks, lifecycle_hooks, outbound_hooks
from harakatw.interfaces.marks import MARK, Mark


def _interfaces() -> Iterator[tuple[str, InterfaceClass]]:
    for module in (hooks, lifecycle_hooks, outbound_hooks):
        for value in vars(module).values():
            if (
                isinstance(value, InterfaceClass)
                and value.__module__ == module.__name__
            ):
                for method in value.names():
                    if method.startswith("hook_"):
                        yield method.removeprefix("hook_"), value


HOOK_INTERFACES: Final[Mapping[str, InterfaceClass]] = dict(_interfaces())
"""The interface of each hook, by the hook's name."""

_HOOK_NAMES: Final[Mapping[InterfaceClass, str]] = {
    interface: name for name, interface in HOOK_INTERFACES.items()
}


@attrs.frozen
class DeclaredHook:
    """
    A method on a hook.

    @ivar hook: the hook's name.
    @ivar method: the method's name.
    @ivar priority: -100 to 100, low first (row RG02).
    """

    hook: str
    method: str
    priority: int


def declared_hooks(plugin: str, cls: type) -> tuple[DeclaredHook, ...]:
    """
    Which hooks does this class implement?

    @raise PluginError: if it declares a hook without the method, has a C{hook_} method
        that it does not declare, or a method's arguments do not fit the hook.
    """
    found, own = [], set()
    for interface in implementedBy(cls):  # type: ignore[no-untyped-call]  # zope's
        hook = _HOOK_NAMES.get(interface)
        if hook is not None:
            method = f"hook_{hook}"
            _check(plugin, cls, interface, method, method)
            own.add(method)
            marks = getattr(getattr(cls, method), MARK, ())
            if all(mark.interface is not interface for mark in marks):
                found.append(DeclaredHook(hook, method, 0))
    for name, member in inspect.getmembers(cls, callable):
        if name.startswith("hook_") and name not in own:
            raise PluginError(plugin, _undeclared(name))
        for mark in getattr(member, MARK, ()):
            found.append(_marked(plugin, cls, name, mark))
    return tuple(found)


def _marked(plugin: str, cls: type, name: str, mark: Mark) -> DeclaredHook:
    hook = _HOOK_NAMES.get(mark.interface)
    if hook is None:
        raise PluginError(
            plugin, f"{name} is registered on what is not a hook interface"
        )
    _check(plugin, cls, mark.interface, f"hook_{hook}", name)
    return DeclaredHook(hook, name, max(-100, min(100, mark.priority)))


def _undeclared(method: str) -> str:
    interface = HOOK_INTERFACES.get(method.removeprefix("hook_"))
    if interface is None:
        return f"{method}: there is no such hook; hooks are {', '.join(HOOK_RULES)}"
    return f"has {method} but does not say @implementer({interface.__name__})"


def _check(
    plugin: str, cls: type, interface: InterfaceClass, wanted: str, name: str
) -> None:
    """Can the hook's arguments be passed to the method?"""
    method = getattr(cls, name, None)
    if method is None:
        raise PluginError(plugin, f"declares {interface.__name__} but has no {name}")
    arguments = interface[wanted].getSignatureInfo()["positional"]
    try:
        inspect.signature(method).bind("self", *arguments)
    except TypeError as error:
        shape = ", ".join(("self", *arguments))
        raise PluginError(plugin, f"{name} must take ({shape}): {error}") from None


@attrs.frozen
class Wanted:
    """
    An argument of a plugin's constructor.

    @ivar name: the service it names, or C{options}.
    @ivar type: its annotation, L{object} if there is none.
    @ivar required: has it no default?
    """

    name: str
    type: Any
    required: bool


def wanted_services(cls: type) -> tuple[Wanted, ...]:
    """What does the constructor want to be given?"""
    if cls.__init__ is object.__init__:  # type: ignore[misc]  # it is only compared
        return ()
    try:
        hints = get_type_hints(cls.__init__)  # type: ignore[misc]  # it is only read
    except Exception:
        hints = {}
    return tuple(
        Wanted(
            parameter.name,
            hints.get(parameter.name, object),
            parameter.default is inspect.Parameter.empty,
        )
        for parameter in inspect.signature(cls).parameters.values()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    )


def is_option_class(wanted: Wanted) -> bool:
    """
    Is this argument to be filled from files? C{options} is, and so is any other whose
    class says which file it is in, as one that several plugins share.
    """
    named = wanted.name == "options" or hasattr(wanted.type, "config_file")
    return named and attrs.has(wanted.type)
