"""
Transfer encodings undone, a chunk at a time, whatever is wrong with them.

@see: RFC 2045 sections 6.7 and 6.8
"""

import binascii
import re
from typing import Final, Protocol

LONG_LINE_OCTETS: Final = 4096
"""Of quoted-printable, which is taken before its end is there."""

MAX_HELD_OCTETS: Final = 1 << 16
"""Of a long line in which there is no place to part it."""

_NOT_BASE64: Final = bytes(
    octet
    for octet in range(256)
    if octet not in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
)
_PADDING = re.compile(rb"=++")
# Blanks at the end of a line were added on the way; after an equals sign, too. The
# first blank of a run is the only one where a match is tried: linear time.
_TRAILING_BLANKS = re.compile(rb"(?<![ \t])[ \t]++(?=\r?\n)")
_UP_TO_PLAIN = re.compile(rb"(?s:.*)[^= \t\r]{3}")
# binascii skips all up to the next line from there.
_STRAY = re.compile(rb"=(?=\r(?!\n))")


class Decoder(Protocol):
    """Undoes one encoding for one part."""

    def feed(self, octets: bytes) -> bytes:
        """What can be decoded by now."""

    def finish(self) -> bytes:
        """What is left."""


class Identity:
    """7bit, 8bit, binary, and encodings that nobody knows."""

    def feed(self, octets: bytes) -> bytes:
        """The octets themselves."""
        return octets

    def finish(self) -> bytes:
        """Nothing."""
        return b""


class Base64:
    """
    Base64 of whatever form: what does not belong to the alphabet is skipped, after
    padding it may go on, and a last octet that is incomplete is dropped.
    """

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = b""

    def feed(self, octets: bytes) -> bytes:
        """As L{Decoder.feed}."""
        data = self._held + octets.translate(None, _NOT_BASE64)
        if b"=" in data:
            *runs, data = _PADDING.split(data)
            decoded = b"".join(map(_decode_run, runs))
        else:
            decoded = b""
        whole = len(data) - len(data) % 4
        self._held = data[whole:]
        return decoded + binascii.a2b_base64(data[:whole])

    def finish(self) -> bytes:
        """As L{Decoder.finish}."""
        held, self._held = self._held, b""
        return _decode_run(held)


def _decode_run(octets: bytes) -> bytes:
    """Decode characters of the alphabet that lack their padding."""
    if len(octets) % 4 == 1:
        octets = octets[:-1]
    return binascii.a2b_base64(octets + b"=" * (-len(octets) % 4))


class QuotedPrintable:
    """
    Quoted-printable: an equals sign that encodes nothing stands for itself, and blanks
    at the end of a line are dropped.
    """

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = b""

    def feed(self, octets: bytes) -> bytes:
        """As L{Decoder.feed}."""
        data = self._held + octets
        cut = data.rfind(b"\n") + 1
        if len(data) - cut > LONG_LINE_OCTETS:
            found = _UP_TO_PLAIN.match(data, cut)
            if found:
                cut = found.end()
            elif len(data) - cut > MAX_HELD_OCTETS:
                cut = len(data)
        self._held = data[cut:]
        return _decode_lines(data[:cut])

    def finish(self) -> bytes:
        """As L{Decoder.finish}."""
        held, self._held = self._held, b""
        return _decode_lines(held.rstrip(b" \t"))


def _decode_lines(octets: bytes) -> bytes:
    if b" " in octets or b"\t" in octets:
        octets = _TRAILING_BLANKS.sub(b"", octets)
    if b"=" not in octets:
        return octets
    if b"=\r" in octets:
        octets = _STRAY.sub(b"=3D", octets)
    return binascii.a2b_qp(octets)


def make_decoder(encoding: str) -> Decoder:
    """
    What undoes a transfer encoding.

    @param encoding: its name in lower case; one that is unknown is no encoding.
    """
    if encoding == "base64":
        return Base64()
    if encoding == "quoted-printable":
        return QuotedPrintable()
    return Identity()


def decode_all(octets: bytes, encoding: str) -> bytes:
    """Undo a transfer encoding; never fails."""
    decoder = make_decoder(encoding)
    return decoder.feed(octets) + decoder.finish()
