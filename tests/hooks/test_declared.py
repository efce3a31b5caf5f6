"""What a plugin class says of itself, and what is wrong with it."""

from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import Interface, implementer

from harakatw.errors import PluginError
from harakatw.hook_rules import HOOK_RULES
from harakatw.hooks.declared import (
    HOOK_INTERFACES,
    DeclaredHook,
    declared_hooks,
    wanted_services,
)
from harakatw.interfaces.hooks import IDataHook, IEhloHook, IHeloHook, IRcptHook
from harakatw.interfaces.marks import on_hook


@implementer(IRcptHook)
class Plain:
    """A plugin as in the manual."""

    def hook_rcpt(self, connection: Any, recipient: Any, params: Any) -> None:
        """Say nothing."""


class HookTests(SynchronousTestCase):
    """Which methods stand on which hooks."""

    def _wrong(self, cls: type) -> str:
        error = self.assertRaises(PluginError, declared_hooks, "mine", cls)
        self.assertEqual(error.plugin, "mine")
        return str(error)

    def test_every_hook(self) -> None:
        """There is one interface for each of the 34 hooks."""
        self.assertEqual(HOOK_INTERFACES.keys(), HOOK_RULES.keys())
        self.assertEqual(len(HOOK_INTERFACES), 34)

    def test_implementer(self) -> None:
        """@implementer puts hook_rcpt on rcpt, at priority 0."""
        self.assertEqual(
            declared_hooks("mine", Plain), (DeclaredHook("rcpt", "hook_rcpt", 0),)
        )

    def test_second_method(self) -> None:
        """@on_hook puts any method on a hook, and on several."""

        class Both(Plain):
            @on_hook(IHeloHook, priority=5)
            @on_hook(IEhloHook)
            def look_at_name(self, connection: Any, host: str) -> None:
                """Say nothing."""

        found = {
            (each.hook, each.method, each.priority)
            for each in declared_hooks("b", Both)
        }
        self.assertEqual(
            found,
            {
                ("rcpt", "hook_rcpt", 0),
                ("helo", "look_at_name", 5),
                ("ehlo", "look_at_name", 0),
            },
        )

    def test_priority_of_the_first(self) -> None:
        """@on_hook on hook_rcpt itself gives it a priority; it stands there once."""

        @implementer(IRcptHook)
        class Early:
            @on_hook(IRcptHook, priority=-50)
            def hook_rcpt(self, connection: Any, recipient: Any, params: Any) -> None:
                """Say nothing."""

        self.assertEqual(
            declared_hooks("mine", Early), (DeclaredHook("rcpt", "hook_rcpt", -50),)
        )

    def test_priority_is_clamped(self) -> None:
        """Priorities beyond 100 either way are 100 (RG02)."""

        class Extreme:
            @on_hook(IDataHook, priority=1000)
            def late(self, connection: Any) -> None:
                """Say nothing."""

            @on_hook(IDataHook, priority=-1000)
            def early(self, connection: Any) -> None:
                """Say nothing."""

        found = {each.method: each.priority for each in declared_hooks("x", Extreme)}
        self.assertEqual(found, {"late": 100, "early": -100})

    def test_inherited(self) -> None:
        """A class may take its hooks from another (RG12)."""

        class Child(Plain):
            pass

        self.assertEqual(declared_hooks("c", Child), declared_hooks("p", Plain))

    def test_not_declared(self) -> None:
        """A hook method without @implementer would never be called: it is refused."""

        class Forgot:
            def hook_rcpt(self, connection: Any, recipient: Any, params: Any) -> None:
                """Say nothing."""

        self.assertIn("@implementer(IRcptHook)", self._wrong(Forgot))

    def test_no_such_hook(self) -> None:
        """A misspelt hook is refused, and the hooks that there are are named."""

        class Misspelt(Plain):
            def hook_recipient(self) -> None:
                """Say nothing."""

        wrong = self._wrong(Misspelt)
        self.assertIn("no such hook", wrong)
        self.assertIn("rcpt_ok", wrong)

    def test_no_method(self) -> None:
        """A class that promises a hook must have it."""

        @implementer(IRcptHook)
        class Empty:  # type: ignore[misc]  # that is what is tested
            pass

        self.assertIn("has no hook_rcpt", self._wrong(Empty))

    def test_arguments(self) -> None:
        """A method that cannot be given the hook's arguments is refused."""

        @implementer(IRcptHook)
        class Few:
            def hook_rcpt(self, connection: Any) -> None:  # type: ignore[override]
                """Say nothing."""

        @implementer(IRcptHook)
        class Keyword:
            def hook_rcpt(  # type: ignore[override]
                self, a: Any, b: Any, c: Any, *, d: Any
            ) -> None:
                """Say nothing."""

        for cls in (Few, Keyword):
            self.assertIn("(self, connection, recipient, params)", self._wrong(cls))

    def test_lenient_arguments(self) -> None:
        """Other names, defaults and *args are fine."""

        @implementer(IRcptHook)
        class Star:
            def hook_rcpt(self, *args: Any, more: int = 1) -> None:
                """Say nothing."""

        self.assertEqual(len(declared_hooks("mine", Star)), 1)

    def test_no_hook_interface(self) -> None:
        """@on_hook takes hook interfaces only."""

        class IOther(Interface):
            """Not a hook."""

        class Wrong:
            @on_hook(IOther)
            def method(self) -> None:
                """Say nothing."""

        self.assertIn("not a hook interface", self._wrong(Wrong))


class WantedTests(SynchronousTestCase):
    """What a plugin's constructor asks for."""

    def test_nothing(self) -> None:
        """A class without a constructor wants nothing."""
        self.assertEqual(wanted_services(Plain), ())

    def test_attributes(self) -> None:
        """The attributes of an attrs class, with types; defaults make them optional."""

        @attrs.frozen
        class Wants:
            clock: int
            _threads: str
            extra: float = 1.0
            made: int = attrs.field(init=False, default=0)

        wanted = [
            (each.name, each.type, each.required) for each in wanted_services(Wants)
        ]
        self.assertEqual(
            wanted,
            [("clock", int, True), ("threads", str, True), ("extra", float, False)],
        )

    def test_written_out(self) -> None:
        """A constructor written by hand; *args ask for nothing."""

        class Wants:
            def __init__(self, clock: int, *args: Any, names: Any = None) -> None:
                """Do nothing."""

        wanted = [(each.name, each.required) for each in wanted_services(Wants)]
        self.assertEqual(wanted, [("clock", True), ("names", False)])

    def test_unknown_annotation(self) -> None:
        """An annotation that cannot be looked up is no reason to fail."""

        class Wants:
            def __init__(self, clock: "Nowhere") -> None:  # type: ignore[name-defined] # noqa: F821
                """Do nothing."""

        (wanted,) = wanted_services(Wants)
        self.assertEqual((wanted.name, wanted.type), ("clock", object))
