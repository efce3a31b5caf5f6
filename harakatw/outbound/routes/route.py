"""
A way to a domain: its hosts in the order in which they are to be tried.
"""

import operator
from collections.abc import Callable

import attrs

from harakatw.dns.addresses import Addresses, Preference
from harakatw.dns.records import Status
from harakatw.outbound.hop import Hop
from harakatw.outbound.routes.guard import Finding, Guard
from harakatw.outbound.routes.origin import ANYWHERE, Origin
from harakatw.reply import Reply

NOWHERE = Addresses(Status.NO_NAME)
"""Stands for the addresses of a hop that has none, such as a Unix socket."""


@attrs.frozen(kw_only=True)
class RouteSettings:
    """
    What holds for all routes.

    @ivar guard: rules on what comes from the DNS; hops that somebody wrote down are not
        its business.
    @ivar prefer: which addresses of a host come first.
    @ivar has_own_queue: is a domain a site of its own, whatever its hosts are?
    @ivar has_own_connections: must mail for a domain not share connections with mail
        for others that have the same hosts, say because C{tls.ini} names the domain?
        Then C{Hop.from_dns} says for which domain a hop is, whoever named the host.
    """

    guard: Guard = attrs.field(factory=Guard)
    prefer: Preference = "default"
    has_own_queue: Callable[[str], bool] = lambda domain: False
    has_own_connections: Callable[[str], bool] = lambda domain: False


@attrs.frozen
class Reach:
    """
    Where the hosts of one rank can be reached.

    @ivar hosts: for each host that can, a hop for each address, in order.
    @ivar is_ours: is one of the hosts this server?
    @ivar is_forbidden: was an address left out because mail must not go there?
    @ivar is_uncertain: may there be more addresses, which nobody knows now?
    """

    hosts: tuple[tuple[Hop, ...], ...] = ()
    is_ours: bool = False
    is_forbidden: bool = False
    is_uncertain: bool = False


@attrs.define(eq=False)
class Rank:
    """
    Hosts of equal preference.

    @ivar hops: without addresses, or as somebody wrote them down.
    """

    hops: tuple[Hop, ...]
    # Mail to a busy domain asks this for every message while the answers are the same.
    _seen: tuple[Addresses, ...] = attrs.field(default=(), init=False)
    _reach: Reach | None = attrs.field(default=None, init=False)

    def reach(
        self, found: tuple[Addresses, ...], prefer: Preference, guard: Guard | None
    ) -> Reach:
        """
        What to try, given the addresses of each hop.

        @param guard: L{None} for hops that somebody wrote down. This and C{prefer} must
            be the same each time.
        """
        if self._reach is None or not _same(found, self._seen):
            self._reach = _reach(self.hops, found, prefer, guard)
            self._seen = found
        return self._reach


def _same(one: tuple[Addresses, ...], other: tuple[Addresses, ...]) -> bool:
    return len(one) == len(other) and all(map(operator.is_, one, other))


def _reach(
    hops: tuple[Hop, ...],
    found: tuple[Addresses, ...],
    prefer: Preference,
    guard: Guard | None,
) -> Reach:
    hosts = []
    findings: set[Finding] = set()
    for hop, addresses in zip(hops, found, strict=True):
        ips = list(addresses.ordered(prefer))
        if guard is not None:
            judged = [(ip, guard.judge(ip)) for ip in ips]
            findings.update(finding for _, finding in judged)
            ips = [ip for ip, finding in judged if finding is Finding.USABLE]
        ways = (hop,) if hop.path else tuple(attrs.evolve(hop, ip=ip) for ip in ips)
        if ways:
            hosts.append(ways)
    return Reach(
        tuple(hosts),
        Finding.OURS in findings,
        Finding.FORBIDDEN in findings,
        any(each.status is Status.FAILED for each in found),
    )


@attrs.frozen(eq=False, kw_only=True)
class Route:
    """
    The way that one message takes to one domain.

    @ivar domain: the recipients'.
    @ivar site: who takes the mail, for limits and for tools; see
        L{harakatw.outbound.routes.sites}.
    @ivar ranks: the hosts, those of the best preference first; empty if there is a
        problem.
    @ivar problem: L{None}, or why there is no way: with 5xx the message bounces, with
        4xx it is tried again.
    @ivar detail: what the log gets besides.
    @ivar is_explicit: did a plugin or a note say so, rather than the DNS?
    @ivar is_implicit: is the host the domain itself, because it has no MX record?
    @ivar origin: who we are on this way.
    """

    domain: str
    site: str
    ranks: tuple[Rank, ...] = ()
    problem: Reply | None = None
    detail: str = ""
    is_explicit: bool = False
    is_implicit: bool = False
    origin: Origin = ANYWHERE
