"""
One message: its octets while they are received, in memory and then in a file, and
after.

@see: Haraka rows TX02 to TX08 and TX16
"""

import enum
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import IO, Any, Final

import attrs
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from harakatw.errors import StoreError
from harakatw.message.header import MAX_FIELDS, Header
from harakatw.message.mime.limits import MIMELimits
from harakatw.message.section import find_section
from harakatw.message.spool import Spool, open_spool_file
from harakatw.message.writer import converted_chunks, stuffed_chunks

SPOOL_BATCH_OCTETS: Final = 1 << 18
"""What gathers in memory before a file that is there already gets more."""

_NEVER: Final = sys.maxsize
_MANY_CHUNKS: Final = 256


@attrs.frozen(kw_only=True)
class StoreSettings:
    """
    What the messages of a server have in common.

    @ivar in_thread: calls its first argument with the others in a thread.
    @ivar spool_dir: where spool files are made.
    @ivar spool_after: octets of a message kept in memory: -1 is all, 0 is none.
    @ivar max_header_octets: longest header; more is counted to the body.
    @ivar max_header_fields: fields of a header that are indexed.
    @ivar mime: how far the structure of a message is looked at, if at all.
    @ivar open_file: opens a spool file in a directory.
    """

    in_thread: Callable[..., Deferred[Any]]
    spool_dir: str
    spool_after: int
    max_header_octets: int = 1 << 20
    max_header_fields: int = MAX_FIELDS
    mime: MIMELimits = attrs.field(factory=MIMELimits)
    open_file: Callable[[str], IO[bytes]] = open_spool_file


class _Phase(enum.Enum):
    ARRIVING = 1
    WHOLE = 2
    GONE = 3


_ARRIVING: Final = _Phase.ARRIVING
_WHOLE: Final = _Phase.WHOLE
_GONE: Final = _Phase.GONE


@attrs.define(eq=False)
class Message:
    """
    The octets of one message, made at DATA.

    The header stays in memory; of the body, what is not in the spool file. The methods
    belong to the reactor's thread; what reads the message may go to another once the
    message is whole, as long as nobody edits the header meanwhile.

    @ivar size: octets received.
    @ivar in_memory: octets held in memory.
    @ivar is_binary: may any octets be in it, a CR or LF alone among them (RFC 3030
        section 3)?
    @ivar is_body_dropped: is the body not kept, though it came?
    """

    settings: StoreSettings
    size: int = attrs.field(default=0, init=False)
    in_memory: int = attrs.field(default=0, init=False)
    is_binary: bool = attrs.field(default=False, init=False)
    _chunks: list[bytes] = attrs.field(factory=list, init=False)
    _phase: _Phase = attrs.field(default=_ARRIVING, init=False)
    _spool_at: int = attrs.field(init=False)
    _is_spooling: bool = attrs.field(default=False, init=False)
    _spool: Spool | None = attrs.field(default=None, init=False)
    _spooled: int = attrs.field(default=0, init=False)
    _header: Header | None = attrs.field(default=None, init=False)
    _head: bytes | None = attrs.field(default=None, init=False)  # None: not yet found
    _is_cut: bool = attrs.field(default=False, init=False)
    is_body_dropped: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        after = self.settings.spool_after
        self._spool_at = _NEVER if after < 0 else after

    def append(self, chunk: bytes) -> None:
        """
        Take octets of the message, cut anywhere. After L{destroy} they are only
        counted.

        @param chunk: without doubled dots; line ends are CRLF, unless L{is_binary}.
        @raise ValueError: after L{finish}.
        """
        self.size += len(chunk)
        if self._phase is _ARRIVING:
            self.in_memory += len(chunk)
            self._chunks.append(chunk)
            if len(self._chunks) % _MANY_CHUNKS == 0:
                self._join_small_chunks()
        elif self._phase is _WHOLE:
            raise ValueError("the message has ended already")

    @property
    def needs_spool(self) -> bool:
        """Is so much in memory that L{spool} should be called before more is taken?"""
        return self.in_memory > self._spool_at

    def spool(self) -> Deferred[None]:
        """
        Write what is in memory to the spool file, in a thread.

        The header stays in memory; until it is there as a whole, so does everything.
        The message may be used meanwhile, but L{needs_spool} is false until this is
        done.

        @raise ValueError: if the last call is not done yet.
        @return: fires when it is written; fails with L{StoreError} when the disk did
            not take it: the message is destroyed then.
        """
        if self._is_spooling:
            raise ValueError("the message is being spooled already")
        if not self._divide():
            self._spool_at = 2 * self.in_memory  # so that looking takes linear time
            return succeed(None)
        if not self._chunks:
            self._spool_at = self.in_memory  # there is but a header as yet
            return succeed(None)
        if self._spool is None:
            settings = self.settings
            self._spool = Spool(partial(settings.open_file, settings.spool_dir))
        batch = tuple(self._chunks)
        self._spool_at, self._is_spooling = _NEVER, True
        writing = self.settings.in_thread(self._spool.append, batch)
        return writing.addCallbacks(self._spool_done, self._spool_failed, (batch,))

    def finish(self) -> None:
        """Note the end of the message."""
        if self._phase is _ARRIVING:
            self._phase = _WHOLE
            if self._header is not None:
                self._divide()

    def destroy(self) -> None:
        """Forget the octets and remove the spool file. May be called again."""
        self._phase, self.in_memory, self._spool_at = _GONE, 0, _NEVER
        self._chunks = []
        if self._spool is not None:
            self._spool.close()

    def drop_body(self) -> None:
        """
        Forget what came of the body; the header stays. The message cannot be read any
        more.
        """
        self.is_body_dropped = True
        if self._divide():
            self._chunks = []
            self.in_memory = 0

    def new_body(self) -> "Message":
        """A message without a header, to be filled for L{take_body}."""
        body = Message(self.settings)
        body._head = b""
        return body

    def take_body(self, body: "Message") -> None:
        """
        Have another's body from now on.

        @param body: from L{new_body}; whole, and not to be used any more.
        """
        if self._phase is _GONE:
            body.destroy()
            return
        if self._spool is not None:
            self._spool.close()
        self._chunks, self._spool = body._chunks, body._spool
        self._spooled = body._spooled
        self.in_memory = len(self.raw_header) + body.in_memory
        self.size = len(self.raw_header) + len(b"\r\n") + body.size

    @property
    def is_spooled(self) -> bool:
        """Is some of it in a file, so that it should be read in a thread only?"""
        return self._spooled > 0

    @property
    def header(self) -> Header:
        """
        The header, to read and to edit. One object for the life of the message: what is
        added before the message came stands around what comes.
        """
        if self._header is None:
            self._header = Header(max_fields=self.settings.max_header_fields)
            if self._head is not None:
                self._header.receive(self._head)
        if self._head is None:
            self._divide()
        return self._header

    @property
    def raw_header(self) -> bytes:
        """
        The header as received, without the blank line; C{b""} until it is all there.
        """
        self._divide()
        return self._head or b""

    @property
    def header_too_long(self) -> bool:
        """
        Is the header longer than allowed? What is beyond passes as body, unchanged, but
        nobody finds its fields: such a message should be refused.
        """
        self._divide()
        return self._is_cut

    @property
    def received_count(self) -> int:
        """How many hosts put a trace field on the message (RFC 5321 section 6.3)."""
        raw = self.raw_header.lower()
        return raw.count(b"\nreceived:") + raw.startswith(b"received:")

    def chunks(self, *, skip_header: bool = False) -> Iterator[bytes]:
        """
        The message as it now stands: its header as edited, a blank line, its body.

        When it L{is_spooled} iterate in a thread. Edits after this call are not seen.

        @raise StoreError: here or while iterating, if the message is gone or still
            arrives, or its file cannot be read.
        """
        body = self.body_chunks()
        if skip_header:
            return body
        blank_line = b"" if self._is_cut else b"\r\n"
        return chain((bytes(self.header) + blank_line,), body)

    def body_chunks(self) -> Iterator[bytes]:
        """The body as received; otherwise as L{chunks}."""
        if self._phase is not _WHOLE:
            gone = self._phase is _GONE
            raise StoreError(f"the message is {'gone' if gone else 'still arriving'}")
        if self.is_body_dropped:
            raise StoreError("a plugin set discard_data: the message was not kept")
        self._divide()
        in_memory = tuple(self._chunks)
        if self._spool is None:
            return iter(in_memory)
        return chain(self._spool.chunks(self._spooled), in_memory)

    def wire_chunks(self) -> Iterator[bytes]:
        """
        As L{chunks}, for DATA: see L{stuffed_chunks}. The final dot is the caller's.
        A message that L{is_binary} cannot be sent so.
        """
        return stuffed_chunks(self.chunks())

    def file_chunks(self, line_end: bytes) -> Iterator[bytes]:
        """
        As L{chunks}, for a file.

        @param line_end: C{b"\\r\\n"}, or C{b"\\n"} as mail stores on Unix want it. What
            L{is_binary} stays as it is: nobody could put it together again.
        """
        if self.is_binary:
            return self.chunks()
        return converted_chunks(self.chunks(), line_end)

    def write_to(self, file: IO[bytes], *, line_end: bytes = b"\r\n") -> int:
        """
        Write the message to a file; in a thread, since any file may be slow.

        @param line_end: as L{file_chunks}.
        @return: octets written.
        @raise StoreError: as L{chunks}.
        @raise OSError: if C{file} does not take it.
        """
        written = 0
        for chunk in self.file_chunks(line_end):
            file.write(chunk)
            written += len(chunk)
        return written

    def read_all(self) -> Deferred[bytes]:
        """
        The whole message as it now stands, for the reactor's thread.

        @return: fails with L{StoreError} if the spool file cannot be read.
        @raise StoreError: if the message is gone or still arrives.
        """
        chunks = self.chunks()
        if self.is_spooled:
            return self.settings.in_thread(b"".join, chunks)
        return succeed(b"".join(chunks))

    def _divide(self) -> bool:
        """Find the end of the header, unless it is known. Is it known now?"""
        if self._head is not None:
            return True
        limit = self.settings.max_header_octets
        is_whole = self._phase is not _ARRIVING
        taken = 1  # is enough for nearly all mail; else twice as many are looked at
        while True:
            taken_all = taken >= len(self._chunks)
            start = b"".join(self._chunks[:taken])
            section = find_section(start, limit, is_whole=is_whole and taken_all)
            if section is not None:
                break
            if taken_all:
                return False
            taken *= 2
        self._head, self._is_cut = start[: section.end], section.is_cut
        body = start[section.body :]
        self._chunks[:taken] = (body,) if body else ()
        self.in_memory -= section.body - section.end
        if self._header is not None:
            self._header.receive(self._head)
        return True

    def _join_small_chunks(self) -> None:
        """
        Join the last chunks if they are small: a message that comes an octet at a time
        would take fifty octets of memory for each.
        """
        last = self._chunks[-_MANY_CHUNKS:]
        if not self._is_spooling and _octets(last) < _MANY_CHUNKS * 1024:
            self._chunks[-_MANY_CHUNKS:] = (b"".join(last),)

    def _spool_done(self, _: object, batch: Sequence[bytes]) -> None:
        self._is_spooling = False
        if self._phase is _GONE:
            return
        octets = _octets(batch)
        del self._chunks[: len(batch)]
        self._spooled += octets
        self.in_memory -= octets
        self._spool_at = len(self._head or b"") + SPOOL_BATCH_OCTETS

    def _spool_failed(self, failure: Failure) -> Failure | None:
        self._is_spooling = False
        if self._phase is _GONE:  # the thread found the file closed: nobody wants it
            return None
        self.destroy()
        return failure


def _octets(chunks: Iterable[bytes]) -> int:
    return sum(map(len, chunks))
