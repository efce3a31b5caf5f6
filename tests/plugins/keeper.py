"""A plugin that keeps messages, so that tests see what became of them."""

import attrs
from zope.interface import implementer

from harakatw.plugin import (
    OK,
    Address,
    IConnection,
    IQueueHook,
    IQueueOutboundHook,
    IRcptHook,
    Params,
    Verdict,
)
from harakatw.plugins._transaction import message_of, transaction_of
from harakatw.testing.server import MemoryClient


@attrs.frozen
class Kept:
    """
    One message.

    @ivar hook: C{queue} or C{queue_outbound}.
    @ivar recipients: as C{user@host}.
    @ivar octets: header and body.
    """

    hook: str
    recipients: tuple[str, ...]
    octets: bytes


@implementer(IQueueHook, IQueueOutboundHook)
@attrs.define
class Keeper:
    """Takes every message. C{messages} are those taken."""

    messages: list[Kept] = attrs.field(factory=list)

    def hook_queue(self, connection: IConnection) -> Verdict:
        return self._keep("queue", connection)

    def hook_queue_outbound(self, connection: IConnection) -> Verdict:
        return self._keep("queue_outbound", connection)

    def _keep(self, hook: str, connection: IConnection) -> Verdict:
        recipients = tuple(r.address for r in transaction_of(connection).rcpt_to)
        octets = b"".join(message_of(connection).chunks())
        self.messages.append(Kept(hook, recipients, octets))
        return OK


@implementer(IRcptHook)
@attrs.frozen
class AcceptAll:
    """Accepts every recipient."""

    def hook_rcpt(
        self, connection: IConnection, recipient: Address, params: Params
    ) -> Verdict:
        return OK


def greet(client: MemoryClient, sender: str = "a@far.example") -> str:
    """Say EHLO and MAIL; return the answer to MAIL."""
    client.ask("EHLO client.example")
    return client.ask(f"MAIL FROM:<{sender}>")


def send(client: MemoryClient, *lines: str) -> str:
    """Send a message after RCPT; return the answer to its final dot."""
    client.ask("DATA")
    return client.ask(*lines, ".")


def deliver(client: MemoryClient, sender: str, recipient: str, *lines: str) -> str:
    """Send one message from the start; return the last answer."""
    greet(client, sender)
    client.ask(f"RCPT TO:<{recipient}>")
    return send(client, *lines)
