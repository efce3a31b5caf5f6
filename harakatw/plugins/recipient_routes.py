"""
Accept recipients that have a route, and send their mail along it.

@see: Haraka row PN31
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import ClassVar, Final

import attrs
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from harakatw.address import parse_address
from harakatw.address_grammar import canonical_host
from harakatw.config.problems import Problem
from harakatw.errors import ProtocolError
from harakatw.outbound.hop import parse_hop
from harakatw.plugin import (
    CONT,
    OK,
    Address,
    Answer,
    IConnection,
    IGetMXHook,
    IHMail,
    IOutbound,
    IQueueHook,
    IQueueOkHook,
    IRcptHook,
    IRcptOkHook,
    Params,
    Verdict,
    implementer,
    ok,
    whole_section,
)
from harakatw.plugins._outbound_queue import SPLIT, OutboundParts
from harakatw.plugins._transaction import transaction_of

FILE: Final = "rcpt_to.routes.ini"
ROUTES: Final = "routes"


@attrs.frozen(kw_only=True, slots=False)  # cached_property needs a place
class RecipientRoutesOptions:
    """C{rcpt_to.routes.ini}."""

    config_file: ClassVar[str] = FILE
    unsupported: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"redis.*": "routes in Redis come with a later release: write them to [routes]"}
    )

    entries: Mapping[str, str] = attrs.field(
        factory=dict,
        metadata=whole_section(
            "The host that takes the mail of an address or a domain: host, host:port,"
            " smtp://host:port or lmtp://host:port.",
            section=ROUTES,
        ),
    )

    @cached_property
    def table(self) -> "RouteTable":
        """The entries that are right."""
        return make_route_table(self.entries)

    @property
    def mistakes(self) -> tuple[Problem, ...]:
        """The entries that are not."""
        return self.table.mistakes


@attrs.frozen
class RouteTable:
    """
    Next hops as they are written.

    @ivar by_address: by L{Address.address} in lower case.
    @ivar by_domain: by L{Address.host}.
    @ivar mistakes: entries that are in neither, and why.
    """

    by_address: Mapping[str, str]
    by_domain: Mapping[str, str]
    mistakes: tuple[Problem, ...] = ()

    def find(self, recipient: Address) -> str | None:
        """The next hop for a recipient: of its address, or else of its domain."""
        if self.by_address:
            hop = self.by_address.get(recipient.address.lower())
            if hop is not None:
                return hop
        return self.by_domain.get(recipient.host)

    def has_own(self, recipient: Address) -> bool:
        """Has the address a route of its own? Then others of the domain may not."""
        return bool(self.by_address) and recipient.address.lower() in self.by_address


def make_route_table(entries: Mapping[str, str]) -> RouteTable:
    """
    Read the section.

    @param entries: next hops by address or domain.
    """
    by_address: dict[str, str] = {}
    by_domain: dict[str, str] = {}
    mistakes = []
    for key, hop in entries.items():
        try:
            name = _spelt(key)
            parse_hop(hop)
            table = by_address if "@" in name else by_domain
            if name in table:
                raise ValueError(f"there is another entry for {name}")
            table[name] = hop.strip()
        except ValueError as error:
            why = f"{error}; mail for {key} has no route"
            mistakes.append(Problem(f"config/{FILE}", 0, ROUTES, key, why))
    return RouteTable(by_address, by_domain, tuple(mistakes))


def _spelt(key: str) -> str:
    """
    An address or a domain as recipients spell theirs.

    @raise ValueError: if it is neither.
    """
    try:
        if "@" in key:
            return parse_address(key, utf8=True).address.lower()
        return canonical_host(key)
    except ProtocolError as error:
        raise ValueError(f"{key!r} is no address: {error}") from None
    except ValueError as error:
        raise ValueError(f"{key!r} is no domain: {error}") from None


@implementer(IRcptHook, IRcptOkHook, IQueueHook, IQueueOkHook, IGetMXHook)
@attrs.frozen
class RecipientRoutes:
    """
    Vouches for recipients that have a route, and names the host for their mail.

    Their part of any message is put into the outbound queue; the others' is left to the
    plugins behind.
    """

    _log = Logger()

    options: RecipientRoutesOptions
    name: str
    outbound: IOutbound
    table: RouteTable = attrs.field(init=False, repr=False)
    parts: OutboundParts = attrs.field(init=False, repr=False)

    @table.default
    def _read_table(self) -> RouteTable:
        return self.options.table

    @parts.default
    def _make_parts(self) -> OutboundParts:
        return OutboundParts(self.name, self.outbound)

    def hook_rcpt(
        self, connection: IConnection, recipient: Address, params: Params
    ) -> Verdict:
        results = transaction_of(connection).results
        if not recipient.host:
            results.add(self, fail="rcpt!domain")
            return CONT
        if self.table.has_own(recipient):
            results.add(self, passed="file.email")
            return OK
        if recipient.host in self.table.by_domain:
            results.add(self, passed="file.domain")
            return OK
        results.add(self, fail="file")
        return CONT

    def hook_rcpt_ok(self, connection: IConnection, recipient: Address) -> Verdict:
        """Whoever took the recipient: a route of its own parts it from the others."""
        if self.table.has_own(recipient):
            transaction_of(connection).notes.set(SPLIT, True)
        return CONT

    def hook_queue(
        self, connection: IConnection
    ) -> "Verdict | Deferred[Answer] | None":
        transaction = transaction_of(connection)
        if transaction.notes.get("queue.wants") not in (None, "outbound", self.name):
            return None
        find = self.table.find
        away = [each for each in transaction.rcpt_to if find(each) is not None]
        return self.parts.queue(connection, away)

    def hook_queue_ok(self, connection: IConnection, text: str) -> None:
        self.parts.done(connection)

    def hook_get_mx(self, hmail: IHMail, domain: str) -> Verdict:
        hops = set(self._hops(hmail))
        if len(hops) > 1:
            # Queued before the routes were what they are now. The domain's own host
            # may see mail for all of them, which another's must not.
            self._log.warn(
                "{uuid} has recipients with different routes: that of {domain} is used",
                uuid=hmail.uuid,
                domain=domain,
                plugin=self.name,
            )
            hops = {self.table.by_domain.get(domain.lower())}
        hop = next(iter(hops), None)
        return CONT if hop is None else ok(value=hop)

    def _hops(self, hmail: IHMail) -> Iterator[str | None]:
        return (self.table.find(recipient) for recipient in hmail.rcpt_to)
