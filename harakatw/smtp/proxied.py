"""
Who is behind a proxy: what its PROXY header makes of a connection.

@see: Haraka rows CO06, VB15
"""

from typing import Final

import attrs
from twisted.internet.interfaces import IAddress
from zope.interface import implementer

from harakatw.smtp.connection import Connection, Local, Proxy
from harakatw.wire.proxy_header import ProxyHeader

TYPE: Final = "haproxy"
"""What Haraka calls a connection with a PROXY header."""


@implementer(IAddress)
@attrs.frozen
class ProxiedAddress:
    """
    The address of a client that a proxy speaks for.

    @ivar host: the client's, or the proxy's own if it names none.
    @ivar port: likewise.
    @ivar proxy_ip: the proxy's address.
    """

    host: str
    port: int
    proxy_ip: str
    header: ProxyHeader


def address_of(peer: IAddress | None, header: ProxyHeader) -> ProxiedAddress:
    """
    Whose connection is it?

    @param peer: who is connected: the proxy.
    """
    ip = getattr(peer, "host", "").removeprefix("::ffff:")
    port = getattr(peer, "port", 0)
    if header.has_addresses:
        return ProxiedAddress(header.source, header.source_port, ip, header)
    return ProxiedAddress(ip, port, ip, header)


def introduce(connection: Connection, address: ProxiedAddress, name: str) -> None:
    """
    Tell a new connection of its proxy, and plugins all that the header said.

    @param name: the server's.
    """
    header = address.header
    connection.proxy = Proxy(True, address.proxy_ip, TYPE, header.protocol)
    if header.has_addresses:
        connection.local = Local(header.destination, header.destination_port, name)
    note: dict[str, object] = {
        "type": TYPE,
        "proto": header.protocol,
        "src_ip": header.source,
        "src_port": header.source_port,
        "dst_ip": header.destination,
        "dst_port": header.destination_port,
        "proxy_ip": address.proxy_ip,
        "server_name": header.server_name,
    }
    if header.tls is not None:
        note["tls"] = attrs.asdict(header.tls)
    connection.notes.set("proxy", note)
