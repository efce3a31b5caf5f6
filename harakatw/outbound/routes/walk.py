"""
Along a route, host by host and address by address.

@see: RFC 5321 section 5.1
"""

import random
from collections.abc import AsyncIterator
from typing import Final

from twisted.internet.defer import Deferred, FirstError, gatherResults, succeed
from twisted.python.failure import Failure

from harakatw.dns.addresses import Addresses, AddressLookup
from harakatw.outbound.hop import Hop
from harakatw.outbound.routes import problems
from harakatw.outbound.routes.origin import ANYWHERE
from harakatw.outbound.routes.route import NOWHERE, Rank, Route, RouteSettings
from harakatw.reply import Reply

MAX_HOPS: Final = 50
"""
Addresses that one attempt tries. A hundred MX records could have thousands, each of
them silent for as long as C{connect_timeout} lets it be.
"""


class HopWalk:
    """
    Gives the next address to be tried. Addresses of a host are looked up when its turn
    has come, together with those of the other hosts of the same preference: when one of
    these turns out to be this server, they all are passed over, and all that come
    after.
    """

    def __init__(
        self,
        route: Route,
        addresses: AddressLookup,
        settings: RouteSettings,
        random: random.Random,
    ) -> None:
        """
        @param route: one with a problem has nothing to try.
        """
        self._route = route
        self._addresses = addresses
        self._settings = settings
        self._random = random
        self._next_rank = 0
        self._ready: list[Hop] = []
        self._given = 0
        self._is_ours = self._is_forbidden = self._is_uncertain = False

    def next_hop(self) -> "Hop | Deferred[Hop | None] | None":
        """
        What to try next.

        @return: a hop that has C{ip} or C{path}, at once unless addresses must be
            looked up; L{None} if there is none left. Never fails, but may be cancelled.
        """
        ranks = self._route.ranks
        while not self._ready:
            if self._next_rank >= len(ranks):
                return None
            rank = ranks[self._next_rank]
            self._next_rank += 1
            found = self._look_up(rank)
            if isinstance(found, Deferred):
                return found.addCallback(self._enter_and_go_on, rank)
            self._enter(found, rank)
        if self._given >= MAX_HOPS:
            return None
        self._given += 1
        return self._ready.pop()

    async def __aiter__(self) -> AsyncIterator[Hop]:
        """The same with C{async for}."""
        while True:
            hop = self.next_hop()
            if isinstance(hop, Deferred):
                hop = await hop
            if hop is None:
                return
            yield hop

    def _enter_and_go_on(
        self, found: tuple[Addresses, ...], rank: Rank
    ) -> "Hop | Deferred[Hop | None] | None":
        self._enter(found, rank)
        return self.next_hop()

    def _look_up(
        self, rank: Rank
    ) -> "tuple[Addresses, ...] | Deferred[tuple[Addresses, ...]]":
        found = [self._addresses_of(hop) for hop in rank.hops]
        if not any(isinstance(each, Deferred) for each in found):
            return tuple(each for each in found if isinstance(each, Addresses))
        waiting = gatherResults(
            [each if isinstance(each, Deferred) else succeed(each) for each in found],
            consumeErrors=True,
        )
        return waiting.addCallbacks(tuple, _of_one)

    def _addresses_of(self, hop: Hop) -> "Addresses | Deferred[Addresses]":
        if hop.path:
            return NOWHERE
        return self._addresses.lookup_addresses(hop.ip or hop.host.lower())

    def _enter(self, found: tuple[Addresses, ...], rank: Rank) -> None:
        """Put the addresses of a rank where they are taken from, the last one first."""
        guard = None if self._route.is_explicit else self._settings.guard
        reach = rank.reach(found, self._settings.prefer, guard)
        self._is_forbidden |= reach.is_forbidden
        self._is_uncertain |= reach.is_uncertain
        if reach.is_ours:
            self._is_ours = True
            self._next_rank = len(self._route.ranks)
            return
        hosts = list(reach.hosts)
        if len(hosts) > 1:
            self._random.shuffle(hosts)
        hops = [hop for ways in reversed(hosts) for hop in reversed(ways)]
        if self._route.origin is not ANYWHERE:
            hops = [self._route.origin.apply(hop) for hop in hops]
        self._ready = hops

    def problem(self) -> Reply:
        """Why there was nothing to try, once L{next_hop} gave nothing at all."""
        if self._route.problem is not None:
            return self._route.problem
        if self._route.is_explicit:  # a slip in a file must not bounce all mail
            return problems.HOP_SILENT
        if self._is_uncertain:
            return problems.DNS_SILENT
        if self._is_ours or self._is_forbidden:
            return problems.LOOP
        if self._route.is_implicit:
            return problems.NO_HOST
        return problems.NO_MX_ADDRESS


def _of_one(failure: Failure) -> Failure:
    """Look-ups do not fail, they are cancelled: the first of them tells of all."""
    failure.trap(FirstError)
    first: Failure = failure.value.subFailure  # type: ignore[union-attr]  # trap's
    return first
