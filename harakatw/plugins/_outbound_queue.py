"""
Put a message, or some recipients' part of it, into the outbound queue: for plugins that
know the way to recipients of ours.

@see: RFC 5321 section 6.1
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import attrs
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from harakatw.errors import StoreError
from harakatw.plugin import (
    CONT,
    Address,
    Answer,
    IConnection,
    IOutbound,
    ITransaction,
    Verdict,
    deny_soft,
    ok,
)
from harakatw.plugins._transaction import message_of, transaction_of

MAX_KNOWN: Final = 10_000
"""Parts that are remembered until the client has sent the whole message."""

NOT_STORED: Final = deny_soft(
    "The message could not be stored, try again later", code=452, enhanced="4.3.1"
)

SPLIT: Final = "queue.split"
"""The note that each recipient is delivered to apart from the others."""

_PARTS: Final = "outbound_parts"
"""The note that holds, by plugin, the key of a part of this message."""


@attrs.frozen(eq=False)
class OutboundParts:
    """
    Queues what some recipients get, and leaves the others to the plugins behind.

    If those cannot take theirs, the client will send all of it again. The part that is
    queued is remembered until then, so that nobody gets it with every attempt.

    @ivar name: the plugin's.
    """

    name: str
    _outbound: IOutbound
    _known: "OrderedDict[bytes, None]" = attrs.field(factory=OrderedDict, init=False)

    def queue(
        self, connection: IConnection, away: Sequence[Address]
    ) -> "Verdict | Deferred[Answer]":
        """
        Queue the open transaction's message for some of its recipients.

        @param away: of C{rcpt_to}, the very objects.
        @return: C{OK} if that was all of them, C{CONT} if others are left, who alone
            then are in C{rcpt_to}. What fires says so when it is on disk, or refuses
            for now.
        """
        transaction = transaction_of(connection)
        gone = frozenset(map(id, away))
        here = [each for each in transaction.rcpt_to if id(each) not in gone]
        if not away:
            return CONT
        key = _key(connection, away) if here else b""
        if here and key in self._known:
            return self._rest(transaction, here, key)
        everybody, notes = transaction.rcpt_to, transaction.notes
        transaction.rcpt_to = list(away)
        # How this server's own recipients are delivered to does not concern the others.
        own_queue = notes.get("queue")
        notes.set("queue", {"split": True} if notes.get(SPLIT) else {})

        def settled(answer: Answer) -> Answer:
            transaction.rcpt_to = everybody
            notes.set("queue", own_queue or {})
            if not here or answer is NOT_STORED:
                return answer
            return self._rest(transaction, here, key)

        queued = self._outbound.queue(connection)
        return queued.addCallbacks(_queued, _not_queued).addCallback(settled)

    def done(self, connection: IConnection) -> None:
        """The whole message was taken: nobody will send it again."""
        transaction = transaction_of(connection)
        key = transaction.notes.get((_PARTS, self.name)) if transaction.notes else None
        if key is not None:
            self._known.pop(key, None)

    def _rest(
        self, transaction: ITransaction, here: list[Address], key: bytes
    ) -> Verdict:
        self._known[key] = None
        self._known.move_to_end(key)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        transaction.notes.set((_PARTS, self.name), key)
        transaction.rcpt_to = here
        return CONT


def _key(connection: IConnection, away: Sequence[Address]) -> bytes:
    """What a message and these recipients are, each time that the client sends it."""
    transaction, message = transaction_of(connection), message_of(connection)
    names = (transaction.mail_from, *sorted(each.format() for each in away))
    digest = hashlib.sha256("\n".join(map(str, names)).encode())
    digest.update(b"\n%d\n" % message.size)
    digest.update(message.raw_header)
    return digest.digest()


def _queued(text: str) -> Answer:
    return ok(text)


def _not_queued(failure: Failure) -> Answer:
    failure.trap(StoreError)
    return NOT_STORED
