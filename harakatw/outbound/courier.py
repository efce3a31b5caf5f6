"""
Take an item to its hosts: what the scheduler calls when it is an item's turn.

HOT: C{route} and C{attempt} are called once for each message. While a connection waits
and no plugin has to, there is neither a coroutine nor more than one Deferred.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from harakatw.errors import StoreError
from harakatw.hooks.chain import Chain
from harakatw.interfaces.queue import NO_DEMANDS, IQueueStore
from harakatw.outbound.attempt import (
    AttemptResult,
    Contact,
    Routed,
    Undelivered,
    Work,
)
from harakatw.outbound.call_off import CallOff
from harakatw.outbound.client.envelope import Envelope, envelope_of
from harakatw.outbound.client.protocol import SMTPClient
from harakatw.outbound.client.result import DeliveryResult
from harakatw.outbound.hmail import HMail
from harakatw.outbound.hop import Hop
from harakatw.outbound.pool import ClientPool
from harakatw.outbound.routes.route import Route
from harakatw.outbound.routes.router import Router
from harakatw.outbound.routes.walk import HopWalk
from harakatw.outbound.told import Deferral
from harakatw.outbound.walk import Walk, quick_result
from harakatw.reply import reply
from harakatw.verdict import CONT, Kind, Verdict, ok

Answer = Routed | AttemptResult
Chains = Callable[[], Mapping[str, Chain]]

_UNREADABLE: Final = reply(451, "4.3.0", "The message could not be read")
_DROPS: Final = frozenset(
    (Kind.OK, Kind.DENY, Kind.DENYDISCONNECT, Kind.DENYSOFTDISCONNECT)
)


class Courier:
    """
    Finds routes, and delivers.

    @ivar pool: has the connections; may be replaced, as may C{router}: what is on its
        way goes on with those that it began with.
    """

    _log = Logger()

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
        self.pool = pool
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
        outcome = chain.run(work.hmail, work.item.domain)
        if isinstance(outcome, Verdict):
            return self._found(outcome, work)
        return outcome.addCallback(self._found, work)

    def _found(
        self, verdict: Verdict | None, work: Work
    ) -> "Answer | Deferred[Answer]":
        item = work.item
        route = self.router.route(item.domain, item.message.notes, verdict)
        if isinstance(route, Deferred):
            return route.addCallback(self._answer, work)
        return self._answer(route, work)

    def _answer(self, route: Route, work: Work) -> "Answer | Deferred[Answer]":
        if route.problem is None:
            return Routed(route.site, route)
        if route.detail:
            self._log.info(
                "{uuid} there is no way to {domain}: {detail}",
                uuid=work.item.message.uuid,
                domain=route.domain,
                detail=route.detail,
            )
        undelivered = tuple(
            Undelivered(recipient=each, reply=route.problem)
            for each in work.item.recipients
        )
        if route.problem.is_permanent:
            return AttemptResult(failed=undelivered, contact=Contact.NONE)
        result = AttemptResult(deferred=undelivered, contact=Contact.NONE)
        if not self._chains()["deferred"].steps:
            return result
        return Deferred.fromCoroutine(self._no_way(result, work))

    async def _no_way(self, result: AttemptResult, work: Work) -> Answer:
        return await self._deferred(result, work)

    # ---- attempts --------------------------------------------------------------------

    def attempt(self, work: Work) -> "Deferred[AttemptResult]":
        """Try to deliver an item."""
        chains, pool = self._chains(), self.pool
        route: Any = work.routed and work.routed.route
        hops = self.router.walk(route)
        demands = work.item.message.demands
        is_plain = demands is NO_DEMANDS or not demands.is_about_tls
        if work.body is not None and is_plain and not chains["send_email"].steps:
            hop = hops.next_hop()
            client = pool.idle(hop) if type(hop) is Hop else None
            if client is not None and isinstance(hop, Hop):
                envelope = envelope_of(work.item, work.body)
                delivery = client.deliver(envelope)
                return delivery.addCallback(
                    self._tried_one, hop, client, pool, envelope, hops, work
                )
            hops = self.router.walk(route)
        call_off = CallOff()
        return call_off.watch(self._attempt(work, hops, chains, call_off))

    def _tried_one(
        self,
        result: DeliveryResult,
        hop: Hop,
        client: SMTPClient,
        pool: ClientPool,
        envelope: Envelope,
        hops: HopWalk,
        work: Work,
    ) -> "AttemptResult | Deferred[AttemptResult]":
        """
        A connection that waited was used: nearly always that is all there is to do.
        """
        most = self._most(work.site)
        pool.give_back(hop, client, most)
        if result.delivered and not result.untried:
            return quick_result(result)
        call_off = CallOff()
        walk = Walk(pool, envelope, most, call_off)
        return call_off.watch(self._go_on(result, hop, walk, hops, work))

    async def _go_on(
        self, result: DeliveryResult, hop: Hop, walk: Walk, hops: HopWalk, work: Work
    ) -> AttemptResult:
        goes_on = await walk.go_on(hop, result)
        reached = await walk.run(hops) if goes_on else walk.result()
        return (
            reached if walk.call_off.is_called else await self._deferred(reached, work)
        )

    async def _attempt(
        self,
        work: Work,
        hops: HopWalk,
        chains: Mapping[str, Chain],
        call_off: CallOff,
    ) -> AttemptResult:
        verdict = await _run(chains["send_email"], work.hmail)
        call_off.check()
        seconds = _seconds(verdict, Kind.DELAY)
        if seconds is not None:
            return AttemptResult(
                contact=Contact.NONE, retry_after=seconds, counts=False
            )
        body: Any = work.body
        if body is None:
            try:
                body = await self._store.read_body(work.item.message_id)
            except StoreError as error:
                return AttemptResult(contact=Contact.NONE, set_aside=str(error))
        envelope = envelope_of(work.item, body)
        walk = Walk(self.pool, envelope, self._most(work.site), call_off)
        try:
            result = await walk.run(hops)
        except StoreError as error:  # a file that cannot be read to its end
            reached = walk.result(_UNREADABLE)
            # The host is not at fault: other mail for it must not wait.
            return attrs.evolve(reached, contact=Contact.NONE, set_aside=str(error))
        if walk.is_untried:
            call_off.check()
            result = walk.result(hops.problem())
        if call_off.is_called:
            return result
        return await self._deferred(result, work)

    async def _deferred(self, result: AttemptResult, work: Work) -> AttemptResult:
        """Let the C{deferred} hook change what follows (row HK32)."""
        chain = self._chains()["deferred"]
        if not (result.deferred and chain.steps):
            return result
        deferral = Deferral(recipients=result.deferred, error=result.deferred[0].said)
        verdict = await _run(chain, work.hmail, deferral)
        seconds = _seconds(verdict, Kind.DENYSOFT)
        if seconds is not None:
            return attrs.evolve(result, retry_after=seconds)
        if verdict.kind in _DROPS:
            return attrs.evolve(result, drop=True)
        return result


async def _run(chain: Chain, hmail: HMail, *args: object) -> Verdict:
    if not chain.steps:
        return CONT
    outcome = chain.run(hmail, *args)
    return outcome if isinstance(outcome, Verdict) else await outcome


def _seconds(verdict: Verdict, kind: Kind) -> float | None:
    """How long a plugin wants something to be put off, if it is that which it wants."""
    value = verdict.value
    if verdict.kind is not kind or not isinstance(value, int | float):
        return None
    return None if math.isnan(value) else float(value)
