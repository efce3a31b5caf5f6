"""
Send a command or a reply at once, instead of when the reactor next asks.

Twisted's C{transport.write} keeps the octets, tells the kernel that it wants to write,
is told that it may, writes, and tells the kernel that it does not want to any more. A
line of SMTP nearly always fits the socket's buffer, and sending it directly spares two
system calls and a round of the reactor each time.
"""

from typing import Any

from twisted.internet.interfaces import ITCPTransport, IUNIXTransport


def can_send_now(transport: Any) -> bool:
    """Is this a plain socket, whose public C{writeSomeData} sends what it is given?"""
    is_socket = ITCPTransport.providedBy(transport) or IUNIXTransport.providedBy(
        transport
    )
    return is_socket and hasattr(transport, "writeSomeData")


def send_now(transport: Any, octets: bytes) -> bytes:
    """
    Send what the socket takes.

    Nothing may be waiting in the transport's own buffer, or the order would be lost.

    @return: what could not be sent. That is all of it on an encrypted connection, which
        must not be passed by, and on a broken one: the transport finds that out itself.
    """
    if getattr(transport, "TLS", False):
        return octets
    sent = transport.writeSomeData(octets)
    if type(sent) is not int or sent < 0:
        return octets
    return octets[sent:] if sent < len(octets) else b""
