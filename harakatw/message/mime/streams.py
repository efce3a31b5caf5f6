"""
Attachments on their way to plugins, at the plugins' pace.

@see: Haraka row TX09
"""

from collections.abc import Callable, Coroutine

import attrs
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from harakatw.interfaces.mime import AttachmentStart, Done, IAttachmentStream, IBody


@attrs.define(eq=False)
class Flow:
    """
    May more of the message be taken? Shared by the streams of one message.

    @ivar failed: did somebody who was given an attachment fail, or take too long?
    """

    failed: bool = False
    _held_by: int = 0
    _free: "Deferred[None] | None" = None

    @property
    def is_held(self) -> bool:
        """Does somebody need time, and is it still worth to wait?"""
        return self._held_by > 0 and not self.failed

    def fail(self) -> None:
        """Somebody did not take what he wanted: nobody is given more."""
        self.failed = True
        self._set_free()

    def hold(self) -> None:
        """Somebody needs time."""
        self._held_by += 1

    def release(self) -> None:
        """Somebody who held it needs no more time."""
        self._held_by -= 1
        if not self._held_by:
            self._set_free()

    def _set_free(self) -> None:
        if self._free is not None:
            free, self._free = self._free, None
            free.callback(None)

    def when_free(self) -> "Deferred[None]":
        """Fires when nobody holds it."""
        if not self.is_held:
            return succeed(None)
        if self._free is None:
            self._free = Deferred()
        return self._free


@implementer(IAttachmentStream)
@attrs.define(eq=False)
class AttachmentStream:
    """
    One attachment for one plugin; see L{IAttachmentStream}.

    @ivar size: octets given out.
    """

    _log = Logger()

    _flow: Flow
    _piece_octets: int
    size: int = 0
    _receive: "Callable[[bytes], Done] | None" = None
    _done: "Callable[[], Done] | None" = None
    _waiting: bytearray = attrs.field(factory=bytearray)
    _pauses: int = 0
    _is_holding: bool = False
    _is_whole: bool = False
    _is_busy: bool = False

    def on_data(self, receive: "Callable[[bytes], Done]") -> None:
        """As L{IAttachmentStream.on_data}."""
        self._receive = receive
        self._go_on()

    def on_end(self, done: "Callable[[], Done]") -> None:
        """As L{IAttachmentStream.on_end}."""
        self._done = done
        self._go_on()

    def pause(self) -> None:
        """As L{IAttachmentStream.pause}; for each call one of L{resume}."""
        self._pauses += 1
        self._hold()

    def resume(self) -> None:
        """As L{IAttachmentStream.resume}."""
        if self._pauses:
            self._pauses -= 1
        self._go_on()

    def begin(self, start: AttachmentStart, body: IBody) -> None:
        """Tell a plugin of the attachment."""
        self._call(start, body.ct or body.content_type, body.filename, body, self)

    def feed(self, octets: bytes) -> None:
        """More of the attachment came."""
        if self._flow.failed or not (self._receive or self._pauses):
            return  # nobody wants it
        self._waiting += octets
        if len(self._waiting) >= self._piece_octets:
            self._go_on()

    def finish(self) -> None:
        """All of it came."""
        self._is_whole = True
        self._go_on()

    def _go_on(self) -> None:
        """Give out what may be given out."""
        if self._is_busy:
            return  # called by whom we are just calling
        self._is_busy = True
        try:
            while not self._pauses and self._step():
                pass
        finally:
            self._is_busy = False
        if self._pauses:
            self._hold()
        elif self._is_holding:
            self._is_holding = False
            self._flow.release()

    def _step(self) -> bool:
        """Make one call, if there is one to make."""
        octets = len(self._waiting)
        if octets >= self._piece_octets or (octets and self._is_whole):
            piece = bytes(self._waiting[: self._piece_octets])
            del self._waiting[: self._piece_octets]
            self.size += len(piece)
            if self._receive is not None:
                self._call(self._receive, piece)
            return True
        if self._is_whole and self._done is not None:
            done, self._done = self._done, None
            self._call(done)
            return True
        return False

    def _call(self, function: "Callable[..., Done]", *args: object) -> None:
        try:
            result = function(*args)
        except Exception:
            self._fail(Failure())
            return
        if isinstance(result, Coroutine):
            result = Deferred.fromCoroutine(result)
        if isinstance(result, Deferred):
            self.pause()
            result.addErrback(self._fail)
            result.addCallback(self._called)

    def _called(self, _: object) -> None:
        self.resume()

    def _fail(self, failure: Failure) -> None:
        """Who fails gets no more; the message is not taken unseen."""
        self._log.failure("what takes an attachment failed", failure)
        self._receive = self._done = None
        self._waiting.clear()
        self._flow.fail()

    def _hold(self) -> None:
        if not self._is_holding:
            self._is_holding = True
            self._flow.hold()
