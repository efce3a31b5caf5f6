"""All plugins together: order, start, end and exchange."""

from typing import Any

from harakatw.errors import PluginError
from harakatw.hook_rules import HOOK_RULES
from harakatw.hooks.registry import Registry
from harakatw.verdict import CONT, DENY, OK
from tests.hooks.chains import Talk
from tests.hooks.instances import RCPT_PLUGIN, InstanceTestCase

WITH_LIFE = """
from harakatw.plugin import OK, IRcptHook, implementer

@implementer(IRcptHook)
class Plugin:
    def __init__(self, events, name):
        self.events, self.name = events, name

    def register(self):
        self.events.append(("register", self.name))
        if self.name == "fails":
            raise RuntimeError("no database")

    def shutdown(self):
        self.events.append(("shutdown", self.name))
        if self.name == "stubborn":
            raise RuntimeError("will not go")

    def hook_rcpt(self, connection, recipient, params):
        self.events.append(("rcpt", self.name))
"""


class LifeTestCase(InstanceTestCase):
    """
    A test with plugins that tell of their life.

    @ivar events: what they told, and who.
    """

    def setUp(self) -> None:
        """Plugins that tell of their life."""
        super().setUp()
        self.events: list[tuple[str, str]] = []
        self.services["events"] = self.events
        for name in ("a", "b", "c", "fails", "stubborn"):
            self.write_plugin(name, WITH_LIFE)

    def _ask(self, registry: Registry) -> Any:
        self.events.clear()
        return registry.chains["rcpt"].run(Talk(), None, None)


class RegistryTests(LifeTestCase):
    """What config/plugins makes of a server."""

    def test_order(self) -> None:
        """Plugins are begun and asked in the order of config/plugins (RG04)."""
        registry = self.load("c", "a", "b")
        self.assertEqual(self.events, [("register", name) for name in "cab"])
        self.assertIs(self._ask(registry), CONT)
        self.assertEqual(self.events, [("rcpt", name) for name in "cab"])

    def test_priorities(self) -> None:
        """Priorities come before that order."""
        early = (
            "from harakatw.plugin import IRcptHook, OK, on_hook\n"
            "class Early:\n"
            "    @on_hook(IRcptHook, priority=-1)\n"
            "    def first(self, connection, recipient, params):\n"
            "        return OK\n"
        )
        self.write_plugin("early", early)
        self.assertIs(self._ask(self.load("a", "early")), OK)
        self.assertEqual(self.events, [])

    def test_all_hooks(self) -> None:
        """There is a chain for each hook; where nobody stands nothing runs."""
        registry = self.load("a")
        self.assertEqual(registry.chains.keys(), HOOK_RULES.keys())
        self.assertEqual(registry.chains["rcpt"].origins[0].plugin, "a")
        self.assertEqual(registry.chains["mail"].steps, ())

    def test_none(self) -> None:
        """A server without plugins is one."""
        self.assertEqual(self.load().plugins, ())

    def test_twice(self) -> None:
        """A plugin that is listed twice is one plugin, at its first place."""
        self.load("b", "a", "b")
        self.assertEqual(self.events, [("register", "b"), ("register", "a")])

    def test_retired_name(self) -> None:
        """A retired name loads its successor, once, if several lead to it (RG13)."""
        self.write_plugin("limit", WITH_LIFE)
        registry = self.load("rate_limit", "haraka-plugin-limit", "rcpt_to.max_count")
        self.assertEqual([plugin.name for plugin in registry.plugins], ["limit"])

    def test_deny_hook(self) -> None:
        """Denials on hooks of a session are told to the deny hook, others are not."""
        judge = (
            "from harakatw.plugin import IDenyHook, OK, implementer\n"
            "@implementer(IDenyHook)\n"
            "class Judge:\n"
            "    def hook_deny(self, connection, denial):\n"
            "        return OK\n"
        )
        self.write_plugin("judge", judge)
        self.write_plugin("denies", RCPT_PLUGIN.replace("OK", "DENY"))
        self.assertIs(self._ask(self.load("denies")), DENY)
        registry = self.load("judge", "denies")
        self.assertIs(self._ask(registry), CONT)
        silent = {hook for hook, chain in registry.chains.items() if chain.deny is None}
        self.assertEqual(
            silent,
            {"deny", "log", "init_master", "init_child", "init_http", "init_wss"}
            | {"pre_send_trans_email", "send_email", "get_mx", "deferred", "bounce"}
            | {"delivered"},
        )


class FailureTests(LifeTestCase):
    """Plugins that cannot be loaded."""

    def test_stops_the_server(self) -> None:
        """A bad plugin is an error that names it."""
        for name, why in (("fails", "no database"), ("nowhere", "not found")):
            error = self.assertRaises(PluginError, self.load, "a", name)
            self.assertIn(f"plugin {name}", str(error))
            self.assertIn(why, str(error))

    def test_ignored(self) -> None:
        """With ignore_bad_plugins it is left out, and the others work (RG18)."""
        registry = self.load("a", "fails", "nowhere", "b", ignore_bad=True)
        self.assertEqual([plugin.name for plugin in registry.plugins], ["a", "b"])

    def test_nothing_left_running(self) -> None:
        """
        When one fails, those that were begun before it are ended again: a failed
        reload must not leave their timers behind.
        """
        self.assertRaises(PluginError, self.load, "a", "b", "fails")
        self.assertEqual(
            self.events[-2:], [("shutdown", "a"), ("shutdown", "b")], self.events
        )


class EndTests(LifeTestCase):
    """The end of plugins (RG19)."""

    def test_shut_down(self) -> None:
        """Each plugin is told once, in order."""
        registry = self.load("a", "b")
        self.events.clear()
        registry.shut_down()
        self.assertEqual(self.events, [("shutdown", "a"), ("shutdown", "b")])

    def test_stubborn(self) -> None:
        """One that raises does not keep the others from being told."""
        registry = self.load("stubborn", "b")
        registry.shut_down()
        self.assertEqual(self.events[-1], ("shutdown", "b"))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_without_methods(self) -> None:
        """register() and shutdown() are nobody's duty."""
        self.write_plugin("plain", RCPT_PLUGIN)
        registry = self.load("plain")
        registry.shut_down()
        self.assertEqual(self.flushLoggedErrors(), [])


class ReloadTests(LifeTestCase):
    """Exchanging plugins while sessions are open."""

    def _reload(self, before: Registry, changed: str, *names: str) -> Registry:
        known = {plugin.name: plugin for plugin in before.plugins}
        known.pop(changed, None)
        return self.load(*names, unchanged=known.get)

    def test_unchanged(self) -> None:
        """A plugin whose files did not change is the same object, not begun again."""
        before = self.load("a", "b")
        self.events.clear()
        after = self._reload(before, "b", "a", "b", "c")
        self.assertIs(after.plugins[0], before.plugins[0])
        self.assertIsNot(after.plugins[1], before.plugins[1])
        self.assertEqual(self.events, [("register", "b"), ("register", "c")])

    def test_those_that_go(self) -> None:
        """Only what is not used any more is told to end."""
        before = self.load("a", "b", "c")
        after = self._reload(before, "b", "a", "b")
        self.events.clear()
        before.shut_down(keep=after)
        self.assertEqual(self.events, [("shutdown", "b"), ("shutdown", "c")])

    def test_open_sessions(self) -> None:
        """A session keeps the plugins that it began with (DESIGN: hot swap)."""
        before = self.load("a", "b")
        after = self._reload(before, "", "b")
        self._ask(before)
        self.assertEqual(self.events, [("rcpt", "a"), ("rcpt", "b")])
        self._ask(after)
        self.assertEqual(self.events, [("rcpt", "b")])

    def test_failed(self) -> None:
        """A reload that fails ends only what it began itself."""
        before = self.load("a", "b")
        self.events.clear()
        self.assertRaises(PluginError, self._reload, before, "b", "a", "b", "fails")
        self.assertEqual(
            self.events, [("register", "b"), ("register", "fails"), ("shutdown", "b")]
        )
