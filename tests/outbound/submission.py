"""Mail that clients submit to a server with an outbound engine, all in memory."""

from typing import Any

from zope.interface import implementer

from harakatw.config.connection import ConnectionOptions
from harakatw.plugin import (
    IConnectInitHook,
    IConnection,
)
from harakatw.testing.server import MemoryClient, MemoryServer
from tests.outbound.post_office import (
    ALICE,
    BOB,
    MESSAGE,
    PostOffice,
    PostOfficeTestCase,
)


@implementer(IConnectInitHook)
class Relays:
    """Every client may send anywhere."""

    def hook_connect_init(self, connection: IConnection) -> None:
        connection.relaying = True


class EngineTestCase(PostOfficeTestCase):
    """
    A test with an engine and a server before it.

    @ivar post: the engine and its queue.
    @ivar client: of the server.
    """

    post: PostOffice
    client: MemoryClient

    def start(
        self,
        *plugins: object,
        limits: ConnectionOptions | None = None,
        **office: Any,
    ) -> None:
        """Start both, with the same plugins, and connect to the server."""
        self.post = self.office(*plugins, **office)
        server = MemoryServer(
            (Relays(), *plugins),
            clock=self.post.clock,
            outbound=self.post.engine,
            limits=limits,
        )
        self.client = server.connect()

    def submit(self, *recipients: str, octets: bytes = MESSAGE) -> str:
        """Send a message, and return the reply to it, which may not be there yet."""
        client = self.client
        client.say("EHLO client.example", f"MAIL FROM:<{ALICE}>")
        client.say(*(f"RCPT TO:<{each}>" for each in recipients or (BOB,)), "DATA")
        client.hear()
        client.send(octets)
        client.send(b".\r\n")
        return client.hear()

    def bodies(self) -> list[bytes]:
        """The messages that were queued."""
        return [body for _, _, body in self.post.store.added]
