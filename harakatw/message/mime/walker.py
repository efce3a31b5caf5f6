"""
Takes a message apart into its parts while it comes.

It keeps what it has not understood yet: a header, or a line that may be a boundary. All
the rest is passed on in the order in which it came, every octet once.

@see: RFC 2046 sections 5.1 and 5.2; survey row 13
"""

import enum
import re
from typing import Final, Protocol

from harakatw.message.header import Header
from harakatw.message.mime.delimiters import NOT_YET, Delimiters
from harakatw.message.mime.limits import MAX_DELIMITER_OCTETS, MIMELimits
from harakatw.message.mime.part import Kind, Part, make_part

STEP_OCTETS: Final = 1 << 14
"""
What is gathered before it is looked at: what is kept is joined with what comes, which
must not happen for each octet.
"""

_FIELD = re.compile(rb"[!-9;-~\x80-\xff]++[ \t]*+:")
_MAILBOX_LINE = re.compile(rb">*+From ")


class PartSink(Protocol):
    """What hears of the parts. Octets are as they came, in transfer encoding."""

    def begin(self, part: Part, head: bytes) -> None:
        """
        A part begins.

        @param head: its header with the blank line, if there is one.
        """

    def content(self, part: Part, octets: bytes) -> None:
        """Here is content of a leaf, or what stands in front of a multipart's parts."""

    def between(self, octets: bytes) -> None:
        """Here is what is no part's: boundaries, and what stands behind the last."""

    def end(self, part: Part) -> None:
        """A part is over; so are all within it."""


class _Mode(enum.Enum):
    HEADER = 1
    CONTENT = 2  # of a leaf, or a preamble
    EPILOGUE = 3
    PASSED_OVER = 4


_HEADER: Final = _Mode.HEADER
_CONTENT: Final = _Mode.CONTENT
_EPILOGUE: Final = _Mode.EPILOGUE
_PASSED_OVER: Final = _Mode.PASSED_OVER


class Walker:
    """
    The walk over one message: L{feed} its octets, then L{finish}.

    Time is linear in what is fed; there is no recursion.

    @ivar part_count: parts begun.
    @ivar has_too_many_parts: was the rest passed over, for the number of parts or the
        size of their headers?
    @ivar is_too_deep: was some container not looked into, for its depth?
    """

    __slots__ = (
        "_all_header_octets",
        "_current",
        "_delimiters",
        "_gathered",
        "_gathered_octets",
        "_head",
        "_head_octets",
        "_held",
        "_is_line_start",
        "_limits",
        "_mode",
        "_open",
        "_sink",
        "has_too_many_parts",
        "is_too_deep",
        "part_count",
    )

    def __init__(
        self, sink: PartSink, limits: MIMELimits, header: Header | None = None
    ) -> None:
        """
        @param header: the message's, if only the body is fed.
        """
        self._sink = sink
        self._limits = limits
        self._delimiters = Delimiters()
        self._open: list[Part] = []  # containers, the outermost first
        self._current: Part | None = None  # whose content comes
        self._gathered: list[bytes] = []
        self._gathered_octets = 0
        self._held = b""
        self._head: list[bytes] = []  # lines
        self._head_octets = 0
        self._all_header_octets = 0
        self._is_line_start = True
        self._mode = _HEADER
        self.part_count = 0
        self.has_too_many_parts = False
        self.is_too_deep = False
        if header is not None:
            self._begin(header, b"")

    def feed(self, octets: bytes) -> None:
        """Take octets, cut anywhere."""
        self._gathered.append(octets)
        self._gathered_octets += len(octets)
        if self._gathered_octets >= STEP_OCTETS:
            self._walk(is_end=False)

    def finish(self) -> None:
        """The message is over, wherever that may be."""
        self._walk(is_end=True)
        if self._mode is _HEADER:
            self._begin_with_head(b"")
        if self._current is not None:
            self._end_current()
        self._leave(0)

    # ---- content ---------------------------------------------------------------------

    def _walk(self, *, is_end: bool) -> None:
        data = b"".join((self._held, *self._gathered))
        self._gathered, self._gathered_octets = [], 0
        at = 0
        while at < len(data):
            if self._mode is _HEADER:
                reached = self._take_line(data, at, is_end)
            elif self._delimiters and self._mode is not _PASSED_OVER:
                reached = self._take_content(data, at, is_end)
            else:
                self._pass_on(data[at:] if at else data)
                reached = len(data)
            if reached < 0:
                break
            at = reached
        self._held = data[at:]

    def _take_content(self, data: bytes, start: int, is_end: bool) -> int:
        """
        Pass content on up to the next delimiter.

        @return: how far it was understood; -1 if not without more.
        """
        found = self._delimiters.search(
            data, start, is_line_start=self._is_line_start, is_end=is_end
        )
        if found is None:
            self._pass_on(data[start:])
            return len(data)
        if found.start > start:
            self._pass_on(data[start : found.start])
        if found.level != NOT_YET:
            line = data[found.start : found.after]
            self._part(found.level, line, is_last=found.is_last)
            return found.after
        return found.start if found.start > start else -1

    def _pass_on(self, octets: bytes) -> None:
        self._is_line_start = False
        if self._mode is _CONTENT and self._current is not None:
            self._sink.content(self._current, octets)
        else:
            self._sink.between(octets)

    def _part(self, level: int, line: bytes, *, is_last: bool) -> None:
        """A delimiter ends what is open within its multipart."""
        if self._current is not None:
            self._end_current()
        self._leave(level + 1)
        self._sink.between(line)
        if is_last:
            self._open[level].is_closed = True
            self._delimiters.close(level)
            self._mode = _EPILOGUE
            self._is_line_start = True
        else:
            self._expect_part()

    def _expect_part(self) -> None:
        limits = self._limits
        if (
            self.part_count >= limits.max_parts
            or self._all_header_octets >= limits.max_all_header_octets
        ):
            self.has_too_many_parts = True
            self._mode = _PASSED_OVER
        else:
            self._mode = _HEADER

    def _end_current(self) -> None:
        part, self._current = self._current, None
        if part is not None and part.kind is Kind.LEAF:
            self._sink.end(part)

    def _leave(self, level: int) -> None:
        """All containers from this level on are over."""
        self._delimiters.close(level)
        while len(self._open) > level:
            self._sink.end(self._open.pop())

    # ---- headers ---------------------------------------------------------------------

    def _take_line(self, data: bytes, start: int, is_end: bool) -> int:
        """
        Take a line of a header.

        @return: as L{_take_content}.
        """
        newline = data.find(b"\n", start)
        octets = self._head_octets + len(data) - start
        if newline < 0 and not is_end and octets <= self._header_limit:
            return -1
        after = len(data) if newline < 0 else newline + 1
        line = data[start:after]
        if line.startswith(b"--") and len(line) <= MAX_DELIMITER_OCTETS:
            delimiter = self._delimiters.match(line)
            if delimiter is not None:
                self._begin_with_head(b"")
                level, is_last = delimiter
                self._part(level, line, is_last=is_last)
                return after
        if line in (b"\r\n", b"\n"):
            self._begin_with_head(line)
            return after
        if not self._is_field(line):
            self._begin_with_head(b"")
            return start
        if self._head_octets + len(line) > self._header_limit:
            self._begin_with_head(b"", is_cut=True)
            return start
        self._head.append(line)
        self._head_octets += len(line)
        return after

    @property
    def _header_limit(self) -> int:
        limits = self._limits
        return limits.max_header_octets if self._open else limits.max_top_header_octets

    def _is_field(self, line: bytes) -> bool:
        """Can this line be a field, or go on with one?"""
        if self._head:
            return line[0] in b" \t" or _FIELD.match(line) is not None
        return bool(_FIELD.match(line) or _MAILBOX_LINE.match(line))

    def _begin_with_head(self, blank_line: bytes, *, is_cut: bool = False) -> None:
        raw = b"".join(self._head)
        self._head, self._head_octets = [], 0
        if self._open:
            self._all_header_octets += len(raw)
        header = Header(raw, max_fields=self._limits.max_header_fields)
        self._begin(header, raw + blank_line, is_cut=is_cut)

    def _begin(self, header: Header, head: bytes, *, is_cut: bool = False) -> None:
        parent = self._open[-1] if self._open else None
        part = make_part(header, parent, self.part_count, self._limits.max_depth)
        part.is_cut = is_cut
        self.part_count += 1
        self.is_too_deep |= part.is_too_deep
        self._is_line_start = True
        self._sink.begin(part, head)
        if part.kind is Kind.LEAF:
            self._current, self._mode = part, _CONTENT
            return
        self._open.append(part)
        if part.kind is Kind.MULTIPART:
            self._delimiters.open(part.depth, part.boundary)
            self._current, self._mode = part, _CONTENT
        else:
            self._current = None
            self._expect_part()
