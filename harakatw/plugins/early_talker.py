"""
Keep the greeting back for a while, and refuse mail of clients that did not wait for it.

@see: RFC 5321 section 3.1 and section 4.3.1 (the client waits for the greeting),
    RFC 2920 section 3.1 (what may be pipelined); Haraka row PN10
"""

from collections.abc import Mapping
from types import MappingProxyType

import attrs
from attrs.validators import and_
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from harakatw.plugin import (
    Answer,
    IConnectInitHook,
    IConnection,
    IDataHook,
    Verdict,
    deny,
    doc,
    ge,
    implementer,
    le,
    whole_section,
)
from harakatw.plugins._networks import Networks, parse_networks

TOO_SOON = deny("You talk too soon", disconnect=True)


def _are_networks(
    instance: object,
    attribute: "attrs.Attribute[Mapping[str, str]]",
    value: Mapping[str, str],
) -> None:
    parse_networks(value)


@attrs.frozen(kw_only=True)
class EarlyTalkerOptions:
    """How long clients wait, and which do not."""

    pause: float = attrs.field(
        default=5,
        # RFC 5321 section 4.5.3.2.1: a client waits five minutes for the greeting
        validator=and_(ge(0), le(240)),
        metadata=doc(
            "How long the greeting is kept back; 0 turns the plugin off. It must be "
            "less than early_talker.timeout or, without that, plugin_timeout.",
            unit="seconds",
        ),
    )
    reject: bool = attrs.field(
        default=True,
        metadata=doc("Refuse mail of early talkers, or only note that they are?"),
    )
    ip_whitelist: Mapping[str, str] = attrs.field(
        default=MappingProxyType({}),
        validator=_are_networks,
        metadata=whole_section(
            "Addresses and networks that need not wait, one a line.", "ip_whitelist"
        ),
    )


@implementer(IConnectInitHook, IDataHook)
@attrs.frozen
class EarlyTalker:
    """
    Lets strangers wait for the greeting, and denies DATA to those who could not.

    Who may relay, is known to be good, or is on our own network, gets through all the
    same.
    """

    options: EarlyTalkerOptions
    name: str
    clock: IReactorTime
    _whitelist: Networks = attrs.field(init=False)

    @_whitelist.default
    def _read_whitelist(self) -> Networks:
        return parse_networks(self.options.ip_whitelist)

    def hook_connect_init(
        self, connection: IConnection
    ) -> "Deferred[Answer] | Verdict | None":
        if not self.options.pause or self._is_excused(connection):
            return None
        waiting: Deferred[None] = deferLater(self.clock, self.options.pause)
        return waiting.addCallback(self._note, connection)

    def hook_data(self, connection: IConnection) -> Verdict | None:
        if not (self.options.pause and connection.early_talker):
            return None
        if self._is_excused(connection):
            return None
        if not connection.results.has(self, "fail", "early"):
            connection.results.add(self, fail="early")  # pipelined what may not be
        return TOO_SOON if self.options.reject else None

    def _note(self, _: object, connection: IConnection) -> Answer:
        if connection.early_talker:
            connection.results.add(self, fail="early")
        else:
            connection.results.add(self, passed="early")
        return None

    def _is_excused(self, connection: IConnection) -> bool:
        why = self._excuse(connection)
        if why and not connection.results.has(self, "skip", why):
            connection.results.add(self, skip=why)
        return bool(why)

    def _excuse(self, connection: IConnection) -> str:
        """Why this client need not wait; C{""} if it must."""
        if connection.notes.get("auth_user"):
            return "authed"
        if connection.relaying:
            return "relay"
        if self._whitelist.contains(connection.remote.ip):
            return "whitelist"
        if connection.results.get("karma").get("good", 0) > 0:
            return "+karma"
        if connection.remote.is_local:
            return "local_ip"
        return "private_ip" if connection.remote.is_private else ""
