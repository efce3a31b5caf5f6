"""
The message on its way out: in one piece if it is small, else in pieces, each when the
last has gone.

@see: RFC 5321 section 4.5.2 (dots), RFC 3030 (BDAT), survey row 2 (line ends)
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from harakatw.errors import StoreError
from harakatw.message.writer import stuffed_chunks
from harakatw.wire.dialogue import DOT

MAX_ONE_WRITE: Final = 256 * 1024
"""Octets of a message that is written at once."""

_PIECE: Final = 128 * 1024
_IN_MEMORY: Final = (bytes, tuple, list)

InThread = Callable[..., Deferred[Any]]


def is_in_memory(body: bytes | Iterable[bytes]) -> bool:
    """Can this be read without waiting for a disk?"""
    return type(body) in _IN_MEMORY


def whole_body(body: bytes | Iterable[bytes]) -> bytes:
    """The message as it stands after DATA, with the final dot."""
    chunks = (body,) if isinstance(body, bytes) else body
    return b"".join((*stuffed_chunks(chunks), DOT))


def body_pieces(
    body: bytes | Iterable[bytes], size: int = 0
) -> Iterator[tuple[bytes, bool]]:
    """
    As L{whole_body}, in pieces of a size that is good to write.

    @param size: octets that there must be at least: a file that was cut off, or an
        iterator that somebody has used already, must not end in a dot.
    @return: pieces, each with whether it is the last.
    @raise StoreError: while iterating, if there are fewer.
    """
    piece: list[bytes] = []
    octets = written = 0
    chunks = (body,) if isinstance(body, bytes) else body
    for chunk in stuffed_chunks(_sliced(chunks)):
        piece.append(chunk)
        octets += len(chunk)
        if octets >= _PIECE:
            yield b"".join(piece), False
            written += octets
            piece, octets = [], 0
    if written + octets < size:
        raise StoreError(f"the message has {written + octets} octets, not {size}")
    yield b"".join((*piece, DOT)), True


def chunk_pieces(
    body: bytes | Iterable[bytes], size: int
) -> Iterator[tuple[bytes, bool]]:
    """
    The message as one chunk, with its BDAT, in pieces of a size that is good to write.

    @return: pieces, each with whether it is the last.
    @raise StoreError: while iterating, before the last piece.
    """
    piece = [b"BDAT %d LAST\r\n" % size]
    octets = written = 0
    chunks = (body,) if isinstance(body, bytes) else body
    for chunk in _sliced(chunks):
        if octets >= _PIECE:
            yield b"".join(piece), False
            piece, octets = [], 0
        piece.append(chunk)
        octets += len(chunk)
        written += len(chunk)
        if written > size:
            break
    if written != size:
        raise StoreError(f"the message has {written} octets or more, not {size}")
    yield b"".join(piece), True


def _sliced(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if len(chunk) <= _PIECE:
            yield chunk
        else:
            for start in range(0, len(chunk), _PIECE):
                yield chunk[start : start + _PIECE]


@implementer(IPushProducer)
class BodySender:
    """Writes a large message, no faster than the peer reads it."""

    def __init__(
        self,
        transport: Any,
        pieces: Iterator[tuple[bytes, bool]],
        in_thread: InThread | None,
    ) -> None:
        """
        @param transport: an C{IConsumer}.
        @param pieces: what L{body_pieces} or L{chunk_pieces} make.
        @param in_thread: reads them in a thread; L{None} to read them here.
        """
        self._transport = transport
        self._pieces = pieces
        self._in_thread = in_thread
        self._resumed: Deferred[None] | None = None
        self._is_paused = False
        self._running: Deferred[None] | None = None

    def start(self, progress: Callable[[], None]) -> "Deferred[None]":
        """
        Send it all.

        @param progress: called when a piece was written, and when the peer takes more.
        @return: fires when the last piece was written, fails if the message cannot be
            read, and never fires after L{stop}.
        """
        self._progress = progress
        self._transport.registerProducer(self, True)
        self._running = Deferred.fromCoroutine(self._run())
        return self._running.addBoth(self._ended)

    def stop(self) -> None:
        """Send no more: the connection is lost or will be."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()

    async def _run(self) -> None:
        while True:
            piece, is_last = await self._read()
            self._transport.write(piece)
            if is_last:
                return  # at once: the server may answer now
            self._progress()
            if self._is_paused:
                self._resumed = Deferred()
                await self._resumed

    async def _read(self) -> tuple[bytes, bool]:
        if self._in_thread is None:
            return next(self._pieces)
        piece: tuple[bytes, bool] = await self._in_thread(next, self._pieces)
        return piece

    def _ended(self, result: object) -> Any:
        self._transport.unregisterProducer()
        if isinstance(result, Failure) and result.check(CancelledError):
            return Deferred()  # stopped: nobody waits any more
        self._running = None
        return result

    def pauseProducing(self) -> None:
        """The peer does not read."""
        self._is_paused = True

    def resumeProducing(self) -> None:
        """The peer has read all that was written."""
        self._is_paused = False
        resumed, self._resumed = self._resumed, None
        if resumed is not None:
            self._progress()
            resumed.callback(None)

    def stopProducing(self) -> None:
        """The connection is lost."""
        self.stop()
