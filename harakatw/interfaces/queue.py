"""
The outbound queue: what is stored, and who may ask for it.

A queued message has a body, stored once, and one item for each destination domain; an
item has recipients, each with a state of its own. Whoever delivers an item leases it
first.

@see: Haraka section 5.1 (rows OB01 to OB11), weaknesses WK01 to WK04
"""

import enum
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs
from twisted.internet.defer import Deferred
from zope.interface import Interface


class ItemState(enum.Enum):
    """Where an item stands; the values are what the queue tools show."""

    READY = "ready"
    LEASED = "leased"
    HELD = "held"
    DEAD = "dead"


@attrs.frozen
class QueuedRecipient:
    """
    One recipient of an item.

    @ivar address: the forward-path without brackets; UTF-8 where SMTPUTF8 is needed.
    @ivar notify: RFC 3461 NOTIFY as a comma list in upper case; C{""} if not given.
    @ivar orcpt: RFC 3461 ORCPT as it came (C{rfc822;...}, xtext); C{""} if not given.
    @ivar last_reply: what the last attempt was told, C{""} before.
    """

    address: str
    notify: str = ""
    orcpt: str = ""
    last_reply: str = ""


@attrs.frozen(kw_only=True)
class Demands:
    """
    What a sender asked for that hardly any does.

    @ivar requires_tls: may it go only to hosts that keep it secret (RFC 8689,
        REQUIRETLS)?
    @ivar tls_is_optional: is it to be sent even if certificates are wrong (RFC 8689,
        C{TLS-Required: No})?
    @ivar priority: -9 to 9; more goes before less (RFC 6710).
    @ivar released_at: when the first attempt may be made, in seconds since 1970 (RFC
        4865); 0 is at once.
    @ivar deliver_by: when it has to be there, in seconds since 1970 (RFC 2852); 0 is
        whenever.
    @ivar returns_late: does it come back when it is late, rather than being reported?
    @ivar is_traced: is it to be reported where it was sent on?
    """

    requires_tls: bool = False
    tls_is_optional: bool = False
    priority: int = 0
    released_at: float = 0.0
    deliver_by: float = 0.0
    returns_late: bool = False
    is_traced: bool = False

    @property
    def is_about_tls(self) -> bool:
        """Is the encryption of the way to the next host to be another than usual?"""
        return self.requires_tls or self.tls_is_optional


NO_DEMANDS: Final = Demands()
"""What nearly all messages share."""


@attrs.frozen(kw_only=True)
class QueuedMessage:
    """
    What all items of a message share.

    @ivar uuid: the transaction's.
    @ivar sender: the reverse-path without brackets; C{""} is the null path.
    @ivar size: octets of the message with CRLF line ends.
    @ivar queued_at: seconds since 1970.
    @ivar envid: RFC 3461 ENVID as it came, or C{""}.
    @ivar ret: RFC 3461 RET, C{FULL}, C{HDRS} or C{""}.
    @ivar is_8bit: is there an octet above 127 in the body?
    @ivar is_utf8: does it need SMTPUTF8 (RFC 6531)?
    @ivar is_binary: did it come as BINARYMIME (RFC 3030), so that a CR or LF alone may
        be in it, and has to stay there?
    @ivar demands: what else the sender asked for.
    @ivar notes: what plugins noted, JSON values only, no secrets (weakness WK41).
    """

    uuid: str
    sender: str
    size: int
    queued_at: float
    envid: str = ""
    ret: str = ""
    is_8bit: bool = False
    is_utf8: bool = False
    is_binary: bool = False
    demands: Demands = NO_DEMANDS
    notes: Mapping[str, object] = attrs.field(factory=dict)

    @property
    def waits_from(self) -> float:
        """Since when it could have been delivered, in seconds since 1970."""
        return max(self.queued_at, self.demands.released_at)


@attrs.frozen(kw_only=True)
class QueueItem:
    """
    One message for one domain.

    @ivar id: unique in the store.
    @ivar message_id: the message's, for L{IQueueStore.read_body}.
    @ivar message: what it shares with the other items of the message.
    @ivar domain: the recipients', as an A-label or address literal.
    @ivar site: which queue it waits in: the domain, until its hosts are known.
    @ivar recipients: those that are still to be delivered to.
    @ivar attempts: how many there were.
    @ivar due: when the next attempt may be made, in seconds since 1970.
    @ivar state: where it stands.
    @ivar warned: was the sender told of the delay?
    @ivar last_error: why the last attempt failed, C{""} before.
    @ivar next_hop: where the postmaster sends it, whatever else is known of its route:
        a text that L{harakatw.outbound.hop.parse_hop} reads; C{""} for the usual way.
    """

    id: int
    message_id: int
    message: QueuedMessage
    domain: str
    site: str
    recipients: tuple[QueuedRecipient, ...]
    attempts: int = 0
    due: float = 0.0
    state: ItemState = ItemState.READY
    warned: bool = False
    last_error: str = ""
    next_hop: str = ""


@attrs.frozen(kw_only=True)
class NewItem:
    """
    An item to be queued; see L{QueueItem} for the fields.
    """

    domain: str
    recipients: tuple[QueuedRecipient, ...]
    site: str = ""
    due: float = 0.0


@attrs.frozen(kw_only=True)
class Retry:
    """
    What is left of an item after an attempt: what replaces it in the store.

    @ivar id: the item's.
    @ivar recipients: those that are still to be delivered to.
    @ivar due: when to try again, in seconds since 1970.
    @ivar attempts: how many there were, this one included, unless it does not count.
    @ivar site: the queue that it waits in now.
    @ivar warned: was the sender told of the delay?
    @ivar last_error: why.
    @ivar state: C{READY}; C{DEAD} keeps it for the postmaster, and nobody tries it
        again.
    """

    id: int
    recipients: tuple[QueuedRecipient, ...]
    due: float
    attempts: int
    site: str
    warned: bool
    last_error: str
    state: ItemState = ItemState.READY


@attrs.frozen
class Detour:
    """
    Another way for items than the one that they would take.

    @ivar next_hop: see L{QueueItem}; C{""} for the usual way again.
    @ivar site: the queue that they wait in from now on; C{""} for that of their domain.
    """

    next_hop: str
    site: str = ""


@attrs.frozen(kw_only=True)
class Filter:
    """
    Which items a queue tool means: all conditions must hold, empty ones do.

    Texts are compared as a whole and without case, which only ASCII letters have here;
    a C{*} stands for any characters.

    @ivar ids: items.
    @ivar uuid: of the message.
    @ivar sender: the reverse-path; C{<>} is the null path.
    @ivar recipient: one of the recipients.
    @ivar error: the last error.
    @ivar older_seconds: queued at least this long ago, C{None} for any age.
    @ivar younger_seconds: queued less long ago than this, C{None} for any age.
    @ivar was_tried: was there an attempt already? C{False} is for whether or not.
    """

    ids: frozenset[int] = frozenset()
    uuid: str = ""
    sender: str = ""
    recipient: str = ""
    domain: str = ""
    site: str = ""
    state: ItemState | None = None
    error: str = ""
    older_seconds: float | None = None
    younger_seconds: float | None = None
    was_tried: bool = False


@attrs.frozen
class SiteCount:
    """
    How many items of one queue are due.

    @ivar ready: how many; a store may stop counting at a thousand.
    @ivar earliest_due: since when the first may be taken, in seconds since 1970.
    """

    site: str
    ready: int
    earliest_due: float


class IQueueStore(Interface):
    """
    Keeps queued mail so that it survives a crash.

    All Deferreds of changes fire after the change is on disk, and fail with
    L{harakatw.errors.StoreError} if it is not; then nothing of it was done.
    """

    def add(
        message: QueuedMessage,
        items: Sequence[NewItem],
        body: Iterable[bytes],
        seconds: float = 3600.0,
    ) -> "Deferred[tuple[QueueItem, ...]]":
        """
        Store a message with its items, the body once.

        @param items: at least one, each with a recipient.
        @param body: the message with CRLF line ends, not dot-stuffed; iterated once,
            perhaps in a thread of the store's.
        @param seconds: how long the items are the caller's, from C{queued_at} on.
        @return: the items, with the ids that they got, leased already: whoever adds is
            the first to deliver, and gives them back with L{settle} or L{give_back}.
        @raise ValueError: there is no item, or one without recipients.
        """

    def lease(
        now: float, site: str, limit: int, seconds: float
    ) -> "Deferred[tuple[QueueItem, ...]]":
        """
        Take items of one queue that are due: those of a priority above the usual
        first, then the earliest.

        @param seconds: how long they are the caller's; after that anybody may take
            them. Leases end too when the process that took them does.
        """

    def due_sites(now: float, limit: int) -> "Deferred[tuple[SiteCount, ...]]":
        """
        Which queues have items that are due, those that have waited longest first?
        Items whose lease has run out count. Cheap with a million items.

        @param limit: of queues.
        """

    def next_due(now: float) -> "Deferred[float | None]":
        """
        When is the next item due, later than now? L{None} if there is none. Leases that
        run out count.
        """

    def read_body(message_id: int) -> "Deferred[Iterable[bytes]]":
        """
        The message's octets, in chunks; an iterator over a large body reads a file and
        belongs into a thread.

        @return: fails with L{harakatw.errors.StoreError} if the body cannot be read:
            the item should then be settled as C{DEAD}, so that a postmaster can look at
            it. The octets may be iterated again. That may raise the same, even after
            the last chunk if they are not those that were stored: whoever sends them
            must not end the message.
        """

    def settle(done: Iterable[int], retries: Iterable[Retry]) -> "Deferred[None]":
        """
        End leases: remove items that are done, a message with its last item, and put
        the others back. Several calls made at the same time cost one write to disk.
        Items that are gone already are passed over.

        @raise ValueError: a retry has no recipients, or is C{LEASED}.
        """

    def give_back(ids: Iterable[int]) -> "Deferred[None]":
        """
        End leases without an attempt: the items are due as they were. Those that are
        not leased stay as they are.
        """

    def find(
        which: Filter, limit: int, after: int = 0
    ) -> "Deferred[tuple[QueueItem, ...]]":
        """List items by id, in pages: C{after} is the last id of the page before."""

    def change(
        which: Filter,
        state: ItemState | None = None,
        due: float | None = None,
        detour: Detour | None = None,
    ) -> "Deferred[int]":
        """
        Hold, release, re-schedule or reroute items; leased ones are left alone. Of very
        many items some may be changed earlier than others, and be so if the rest fails.

        @param state: which to put them into.
        @param due: when to try them, in seconds since 1970.
        @param detour: where to send them.
        @return: how many were changed.
        @raise ValueError: there is nothing to change, or the state is C{LEASED}.
        """

    def drop(which: Filter) -> "Deferred[int]":
        """
        Remove items for good, otherwise as L{change}. How many were removed?
        """

    def count() -> "Deferred[Mapping[ItemState, int]]":
        """How many items there are, by state."""
