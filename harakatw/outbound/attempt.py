"""
One attempt to deliver an item, and what became of it: what the scheduler and those who
route, deliver and report tell each other.
"""

import enum
from typing import Final

import attrs

from harakatw.interfaces.queue import QueuedRecipient, QueueItem, Retry
from harakatw.outbound.client.result import Peer
from harakatw.outbound.hmail import HMail
from harakatw.reply import Reply
from harakatw.wire.answer import Answer


class Contact(enum.Enum):
    """What an attempt says about the site, as opposed to the message."""

    __hash__ = object.__hash__  # by identity: Enum's own is a Python call each time

    NONE = "none"
    """Nothing: it was not asked, or the trouble was our own."""
    ANSWERED = "answered"
    """It works, whatever it said of the message."""
    FAILED = "failed"
    """No host could be reached, or none would talk to us."""


@attrs.frozen
class Routed:
    """
    Where an item goes.

    @ivar site: the site, by the name that the queue tools show; items for the same
        site share its limits.
    @ivar route: whatever the attempt needs to get there; the scheduler only keeps it.
    """

    site: str
    route: object = None


def in_one_line(reply: Reply) -> str:
    """A reply with its codes, for logs and for plugins."""
    status = f"{reply.enhanced} " if reply.enhanced else ""
    return f"{reply.code} {status}{reply.text}"


@attrs.frozen(kw_only=True)
class Undelivered:
    """
    A recipient who has not got the message.

    @ivar reply: why: what a host answered, or our own words.
    @ivar peer: whose answer it is, L{None} if it is ours.
    """

    recipient: QueuedRecipient
    reply: Reply
    peer: Peer | None = None

    @property
    def said(self) -> str:
        """The reply in one line."""
        return in_one_line(self.reply)


@attrs.frozen(kw_only=True)
class AttemptResult:
    """
    What became of an attempt. Each recipient of the item stands in exactly one of the
    first three; one that stands in none is tried again.

    @ivar delivered: who has got it.
    @ivar failed: who never will (5xx).
    @ivar deferred: who may get it later (4xx, nobody there).
    @ivar contact: what this says about the site.
    @ivar peer: who took it, for the report of success.
    @ivar response: what C{peer} said to the message; L{None} if nobody took it.
    @ivar retry_after: seconds until the next attempt, instead of the next interval.
    @ivar counts: is it one of the attempts that an item has?
    @ivar drop: forget the C{deferred} without a report.
    @ivar set_aside: why the item is to be kept for the postmaster, and not tried again:
        its body cannot be read, say. C{""} for every other item.
    """

    delivered: tuple[QueuedRecipient, ...] = ()
    failed: tuple[Undelivered, ...] = ()
    deferred: tuple[Undelivered, ...] = ()
    contact: Contact = Contact.ANSWERED
    peer: Peer | None = None
    response: Answer | None = None
    retry_after: float | None = None
    counts: bool = True
    drop: bool = False
    set_aside: str = ""


class Stage(enum.Enum):
    """How far an item has come in memory."""

    ROUTING = "routing"
    READY = "ready"
    WAITING = "waiting"
    RUNNING = "running"
    SETTLING = "settling"
    RETURNED = "returned"


@attrs.define(eq=False)
class Work:
    """
    An item in memory, from the time that it is leased until its lease has ended.

    @ivar item: as it was leased.
    @ivar body: the message, if it was kept in memory; else the store has it.
    @ivar queue: the queue of the store that it was leased from, C{""} if it was offered
        right after it came.
    @ivar since: when it came, by the clock that the scheduler was given.
    @ivar routed: where it goes; L{None} until that is known.
    @ivar stage: the scheduler's.
    """

    item: QueueItem
    body: bytes | None = None
    queue: str = ""
    since: float = 0.0
    routed: Routed | None = None
    stage: Stage = Stage.ROUTING
    _hmail: HMail | None = attrs.field(default=None, init=False)

    @property
    def hmail(self) -> HMail:
        """The item as plugins see it: the same object on all hooks of an attempt."""
        if self._hmail is None:
            self._hmail = HMail(self.item)
        return self._hmail

    @property
    def site(self) -> str:
        """The queue of the store that it belongs to, as far as is known."""
        return self.item.site if self.routed is None else self.routed.site


@attrs.frozen
class Settlement:
    """
    What follows from an attempt.

    @ivar item: as it was before.
    @ivar result: of the attempt.
    @ivar bounces: who will never get it: the reports of failure are about them.
    @ivar warnings: who will be tried for longer than the sender expects: the report of
        delay is about them.
    @ivar retry: what is left of the item; L{None} if it is done.
    @ivar gave_up: why deferred recipients are among the bounces, C{""} if none is.
    @ivar expires_at: until when it is tried, in seconds since 1970.
    """

    item: QueueItem
    result: AttemptResult
    bounces: tuple[Undelivered, ...] = ()
    warnings: tuple[Undelivered, ...] = ()
    retry: Retry | None = None
    gave_up: str = ""
    expires_at: float = 0.0


EXPIRED: Final = "delivery time expired"
TOO_OFTEN: Final = "too many attempts"
