"""
All plugins of a server: loaded in the order of C{config/plugins}, and tied into chains.

A registry is a value. A reload makes another one, in which plugins whose files did not
change are the very same objects, and sessions that are open keep the one they began
with.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import attrs
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from harakatw.errors import PluginError
from harakatw.hook_rules import HOOK_RULES
from harakatw.hooks.chain import Chain, HookMethod, Origin, make_chain
from harakatw.hooks.loader import LoadedPlugin, PluginLoader
from harakatw.hooks.search import successor

_UNDENIED = frozenset(
    ("deny", "log", "init_master", "init_child", "init_http", "init_wss")
)
_OUTBOUND = frozenset(
    ("pre_send_trans_email", "send_email", "get_mx", "deferred", "bounce", "delivered")
)


@attrs.frozen(eq=False)
class Registry:
    """
    The plugins of a server.

    @ivar plugins: in the order of C{config/plugins}.
    @ivar chains: by the name of the hook; one for each of the 34.
    """

    plugins: tuple[LoadedPlugin, ...]
    chains: Mapping[str, Chain]

    def shut_down(self, keep: "Registry | None" = None) -> None:
        """
        Tell plugins that go: C{shutdown()} where they have it (row RG19).

        @param keep: plugins that are in this registry too are not told.
        """
        kept = {id(plugin) for plugin in keep.plugins} if keep is not None else set()
        for plugin in self.plugins:
            if id(plugin) not in kept:
                _call(plugin, "shutdown")


_log = Logger(namespace="harakatw.hooks.registry")


def _call(plugin: LoadedPlugin, method: str) -> None:
    function = getattr(plugin.instance, method, None)
    if function is None:
        return
    try:
        function()
    except Exception:
        _log.failure(
            "plugin {plugin} raised in {method}", plugin=plugin.name, method=method
        )


def load_plugins(
    names: Iterable[str],
    loader: PluginLoader,
    clock: IReactorTime,
    *,
    ignore_bad: bool = False,
    unchanged: Callable[[str], LoadedPlugin | None] = lambda _: None,
) -> Registry:
    """
    Load plugins and make the chains.

    @param names: from C{config/plugins}; retired names become their successors (row
        RG13).
    @param ignore_bad: leave out what cannot be loaded, instead of failing (row RG18).
    @param unchanged: gives the plugin of this name that may be used again, if any.
    @raise PluginError: if a plugin cannot be loaded.
    """
    plugins: dict[str, LoadedPlugin] = {}
    made: list[LoadedPlugin] = []
    for asked in names:
        name = successor(asked)
        if name != asked:
            _log.info("plugin {old} is now called {new}", old=asked, new=name)
        if name in plugins:
            continue
        try:
            plugin = unchanged(name)
            if plugin is None:
                plugin = _start(loader.load(name))
                made.append(plugin)
            plugins[name] = plugin
        except PluginError as error:
            if not ignore_bad:
                for plugin in made:  # nobody will use what they have begun
                    _call(plugin, "shutdown")
                raise
            _log.error("{error}: left out", error=error)
    return Registry(tuple(plugins.values()), make_chains(plugins.values(), clock))


def _start(plugin: LoadedPlugin) -> LoadedPlugin:
    """
    Call C{register()} where there is one (row RG01), once, when the plugin is made.

    @raise PluginError: if it raises.
    """
    register = getattr(plugin.instance, "register", None)
    if register is not None:
        try:
            register()
        except Exception as error:
            raise PluginError(
                plugin.name, f"raised in register(): {error!r}"
            ) from error
    return plugin


def make_chains(
    plugins: Iterable[LoadedPlugin], clock: IReactorTime
) -> Mapping[str, Chain]:
    """One chain for each hook, with the plugins that stand on it in order."""
    steps: dict[str, list[tuple[Origin, HookMethod]]] = {
        hook: [] for hook in HOOK_RULES
    }
    for plugin in plugins:
        for declared in plugin.hooks:
            origin = Origin(
                plugin.name,
                declared.method,
                declared.priority,
                plugin.timeout_seconds,
            )
            method: HookMethod = getattr(plugin.instance, declared.method)
            steps[declared.hook].append((origin, method))
    deny = make_chain(HOOK_RULES["deny"], steps["deny"], clock)
    asks_deny = deny if deny.steps else None
    chains = {"deny": deny}
    for hook, rule in HOOK_RULES.items():
        if hook != "deny":
            silent = hook in _UNDENIED or hook in _OUTBOUND
            chains[hook] = make_chain(
                rule, steps[hook], clock, None if silent else asks_deny
            )
    return MappingProxyType(chains)
