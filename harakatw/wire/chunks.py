"""
The message after BDAT: so many octets, whatever they are.

@see: RFC 3030 section 2 and 3
"""

import re
from typing import Final

import attrs

from harakatw.errors import ProtocolError
from harakatw.reply import reply
from harakatw.wire.data import LineWatch, has_bare_newline

BAD_BDAT: Final = reply(
    501, "5.5.4", "Syntax: BDAT size [LAST]; nobody knows where the next command begins"
)

_ARGUMENT = re.compile(rb"([0-9]{1,12}+)(?:[ \t]++(?i:LAST))?")


@attrs.frozen
class Chunk:
    """
    What a BDAT announces.

    @ivar octets: how many follow its line end.
    @ivar is_last: do they end the message?
    """

    octets: int
    is_last: bool


def parse_bdat(argument: bytes) -> Chunk:
    """
    Read what follows C{BDAT}.

    @param argument: undecoded, blanks at its ends trimmed.
    @raise ProtocolError: 501 5.5.4 if it is no size, or more than a million megaoctets.
        What comes next is then neither known to be a command nor a message, so that the
        session has to end (survey row 3).
    @see: RFC 3030 section 2
    """
    found = _ARGUMENT.fullmatch(argument)
    if found is None:
        raise ProtocolError(BAD_BDAT)
    return Chunk(int(found[1]), len(argument) > len(found[1]))


class ChunkDecoder(LineWatch):
    """
    Counts the octets of chunks, and watches the line ends of the message.

    @ivar octets: of the chunk that came last, or is coming.
    """

    __slots__ = ("_at_line_start", "_held", "_is_binary", "_is_last", "_left", "octets")

    def __init__(self, max_line_octets: int, *, is_binary: bool) -> None:
        """
        @param max_line_octets: see L{LineWatch}.
        @param is_binary: is the message BINARYMIME, whose octets nobody looks at?
        """
        super().__init__(max_line_octets)
        self._is_binary = is_binary
        self._is_last = False
        self._left = 0
        self._held = b""
        self._at_line_start = True
        self.octets = 0

    def begin(self, chunk: Chunk) -> None:
        """Another chunk comes. The one before must have come whole, and not be last."""
        self.octets = self._left = chunk.octets
        self._is_last = chunk.is_last

    @property
    def has_ended(self) -> bool:
        """Was that the last octet of the last chunk?"""
        return self._is_last and not self._left

    def feed(self, octets: bytes) -> tuple[bytes, bytes | None]:
        """
        Take what the client sent.

        @param octets: may be empty, which is for an empty chunk.
        @return: a piece of the message (maybe empty), and what follows the end of the
            chunk, or L{None} while that has not come. A text that does not end in CRLF
            gets one.
        """
        left = self._left
        if len(octets) < left:
            self._left = left - len(octets)
            return self._inspect(octets), None
        self._left = 0
        return self._inspect(octets[:left]), octets[left:]

    def _inspect(self, data: bytes) -> bytes:
        if self._is_binary:
            return data
        if self._held:
            data, self._held = self._held + data, b""
        if self.has_ended:
            if not self.bare_newline:
                self.bare_newline = has_bare_newline(data)
            data += self._ending(data)
        elif data.endswith(b"\r"):  # its LF may be the next octet
            data, self._held = data[:-1], b"\r"
        if not data:
            return data
        self._at_line_start = data.endswith(b"\n")
        self._watch(data)
        return data

    def _ending(self, data: bytes) -> bytes:
        """What is missing at the end of the message."""
        if data.endswith(b"\r"):
            return b"\n"
        is_whole = data.endswith(b"\n") if data else self._at_line_start
        return b"" if is_whole else b"\r\n"


class OctetCounter:
    """Octets that are read and dropped: those of a chunk that was refused."""

    __slots__ = ("_left",)

    def __init__(self, octets: int) -> None:
        self._left = octets

    def feed(self, octets: bytes) -> bytes | None:
        """
        Drop what the client sent.

        @return: what follows the end of the chunk; L{None} while that has not come.
        """
        left = self._left
        self._left = max(0, left - len(octets))
        return None if self._left else octets[left:]
