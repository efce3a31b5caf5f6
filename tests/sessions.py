"""Sessions in memory with a mailbox behind them, for tests of what a client sees."""

from typing import Any

import attrs
from zope.interface import implementer

from harakatw.address import Address
from harakatw.config.connection import ConnectionOptions
from harakatw.interfaces.hooks import IQueueHook, IRcptHook
from harakatw.testing.server import MemoryClient, MemoryServer
from harakatw.verdict import CONT, OK, Verdict
from harakatw.wire.params import Params

ENVELOPE = ("MAIL FROM:<a@client.example>", "RCPT TO:<b@here.example>")
"""The sender and the recipient of a message that the L{Mailbox} takes."""


@attrs.frozen
class Delivered:
    """
    A message that was taken.

    @ivar sender: without angle brackets.
    @ivar recipients: likewise.
    @ivar octets: with the trace field on top.
    """

    sender: str
    recipients: tuple[str, ...]
    octets: bytes

    @property
    def received(self) -> bytes:
        """The octets as the client sent them, dots and trace field taken away."""
        trace, _, rest = self.octets.partition(b"+0000\r\n")
        return rest if trace.startswith(b"Received: from ") else self.octets


@implementer(IRcptHook, IQueueHook)
class Mailbox:
    """
    Takes mail for C{here.example}, and keeps it.

    @ivar messages: what was taken.
    """

    def __init__(self) -> None:
        self.messages: list[Delivered] = []

    def hook_rcpt(self, connection: Any, recipient: Address, params: Params) -> Verdict:
        """Take every user of ours."""
        return OK if recipient.host == "here.example" else CONT

    def hook_queue(self, connection: Any) -> Verdict:
        """Keep the message."""
        transaction = connection.transaction
        self.messages.append(
            Delivered(
                transaction.mail_from.address,
                tuple(recipient.address for recipient in transaction.rcpt_to),
                b"".join(transaction.message.chunks()),
            )
        )
        return OK


@attrs.define
class Site:
    """
    A server, its mailbox and a client that has heard the greeting.

    @ivar mailbox: asked after the other plugins.
    """

    server: MemoryServer
    client: MemoryClient
    mailbox: Mailbox

    @property
    def connection(self) -> Any:
        """The client's connection, as plugins see it."""
        return self.client.protocol.connection

    def greet(self) -> None:
        """Say EHLO, and forget what was said so far."""
        self.client.say("EHLO client.example")
        self.client.hear()

    def begin_data(self) -> None:
        """Greet, give an envelope, and get the 354."""
        self.greet()
        said = self.client.ask(*ENVELOPE, "DATA")
        assert said.endswith("354 Go ahead, make my day\r\n"), said

    def send_message(self, octets: bytes) -> str:
        """Send a message, its final dot included, and return what is answered."""
        self.begin_data()
        self.client.send(octets)
        return self.client.hear()


def make_site(
    *plugins: object,
    options: ConnectionOptions | None = None,
    ip: str = "192.0.2.1",
    **server_arguments: Any,
) -> Site:
    """
    Start a server in memory and connect to it.

    @param plugins: asked before the mailbox.
    @param options: C{connection.ini}; without it the greeting shows no session id.
    @param ip: the client's address.
    """
    mailbox = Mailbox()
    limits = options or ConnectionOptions(banner_chars=0)
    server = MemoryServer((*plugins, mailbox), limits=limits, **server_arguments)
    client = server.connect(ip)
    return Site(server, client, mailbox)
