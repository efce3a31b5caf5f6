"""The decorator that puts a second method on a hook, or one with a priority."""

from collections.abc import Callable
from typing import Final, TypeVar

import attrs
from zope.interface.interface import InterfaceClass

MARK: Final = "_haraka_hooks"

_Method = TypeVar("_Method", bound=Callable[..., object])


@attrs.frozen
class Mark:
    """
    One registration of a method.

    @ivar interface: the hook's interface.
    @ivar priority: -100 to 100, low runs first.
    """

    interface: InterfaceClass
    priority: int


def on_hook(
    interface: InterfaceClass, priority: int = 0
) -> Callable[[_Method], _Method]:
    """
    Register a method on a hook under any name.

    Use it for a second method on the same hook, or for a priority other than 0. A
    method may be registered on several hooks whose arguments it fits.

    @param interface: such as C{IRcptHook}.
    @param priority: clamped to -100 to 100; low runs first (Haraka row RG02).
    """

    def mark(method: _Method) -> _Method:
        marks = (*getattr(method, MARK, ()), Mark(interface, priority))
        setattr(method, MARK, marks)
        return method

    return mark
