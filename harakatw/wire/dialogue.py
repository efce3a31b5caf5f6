"""
One message from the client's side: what to say when, and what each answer is about.

No octet of the message passes here: at L{Stage.BODY} the caller sends it, with the
final dot or as the last chunk, and says so with L{Dialogue.body_sent}.

With PIPELINING a group of commands goes out at once, without it one command. A group is
bounded and the next one goes out when all of it is answered, so that neither side fills
the other's window, and a server that refuses the sender is not sent ten thousand
recipients (RFC 2920 section 3.1).

@see: RFC 5321 section 3.3, RFC 2920, RFC 2033 (LMTP), RFC 3030 (BDAT)
"""

import enum
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import attrs

from harakatw.wire.answer import Answer, PeerError

MAX_GROUP: Final = 100
"""Most RCPT commands of one group."""

RSET: Final = b"RSET\r\n"
DATA: Final = b"DATA\r\n"
DOT: Final = b".\r\n"

_SERVICE_CLOSES: Final = 421
_TOO_MANY_RECIPIENTS: Final = 552


class Stage(enum.Enum):
    """What the next answer is about. The value is for people."""

    __hash__ = object.__hash__  # by identity: Enum's own is a Python call an answer

    RSET = "RSET"
    XFORWARD = "XFORWARD"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    BODY = "the message"
    DOT = "the end of the message"
    EMPTY = "an empty message that nobody gets"
    DONE = "the session"


@attrs.frozen
class Said:
    """
    What became of one recipient.

    @ivar answer: the one that decided it.
    @ivar stage: what it answered.
    @ivar other_host: may another host of the domain take the message now?
    """

    answer: Answer
    stage: Stage
    other_host: bool


class Dialogue:
    """
    The commands and answers of one message.

    @ivar stage: what the next answer is about.
    @ivar said: for each recipient what became of it, L{None} until it is known.
    @ivar last: the last answer of all.
    @ivar needs_reset: must the next message begin with RSET?
    @ivar must_close: is the connection of no more use?
    """

    __slots__ = (
        "_accepted",
        "_before",
        "_chunked",
        "_mail",
        "_per_recipient",
        "_pipelining",
        "_position",
        "_rcpts",
        "_refused",
        "_sent",
        "_told",
        "_unanswered",
        "last",
        "must_close",
        "needs_reset",
        "said",
        "stage",
    )

    def __init__(
        self,
        mail: bytes,
        rcpts: Sequence[bytes],
        *,
        pipelining: bool,
        per_recipient: bool = False,
        reset_first: bool = False,
        chunked: bool = False,
        before: Sequence[bytes] = (),
    ) -> None:
        """
        @param mail: the command with its CRLF, as are C{rcpts}, at least one.
        @param per_recipient: does the server answer the end of the message once for
            each recipient that it took, as LMTP does?
        @param reset_first: does an earlier message stand open?
        @param before: commands with their CRLF that say whose mail it is (XFORWARD); it
            does not matter how they are answered.
        @param chunked: is the message sent with BDAT, so that nothing is asked before?
        """
        self._mail = mail
        self._rcpts = rcpts
        self._pipelining = pipelining
        self._per_recipient = per_recipient
        self._chunked = chunked
        self._before = before
        self._told = 0  # of those, the ones that are answered
        self._accepted: list[int] = []
        self._refused = False  # the sender
        self._sent = 0  # recipients
        self._position = 0  # the recipient that the next answer is about
        self._unanswered = 0
        self.stage = _RSET if reset_first else _XFORWARD if before else _MAIL
        self.said: list[Said | None] = [None] * len(rcpts)
        self.last: Answer | None = None
        self.needs_reset = False
        self.must_close = False

    def start(self) -> bytes:
        """What to send first."""
        if not self._pipelining:
            return self._next_group()
        opening = RSET + self._mail if self.stage is _RSET else self._mail
        if self._before:
            opening = opening.removesuffix(self._mail)
            opening = b"".join((opening, *self._before, self._mail))
        group = self._rcpt_group()
        self._unanswered += len(self._before) + (2 if self.stage is _RSET else 1)
        return opening + group

    def answered(self, answer: Answer) -> bytes:
        """
        Take the next answer; look at L{stage} then.

        @return: what to send now, C{b""} for nothing.
        @raise PeerError: if this is no possible answer; L{give_up} what is left then.
        """
        self.last = answer
        if answer.code == _SERVICE_CLOSES:
            self.give_up(answer)
            return b""
        return _HANDLERS[self.stage](self, answer)

    def body_sent(self) -> None:
        """The message and its final dot are on their way."""
        self.stage = _DOT
        self._position = 0

    def give_up(self, answer: Answer, other_host: bool = True) -> None:
        """
        End here: C{answer} is for all recipients of which nothing is known.

        @param other_host: may another host of the domain take the message now?
        """
        for index, said in enumerate(self.said):
            if said is None:
                self.said[index] = Said(answer, self.stage, other_host)
        self.must_close = True
        self.stage = _DONE

    # ---- sending ---------------------------------------------------------------------

    def _next_group(self) -> bytes:
        """All that was sent is answered: go on."""
        stage = self.stage
        self._unanswered = 1
        if stage is _RCPT and not self._refused:
            return self._rcpt_group()
        if stage is _MAIL:
            return self._mail
        if stage is _XFORWARD:
            return self._before[self._told]
        if stage is _RSET:
            return RSET
        if stage is _DATA and self._accepted and not self._refused:
            return self._begin_body()
        return self._end()

    def _begin_body(self) -> bytes:
        if not self._chunked:
            return DATA
        self.stage = _BODY
        return b""

    def _rcpt_group(self) -> bytes:
        """The next recipients, and DATA where it may follow them unseen."""
        begin = self._sent
        most = MAX_GROUP if self._pipelining else 1
        group = self._rcpts[begin : begin + most]
        self._unanswered = len(group)
        self._sent = begin + len(group)
        octets = group[0] if len(group) == 1 else b"".join(group)
        if self._pipelining and self._sent == len(self._rcpts) and not self._chunked:
            self._unanswered += 1
            return octets + DATA
        return octets

    def _go_on(self) -> bytes:
        self._unanswered -= 1
        return b"" if self._unanswered else self._next_group()

    def _end(self) -> bytes:
        self.stage = _DONE
        return b""

    # ---- answers ---------------------------------------------------------------------

    def _on_rset(self, answer: Answer) -> bytes:
        if answer.code >= 300:
            raise PeerError(f"RSET is answered {answer.code}")
        self.stage = _XFORWARD if self._before else _MAIL
        return self._go_on()

    def _on_xforward(self, answer: Answer) -> bytes:
        """The message is sent all the same: this was for the other's log."""
        self._told += 1
        if self._told == len(self._before):
            self.stage = _MAIL
        return self._go_on()

    def _on_mail(self, answer: Answer) -> bytes:
        if _is_positive(answer):
            self.needs_reset = True
        else:
            self._refused = True
            said = Said(answer, _MAIL, answer.code < 500)
            self.said = [said] * len(self._rcpts)
        self.stage = _RCPT
        return self._go_on()

    def _on_rcpt(self, answer: Answer) -> bytes:
        position = self._position
        self._position = position + 1
        if _is_positive(answer):
            self._accepted.append(position)
        elif not self._refused:
            if self._accepted:
                answer = _not_for_long(answer)
            self.said[position] = Said(answer, _RCPT, False)
        if self._position == len(self._rcpts):
            self.stage = _DATA
        return self._go_on()

    def _on_data(self, answer: Answer) -> bytes:
        self._unanswered = 0
        if answer.code >= 400:
            self._tell_accepted(Said(answer, _DATA, answer.code < 500))
            return self._end()
        if answer.code < 300:
            raise PeerError(f"DATA is answered {answer.code}")
        if self._accepted and not self._refused:
            self.stage = _BODY
            return b""
        return self._send_nothing()

    def _send_nothing(self) -> bytes:
        """
        The server waits for a message that nobody is to get: RFC 2920 section 3.1 asks
        for a lone dot. LMTP would answer that with as many replies as it took
        recipients, so nobody could tell when it is done.
        """
        if self._per_recipient:
            self.must_close = True
            return self._end()
        self.stage = _EMPTY
        return DOT

    def _on_body(self, answer: Answer) -> bytes:
        """The server did not wait for the end of the message, so it is not in step."""
        if answer.code < 400:
            raise PeerError(f"{answer.code} in the midst of the message")
        self._tell_accepted(Said(answer, _BODY, answer.code < 500))
        self.must_close = True
        return self._end()

    def _on_dot(self, answer: Answer) -> bytes:
        if 300 <= answer.code < 400:
            raise PeerError(f"the message is answered {answer.code}")
        self.needs_reset = False
        said = Said(answer, _DOT, 400 <= answer.code < 500)
        if not self._per_recipient:
            self._tell_accepted(said)
            return self._end()
        self.said[self._accepted[self._position]] = said
        self._position += 1
        return self._end() if self._position == len(self._accepted) else b""

    def _on_empty(self, answer: Answer) -> bytes:
        self.needs_reset = False
        return self._end()

    def _on_nothing(self, answer: Answer) -> bytes:
        raise PeerError(f"{answer.code} without having been asked")

    def _tell_accepted(self, said: Said) -> None:
        if self._refused:
            return
        for index in self._accepted:
            self.said[index] = said


def _is_positive(answer: Answer) -> bool:
    if 300 <= answer.code < 400:
        raise PeerError(f"{answer.code} instead of yes or no")
    return answer.code < 300


def _not_for_long(answer: Answer) -> Answer:
    """
    A server may say 552 when it takes no more recipients this time (RFC 5321 section
    4.5.3.1.10); with another enhanced code it means a full mailbox.
    """
    if answer.code != _TOO_MANY_RECIPIENTS:
        return answer
    if answer.reply.enhanced not in ("", "5.5.3"):
        return answer
    return attrs.evolve(answer, code=452)


# A member costs a look-up each time it is named by class.
_RSET: Final = Stage.RSET
_XFORWARD: Final = Stage.XFORWARD
_MAIL: Final = Stage.MAIL
_RCPT: Final = Stage.RCPT
_DATA: Final = Stage.DATA
_BODY: Final = Stage.BODY
_DOT: Final = Stage.DOT
_EMPTY: Final = Stage.EMPTY
_DONE: Final = Stage.DONE

_HANDLERS: Final[Mapping[Stage, Callable[[Dialogue, Answer], bytes]]] = (
    MappingProxyType(
        {
            Stage.RSET: Dialogue._on_rset,
            Stage.XFORWARD: Dialogue._on_xforward,
            Stage.MAIL: Dialogue._on_mail,
            Stage.RCPT: Dialogue._on_rcpt,
            Stage.DATA: Dialogue._on_data,
            Stage.BODY: Dialogue._on_body,
            Stage.DOT: Dialogue._on_dot,
            Stage.EMPTY: Dialogue._on_empty,
            Stage.DONE: Dialogue._on_nothing,
        }
    )
)
