"""The plugins of a session in memory, and what looks over their shoulders."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TextIO

import attrs
from twisted.internet.interfaces import IReactorTime

from harakatw.hooks.chain import Chain, Origin
from harakatw.hooks.declared import DeclaredHook
from harakatw.hooks.loader import LoadedPlugin
from harakatw.hooks.registry import make_chains
from harakatw.observe.writer import safe_text
from harakatw.plugin import (
    CONT,
    OK,
    Address,
    Answer,
    Denial,
    IConnection,
    IDenyHook,
    IQueueHook,
    IQueueOutboundHook,
    IRcptHook,
    Params,
    Ruling,
    Verdict,
    implementer,
    ok,
)
from harakatw.smtp.transaction import Transaction

_QUEUING: Final = frozenset(("queue", "queue_outbound", "queue_ok"))
"""Hooks after which somebody else has the message."""

_FIRST: Final = -101
"""Before every plugin: theirs are -100 to 100."""

_LAST: Final = 101


@attrs.frozen
class Recorder:
    """
    Prints each verdict as it comes.

    @ivar out: gets a line for each.
    """

    out: TextIO

    def skips(self, plugin: str) -> bool:
        """No plugin is left out."""
        return False

    def ruled(
        self, hook: str, origin: Origin, verdict: Verdict, seconds: float
    ) -> None:
        """A plugin said something."""
        if origin.plugin == STAND_IN:
            return
        method = "" if origin.method == f"hook_{hook}" else f" ({origin.method})"
        words = f"  {safe_text(verdict.text)}" if verdict.lines else ""
        print(
            f"   {hook:<20} {origin.plugin + method:<30} {verdict.kind.name:<18}"
            f" {seconds:6.3f} s{words}",
            file=self.out,
        )


STAND_IN: Final = "haraka -t"
"""The name of what stands in for plugins that are not there."""


@implementer(IDenyHook, IRcptHook, IQueueHook, IQueueOutboundHook)
@attrs.frozen(kw_only=True)
class StandIn:
    """
    Goes around what would keep a session in memory from reaching its end.

    @ivar accepts: does it accept recipients that no plugin ruled on?
    @ivar overrides: does it override denials?
    @ivar queues: may the message be queued? Otherwise it is only said to be.
    @ivar dump: is given the message as it is to be queued, if anybody wants it.
    """

    accepts: bool
    overrides: bool
    queues: bool
    dump: Callable[[bytes], None] | None

    def hook_deny(self, connection: IConnection, denial: Denial) -> Verdict:
        return OK if self.overrides else CONT

    def hook_rcpt(
        self, connection: IConnection, recipient: Address, params: Params
    ) -> Verdict:
        return OK if self.accepts else CONT

    def hook_queue(self, connection: IConnection) -> Ruling:
        return self._queue(connection)

    def hook_queue_outbound(self, connection: IConnection) -> Ruling:
        return self._queue(connection)

    def _queue(self, connection: IConnection) -> Ruling:
        verdict = CONT if self.queues else ok("Not queued: this was a test")
        transaction = connection.transaction
        if self.dump is None or not isinstance(transaction, Transaction):
            return verdict
        dump = self.dump

        def read(message: bytes) -> Answer:
            dump(message)
            return verdict

        return transaction.message.read_all().addCallback(read)


def chains_for_trial(
    plugins: Iterable[LoadedPlugin], stand_in: StandIn, clock: IReactorTime
) -> Mapping[str, Chain]:
    """
    The chains of the plugins, with the stand-in in its places.

    It rules on recipients and denials after all plugins, and on the queue before them;
    unless the message may be queued, no plugin's queue hook is there at all.
    """
    kept = [plugin if stand_in.queues else _without_queue(plugin) for plugin in plugins]
    hooks = (
        DeclaredHook("deny", "hook_deny", _LAST),
        DeclaredHook("rcpt", "hook_rcpt", _LAST),
        DeclaredHook("queue", "hook_queue", _FIRST),
        DeclaredHook("queue_outbound", "hook_queue_outbound", _FIRST),
    )
    mine = LoadedPlugin(STAND_IN, stand_in, hooks, 0.0, frozenset(), "", ())
    return make_chains((*kept, mine), clock)


def _without_queue(plugin: LoadedPlugin) -> LoadedPlugin:
    hooks = tuple(hook for hook in plugin.hooks if hook.hook not in _QUEUING)
    return attrs.evolve(plugin, hooks=hooks)
