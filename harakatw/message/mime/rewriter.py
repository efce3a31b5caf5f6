"""
A message on its way through filters and banner.

What is not changed goes out octet by octet as it came in.

@see: Haraka rows TX10 and TX11
"""

from typing import Protocol

from twisted.logger import Logger

from harakatw.message.header import Header
from harakatw.message.mime.decoding import decode_all, make_decoder
from harakatw.message.mime.edits import (
    BodyFilter,
    Edits,
    banner_editor,
    set_encoding,
)
from harakatw.message.mime.encoding import encode_all, fitting_encoding, make_encoder
from harakatw.message.mime.limits import MIMELimits
from harakatw.message.mime.part import Kind, Part
from harakatw.message.mime.walker import Walker

_KNOWN_ENCODINGS = ("7bit", "8bit", "binary", "base64", "quoted-printable")


class _Editor(Protocol):
    """Makes other content of one part's; takes and gives it as it is transferred."""

    def feed(self, octets: bytes) -> bytes:
        """What may go out by now, header first."""

    def finish(self) -> bytes:
        """What is left."""


class Rewriter:
    """
    The body of a message, changed.

    @ivar walker: to be fed with the body as it was; what comes out is to be L{taken
        <take>} each time.
    """

    def __init__(self, edits: Edits, limits: MIMELimits, header: Header) -> None:
        """
        @param header: the message's, in which the encoding may be changed.
        """
        self._edits = edits
        self._limits = limits
        self._out: list[bytes] = []
        self._editor: _Editor | None = None
        self.walker = Walker(self, limits, header)

    def take(self) -> bytes:
        """All that is ready to go out."""
        out = b"".join(self._out)
        self._out = []
        return out

    def begin(self, part: Part, head: bytes) -> None:
        """As L{PartSink.begin}."""
        self._editor = self._editor_for(part, head)
        if self._editor is None:
            self._out.append(head)

    def content(self, part: Part, octets: bytes) -> None:
        """As L{PartSink.content}."""
        self._out.append(octets if self._editor is None else self._editor.feed(octets))

    def between(self, octets: bytes) -> None:
        """As L{PartSink.between}."""
        self._out.append(octets)

    def end(self, part: Part) -> None:
        """As L{PartSink.end}."""
        if self._editor is not None:
            self._out.append(self._editor.finish())
            self._editor = None

    def _editor_for(self, part: Part, head: bytes) -> _Editor | None:
        if part.kind is not Kind.LEAF or part.encoding not in _KNOWN_ENCODINGS:
            return None
        if part.is_cut:
            return None  # what seems to be content is header
        text = self._edits.banner_for(part)
        filters = self._edits.filters_for(part)
        if filters:
            most = self._limits.max_collected_octets
            return _WholePart(part, head, filters, text, most)
        return _PartWithBanner(part, head, text) if text else None


class _PartWithBanner:
    """Adds a banner to a part of any size."""

    def __init__(self, part: Part, head: bytes, text: str) -> None:
        self._decoder = make_decoder(part.encoding)
        self._editor = banner_editor(part, text)
        encoding = part.encoding
        if encoding == "7bit" and not self._editor.is_ascii:
            encoding = "quoted-printable"
            set_encoding(part, encoding)
        self._encoder = make_encoder(encoding)
        self._head = _head(part, head)
        self._tail = b""

    def feed(self, octets: bytes) -> bytes:
        head, self._head = self._head, b""
        self._tail = (self._tail + octets[-2:])[-2:]
        return head + self._encoder.feed(self._editor.feed(self._decoder.feed(octets)))

    def finish(self) -> bytes:
        rest = self._editor.feed(self._decoder.finish()) + self._editor.finish()
        encoded = self._encoder.feed(rest) + self._encoder.finish()
        return self._head + encoded + _line_end(encoded, self._tail)


class _WholePart:
    """Has a part that is not too big changed by filters."""

    _log = Logger()

    def __init__(
        self,
        part: Part,
        head: bytes,
        filters: tuple[BodyFilter, ...],
        text: str,
        max_octets: int,
    ) -> None:
        self._part = part
        self._head = head
        self._filters = filters
        self._text = text
        self._max_octets = max_octets
        self._collected = bytearray()
        self._is_too_big = False

    def feed(self, octets: bytes) -> bytes:
        if self._is_too_big:
            return octets
        self._collected += octets
        if len(self._collected) <= self._max_octets:
            return b""
        self._is_too_big = True
        self._log.warn(
            "a part of {type} is too big for a body filter, and goes on as it is",
            type=self._part.content_type,
        )
        return self._head + self._take()

    def finish(self) -> bytes:
        if self._is_too_big:
            return b""
        part, raw = self._part, self._take()
        before = content = decode_all(raw, part.encoding)
        for each in self._filters:
            content = each.apply(part, content)
        if self._text:
            editor = banner_editor(part, self._text)
            content = editor.feed(content) + editor.finish()
        if content == before:
            return self._head + raw
        encoding = fitting_encoding(content, part.encoding)
        if encoding != part.encoding:
            set_encoding(part, encoding)
        encoded = encode_all(content, encoding)
        head = _head(part, self._head)
        return head + encoded + _line_end(encoded, raw)

    def _take(self) -> bytes:
        collected = bytes(self._collected)
        self._collected.clear()
        return collected


def _head(part: Part, head: bytes) -> bytes:
    """The header of a part as it now stands; that of the message stands elsewhere."""
    if part.parent is None or head.startswith(bytes(part.header)):
        return head
    return bytes(part.header) + b"\r\n"


def _line_end(encoded: bytes, before: bytes) -> bytes:
    """What is added so that the part ends with a line end if it did so before."""
    wanted = before.endswith(b"\n") and not encoded.endswith(b"\n")
    return b"\r\n" if wanted else b""
