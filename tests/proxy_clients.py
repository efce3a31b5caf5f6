"""Connections in memory that a proxy makes, for tests."""

from typing import Any

import attrs
from twisted.internet.address import IPv4Address, IPv6Address

from harakatw.config.connection import ConnectionOptions
from harakatw.config.listeners import ORDINARY, Listener
from harakatw.testing.server import MemoryServer, MemoryTransport
from tests.sessions import Mailbox

PROXY_IP = "192.0.2.10"
"""Of the proxy that servers here believe."""


@attrs.define(eq=False)
class ProxyClient:
    """
    A connection through the door of a server: what is behind may change.

    @ivar transport: what the server writes to.
    """

    transport: Any

    @property
    def protocol(self) -> Any:
        """What reads the connection now."""
        return self.transport.protocol

    @property
    def connection(self) -> Any:
        """The session's, as plugins see it."""
        return self.protocol.connection

    def send(self, octets: bytes) -> None:
        """Send octets as they are."""
        self.protocol.dataReceived(octets)

    def hear(self) -> str:
        """All that the server has said since the last call."""
        octets: bytes = self.transport.value()
        self.transport.clear()
        return octets.decode("ascii")

    def ask(self, octets: bytes) -> str:
        """Send octets and return what is answered."""
        self.hear()
        self.send(octets)
        return self.hear()

    def leave(self) -> None:
        """Close the connection from the other side."""
        self.protocol.connectionLost(None)


def connect(server: MemoryServer, ip: str = PROXY_IP, port: int = 40000) -> ProxyClient:
    """Connect through the door."""
    kind = IPv6Address if ":" in ip else IPv4Address
    transport: Any = MemoryTransport(  # type: ignore[no-untyped-call]  # Twisted's
        hostAddress=IPv4Address("TCP", "192.0.2.26", 26),
        peerAddress=kind("TCP", ip, port),
        lenient=True,
    )
    protocol = server.door.buildProtocol(kind("TCP", ip, port))
    assert protocol is not None
    transport.protocol = protocol
    protocol.makeConnection(transport)
    return ProxyClient(transport)


def make_server(
    *plugins: object,
    listener: Listener = ORDINARY,
    hosts: tuple[str, ...] = (PROXY_IP,),
    **limits: Any,
) -> MemoryServer:
    """A server that believes one proxy, with a mailbox behind it."""
    options = ConnectionOptions(haproxy_hosts=hosts, banner_chars=0, **limits)
    return MemoryServer((*plugins, Mailbox()), limits=options, listener=listener)
