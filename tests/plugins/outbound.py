"""An outbound queue that keeps what it is given, for plugins that route."""

from collections.abc import Iterable, Mapping

import attrs
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from harakatw.errors import StoreError
from harakatw.interfaces.services import IOutbound
from harakatw.interfaces.session import IConnection
from harakatw.plugins._transaction import message_of, transaction_of
from tests.plugins.keeper import Kept


@implementer(IOutbound)
@attrs.define(eq=False)
class FakeOutbound:
    """
    Keeps messages in memory.

    @ivar messages: those taken.
    @ivar is_full: has the disk no room?
    @ivar orcpt: the ORCPT of each recipient of the last message, by address.
    """

    messages: list[Kept] = attrs.field(factory=list)
    is_full: bool = False
    orcpt: dict[str, str | None] = attrs.field(factory=dict)

    def queue(self, connection: IConnection) -> "Deferred[str]":
        """Keep the open transaction's message; see L{IOutbound.queue}."""
        if self.is_full:
            return fail(StoreError("no room"))
        transaction = transaction_of(connection)
        recipients = tuple(each.address for each in transaction.rcpt_to)
        octets = b"".join(message_of(connection).chunks())
        self.messages.append(Kept("outbound", recipients, octets))
        self.orcpt = {
            each.address: transaction.rcpt_params(each).get("ORCPT")
            for each in transaction.rcpt_to
        }
        return succeed("")

    def flush(self, domain: str, *, below: bool = False) -> "Deferred[int]":
        """Nobody asks for this here."""
        raise AssertionError("not asked for")

    def send_email(
        self,
        sender: str,
        recipients: str | Iterable[str],
        contents: str | bytes | Iterable[bytes],
        notes: Mapping[str, object] | None = None,
    ) -> "Deferred[str]":
        """Nothing is sent of a plugin's own; see L{IOutbound.send_email}."""
        raise AssertionError("not asked for")

    @property
    def recipients(self) -> list[tuple[str, ...]]:
        """Those of each message."""
        return [each.recipients for each in self.messages]
