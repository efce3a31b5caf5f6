"""
Write to a socket at once, not when the reactor next asks.

C{transport.write} waits until the kernel says that it may write: two more system calls
and a turn of the reactor for a command that nearly always fits the socket's buffer.
"""

from typing import Any

from twisted.internet.interfaces import ITCPTransport, IUNIXTransport


def is_direct(transport: Any) -> bool:
    """May this transport be written to with L{write_now}? A plain socket may."""
    plain = ITCPTransport.providedBy(transport) or IUNIXTransport.providedBy(transport)
    return plain and callable(getattr(transport, "writeSomeData", None))


def write_now(transport: Any, octets: bytes) -> bytes:
    """
    Write what the socket takes.

    Nothing must wait in the transport already, and TLS must not have begun.

    @return: what is left for C{transport.write}: all of it if the connection is
        broken, which the transport then finds out and tells.
    """
    written = transport.writeSomeData(octets)
    if written == len(octets):
        return b""
    if type(written) is not int or written < 0:
        return octets
    return octets[written:]
