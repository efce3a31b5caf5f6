"""
What a server answers, cut from its stream.

The peer is a stranger: whatever it sends, what is kept of it is bounded (survey row
37). Time is the caller's business: replies that never end are up to its time-outs.

@see: RFC 5321 section 4.2 (grammar), section 4.5.3.1.5 (length)
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from harakatw.errors import HarakaError
from harakatw.reply import Reply, reply

MAX_LINE_OCTETS: Final = 2048
"""Octets kept of a line; the rest is dropped. RFC 5321 allows 512, some send more."""

MAX_UNENDED_OCTETS: Final = 65536
"""Octets of a line, kept or not, before the peer is given up."""

MAX_LINES: Final = 512
"""Lines of one reply before the peer is given up."""

MAX_KEPT_OCTETS: Final = 16384
"""Text kept of one reply; of lines beyond only the codes are looked at."""

_CODES: Final[Mapping[bytes, int]] = MappingProxyType(
    {b"%d" % code: code for code in range(200, 600)}
)
_MARKS: Final = frozenset((b" ", b"-", b""))  # RFC 5321 section 4.2: a bare code is one
_MAX_DETAIL: Final = 60  # characters of a bad line that the log gets


class PeerError(HarakaError):
    """
    The server does not speak SMTP as one can understand it: the connection is of no
    more use, and trying again later may help.
    """


@attrs.frozen
class Answer:
    """
    One reply of a server.

    @ivar code: 200 to 599.
    @ivar raw: the text of each line as it came, without code and line end, cut to
        L{MAX_LINE_OCTETS}: anything may be in it.
    @ivar is_ours: did we make it up, because the peer said nothing that one can use?
    """

    code: int
    raw: tuple[bytes, ...]
    is_ours: bool = False

    @property
    def reply(self) -> Reply:
        """The same, clean: fit for logs, bounces and clients. Made anew each time."""
        lines = [line.decode("utf-8", "replace") for line in self.raw]
        return reply(self.code, "", lines)


def our_answer(code: int, enhanced: str, text: str) -> Answer:
    """
    Say for a server what it did not.

    @param enhanced: goes with C{code}, such as C{"4.4.2"}.
    @param text: printable ASCII.
    """
    return Answer(code, (f"{enhanced} {text}".encode("ascii", "replace"),), True)


class AnswerReader:
    """
    The octets of a server that are not yet used up.

    After a L{PeerError} it must not be used any more.
    """

    __slots__ = (
        "_buffer",
        "_code",
        "_count",
        "_cut",
        "_kept",
        "_line_octets",
        "_lines",
        "_position",
    )

    def __init__(self) -> None:
        self._buffer = b""
        self._position = 0
        self._cut = b""  # what is kept of a long line that has not ended
        self._line_octets = 0  # of that line, kept or not
        self._code = 0  # of the reply that is not whole yet, as is the rest
        self._lines: list[bytes] = []
        self._count = 0
        self._kept = 0

    def feed(self, octets: bytes) -> None:
        """Add what the server sent."""
        position = self._position
        if position == len(self._buffer):
            self._buffer = octets
        else:
            self._buffer = self._buffer[position:] + octets
        self._position = 0

    @property
    def is_empty(self) -> bool:
        """Has everything that came been taken?"""
        at_end = self._position == len(self._buffer)
        return at_end and not self._code and not self._cut

    def take(self) -> Answer | None:
        """
        Take the next reply.

        @return: L{None} if it has not come whole.
        @raise PeerError: if it is no reply, has different codes, or is too long.
        """
        while True:
            line = self._take_line()
            if line is None:
                return None
            code, mark = _CODES.get(line[:3], 0), line[3:4]
            if not code or mark not in _MARKS:
                raise PeerError(f"no reply: {line[:_MAX_DETAIL]!r}")
            if not self._code and mark != b"-":
                return Answer(code, (line[4:],))
            self._add(code, line[4:])
            if mark != b"-":
                return self._end()

    def _add(self, code: int, text: bytes) -> None:
        """Keep a line of a reply that has several."""
        if self._code not in (0, code):
            raise PeerError(f"one reply with the codes {self._code} and {code}")
        self._code = code
        self._count += 1
        if self._count > MAX_LINES:
            raise PeerError(f"a reply of more than {MAX_LINES} lines")
        self._kept += len(text)
        if self._kept <= MAX_KEPT_OCTETS:
            self._lines.append(text)

    def _end(self) -> Answer:
        answer = Answer(self._code, tuple(self._lines))
        self._code = self._count = self._kept = 0
        self._lines = []
        return answer

    def _take_line(self) -> bytes | None:
        """The next line, cut to what is kept, without its line end."""
        start, buffer = self._position, self._buffer
        newline = buffer.find(b"\n", start)
        if newline < 0:
            self._bound(start)
            return None
        self._position = newline + 1
        # Some servers end lines in LF only; nothing can be smuggled to us by that.
        line = buffer[start:newline]
        if self._cut or len(line) > MAX_LINE_OCTETS:
            line = self._cut_line(line)
            self._cut, self._line_octets = b"", 0
        elif line[-1:] == b"\r":
            line = line[:-1]
        return line

    def _bound(self, start: int) -> None:
        """Keep of a line that has not ended what will be kept of it when it has."""
        if self._cut or len(self._buffer) - start > MAX_LINE_OCTETS:
            self._cut = self._cut_line(self._buffer[start:])
            self._buffer = b""
            self._position = 0

    def _cut_line(self, more: bytes) -> bytes:
        """The beginning of a long line of which C{more} has come."""
        self._line_octets += len(more)
        if self._line_octets > MAX_UNENDED_OCTETS:
            raise PeerError(f"a line of more than {MAX_UNENDED_OCTETS} octets")
        return self._cut or more[:MAX_LINE_OCTETS]
