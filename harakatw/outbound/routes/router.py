"""
From a domain to a route.

Whoever is asked first has the last word: the C{get_mx} hook, the note
C{queue.next_hop}, the DNS.

@see: RFC 5321 section 5.1, Haraka rows OB20 to OB25, OB33 and OB34
"""

import random
from collections.abc import Iterable, Mapping
from itertools import groupby
from types import MappingProxyType
from typing import Final

import attrs
from twisted.internet.defer import Deferred

from harakatw.address_grammar import GrammarError, canonical_host, literal_ip
from harakatw.dns.addresses import AddressLookup
from harakatw.dns.mx import MXAnswer, MXLookup, MXRecord
from harakatw.dns.records import Status
from harakatw.outbound.hop import Hop, HopError, parse_hop
from harakatw.outbound.routes import problems
from harakatw.outbound.routes.origin import ANYWHERE, Origin, next_hop, read_origin
from harakatw.outbound.routes.recent import Recent
from harakatw.outbound.routes.route import Rank, Route, RouteSettings
from harakatw.outbound.routes.sites import site_name
from harakatw.outbound.routes.walk import HopWalk
from harakatw.reply import Reply
from harakatw.verdict import Kind, Verdict

MAX_KNOWN: Final = 10_000
"""Routes by domain that are kept ready, and as many by what somebody wrote."""

_NO_NOTES: Final[Mapping[str, object]] = MappingProxyType({})
_SOFT = frozenset((Kind.DENYSOFT, Kind.DENYSOFTDISCONNECT))


class Router:
    """Makes routes, and leads along them."""

    def __init__(
        self,
        mx: MXLookup,
        addresses: AddressLookup,
        settings: RouteSettings,
        random: random.Random,
    ) -> None:
        """
        @param random: the order of hosts with equal preference.
        """
        self._mx = mx
        self._addresses = addresses
        self._settings = settings
        self._random = random
        self._known: Recent[tuple[MXAnswer, Route]] = Recent(MAX_KNOWN)
        self._written: Recent[Route] = Recent(MAX_KNOWN)

    def route(
        self,
        domain: str,
        notes: Mapping[str, object] = _NO_NOTES,
        verdict: Verdict | None = None,
    ) -> "Route | Deferred[Route]":
        """
        Find the way to a domain.

        @param domain: the recipients', or an address literal.
        @param notes: of the message.
        @param verdict: what the C{get_mx} hook said.
        @return: the route, at once unless the DNS must be asked; never fails, see
            L{Route.problem}.
        """
        if verdict is not None and verdict.denies:
            return _denied(domain, verdict)
        try:
            origin = read_origin(notes) if notes else ANYWHERE
            if verdict is not None and verdict.kind is Kind.OK:
                return self._explicit(domain, verdict.value, origin)
            wanted = next_hop(notes) if notes else None
            if wanted is not None:
                return self._explicit(domain, wanted, origin)
        except HopError as error:
            return _problem(domain, problems.BAD_HOP, str(error))
        return self._by_dns(domain, origin)

    def walk(self, route: Route) -> HopWalk:
        """
        Begin an attempt.

        @param route: one of this router's.
        """
        return HopWalk(route, self._addresses, self._settings, self._random)

    # ---- hops that somebody wrote down -----------------------------------------------

    def _explicit(self, domain: str, written: object, origin: Origin) -> Route:
        """
        Send mail where a plugin or a note says.

        @raise HopError: if that is nowhere.
        """
        name = f"{domain} {written}" if isinstance(written, str) else ""
        route = self._written.get(name)
        if route is None:
            route = attrs.evolve(_explicit_route(written), domain=domain)
            if self._settings.has_own_connections(domain):
                route = attrs.evolve(route, ranks=_for_domain(route.ranks, domain))
            if name:
                self._written.keep(name, route)
        return route if origin is ANYWHERE else attrs.evolve(route, origin=origin)

    # ---- the DNS ---------------------------------------------------------------------

    def _by_dns(self, domain: str, origin: Origin) -> "Route | Deferred[Route]":
        if not (domain.isascii() and domain.islower()):
            try:
                domain = canonical_host(domain)
            except GrammarError as error:
                return _problem(domain, problems.BAD_DOMAIN, str(error))
        if domain.startswith("["):
            return self._literal(domain, origin)
        answer = self._mx.lookup_mx(domain)
        if isinstance(answer, Deferred):
            return answer.addCallback(self._by_mx, origin)
        return self._by_mx(answer, origin)

    def _literal(self, domain: str, origin: Origin) -> Route:
        """An address in square brackets is its own host (RFC 5321 section 5.1)."""
        ip = literal_ip(domain)
        if ip is None:
            return _problem(domain, problems.BAD_DOMAIN, "an unknown kind of literal")
        ranks = (Rank((Hop(ip=str(ip)),)),)
        return Route(domain=domain, site=domain, ranks=ranks, origin=origin)

    def _by_mx(self, answer: MXAnswer, origin: Origin) -> Route:
        known = self._known.get(answer.domain)
        if known is not None and known[0] is answer:
            route = known[1]
        else:
            route = self._make(answer)
            self._known.keep(answer.domain, (answer, route))
        return route if origin is ANYWHERE else attrs.evolve(route, origin=origin)

    def _make(self, answer: MXAnswer) -> Route:
        problem = _mx_problem(answer)
        if problem is not None:
            return _problem(answer.domain, problem, answer.detail)
        records = self._before_us(answer.records)
        if not records:
            return _problem(answer.domain, problems.LOOP)
        domain = answer.domain
        is_own = self._settings.has_own_queue(domain)
        # Equal hops share connections: most must not say where they come from.
        source = domain if self._settings.has_own_connections(domain) else ""
        ranks = (
            Rank(tuple(Hop(host=each.exchange, from_dns=source) for each in same))
            for _, same in groupby(records, lambda record: record.preference)
        )
        return Route(
            domain=domain,
            site=domain if is_own else site_name(each.exchange for each in records),
            ranks=tuple(ranks),
            is_implicit=answer.is_implicit,
        )

    def _before_us(self, records: tuple[MXRecord, ...]) -> tuple[MXRecord, ...]:
        """
        The hosts that are nearer to the recipients than this server, if it is an MX
        host itself: anything else would be a loop.
        """
        guard = self._settings.guard
        ours = [each.preference for each in records if guard.is_our_name(each.exchange)]
        if not ours:
            return records
        return tuple(each for each in records if each.preference < min(ours))


def _problem(domain: str, problem: Reply, detail: str = "") -> Route:
    return Route(domain=domain, site=domain, problem=problem, detail=detail)


def _mx_problem(answer: MXAnswer) -> Reply | None:
    if answer.status is Status.FAILED:
        return problems.DNS_SILENT
    if answer.status is not Status.FOUND:
        return problems.NO_DOMAIN
    if answer.is_null:
        return problems.NULL_MX
    return None if answer.records else problems.NO_GOOD_MX


def _denied(domain: str, verdict: Verdict) -> Route:
    """What a C{get_mx} hook said instead of a route (Haraka row HK31)."""
    is_soft = verdict.kind in _SOFT
    default = problems.DENIED_FOR_NOW if is_soft else problems.DENIED
    words = problems.ruled(verdict.code, verdict.enhanced, verdict.text, default)
    return _problem(domain, words, "the get_mx hook said so")


def _explicit_route(written: object) -> Route:
    """
    A route by hops that somebody wrote down, one or several.

    @raise HopError: if one of them is none, or if there are none.
    """
    several: Iterable[object] = (written,)
    if isinstance(written, Iterable) and not isinstance(written, str | Mapping):
        several = written
    hops = [parse_hop(each) for each in several]
    if not hops:
        raise HopError("there is no hop in the list")
    hops.sort(key=lambda hop: hop.priority)
    ranks = (Rank(tuple(same)) for _, same in groupby(hops, lambda hop: hop.priority))
    site = site_name(map(str, hops))
    return Route(domain="", site=site, ranks=tuple(ranks), is_explicit=True)


def _for_domain(ranks: Iterable[Rank], domain: str) -> tuple[Rank, ...]:
    """The same hosts, by connections of the domain's own; sockets are our machine."""

    def of_domain(hop: Hop) -> Hop:
        return hop if hop.path else attrs.evolve(hop, from_dns=domain)

    return tuple(Rank(tuple(map(of_domain, rank.hops))) for rank in ranks)
