"""
The lines that part a multipart message.

@see: RFC 2046 section 5.1.1
"""

import re
from typing import Final

import attrs

from harakatw.message.seven_bit.errors import UnconvertibleError

MAX_DEPTH: Final = 50
"""Multiparts within each other."""

# A boundary has up to 70 characters; blanks may follow it.
_DASHES: Final = re.compile(rb"^--([^\r\n]{1,300}+)(?=\r\n|\Z)", re.MULTILINE)


@attrs.frozen
class Multipart:
    """
    A multipart whose parts are being read.

    @ivar boundary: without dashes.
    @ivar is_digest: is a part without a type a message?
    @ivar is_sealed: is it signed or encrypted, so that no octet in it may be changed?
    """

    boundary: bytes
    is_digest: bool
    is_sealed: bool


@attrs.frozen
class Delimiter:
    """
    A delimiter line.

    @ivar start: of the line.
    @ivar end: after its CRLF.
    @ivar depth: which of the open multiparts it belongs to, 0 being the outermost.
    @ivar is_close: does it end the multipart?
    """

    start: int
    end: int
    depth: int
    is_close: bool


class Delimiters:
    """Finds delimiters of the multiparts that are open."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._open: list[Multipart] = []
        self._depths: dict[bytes, int] = {}

    @property
    def depth(self) -> int:
        """Which multipart the parts that come now belong to, the outermost being 0."""
        return len(self._open) - 1

    @property
    def is_in_digest(self) -> bool:
        """Are the parts that come now those of a digest?"""
        return bool(self._open) and self._open[-1].is_digest

    @property
    def is_sealed(self) -> bool:
        """Must nothing be changed here?"""
        return bool(self._open) and self._open[-1].is_sealed

    def begin(self, multipart: Multipart) -> None:
        """
        Parts of another multipart come now.

        @raise UnconvertibleError: if there are too many within each other.
        """
        if len(self._open) >= MAX_DEPTH:
            raise UnconvertibleError("the message is nested too deeply")
        sealed = self.is_sealed or multipart.is_sealed
        self._open.append(attrs.evolve(multipart, is_sealed=sealed))
        self._number()

    def passed(self, delimiter: Delimiter) -> None:
        """What is within a delimiter's multipart has ended; perhaps it has itself."""
        del self._open[delimiter.depth + (not delimiter.is_close) :]
        self._number()

    def find(self, start: int, end: int) -> Delimiter | None:
        """
        The next delimiter.

        @param start: where a line begins.
        @param end: where to stop looking.
        """
        if not self._open:
            return None
        for found in _DASHES.finditer(self._octets, start, end):
            depth, is_close = self._meant(found[1].rstrip(b" \t"))
            if depth is not None:
                after = min(found.end() + 2, len(self._octets))
                return Delimiter(found.start(), after, depth, is_close)
        return None

    def _meant(self, text: bytes) -> tuple[int | None, bool]:
        depth = self._depths.get(text)
        if depth is not None or not text.endswith(b"--"):
            return depth, False
        return self._depths.get(text[:-2]), True

    def _number(self) -> None:
        boundaries = (multipart.boundary for multipart in self._open)
        self._depths = {boundary: depth for depth, boundary in enumerate(boundaries)}
