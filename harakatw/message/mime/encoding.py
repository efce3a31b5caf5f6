"""
Transfer encodings applied, a chunk at a time; lines end in CRLF.

@see: RFC 2045 sections 6.7 and 6.8
"""

import binascii
import re
from typing import Final, Protocol

MAX_LINE_OCTETS: Final = 998
"""Of 7bit and 8bit, without the CRLF: RFC 5321 section 4.5.3.1.6."""

_BASE64_OCTETS: Final = 57  # make 76 characters
_QP_CHARACTERS: Final = 76
_LONG_LINE_OCTETS: Final = 1 << 12
_UNSAFE = re.compile(rb"[^\t !-<>-~]|[\t ]\Z")
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


class Encoder(Protocol):
    """Applies one encoding to one part."""

    def feed(self, octets: bytes) -> bytes:
        """What can be encoded by now."""

    def finish(self) -> bytes:
        """What is left."""


class Base64Encoder:
    """Base64; there is no line end behind the last line."""

    __slots__ = ("_has_begun", "_held")

    def __init__(self) -> None:
        self._held = b""
        self._has_begun = False

    def feed(self, octets: bytes) -> bytes:
        """As L{Encoder.feed}."""
        data = self._held + octets
        whole = len(data) - len(data) % _BASE64_OCTETS
        self._held = data[whole:]
        return self._lines(data[:whole])

    def finish(self) -> bytes:
        """As L{Encoder.finish}."""
        held, self._held = self._held, b""
        return self._lines(held)

    def _lines(self, octets: bytes) -> bytes:
        lines = [
            binascii.b2a_base64(octets[at : at + _BASE64_OCTETS], newline=False)
            for at in range(0, len(octets), _BASE64_OCTETS)
        ]
        if not lines:
            return b""
        before = b"\r\n" if self._has_begun else b""
        self._has_begun = True
        return before + b"\r\n".join(lines)


class QuotedPrintableEncoder:
    """Quoted-printable, for text: CRLF stays a line end."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = b""

    def feed(self, octets: bytes) -> bytes:
        """As L{Encoder.feed}."""
        *lines, self._held = (self._held + octets).split(b"\r\n")
        done = [_encode_line(line) + b"\r\n" for line in lines]
        while len(self._held) > _LONG_LINE_OCTETS:
            piece, self._held = (
                self._held[: _LONG_LINE_OCTETS // 2],
                self._held[_LONG_LINE_OCTETS // 2 :],
            )
            done.append(_encode_line(piece) + b"=\r\n")
        return b"".join(done)

    def finish(self) -> bytes:
        """As L{Encoder.finish}."""
        held, self._held = self._held, b""
        return _encode_line(held)


class PlainEncoder:
    """7bit, 8bit and binary."""

    def feed(self, octets: bytes) -> bytes:
        """The octets themselves."""
        return octets

    def finish(self) -> bytes:
        """Nothing."""
        return b""


def _encode_line(line: bytes) -> bytes:
    quoted = _UNSAFE.sub(_escape, line)
    if len(quoted) <= _QP_CHARACTERS:
        return quoted
    pieces, at = [], 0
    while len(quoted) - at > _QP_CHARACTERS:
        end = at + _QP_CHARACTERS - 1
        escape = quoted.find(b"=", end - 2, end)
        if escape >= 0:
            end = escape  # an escape is not cut in two
        pieces.append(quoted[at:end])
        at = end
    pieces.append(quoted[at:])
    return b"=\r\n".join(pieces)


def _escape(found: re.Match[bytes]) -> bytes:
    return b"=%02X" % found[0][0]


def make_encoder(encoding: str) -> Encoder:
    """
    What applies a transfer encoding.

    @param encoding: its name in lower case; one that is unknown is no encoding.
    """
    if encoding == "base64":
        return Base64Encoder()
    if encoding == "quoted-printable":
        return QuotedPrintableEncoder()
    return PlainEncoder()


def encode_all(octets: bytes, encoding: str) -> bytes:
    """Apply a transfer encoding."""
    encoder = make_encoder(encoding)
    return encoder.feed(octets) + encoder.finish()


def fitting_encoding(octets: bytes, encoding: str) -> str:
    """
    The encoding for content that has changed: the one it had, if it can bear it.

    @param encoding: the one it had.
    @return: C{encoding} or one that may stand in its place.
    """
    if encoding in ("base64", "quoted-printable"):
        return encoding
    if b"\0" in octets or _BARE.search(octets):
        return "base64"
    longest = max(map(len, octets.split(b"\r\n")))
    if longest > MAX_LINE_OCTETS or (encoding == "7bit" and not octets.isascii()):
        return "quoted-printable"
    return encoding
