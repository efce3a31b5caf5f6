"""
Lines with a boundary, which part the content of a multipart.

@see: RFC 2046 section 5.1.1
"""

from typing import Final, NamedTuple

from harakatw.message.mime.limits import MAX_DELIMITER_OCTETS

_LINE_END: Final = b" \t\r\n"
_DASHES: Final = b"--"


NOT_YET: Final = -1
"""Instead of a level: what comes may turn out to be a delimiter."""


class Delimiter(NamedTuple):
    """
    A line that ends a part, with the line end before it.

    @ivar start: offset of that line end; all before it is content.
    @ivar after: offset behind the line.
    @ivar level: of the multipart whose boundary it has, see L{Delimiters.open}; or
        L{NOT_YET}.
    @ivar is_last: does it close the multipart?
    """

    start: int
    after: int
    level: int
    is_last: bool


class Delimiters:
    """
    The boundaries of all multiparts that are open, so that one search finds any.

    A delimiter is a whole line; blanks may follow the boundary. The section cited would
    take a line that begins with one, and so could not tell C{abc} from C{abcd} within
    it. Of two multiparts with the same boundary the outer one has it.
    """

    __slots__ = ("_levels", "_needle", "_opened")

    def __init__(self) -> None:
        self._levels: dict[bytes, int] = {}
        self._opened: list[tuple[int, bytes, bytes]] = []  # level, boundary, needle
        self._needle = b""

    def __bool__(self) -> bool:
        return bool(self._opened)

    def open(self, level: int, boundary: bytes) -> None:
        """
        A multipart begins.

        @param level: how many containers it is in.
        @param boundary: not empty.
        """
        if boundary in self._levels:
            return  # what is looked for already; this one ends with the other
        self._levels[boundary] = level
        needle = b"\n--" + boundary
        if self._opened:
            needle = _common_start(self._needle, needle)
        self._opened.append((level, boundary, needle))
        self._needle = needle

    def close(self, level: int) -> None:
        """Multiparts of this level and of those within it are over."""
        while self._opened and self._opened[-1][0] >= level:
            del self._levels[self._opened.pop()[1]]
        self._needle = self._opened[-1][2] if self._opened else b""

    def match(self, line: bytes) -> tuple[int, bool] | None:
        """
        What is this line, which begins with two dashes?

        @return: level and C{is_last} of a delimiter.
        """
        text = line.rstrip(_LINE_END)[2:]
        level = self._levels.get(text)
        if level is not None:
            return level, False
        if text.endswith(_DASHES):
            level = self._levels.get(text[:-2])
            if level is not None:
                return level, True
        return None

    def search(
        self, data: bytes, start: int, *, is_line_start: bool, is_end: bool
    ) -> Delimiter | None:
        """
        Find the next delimiter.

        @param is_line_start: does a line begin at C{start}?
        @param is_end: is nothing more to come?
        @return: L{None} if all from C{start} on is content.
        """
        needle, size = self._needle, len(data)
        if is_line_start and data.startswith(needle[1:], start):
            at = start
        else:
            at = data.find(needle, start) + 1  # and so 0 is none
            if not at:
                return None if is_end else self._cut(data, start, is_line_start)
        while True:
            after = data.find(b"\n", at, at + MAX_DELIMITER_OCTETS) + 1
            if not after and size - at < MAX_DELIMITER_OCTETS:
                if not is_end:
                    return _not_yet(data, start, at)
                after = size
            found = self.match(data[at:after])
            if found is not None:
                return Delimiter(_before_newline(data, start, at), after, *found)
            at = data.find(needle, at) + 1
            if not at:
                return None if is_end else self._cut(data, start, False)

    def _cut(self, data: bytes, start: int, is_line_start: bool) -> Delimiter | None:
        """Is there the beginning of such a line at the end of the data?"""
        size, longest = len(data), len(self._needle)
        is_short = is_line_start and size - start < longest
        if is_short and self._needle.startswith(data[start:], 1):
            return _not_yet(data, start, start)
        newline = data.rfind(b"\n", max(start, size - longest))
        if newline >= 0 and self._needle.startswith(data[newline:]):
            return _not_yet(data, start, newline + 1)
        if data.endswith(b"\r", start):
            return _not_yet(data, start, size - 1)
        return None


def _not_yet(data: bytes, start: int, at: int) -> Delimiter:
    return Delimiter(_before_newline(data, start, at), len(data), NOT_YET, False)


def _common_start(one: bytes, other: bytes) -> bytes:
    """What both begin with."""
    for at, (mine, yours) in enumerate(zip(one, other, strict=False)):
        if mine != yours:
            return one[:at]
    return min(one, other, key=len)


def _before_newline(data: bytes, start: int, at: int) -> int:
    """Where the line end before C{at} begins: it belongs to the delimiter."""
    end = at
    if end > start and data[end - 1] == 0x0A:
        end -= 1
        if end > start and data[end - 1] == 0x0D:
            end -= 1
    return end
