"""PROXY headers, as proxies send them, for tests."""

import ipaddress
import struct
from typing import Final

from harakatw.wire.crc32c import crc32c
from harakatw.wire.proxy_v2 import SIGNATURE

TCP4: Final = b"PROXY TCP4 198.51.100.7 192.0.2.25 56324 25\r\n"
TCP6: Final = b"PROXY TCP6 2001:db8::7 2001:db8::25 56324 465\r\n"
UNKNOWN: Final = b"PROXY UNKNOWN\r\n"
LOCAL: Final = SIGNATURE + b"\x20\x00\x00\x00"

CRC32C_TYPE: Final = 3


def value(kind: int, octets: bytes) -> bytes:
    """A value of version 2: type, length, and what it is."""
    return struct.pack("!BH", kind, len(octets)) + octets


def binary(*values: bytes, family: int = 0x11, addresses: bytes | None = None) -> bytes:
    """
    A header of version 2, of the client 198.51.100.7 unless told otherwise.

    @param values: see L{value}.
    @param addresses: of the family, with ports.
    """
    if addresses is None:
        addresses = ends("198.51.100.7", "192.0.2.25", 56324, 25)
    rest = addresses + b"".join(values)
    return SIGNATURE + struct.pack("!BBH", 0x21, family, len(rest)) + rest


def ends(source: str, destination: str, source_port: int, port: int) -> bytes:
    """Addresses and ports of IP."""
    packed = [ipaddress.ip_address(text).packed for text in (source, destination)]
    return b"".join(packed) + struct.pack("!HH", source_port, port)


def with_checksum(*values: bytes) -> bytes:
    """A header of version 2 with its checksum behind the other values."""
    header = binary(*values, value(CRC32C_TYPE, bytes(4)))
    return header[:-4] + struct.pack("!I", crc32c(header))


def ssl(client: int, refused: int, *values: bytes) -> bytes:
    """What a proxy tells of the client's TLS."""
    return value(0x20, struct.pack("!BI", client, refused) + b"".join(values))
