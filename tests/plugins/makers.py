"""Plugins that set notes for the plugin under test."""

from collections.abc import Mapping

import attrs
from zope.interface import implementer

from harakatw.plugin import (
    Address,
    IConnectInitHook,
    IConnection,
    IMailHook,
    Params,
)
from harakatw.plugins._transaction import transaction_of


@implementer(IConnectInitHook)
@attrs.frozen
class NotesOnConnection:
    """Sets notes when a client connects, and lets it relay if asked."""

    notes: Mapping[str, object] = attrs.field(factory=dict)
    relaying: bool = False

    def hook_connect_init(self, connection: IConnection) -> None:
        connection.relaying = self.relaying
        for name, value in self.notes.items():
            connection.notes.set(name, value)


@implementer(IMailHook)
@attrs.frozen
class NotesOnTransaction:
    """Sets notes when a transaction begins."""

    notes: Mapping[str, object]

    def hook_mail(
        self, connection: IConnection, sender: Address, params: Params
    ) -> None:
        for name, value in self.notes.items():
            transaction_of(connection).notes.set(name, value)
