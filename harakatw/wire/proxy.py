"""
The header with which a proxy says whose connection it passes on.

It comes once, before anything else, TLS too. A server must know beforehand whom it may
believe: who may not be believed is not asked, see L{harakatw.smtp.proxied}.

@see: HAProxy's C{proxy-protocol.txt}, versions 1 and 2; Haraka row VB15
"""

import ipaddress
from typing import Final

import attrs

from harakatw.errors import ProtocolError
from harakatw.wire.proxy_header import BAD_HEADER, MAX_DETAIL, ProxyHeader
from harakatw.wire.proxy_v2 import (
    HEAD_OCTETS,
    SIGNATURE,
    header_octets,
    parse_binary,
)

MAX_LINE_OCTETS: Final = 107
"""The longest header of version 1 with its CRLF, section 2.1."""

_WORD: Final = b"PROXY "


@attrs.define(eq=False)
class ProxyHeaderReader:
    """
    Takes the header off the beginning of a stream, however it is cut.

    @ivar rest: what followed the header; empty before it is whole.
    """

    _octets: bytearray = attrs.field(factory=bytearray, init=False)
    rest: bytes = attrs.field(default=b"", init=False)

    @property
    def began(self) -> bool:
        """Has anything come yet?"""
        return bool(self._octets)

    def feed(self, octets: bytes) -> ProxyHeader | None:
        """
        Add what the proxy sent; not to be called any more once there is a header.

        @return: the header, or L{None} while it is not whole.
        @raise ProtocolError: 421 as soon as it cannot become a header any more.
        """
        self._octets += octets
        buffer = self._octets
        if buffer[:1] == SIGNATURE[:1]:
            return self._binary(buffer)
        if buffer[: len(_WORD)] != _WORD[: len(buffer)]:
            raise ProtocolError(BAD_HEADER, octets=bytes(buffer[:MAX_DETAIL]))
        end = buffer.find(b"\n", 0, MAX_LINE_OCTETS) + 1
        if not end and len(buffer) < MAX_LINE_OCTETS:
            return None
        self.rest = bytes(buffer[end:])
        return parse_line(bytes(buffer[:end]))

    def _binary(self, buffer: bytearray) -> ProxyHeader | None:
        if buffer[: len(SIGNATURE)] != SIGNATURE[: len(buffer)]:
            raise ProtocolError(BAD_HEADER, octets=bytes(buffer[:MAX_DETAIL]))
        if len(buffer) < HEAD_OCTETS:
            return None
        whole = header_octets(bytes(buffer[:HEAD_OCTETS]))
        if len(buffer) < whole:
            return None
        self.rest = bytes(buffer[whole:])
        return parse_binary(bytes(buffer[:whole]))


def parse_line(line: bytes) -> ProxyHeader:
    """
    Read a header of version 1.

    @param line: with its CRLF.
    @raise ProtocolError: 421 if it is malformed.
    @see: section 2.1
    """
    if not (line.startswith(_WORD) and line.endswith(b"\r\n")):
        raise _bad_line(line)
    words = line[len(_WORD) : -2].split(b" ")
    if words[0] == b"UNKNOWN":  # what follows it is to be ignored
        return ProxyHeader(1, "UNKNOWN")
    family = {b"TCP4": 4, b"TCP6": 6}.get(words[0])
    if family is None or len(words) != 5:
        raise _bad_line(line)
    try:
        text = [word.decode("ascii") for word in words]
        source, destination = (_address(word, family) for word in text[1:3])
        ports = _port(text[3]), _port(text[4])
    except ValueError:
        raise _bad_line(line) from None
    return ProxyHeader(1, text[0], source, ports[0], destination, ports[1])


def _bad_line(line: bytes) -> ProtocolError:
    return ProtocolError(BAD_HEADER, octets=line[:MAX_DETAIL])


def _address(text: str, family: int) -> str:
    """
    An address in the form that the rest of the server knows.

    @raise ValueError: if it is none of this family.
    """
    if "%" in text:
        raise ValueError(text)
    address = ipaddress.ip_address(text)
    if address.version != family:
        raise ValueError(text)
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _port(text: str) -> int:
    """
    A port, written without leading zeros.

    @raise ValueError: if it is none.
    """
    if not (text.isdigit() and text == str(int(text)) and int(text) <= 65535):
        raise ValueError(text)
    return int(text)
