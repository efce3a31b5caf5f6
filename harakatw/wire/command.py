"""
Cut the stream of a client into command lines.

@see: RFC 5321 section 2.3.8 (lines end in CRLF and nothing else), section 4.5.3.1.4
    (length)
"""

from typing import Final

from harakatw.errors import ProtocolError
from harakatw.reply import reply

LINE_TOO_LONG: Final = reply(500, "5.5.2", "Line too long")
BARE_NEWLINE: Final = reply(
    500, "5.5.2", "A line must end in CRLF, with no CR or LF alone"
)


class CommandStream:
    """
    The octets of a client that are not yet used up.

    Lines come out one by one, or all the rest at once when a message follows. A line
    longer than the limit is dropped up to its end, so memory is bounded whatever comes.
    """

    __slots__ = ("_buffer", "_discarding", "_max_line", "_position", "pending")

    def __init__(self, max_line_octets: int) -> None:
        """
        @param max_line_octets: longest command line with its CRLF.
        """
        self._buffer = b""
        self._position = 0
        self._max_line = max_line_octets
        self._discarding = False
        self.pending = False

    def feed(self, octets: bytes) -> None:
        """Add what the client sent."""
        position = self._position
        if position == len(self._buffer):
            self._buffer = octets
        else:
            self._buffer = self._buffer[position:] + octets
        self._position = 0
        self.pending = True

    def take_line(self) -> bytes | None:
        """
        Take the next command line.

        @return: the line without its CRLF, or L{None} if it has not come whole.
        @raise ProtocolError: 500 if the line is too long or has a bare CR or LF; it is
            used up, and the next line may be taken.
        """
        start = self._position
        buffer = self._buffer
        newline = buffer.find(b"\n", start)
        if newline < 0:
            self._bound(start)
            return None
        self._position = end = newline + 1
        self.pending = end < len(buffer)
        line = buffer[start:newline]
        if self._discarding:
            self._discarding = False
            raise ProtocolError(LINE_TOO_LONG)
        if end - start > self._max_line:
            raise ProtocolError(LINE_TOO_LONG, octets=end - start)
        if line[-1:] != b"\r" or line.find(b"\r") != len(line) - 1:
            raise ProtocolError(BARE_NEWLINE)
        return line[:-1]

    def take_all(self) -> bytes:
        """
        Take everything: a message follows, or the connection changes its protocol.
        """
        taken = self._buffer[self._position :] if self._position else self._buffer
        self._buffer = b""
        self._position = 0
        self.pending = False
        return taken

    def _bound(self, start: int) -> None:
        """Forget the beginning of a line that has grown too long already."""
        if len(self._buffer) - start > self._max_line:
            self._discarding = True
            self._buffer = b""
            self._position = 0
            self.pending = False


def split_command(line: bytes) -> tuple[bytes, bytes]:
    """
    Part a command line into its verb and the rest.

    @return: the verb in upper case, and its argument with blanks trimmed at both ends.
    @see: RFC 5321 section 4.1.1
    """
    verb, _, argument = line.partition(b" ")
    return verb.upper(), argument.strip(b" \t")
