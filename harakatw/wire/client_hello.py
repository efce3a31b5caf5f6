"""
The first message of a TLS client, as far as one needs it to choose a certificate.

OpenSSL is given the same octets afterwards and judges all of them; this only has to
find the name, whatever it is fed.

@see: RFC 8446 section 4.1.2 and section 5.1, RFC 6066 section 3 (the name)
"""

from typing import Final

MAX_OCTETS: Final = 32768
"""More than any client's first message has, post-quantum keys included."""

_HANDSHAKE: Final = 22
_CLIENT_HELLO: Final = 1
_SERVER_NAME: Final = 0
_HOST_NAME: Final = 0
_RECORD_HEADER: Final = 5
_MESSAGE_HEADER: Final = 4
_MAX_RECORD: Final = 16384
_MAX_RECORDS: Final = 8  # or it would cost too much to look at them again and again


class NotTLS(ValueError):
    """Octets that are no TLS client's first ones."""


class _Malformed(ValueError):
    """A length leads beyond the end."""


def looks_like_tls(octets: bytes) -> bool:
    """Is this, or may it become, the beginning of a TLS connection?"""
    return octets[:1] == b"\x16" and octets[1:2] in (b"", b"\x03")


def server_name(octets: bytes) -> str | None:
    """
    Find whom a client wants to talk to.

    @param octets: all that the client has sent so far.
    @return: the name, in lower case and without a last dot; C{""} if it names nobody,
        or not in a way that makes sense; L{None} if the message goes on.
    @raise NotTLS: if it is none, or too long to be one.
    """
    message = _message(octets)
    if message is None:
        return None
    try:
        return _name(message)
    except _Malformed:
        return ""


def _message(octets: bytes) -> bytes | None:
    """Put the message together, which may come in several records."""
    message, at = b"", 0
    for _ in range(_MAX_RECORDS):
        header = octets[at : at + _RECORD_HEADER]
        if header and not looks_like_tls(header):
            raise NotTLS("no TLS")
        if len(header) < _RECORD_HEADER:
            return None
        size = int.from_bytes(header[3:], "big")
        if not 0 < size <= _MAX_RECORD:
            raise NotTLS("a record of impossible length")
        at += _RECORD_HEADER
        message += octets[at : at + size]
        if not message:
            return None
        if message[0] != _CLIENT_HELLO:
            raise NotTLS("a handshake that does not begin with the client's hello")
        if len(message) >= _MESSAGE_HEADER:
            wanted = int.from_bytes(message[1:4], "big")
            if wanted > MAX_OCTETS:
                raise NotTLS("the client's hello is too long")
            if len(message) >= _MESSAGE_HEADER + wanted:
                return message[_MESSAGE_HEADER : _MESSAGE_HEADER + wanted]
        at += size
        if at > len(octets):
            return None
    raise NotTLS("the client's hello comes in too many pieces")


def _name(message: bytes) -> str:
    at = 2 + 32  # version and random
    for size_octets in (1, 2, 1):  # session, ciphers, compression
        _, at = _vector(message, at, size_octets)
    if at == len(message):
        return ""
    extensions, _ = _vector(message, at, 2)
    at = 0
    while at < len(extensions):
        kind = int.from_bytes(extensions[at : at + 2], "big")
        content, at = _vector(extensions, at + 2, 2)
        if kind == _SERVER_NAME:
            return _host_name(content)
    return ""


def _host_name(content: bytes) -> str:
    names, _ = _vector(content, 0, 2)
    at = 0
    while at < len(names):
        kind = names[at]
        name, at = _vector(names, at + 1, 2)
        if kind == _HOST_NAME:
            text = name.decode("ascii", "replace").lower().removesuffix(".")
            return text if text.isascii() and text.isprintable() else ""
    return ""


def _vector(octets: bytes, at: int, size_octets: int) -> tuple[bytes, int]:
    """
    Read what its own length precedes.

    @return: the content, and where it ends.
    @raise _Malformed: if it is longer than what there is.
    """
    begin = at + size_octets
    end = begin + int.from_bytes(octets[at:begin], "big")
    if end > len(octets) or begin > len(octets):
        raise _Malformed
    return octets[begin:end], end
