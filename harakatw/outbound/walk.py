"""
Give a message to the first host of its route that takes it.

@see: RFC 5321 section 5.1 (all addresses of all hosts, in order); Haraka row OB27, WK08
"""

from collections.abc import AsyncIterator, Iterable
from typing import Protocol

import attrs

from harakatw.errors import DeliveryError
from harakatw.interfaces.queue import QueuedRecipient
from harakatw.outbound.attempt import AttemptResult, Contact, Undelivered
from harakatw.outbound.client.envelope import Envelope
from harakatw.outbound.client.failures import HostFailure, HostRefusal
from harakatw.outbound.client.protocol import SMTPClient
from harakatw.outbound.client.result import DeliveryResult, Fate, Peer
from harakatw.outbound.client.tls_rules import NO_TLS
from harakatw.outbound.hop import Hop
from harakatw.outbound.pool import ClientPool
from harakatw.reply import Reply, reply

NO_HOST = reply(451, "4.4.1", "No host of the domain answers")
MAX_HOSTS = 12
"""Hosts that are tried in one attempt; more would hold a place for hours."""


class Hops(Protocol):
    """The hosts of a route, with their addresses, in the order of trying."""

    def __aiter__(self) -> AsyncIterator[Hop]:
        """Look the addresses of each host up when it is its turn."""


@attrs.define(eq=False)
class Walk:
    """
    One attempt, from host to host.

    @ivar pool: connects.
    @ivar envelope: the message, for those who have not got it yet.
    @ivar most: messages that the site wants over one connection.
    """

    pool: ClientPool
    envelope: Envelope
    most: int | None = None
    delivered: list[QueuedRecipient] = attrs.field(factory=list)
    failed: list[Undelivered] = attrs.field(factory=list)
    deferred: dict[int, Undelivered] = attrs.field(factory=dict)
    answered: bool = False
    peer: Peer | None = None
    why: Reply = NO_HOST
    tried: int = 0

    async def run(self, hops: Hops) -> AttemptResult:
        """
        Try hosts until all recipients have got it, or none is left.

        @return: never an error but what reading the message raised.
        """
        async for hop in hops:
            self.tried += 1
            if not await self._try(hop) or self.tried >= MAX_HOSTS:
                break
        return self.result()

    async def _try(self, hop: Hop) -> bool:
        """Try one host. Is another one to be tried?"""
        try:
            client = self.pool.idle(hop) or await self._connect(hop)
        except HostRefusal as error:
            self.why, self.answered = error.reply, True
            return error.other_host
        except HostFailure as error:
            self.why = error.reply
            return error.other_host
        except DeliveryError as error:
            self.why = error.reply
            return True
        result = await client.deliver(self.envelope)
        self.pool.give_back(hop, client, self.most)
        if result.untried:  # the host had closed a connection that waited
            return await self._try(hop)
        return self.note(result)

    async def _connect(self, hop: Hop) -> SMTPClient:
        try:
            return await self.pool.connect(hop)
        except HostFailure as error:
            if not error.retry_in_clear:
                raise
            return await self.pool.connect(hop, NO_TLS)

    def note(self, result: DeliveryResult) -> bool:
        """Who got it, who never will, and who may from another host."""
        self.answered, self.peer = True, result.peer
        others: list[QueuedRecipient] = []
        for outcome in result.outcomes:
            recipient = outcome.recipient
            if outcome.fate is Fate.DELIVERED:
                self.delivered.append(recipient)
                self.deferred.pop(id(recipient), None)
                continue
            undelivered = Undelivered(
                recipient=recipient, reply=outcome.reply, peer=result.peer
            )
            if outcome.fate is Fate.PERMANENT and not outcome.other_host:
                self.failed.append(undelivered)
                self.deferred.pop(id(recipient), None)
                continue
            self.deferred[id(recipient)] = undelivered
            if outcome.other_host:
                others.append(recipient)
        if others:
            self.envelope = attrs.evolve(self.envelope, recipients=tuple(others))
        return bool(others)

    @property
    def is_untried(self) -> bool:
        """Was there no host to try at all?"""
        return not self.tried

    def result(self, why: Reply | None = None) -> AttemptResult:
        """
        What is left over fails or waits, as its last answer says.

        @param why: what to say of those of whom no host said anything.
        """
        if why is not None:
            self.why = why
        told = list(self.deferred.values())
        known = {id(each.recipient) for each in told}
        known.update(map(id, self.delivered))
        known.update(id(each.recipient) for each in self.failed)
        told += _untold(self.envelope.recipients, known, self.why)
        failed = [each for each in told if each.reply.is_permanent]
        deferred = [each for each in told if not each.reply.is_permanent]
        return AttemptResult(
            delivered=tuple(self.delivered),
            failed=tuple(self.failed + failed),
            deferred=tuple(deferred),
            contact=Contact.ANSWERED if self.answered else Contact.FAILED,
            peer=self.peer,
        )


def _untold(
    recipients: Iterable[QueuedRecipient], known: set[int], why: Reply
) -> list[Undelivered]:
    """Those of whom no host said anything."""
    return [
        Undelivered(recipient=each, reply=why)
        for each in recipients
        if id(each) not in known
    ]


def quick_result(result: DeliveryResult) -> AttemptResult:
    """What follows when the first host has taken the message for everybody."""
    return AttemptResult(
        delivered=tuple(outcome.recipient for outcome in result.outcomes),
        contact=Contact.ANSWERED,
        peer=result.peer,
    )
