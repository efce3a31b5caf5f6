"""
Cut the stream of a client into command lines.

@see: RFC 5321 section 2.3.8 (lines end in CRLF and nothing else), section 4.5.3.1.4
    (length); RFC 4954 section 4 (the length of AUTH and what follows it)
"""

from typing import Final

from harakatw.errors import ProtocolError
from harakatw.reply import Reply, reply

LINE_TOO_LONG: Final = reply(500, "5.5.2", "Line too long")
AUTH_TOO_LONG: Final = reply(500, "5.5.6", "Authentication exchange line is too long")
BARE_NEWLINE: Final = reply(
    500, "5.5.2", "A line must end in CRLF, with no CR or LF alone"
)

MAX_AUTH_LINE: Final = 12288
"""Octets of an AUTH command or an answer to a challenge, with CRLF (RFC 4954)."""

_AUTH: Final = b"AUTH "


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
        self._discarding: Reply | None = None
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
        if self._discarding is not None:
            refusal, self._discarding = self._discarding, None
            raise ProtocolError(refusal)
        if end - start > self._max_line:
            too_long = self._too_long(start, end - start)
            if too_long is not None:
                raise ProtocolError(too_long, octets=end - start, beginning=line[:8])
        if line[-1:] != b"\r" or line.find(b"\r") != len(line) - 1:
            raise ProtocolError(BARE_NEWLINE, beginning=line[:8])
        return line[:-1]

    def take_answer(self) -> bytes | None:
        """
        Take the next line as the answer to a challenge: up to L{MAX_AUTH_LINE} octets.

        @return: the line without its CRLF, or L{None} if it has not come whole.
        @raise ProtocolError: 500 5.5.6 if it is too long, 500 5.5.2 if it has a bare CR
            or LF; it is used up.
        @see: RFC 4954 section 4
        """
        usual = self._max_line
        self._max_line = MAX_AUTH_LINE
        try:
            return self.take_line()
        except ProtocolError as error:
            if error.reply is not LINE_TOO_LONG:
                raise
            raise ProtocolError(AUTH_TOO_LONG, **error.detail) from None
        finally:
            self._max_line = usual

    @property
    def beginning(self) -> bytes:
        """The first octets of what has come and was not taken."""
        return self._buffer[self._position : self._position + 8]

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
        octets = len(self._buffer) - start
        if octets > self._max_line:
            self._discarding = self._too_long(start, octets)
            if self._discarding is not None:
                self._buffer = b""
                self._position = 0
                self.pending = False

    def _too_long(self, start: int, octets: int) -> Reply | None:
        """How to refuse a line over the usual limit; L{None} if AUTH may have it."""
        if self._buffer[start : start + len(_AUTH)].upper() != _AUTH:
            return LINE_TOO_LONG
        return AUTH_TOO_LONG if octets > max(self._max_line, MAX_AUTH_LINE) else None


def split_command(line: bytes) -> tuple[bytes, bytes]:
    """
    Part a command line into its verb and the rest.

    @return: the verb in upper case, and its argument with blanks trimmed at both ends.
    @see: RFC 5321 section 4.1.1
    """
    verb, _, argument = line.partition(b" ")
    return verb.upper(), argument.strip(b" \t")
