"""
Lines with a boundary, which part the content of a multipart.

@see: RFC 2046 section 5.1.1
"""

from typing import Final, NamedTuple

from harakatw.message.mime.limits import MAX_DELIMITER_OCTETS

_LINE_END: Final = b" \t\r\n"
_DASHES: Final = b"--"


class Delimiter(NamedTuple):
    """
    A line that ends a part.

    @ivar level: of the multipart whose boundary it has; see L{Delimiters.open}.
    @ivar is_last: does it close the multipart?
    """

    level: int
    is_last: bool


class Candidate(NamedTuple):
    """
    Where content ends for now.

    @ivar end: offset up to which all is content.
    @ivar start: offset of the line that may be a delimiter.
    @ivar after: offset behind that line; -1 if it is not all there yet.
    """

    end: int
    start: int
    after: int


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

    def match(self, line: bytes) -> Delimiter | None:
        """What is this line, which begins with two dashes?"""
        text = line.rstrip(_LINE_END)[2:]
        level = self._levels.get(text)
        if level is not None:
            return Delimiter(level, False)
        if text.endswith(_DASHES):
            level = self._levels.get(text[:-2])
            if level is not None:
                return Delimiter(level, True)
        return None

    def search(self, data: bytes, start: int, is_line_start: bool) -> Candidate | None:
        """
        Find the next line that may be a delimiter, and where content ends before it.

        @param is_line_start: does a line begin at C{start}?
        @return: L{None} if all of it is content.
        """
        needle = self._needle
        if is_line_start and data.startswith(needle[1:], start):
            at = start
        else:
            at = data.find(needle, start) + 1  # and so 0 is none
            if not at:
                return self._cut(data, start, is_line_start)
        after = data.find(b"\n", at, at + MAX_DELIMITER_OCTETS) + 1
        if after or len(data) - at >= MAX_DELIMITER_OCTETS:
            return Candidate(_before_newline(data, start, at), at, after or at)
        return Candidate(_before_newline(data, start, at), at, -1)

    def _cut(self, data: bytes, start: int, is_line_start: bool) -> Candidate | None:
        """Is there the beginning of such a line at the end of the data?"""
        size, longest = len(data), len(self._needle)
        is_short = is_line_start and size - start < longest
        if is_short and self._needle.startswith(data[start:], 1):
            return Candidate(start, start, -1)
        newline = data.rfind(b"\n", max(start, size - longest))
        if newline >= 0 and self._needle.startswith(data[newline:]):
            return Candidate(_before_newline(data, start, newline + 1), newline + 1, -1)
        if data.endswith(b"\r", start):
            return Candidate(size - 1, size, -1)
        return None


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
