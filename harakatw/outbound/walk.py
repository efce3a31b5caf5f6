"""
Give a message to the first host of its route that takes it.

@see: RFC 5321 section 5.1 (all addresses of all hosts, in order); Haraka row OB27, WK08
"""

from collections.abc import AsyncIterator, Iterable
from typing import Final, Protocol

import attrs
from twisted.internet.defer import CancelledError

from harakatw.errors import DeliveryError
from harakatw.interfaces.queue import NO_DEMANDS, QueuedRecipient
from harakatw.outbound.attempt import AttemptResult, Contact, Undelivered
from harakatw.outbound.call_off import CallOff
from harakatw.outbound.client.envelope import Envelope
from harakatw.outbound.client.failures import HostFailure, HostRefusal
from harakatw.outbound.client.link import CALLED_OFF
from harakatw.outbound.client.protocol import SMTPClient
from harakatw.outbound.client.result import DeliveryResult, Fate, Outcome, Peer
from harakatw.outbound.client.tls_rules import NO_TLS
from harakatw.outbound.demanded import as_demanded, without_tls
from harakatw.outbound.hop import Hop
from harakatw.outbound.pool import ClientPool
from harakatw.reply import Reply, reply
from harakatw.wire.answer import Answer

NO_HOST: Final = reply(451, "4.4.1", "No host of the domain answers")
MAX_HOSTS: Final = 12
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
    @ivar call_off: whether to go on.
    @ivar delivered: who has got it, C{response} being the first answer that said so.
    @ivar failed: who never will.
    @ivar deferred: who may get it from another host or later, by the recipient's id.
    @ivar answered: did any host say anything?
    @ivar why: why the hosts that said nothing of the message were of no use.
    @ivar tried: how many hosts.
    """

    pool: ClientPool
    envelope: Envelope
    most: int | None = None
    call_off: CallOff = attrs.field(factory=CallOff)
    delivered: list[QueuedRecipient] = attrs.field(factory=list)
    failed: list[Undelivered] = attrs.field(factory=list)
    deferred: dict[int, Undelivered] = attrs.field(factory=dict)
    answered: bool = False
    peer: Peer | None = None
    response: Answer | None = None
    why: Reply = NO_HOST
    tried: int = 0

    async def run(self, hops: Hops) -> AttemptResult:
        """
        Try hosts until all recipients have got it, or none is left.

        @return: never an error but what reading the message raised; what was reached
            if it was called off.
        """
        try:
            async for found in hops:
                hop = self._as_demanded(found)
                self.tried += 1
                if not self._is_next(await self._try(hop)):
                    break
        except CancelledError:
            self.call_off.is_called = True
        return self.result()

    async def go_on(self, hop: Hop, result: DeliveryResult) -> bool:
        """
        Take over from somebody who gave the message to the first host.

        @return: is another one to be tried?
        """
        self.tried += 1
        if result.untried:
            return self._is_next(await self._try(hop))
        return self._is_next(self.note(result))

    def _is_next(self, other_host: bool) -> bool:
        return other_host and self.tried < MAX_HOSTS and not self.call_off.is_called

    async def _try(self, hop: Hop) -> bool:
        """Try one host. Does it leave anything to another?"""
        try:
            client = self.pool.idle(hop) or await self._connect(hop)
        except HostRefusal as error:
            self.answered = True
            return self._not_used(error.reply, error.other_host)
        except HostFailure as error:
            return self._not_used(error.reply, error.other_host)
        except DeliveryError as error:
            return self._not_used(error.reply, True)
        result = await client.deliver(self.envelope)
        self.pool.give_back(hop, client, self.most)
        if result.untried:  # the host had closed a connection that waited
            return await self._try(hop)
        return self.note(result)

    def _as_demanded(self, hop: Hop) -> Hop:
        envelope = self.envelope
        if envelope.demands is NO_DEMANDS:
            return hop
        return as_demanded(hop, envelope.demands, envelope.sender)

    def _not_used(self, why: Reply, other_host: bool) -> bool:
        """
        Remember why a host was not even asked. While one of them may be of use later,
        that others never will does not count: nothing is final.
        """
        envelope = self.envelope
        if envelope.demands.requires_tls and envelope.sender:
            refusal = without_tls(why)
            if refusal is not None:  # that is no fault of the site
                why, self.answered = refusal, True
        if self.why is NO_HOST or not why.is_permanent:
            self.why = why
        return other_host

    async def _connect(self, hop: Hop) -> SMTPClient:
        try:
            return await self.pool.connect(hop)
        except HostFailure as error:
            if not error.retry_in_clear:
                raise
            return await self.pool.connect(hop, NO_TLS)

    def note(self, result: DeliveryResult) -> bool:
        """Who got it, who never will, and who may from another host."""
        self.answered = True
        others: list[QueuedRecipient] = []
        for outcome in result.outcomes:
            self._note(outcome, result.peer)
            if outcome.fate is not Fate.DELIVERED and outcome.other_host:
                others.append(outcome.recipient)
        if others:
            self.envelope = attrs.evolve(self.envelope, recipients=tuple(others))
        return bool(others)

    def _note(self, outcome: Outcome, peer: Peer) -> None:
        recipient = outcome.recipient
        before = self.deferred.pop(id(recipient), None)
        if outcome.fate is Fate.DELIVERED:
            self.delivered.append(recipient)
            if self.response is None:
                self.peer, self.response = peer, outcome.answer
            return
        undelivered = Undelivered(recipient=recipient, reply=outcome.reply, peer=peer)
        if outcome.fate is Fate.PERMANENT and not outcome.other_host:
            self.failed.append(undelivered)
        elif outcome.fate is Fate.PERMANENT and before is not None:
            self.deferred[id(recipient)] = before  # another host may take it later
        else:
            self.deferred[id(recipient)] = undelivered

    @property
    def is_untried(self) -> bool:
        """Was there no host to try at all?"""
        return not self.tried

    def result(self, why: Reply | None = None) -> AttemptResult:
        """
        What is left over fails or waits, as its last answer says.

        @param why: what to say of those of whom no host said anything.
        """
        left = [self._settled(each, why or self._why) for each in self._left()]
        failed = [each for each in left if each.reply.is_permanent]
        deferred = [each for each in left if not each.reply.is_permanent]
        return AttemptResult(
            delivered=tuple(self.delivered),
            failed=tuple(self.failed + failed),
            deferred=tuple(deferred),
            contact=self._contact,
            peer=self.peer,
            response=self.response,
        )

    @property
    def _why(self) -> Reply:
        is_cut_short = self.call_off.is_called and self.why is NO_HOST
        return CALLED_OFF.reply if is_cut_short else self.why

    @property
    def _contact(self) -> Contact:
        if self.answered:
            return Contact.ANSWERED
        return Contact.NONE if self.call_off.is_called else Contact.FAILED

    def _left(self) -> Iterable[QueuedRecipient]:
        """Those who have neither got it nor failed, in any order."""
        known = set(self.deferred)
        known.update(map(id, self.delivered))
        known.update(id(each.recipient) for each in self.failed)
        yield from (each.recipient for each in self.deferred.values())
        yield from (each for each in self.envelope.recipients if id(each) not in known)

    def _settled(self, recipient: QueuedRecipient, why: Reply) -> Undelivered:
        """
        What to say of one of them. Final is only what all hosts have said: too large a
        message for one of them may not be so for the one that was out of order.
        """
        told = self.deferred.get(id(recipient))
        is_final = why.is_permanent or why is NO_HOST
        if told is not None and (is_final or not told.reply.is_permanent):
            return told
        return Undelivered(recipient=recipient, reply=why)


def quick_result(result: DeliveryResult) -> AttemptResult:
    """What follows when the first host has taken the message for everybody."""
    return AttemptResult(
        delivered=tuple(outcome.recipient for outcome in result.outcomes),
        contact=Contact.ANSWERED,
        peer=result.peer,
        response=result.outcomes[0].said.answer,
    )
