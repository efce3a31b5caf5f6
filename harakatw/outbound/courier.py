"""
Take an item to its hosts: what the scheduler calls when it is an item's turn.

HOT: C{route} and C{attempt} are called once for each message. While a connection waits
and no plugin has to, there is neither a coroutine nor more than one Deferred.
"""

from collections.abc import Callable, Mapping
from typing import Any

import attrs
from twisted.internet.defer import Deferred

from harakatw.errors import StoreError
from harakatw.hooks.chain import Chain
from harakatw.interfaces.queue import IQueueStore
from harakatw.outbound.attempt import (
    AttemptResult,
    Contact,
    Routed,
    Undelivered,
    Work,
)
from harakatw.outbound.client.envelope import Envelope, envelope_of
from harakatw.outbound.client.protocol import SMTPClient
from harakatw.outbound.client.result import DeliveryResult
from harakatw.outbound.hmail import HMail
from harakatw.outbound.hop import Hop
from harakatw.outbound.pool import ClientPool
from harakatw.outbound.routes.route import Route
from harakatw.outbound.routes.router import Router
from harakatw.outbound.routes.walk import HopWalk
from harakatw.outbound.walk import Walk, quick_result
from harakatw.reply import Reply
from harakatw.verdict import CONT, Kind, Verdict, ok

Answer = Routed | AttemptResult
Chains = Callable[[], Mapping[str, Chain]]


@attrs.frozen(kw_only=True)
class Deferral:
    """
    What the C{deferred} hook is told.

    @ivar recipients: who is deferred, each with the reply.
    @ivar error: the first reply, in one line.
    """

    recipients: tuple[Undelivered, ...]
    error: str


class Courier:
    """Finds routes, and delivers."""

    def __init__(
        self,
        store: IQueueStore,
        pool: ClientPool,
        router: Router,
        chains: Chains,
        most: Callable[[str], int | None],
    ) -> None:
        """
        @param store: has the messages that are not in memory.
        @param chains: gives the plugins in force, by hook.
        @param most: messages that a site wants over one connection; L{None} for what
            holds for all.
        """
        self._most = most
        self._store = store
        self._pool = pool
        self.router = router
        self._chains = chains

    # ---- routes ----------------------------------------------------------------------

    def route(self, work: Work) -> "Answer | Deferred[Answer]":
        """
        Where does an item go? The C{get_mx} hook is asked first (row HK31), unless the
        postmaster has spoken.
        """
        if work.item.next_hop:
            return self._found(ok(value=work.item.next_hop), work)
        chain = self._chains()["get_mx"]
        if not chain.steps:
            return self._found(None, work)
        outcome = chain.run(HMail(work.item), work.item.domain)
        if isinstance(outcome, Verdict):
            return self._found(outcome, work)
        return outcome.addCallback(self._found, work)

    def _found(
        self, verdict: Verdict | None, work: Work
    ) -> "Answer | Deferred[Answer]":
        item = work.item
        route = self.router.route(item.domain, item.message.notes, verdict)
        if isinstance(route, Deferred):
            return route.addCallback(_answer, work)
        return _answer(route, work)

    # ---- attempts --------------------------------------------------------------------

    def attempt(self, work: Work) -> "Deferred[AttemptResult]":
        """Try to deliver an item."""
        chains = self._chains()
        route: Any = work.routed and work.routed.route
        walk = self.router.walk(route)
        if work.body is not None and not chains["send_email"].steps:
            hop = walk.next_hop()
            client = self._pool.idle(hop) if type(hop) is Hop else None
            if client is not None and isinstance(hop, Hop):
                envelope = envelope_of(work.item, work.body)
                delivery = client.deliver(envelope)
                return delivery.addCallback(
                    self._tried_one, hop, client, envelope, route, work
                )
            walk = self.router.walk(route)
        return Deferred.fromCoroutine(self._attempt(work, walk, chains))

    def _tried_one(
        self,
        result: DeliveryResult,
        hop: Hop,
        client: SMTPClient,
        envelope: Envelope,
        route: Route,
        work: Work,
    ) -> "AttemptResult | Deferred[AttemptResult]":
        """
        A connection that waited was used: nearly always that is all there is to do.
        """
        self._pool.give_back(hop, client, self._most(route.site))
        if result.delivered and not result.untried:
            return quick_result(result)
        walk = self.router.walk(route)
        return Deferred.fromCoroutine(self._go_on(result, envelope, walk, work))

    async def _go_on(
        self,
        result: DeliveryResult,
        envelope: Envelope,
        hops: HopWalk,
        work: Work,
    ) -> AttemptResult:
        walk = Walk(self._pool, envelope, self._most(work.site))
        if not result.untried:
            hops.next_hop()  # that host has answered
            if not walk.note(result):
                return await self._deferred(walk.result(), work)
        return await self._deferred(await walk.run(hops), work)

    async def _attempt(
        self, work: Work, hops: HopWalk, chains: Mapping[str, Chain]
    ) -> AttemptResult:
        verdict = await _run(chains["send_email"], HMail(work.item))
        if verdict.kind is Kind.DELAY and isinstance(verdict.value, int | float):
            return AttemptResult(
                contact=Contact.NONE, retry_after=float(verdict.value), counts=False
            )
        body: Any = work.body
        if body is None:
            try:
                body = await self._store.read_body(work.item.message_id)
            except StoreError as error:
                return AttemptResult(contact=Contact.NONE, set_aside=str(error))
        most = self._most(work.site)
        walk = Walk(self._pool, envelope_of(work.item, body), most)
        try:
            result = await walk.run(hops)
        except StoreError as error:  # a file that cannot be read to its end
            return AttemptResult(contact=Contact.NONE, set_aside=str(error))
        if walk.is_untried:
            result = walk.result(hops.problem())
        return await self._deferred(result, work)

    async def _deferred(self, result: AttemptResult, work: Work) -> AttemptResult:
        """Let the C{deferred} hook change what follows (row HK32)."""
        chain = self._chains()["deferred"]
        if not (result.deferred and chain.steps):
            return result
        deferral = Deferral(recipients=result.deferred, error=result.deferred[0].said)
        verdict = await _run(chain, HMail(work.item), deferral)
        if verdict.kind is Kind.DENYSOFT and isinstance(verdict.value, int | float):
            return attrs.evolve(result, retry_after=float(verdict.value))
        if verdict.kind in _DROPS:
            return attrs.evolve(result, drop=True)
        return result


_DROPS = frozenset((Kind.OK, Kind.DENY, Kind.DENYDISCONNECT, Kind.DENYSOFTDISCONNECT))


async def _run(chain: Chain, hmail: HMail, *args: object) -> Verdict:
    if not chain.steps:
        return CONT
    outcome = chain.run(hmail, *args)
    return outcome if isinstance(outcome, Verdict) else await outcome


def _answer(route: Route, work: Work) -> Answer:
    if route.problem is None:
        return Routed(route.site, route)
    return _no_route(route.problem, work)


def _no_route(problem: Reply, work: Work) -> AttemptResult:
    undelivered = tuple(
        Undelivered(recipient=each, reply=problem) for each in work.item.recipients
    )
    if problem.is_permanent:
        return AttemptResult(failed=undelivered, contact=Contact.NONE)
    return AttemptResult(deferred=undelivered, contact=Contact.NONE)
