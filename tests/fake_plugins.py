"""Plugins that do what a test tells them, and remember what they were asked."""

from collections.abc import Callable, Sequence
from typing import Any

from zope.interface import classImplements

from harakatw.hooks.declared import HOOK_INTERFACES

Says = Any
"""What a hook returns, or a function of the hook's arguments that returns it."""


class FakePlugin:
    """
    Stands on the hooks that it was given answers for.

    @ivar calls: the hook and the arguments of each call, the connection first.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    @property
    def asked(self) -> list[str]:
        """The hooks that it was called on, in order."""
        return [hook for hook, _ in self.calls]


def fake_plugin(name: str = "Fake", /, **says: Says) -> FakePlugin:
    """
    Make a plugin.

    @param name: under which it is known.
    @param says: the answer of each hook, by its name: a verdict, a Deferred, L{None},
        or a function that is called with the hook's arguments.
    """
    methods = {
        f"hook_{hook}": _answering(hook, answer) for hook, answer in says.items()
    }
    cls = type(name, (FakePlugin,), methods)
    interfaces = [HOOK_INTERFACES[hook] for hook in says]
    classImplements(cls, *interfaces)  # type: ignore[misc]  # a class made just now
    plugin: FakePlugin = cls()
    return plugin


def _answering(hook: str, answer: Says) -> Callable[..., Any]:
    def method(self: FakePlugin, *args: Any) -> Any:
        self.calls.append((hook, args))
        return answer(*args) if callable(answer) else answer

    return method


def in_turn(answers: Sequence[Any]) -> Callable[..., Any]:
    """An answer for C{fake_plugin} that is another one at each call."""
    left = list(answers)
    return lambda *_: left.pop(0)


def raising(error: BaseException) -> Callable[..., Any]:
    """An answer for C{fake_plugin} that raises."""

    def answer(*_: Any) -> Any:
        raise error

    return answer
