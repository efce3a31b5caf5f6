"""
Answer slowly, where another plugin asks for that.

@see: Haraka row PB26
"""

import math
from typing import Final

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from harakatw.config.core import PluginTimeoutOptions, ServerOptions
from harakatw.plugin import (
    Address,
    Answer,
    IConnectHook,
    IConnection,
    IDataHook,
    IDataPostHook,
    IEhloHook,
    IHeloHook,
    IMailHook,
    INoopHook,
    IQueueHook,
    IQuitHook,
    IRcptHook,
    IRcptOkHook,
    IRsetHook,
    IUnrecognizedCommandHook,
    IVrfyHook,
    Params,
    doc,
    implementer,
)

HOOKS: Final = (
    "connect",
    "helo",
    "ehlo",
    "mail",
    "rcpt",
    "rcpt_ok",
    "data",
    "data_post",
    "queue",
    "unrecognized_command",
    "vrfy",
    "noop",
    "rset",
    "quit",
)
"""Where a delay is possible."""

Delay = Deferred[Answer] | None

_NOTE: Final = "tarpit"
_SHARE_OF_TIMEOUT: Final = 0.9


def _are_hooks(
    instance: object, attribute: "attrs.Attribute[tuple[str, ...]]", value: object
) -> None:
    if isinstance(value, tuple):
        for name in value:
            if name not in HOOKS:
                raise ValueError(f"{name!r} is none of {', '.join(HOOKS)}")


@attrs.frozen(kw_only=True)
class TarpitOptions:
    """Where and how long."""

    hooks_to_delay: tuple[str, ...] = attrs.field(
        default=HOOKS,
        validator=_are_hooks,
        metadata=doc("The hooks whose answers are delayed."),
    )
    timeout: float | None = attrs.field(
        default=None,
        validator=attrs.fields(PluginTimeoutOptions).timeout.validator,
        metadata=attrs.fields(PluginTimeoutOptions).timeout.metadata,
    )
    plugin_timeout: float = attrs.field(
        default=attrs.fields(ServerOptions).plugin_timeout.default,
        validator=attrs.fields(ServerOptions).plugin_timeout.validator,
        metadata=attrs.fields(ServerOptions).plugin_timeout.metadata,
    )

    @property
    def longest(self) -> float:
        """
        The longest delay, in seconds, that is over before the plugin's time is: a
        plugin that is late counts as C{DENYSOFT}.
        """
        limit = self.plugin_timeout if self.timeout is None else self.timeout
        return limit * _SHARE_OF_TIMEOUT if limit else math.inf


@implementer(
    IConnectHook,
    IHeloHook,
    IEhloHook,
    IMailHook,
    IRcptHook,
    IRcptOkHook,
    IDataHook,
    IDataPostHook,
    IQueueHook,
    IUnrecognizedCommandHook,
    IVrfyHook,
    INoopHook,
    IRsetHook,
    IQuitHook,
)
@attrs.frozen
class Tarpit:
    """
    Waits as many seconds as the note C{tarpit} of the connection says, or else that of
    the transaction; then lets the next plugin rule.
    """

    options: TarpitOptions
    name: str
    clock: IReactorTime
    _hooks: frozenset[str] = attrs.field(init=False)
    _log = Logger()

    @_hooks.default
    def _read_hooks(self) -> frozenset[str]:
        return frozenset(self.options.hooks_to_delay)

    def hook_connect(self, connection: IConnection) -> Delay:
        return self._delay("connect", connection)

    def hook_helo(self, connection: IConnection, host: str) -> Delay:
        return self._delay("helo", connection)

    def hook_ehlo(self, connection: IConnection, host: str) -> Delay:
        return self._delay("ehlo", connection)

    def hook_mail(
        self, connection: IConnection, sender: Address, params: Params
    ) -> Delay:
        return self._delay("mail", connection)

    def hook_rcpt(
        self, connection: IConnection, recipient: Address, params: Params
    ) -> Delay:
        return self._delay("rcpt", connection)

    def hook_rcpt_ok(self, connection: IConnection, recipient: Address) -> Delay:
        return self._delay("rcpt_ok", connection)

    def hook_data(self, connection: IConnection) -> Delay:
        return self._delay("data", connection)

    def hook_data_post(self, connection: IConnection) -> Delay:
        return self._delay("data_post", connection)

    def hook_queue(self, connection: IConnection) -> Delay:
        return self._delay("queue", connection)

    def hook_unrecognized_command(
        self, connection: IConnection, verb: str, argument: str
    ) -> Delay:
        return self._delay("unrecognized_command", connection)

    def hook_vrfy(self, connection: IConnection, argument: str) -> Delay:
        return self._delay("vrfy", connection)

    def hook_noop(self, connection: IConnection) -> Delay:
        return self._delay("noop", connection)

    def hook_rset(self, connection: IConnection) -> Delay:
        return self._delay("rset", connection)

    def hook_quit(self, connection: IConnection) -> Delay:
        return self._delay("quit", connection)

    def _delay(self, hook: str, connection: IConnection) -> Delay:
        asked = _asked(connection)
        if asked is None or hook not in self._hooks:
            return None
        seconds = min(_seconds(asked), self.options.longest)
        if not 0 < seconds < math.inf:
            return None
        self._log.info(
            "{uuid} answer on {hook} delayed for {seconds} s",
            uuid=connection.uuid,
            hook=hook,
            seconds=seconds,
        )
        waiting: Deferred[Answer] = deferLater(self.clock, seconds)
        return waiting


def _asked(connection: IConnection) -> object:
    """What the notes say; the connection's first."""
    asked = connection.notes.get(_NOTE) if connection.notes else None
    transaction = connection.transaction
    if asked is None and transaction is not None and transaction.notes:
        asked = transaction.notes.get(_NOTE)
    return asked


def _seconds(asked: object) -> float:
    """The note as a number; what is none asks for no delay."""
    try:
        seconds = float(asked) if isinstance(asked, int | float | str) else 0.0
    except (ValueError, OverflowError):
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0
