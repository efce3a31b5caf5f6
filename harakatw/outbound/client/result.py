"""
What became of a message that was given to a host.

@see: Haraka rows OB43, OB44 and OB54
"""

import enum
from typing import Final

import attrs

from harakatw.interfaces.queue import QueuedRecipient
from harakatw.reply import Reply
from harakatw.wire.answer import Answer
from harakatw.wire.dialogue import Said, Stage


class Fate(enum.Enum):
    """What to do about a recipient. The values are RFC 3464's actions."""

    DELIVERED = "delivered"
    TEMPORARY = "delayed"
    PERMANENT = "failed"


_FATES: Final = (None, None, Fate.DELIVERED, None, Fate.TEMPORARY, Fate.PERMANENT)


@attrs.frozen
class Outcome:
    """
    What became of one recipient.

    @ivar said: the answer that decided it.
    """

    recipient: QueuedRecipient
    said: Said

    @property
    def fate(self) -> Fate:
        """Delivered, to be tried again, or to be bounced."""
        return _FATES[self.said.answer.code // 100] or Fate.TEMPORARY

    @property
    def answer(self) -> Answer:
        """The answer, as it came."""
        return self.said.answer

    @property
    def reply(self) -> Reply:
        """The answer, clean. Made anew each time."""
        return self.said.answer.reply

    @property
    def stage(self) -> Stage:
        """What was answered."""
        return self.said.stage

    @property
    def other_host(self) -> bool:
        """May another host of the domain take the message now?"""
        return self.said.other_host


@attrs.frozen(kw_only=True)
class TLSState:
    """
    How a connection is encrypted.

    @ivar version: such as C{TLSv1.3}.
    @ivar cipher: in OpenSSL's spelling.
    @ivar verified: is the certificate valid, and does it belong to the host?
    @ivar problem: why it is not verified, C{""} if it is.
    """

    version: str
    cipher: str
    verified: bool
    problem: str = ""


@attrs.frozen(kw_only=True)
class Peer:
    """
    Whom a connection is with.

    @ivar host: its name, by which it was asked for.
    @ivar ip: C{""} for a Unix socket, as is C{port} 0 then.
    @ivar mode: C{SMTP} (it knew HELO only), C{ESMTP} or C{LMTP}.
    @ivar tls: L{None} for a connection in clear.
    @ivar authenticated: by which mechanism, or C{""}.
    @ivar dsn: does it take on RFC 3461 requests, so that success is its to report?
    """

    host: str
    ip: str
    port: int
    mode: str
    tls: TLSState | None = None
    authenticated: str = ""
    dsn: bool = False


@attrs.frozen(kw_only=True)
class DeliveryResult:
    """
    What became of one message at one host.

    @ivar outcomes: one for each recipient, in any order.
    @ivar peer: the host.
    @ivar final: the last answer, L{None} if nothing was sent or answered.
    @ivar seconds: how long it took.
    @ivar untried: had the peer closed a connection that was used before, so that this
        says nothing about the message? Give it to a new connection.
    """

    outcomes: tuple[Outcome, ...]
    peer: Peer
    final: Answer | None
    seconds: float
    untried: bool = False

    def having(self, fate: Fate) -> tuple[Outcome, ...]:
        """The outcomes of one kind."""
        return tuple(each for each in self.outcomes if each.fate is fate)

    @property
    def delivered(self) -> bool:
        """Have all recipients got it?"""
        return all(each.said.answer.code < 300 for each in self.outcomes)
