"""
Say who may relay, and by which host mail leaves.

@see: Haraka row PN23
"""

from collections.abc import Mapping
from typing import Final

import attrs
from twisted.logger import Logger

from harakatw.plugin import (
    CONT,
    OK,
    Address,
    IConnectHook,
    IConnectInitHook,
    IConnection,
    IDataHook,
    IGetMXHook,
    IHMail,
    IRcptHook,
    IRcptOkHook,
    Params,
    Verdict,
    deny,
    doc,
    implementer,
    list_file,
    ok,
    on_hook,
    whole_section,
)
from harakatw.plugins._networks import Networks, check_networks, parse_networks
from harakatw.plugins._routes import ANY, Route, check_routes, parse_routes
from harakatw.plugins._transaction import transaction_of

NOT_ALLOWED: Final = deny("You are not allowed to relay", code=550, enhanced="5.7.1")
NOT_ACCEPTED: Final = deny(
    "Mail for that recipient is not accepted here", code=550, enhanced="5.7.1"
)

GRANTED: Final = "relay_dest_domain"
"""The note that this transaction may relay to destination domains, and only to them."""

WANTED: Final = "relay_dest_domain_accepted"
"""The note that it has a recipient for which it may."""


@attrs.frozen(kw_only=True)
class RelayOptions:
    """C{relay.ini}, and the two lists that it turns on."""

    acl: bool = attrs.field(
        default=True,
        metadata=doc("Let clients in relay_acl_allow relay.", section="relay"),
    )
    force_routing: bool = attrs.field(
        default=True,
        metadata=doc(
            "Send mail to the nexthop in relay_dest_domains.ini instead of the MX.",
            section="relay",
        ),
    )
    dest_domains: bool = attrs.field(
        default=False,
        metadata=doc(
            "Heed the action in relay_dest_domains.ini for clients that may not relay;"
            " domains without one are refused.",
            section="relay",
        ),
    )
    all: bool = attrs.field(
        default=False,
        metadata=doc(
            "Relay for everybody: for spam traps, never on a server that delivers.",
            section="relay",
        ),
    )
    acl_allow: tuple[str, ...] = attrs.field(
        default=(),
        validator=check_networks,
        metadata=list_file("relay_acl_allow", "Networks and addresses that may relay."),
    )
    domains: Mapping[str, str] = attrs.field(
        factory=dict,
        validator=check_routes,
        metadata=whole_section(
            'A JSON object for each domain: {"action": "accept, continue or deny",'
            ' "nexthop": "host:port"}. For any other domain, "any" has a nexthop.',
            section="domains",
            file="relay_dest_domains.ini",
        ),
    )


@implementer(IConnectInitHook, IConnectHook, IRcptHook, IGetMXHook)
@attrs.frozen
class Relay:
    """
    Lets networks relay, and anybody to some domains; forces the next hop.

    What a destination domain grants holds for its own recipients only. While commands
    for others are ruled on, C{connection.relaying} is what it would be otherwise, or
    one good recipient would open the relay for all that follow.
    """

    _log = Logger()

    options: RelayOptions
    name: str
    networks: Networks = attrs.field(init=False, repr=False)
    routes: Mapping[str, Route] = attrs.field(init=False, repr=False)

    @networks.default
    def _read_networks(self) -> Networks:
        return parse_networks(self.options.acl_allow)

    @routes.default
    def _read_routes(self) -> Mapping[str, Route]:
        return parse_routes(self.options.domains)

    def register(self) -> None:
        """Warn of an open relay."""
        everybody = self.options.acl and self.networks.hold_everybody
        if self.options.all or everybody:
            file = "relay_acl_allow" if everybody else "relay.ini [relay] all"
            self._log.warn(
                "{plugin}: {file} is an open relay", plugin=self.name, file=file
            )

    def hook_connect_init(self, connection: IConnection) -> Verdict:
        if not self.options.acl:
            return CONT
        if self.networks.contains(connection.remote.ip):
            connection.results.add(self, passed="acl")
            connection.relaying = True
        else:
            connection.results.add(self, skip="acl(unlisted)")
        return CONT

    def hook_connect(self, connection: IConnection) -> Verdict:
        return OK if self.options.acl and connection.relaying else CONT

    @on_hook(IRcptHook, priority=-100)
    def forget_grant(
        self, connection: IConnection, recipient: Address, params: Params
    ) -> Verdict:
        """What another recipient was granted does not hold for this one."""
        if self.options.dest_domains and connection.relaying:
            transaction = transaction_of(connection)
            if transaction.notes.get(GRANTED):
                transaction.relaying = False
        return CONT

    def hook_rcpt(
        self, connection: IConnection, recipient: Address, params: Params
    ) -> Verdict:
        if self.options.dest_domains and self.routes:
            verdict = self._destination(connection, recipient)
            if verdict is not CONT:
                return verdict
        if self.options.all:
            connection.relaying = True
            return OK
        return CONT

    def _destination(self, connection: IConnection, recipient: Address) -> Verdict:
        transaction = transaction_of(connection)
        if connection.relaying:
            transaction.results.add(self, skip="relay_dest_domain(relay)")
            return CONT
        route = self.routes.get(recipient.host)
        if recipient.host == ANY or route is None or route.action == "deny":
            transaction.results.add(self, fail="relay_dest_domain")
            return NOT_ALLOWED
        if route.action is None:
            transaction.results.add(self, fail="relay_dest_domain")
            return NOT_ACCEPTED
        transaction.results.add(self, passed="relay_dest_domain")
        transaction.notes.set(GRANTED, True)
        transaction.relaying = True
        return OK if route.action == "accept" else CONT

    @on_hook(IRcptOkHook, priority=100)
    def note_recipient(self, connection: IConnection, recipient: Address) -> Verdict:
        """Nobody refused the recipient that was granted."""
        if self.options.dest_domains and connection.relaying:
            notes = transaction_of(connection).notes
            if notes.get(GRANTED):
                notes.set(WANTED, True)
        return CONT

    @on_hook(IDataHook, priority=-100)
    def use_grant(self, connection: IConnection) -> Verdict:
        """A message with a recipient that was granted is outbound."""
        if self.options.dest_domains:
            transaction = transaction_of(connection)
            if transaction.notes.get(GRANTED):
                transaction.relaying = bool(transaction.notes.get(WANTED))
        return CONT

    def hook_get_mx(self, hmail: IHMail, domain: str) -> Verdict:
        if not self.options.force_routing:
            return CONT
        route = self.routes.get(domain.lower()) or self.routes.get(ANY)
        return ok(value=route.next_hop) if route and route.next_hop else CONT
