"""
Version 2 of the PROXY header, which is binary.

@see: HAProxy's C{proxy-protocol.txt}, section 2.2
"""

import ipaddress
import struct
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from harakatw.errors import ProtocolError
from harakatw.wire.crc32c import crc32c
from harakatw.wire.proxy_header import BAD_HEADER, MAX_DETAIL, ProxyHeader, ProxyTLS

SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
"""What it begins with: no line of SMTP, of HTTP or of TLS does."""

HEAD_OCTETS: Final = 16
"""The signature, the version with the command, the family, and the length."""

_LOCAL: Final = 0x20
_PROXY: Final = 0x21
_FAMILIES: Final[Mapping[int, tuple[str, str, int]]] = MappingProxyType(
    # protocol, how addresses and ports lie, octets of one address
    {
        0x11: ("TCP4", "!4s4sHH", 4),
        0x12: ("UDP4", "!4s4sHH", 4),
        0x21: ("TCP6", "!16s16sHH", 16),
        0x22: ("UDP6", "!16s16sHH", 16),
        0x31: ("UNIX", "!108s108s", 0),
        0x32: ("UNIX", "!108s108s", 0),
    }
)
_KNOWN_HALVES: Final = frozenset((0x00, 0x10, 0x20, 0x30)), frozenset((0, 1, 2))

_AUTHORITY: Final = 0x02
_CRC32C: Final = 0x03
_SSL: Final = 0x20
_SSL_VERSION: Final = 0x21
_SSL_CN: Final = 0x22
_SSL_CIPHER: Final = 0x23
_CLIENT_SSL: Final = 0x01
_CLIENT_CERTIFICATE: Final = 0x06  # shown in this connection or in this session
_MAX_TEXT = 255  # characters of a name that are kept


def header_octets(head: bytes) -> int:
    """
    How long is the whole header?

    @param head: its first L{HEAD_OCTETS}.
    @return: octets, 16 to 65,551.
    @raise ProtocolError: 421 if it is of another version, or a command or family that
        there is not.
    """
    command, family = head[12], head[13]
    halves = family & 0xF0, family & 0x0F
    if command not in (_LOCAL, _PROXY) or not (
        halves[0] in _KNOWN_HALVES[0] and halves[1] in _KNOWN_HALVES[1]
    ):
        raise ProtocolError(BAD_HEADER, octets=head[:MAX_DETAIL])
    octets: int = struct.unpack("!H", head[14:16])[0]
    return HEAD_OCTETS + octets


def parse_binary(header: bytes) -> ProxyHeader:
    """
    Read a header that has come whole.

    Of a connection of the proxy's own (C{LOCAL}), and of one whose family it does not
    tell, all the rest is skipped, as is a value of a type that is of no use here.

    @raise ProtocolError: 421 if it is too short for what it is to hold, or its checksum
        is wrong.
    """
    if header[12] == _LOCAL:
        return ProxyHeader(2, "LOCAL")
    if header[13] not in _FAMILIES:
        return ProxyHeader(2, "UNKNOWN")
    protocol, form, address_octets = _FAMILIES[header[13]]
    start = HEAD_OCTETS + struct.calcsize(form)
    if start > len(header):
        raise _malformed(header)
    found = struct.unpack(form, header[HEAD_OCTETS:start])
    values = _values(header, start)
    server_name = _text(values.get(_AUTHORITY, b""))
    tls = _tls(values[_SSL]) if _SSL in values else None
    if address_octets:
        source, destination = (_ip(octets) for octets in found[:2])
        return ProxyHeader(
            2, protocol, source, found[2], destination, found[3], tls, server_name
        )
    source, destination = (_path(octets) for octets in found)
    return ProxyHeader(2, protocol, source, 0, destination, 0, tls, server_name)


def _malformed(octets: bytes) -> ProtocolError:
    return ProtocolError(BAD_HEADER, octets=octets[:MAX_DETAIL])


def _values(header: bytes, start: int) -> Mapping[int, bytes]:
    """The values by type, the first of each; the checksum is looked at."""
    values: dict[int, bytes] = {}
    for kind, at, end in _pieces(header, start):
        if kind == _CRC32C:
            _check(header, at, end)
        values.setdefault(kind, header[at:end])
    return values


def _pieces(octets: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Type, beginning and end of each value."""
    while at < len(octets):
        if at + 3 > len(octets):
            raise _malformed(octets)
        kind, size = struct.unpack("!BH", octets[at : at + 3])
        end = at + 3 + size
        if end > len(octets):
            raise _malformed(octets)
        yield kind, at + 3, end
        at = end


def _check(header: bytes, at: int, end: int) -> None:
    """The checksum is that of the header with zeros in its place."""
    blank = b"".join((header[:at], bytes(end - at), header[end:]))
    if header[at:end] != struct.pack("!I", crc32c(blank)):
        raise _malformed(header)


def _tls(octets: bytes) -> ProxyTLS:
    """Section 2.2.6."""
    if len(octets) < 5:
        raise _malformed(octets)
    client, refused = struct.unpack("!BI", octets[:5])
    values = {kind: octets[at:end] for kind, at, end in _pieces(octets, 5)}
    return ProxyTLS(
        enabled=bool(client & _CLIENT_SSL),
        verified=bool(client & _CLIENT_CERTIFICATE) and not refused,
        version=_text(values.get(_SSL_VERSION, b"")),
        cipher=_text(values.get(_SSL_CIPHER, b"")),
        common_name=_text(values.get(_SSL_CN, b"")),
    )


def _ip(octets: bytes) -> str:
    address = ipaddress.ip_address(octets)
    return str(getattr(address, "ipv4_mapped", None) or address)


def _path(octets: bytes) -> str:
    return _text(octets.partition(b"\0")[0])


def _text(octets: bytes) -> str:
    """Text for notes and logs: nothing in it moves a cursor."""
    text = octets[:_MAX_TEXT].decode("utf-8", "replace")
    return "".join(char if char.isprintable() else "?" for char in text)
