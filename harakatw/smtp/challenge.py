"""
A dialogue that a plugin holds with the client in the midst of a command: C{AUTH}.

While it waits for an answer, the next line of the client is that answer and no command.
A session that never does this pays nothing for it: what is here are defaults of the
class until the first challenge.

@see: RFC 4954 section 4
"""

from abc import abstractmethod
from typing import Final, TypeVar

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import deferLater

from harakatw.errors import ProtocolError
from harakatw.reply import Reply
from harakatw.smtp.session import Session
from harakatw.wire.session import Phase

_T = TypeVar("_T")

_NEVER: Final = -1.0
_ASKS: Final = "an answer can be waited for while a command is, once at a time"


class Challenger(Session):
    """A session in which a plugin may ask the client for another line."""

    _question: "Deferred[bytes] | None" = None
    _idle_since: float = _NEVER
    _excused: float = 0.0

    # ---- to be had from the protocol -------------------------------------------------

    @abstractmethod
    def _next_answer(self) -> bytes | None:
        """The next line of the client, if it is there; raises L{ProtocolError}."""

    @abstractmethod
    def _catch_up(self) -> None:
        """Send what was said, and read on or not, as is fitting now."""

    # ---- for plugins, through the connection -----------------------------------------

    def challenge(self, question: Reply) -> "Deferred[bytes]":
        """
        Say something in the midst of a command, and wait for the client's next line.

        @return: fires with the line without its CRLF; fails with L{ProtocolError},
            whose reply says why, if it is too long or malformed. It is cancelled when
            the client leaves, or is told to for having taken too long.
        @raise RuntimeError: if no command is being answered, or a question is open.
        """
        if self.phase is Phase.CLOSED:
            return fail(CancelledError())
        if self._question is not None or self._asking != "unrecognized_command":
            raise RuntimeError(_ASKS)
        self.reply(question)
        try:
            line = self._next_answer()
        except ProtocolError as error:
            return fail(error)
        if line is not None:
            return succeed(line)
        self._idle_since = self.context.clock.seconds()
        self._question = Deferred(self._forget_question)
        self._catch_up()
        return self._question

    def pause(self, seconds: float) -> "Deferred[None]":
        """
        Let the client wait.

        @return: fires after so many seconds, which do not count as the plugin's.
        """
        self._idle_since = self.context.clock.seconds()
        return deferLater(self.context.clock, seconds).addBoth(self._no_longer_idle)

    def excused_seconds(self) -> float:
        """For how long did plugins not do anything but let time pass?"""
        if self._idle_since == _NEVER:
            return self._excused
        return self._excused + self.context.clock.seconds() - self._idle_since

    # ---- the answer ------------------------------------------------------------------

    def _take_answer(self, question: "Deferred[bytes]") -> None:
        """Something came from the client: is it the whole answer?"""
        result: bytes | ProtocolError | None
        try:
            result = self._next_answer()
        except ProtocolError as error:
            result = error
        if result is not None:
            self._forget_question(question)
            if isinstance(result, bytes):
                question.callback(result)
            else:
                question.errback(result)
        self._catch_up()

    def _forget_question(self, _: object) -> None:
        self._question = None
        self._no_longer_idle(None)

    def _no_longer_idle(self, result: _T) -> _T:
        self._excused = self.excused_seconds()
        self._idle_since = _NEVER
        return result
