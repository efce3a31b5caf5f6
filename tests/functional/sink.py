"""A server that takes mail, without I/O: it refuses what a test wants it to."""

import re
from collections.abc import Callable
from typing import Final

import attrs

GREETING: Final = b"220 sink.example ESMTP\r\n"
OFFERS: Final = (b"PIPELINING", b"8BITMIME", b"SMTPUTF8", b"SIZE 104857600", b"DSN")
"""What it offers after EHLO."""

HANG_UP: Final = b"(hang up)"
"""As a part of an answer: say what stands before it, and close the connection."""

_END: Final = b"\r\n.\r\n"
_PATH = re.compile(rb'<((?:"(?:\\.|[^"\\])*"|[^">])*)>')
_OK: Final = b"250 2.0.0 OK"


@attrs.frozen
class Taken:
    """
    A message that came.

    @ivar sender: as it stood between the brackets; so do the C{recipients}.
    @ivar stuffed: the message as it was sent, without the final dot.
    """

    sender: str
    recipients: tuple[str, ...]
    stuffed: bytes

    @property
    def octets(self) -> bytes:
        """The message (RFC 5321 section 4.5.2)."""
        return (b"\r\n" + self.stuffed).replace(b"\r\n..", b"\r\n.")[2:]


def accept(taken: Taken) -> bytes:
    """The usual answer to a message."""
    return _OK


def object_to_nothing(line: bytes) -> bytes | None:
    """No command is answered otherwise than usual."""
    return None


@attrs.define(eq=False)
class SinkSession:
    """
    One session.

    @ivar take: is given each message, and returns the answer to it, without CRLF.
    @ivar object_to: is given each command, and may return another answer to it.
    @ivar offers: what it says after EHLO, without codes.
    @ivar is_over: has the client said QUIT?
    """

    take: Callable[[Taken], bytes] = accept
    object_to: Callable[[bytes], bytes | None] = object_to_nothing
    offers: tuple[bytes, ...] = OFFERS
    is_over: bool = False
    _waiting: bytearray = attrs.field(factory=bytearray)
    _searched: int = 0
    _in_message: bool = False
    _sender: str = ""
    _recipients: list[str] = attrs.field(factory=list)

    def feed(self, octets: bytes) -> bytes:
        """What the client said; returns what there is to answer."""
        self._waiting += octets
        answers = []
        while not self.is_over:
            answer = self._end_message() if self._in_message else self._command()
            if answer is None:
                break
            answers.append(answer + b"\r\n")
        return b"".join(answers)

    def _command(self) -> bytes | None:
        end = self._waiting.find(b"\r\n")
        if end < 0:
            return None
        line = bytes(self._waiting[:end])
        del self._waiting[: end + 2]
        verb = line[:4].upper()
        self.is_over = verb == b"QUIT"
        return self.object_to(line) or self._usual(verb, line)

    def _usual(self, verb: bytes, line: bytes) -> bytes:
        if verb in (b"EHLO", b"LHLO"):
            *lines, last = b"sink.example", *self.offers
            return b"".join(b"250-%b\r\n" % line for line in lines) + b"250 " + last
        if verb in (b"MAIL", b"RSET"):
            self._sender, self._recipients = _path(line), []
        elif verb == b"RCPT":
            self._recipients.append(_path(line))
        elif verb == b"DATA":
            return self._begin_message()
        return b"221 2.0.0 bye" if verb == b"QUIT" else _OK

    def _begin_message(self) -> bytes:
        if not self._recipients:
            return b"554 5.5.1 No valid recipients"
        self._in_message, self._searched = True, 0
        self._waiting[:0] = b"\r\n"  # so that a first line can be the last
        return b"354 Go ahead"

    def _end_message(self) -> bytes | None:
        end = self._waiting.find(_END, self._searched)
        if end < 0:
            self._searched = max(0, len(self._waiting) - len(_END))
            return None
        stuffed = bytes(self._waiting[2 : end + 2])
        del self._waiting[: end + len(_END)]
        self._in_message = False
        recipients, self._recipients = tuple(self._recipients), []
        return self.take(Taken(self._sender, recipients, stuffed))


def _path(line: bytes) -> str:
    """What stands between the brackets; a quoted local part may hold others."""
    found = _PATH.search(line)
    return found[1].decode() if found else ""
