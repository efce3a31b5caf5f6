"""
Let mail servers and proxies say whose mail they pass on: XCLIENT and XFORWARD.

@see: Postfix's C{XCLIENT_README} and C{XFORWARD_README}; Haraka row PB29
"""

from collections.abc import Callable, Mapping
from typing import Final

import attrs
from twisted.logger import Logger

from harakatw.config.networks import Networks, check_networks, parse_networks
from harakatw.errors import ProtocolError
from harakatw.plugin import (
    CONT,
    Address,
    ICapabilitiesHook,
    IConnection,
    IMailHook,
    IResetTransactionHook,
    IUnrecognizedCommandHook,
    NewClient,
    Params,
    Verdict,
    deny,
    implementer,
    list_file,
    ok,
)
from harakatw.wire.params import encode_xtext
from harakatw.wire.xclient import (
    TEMPUNAVAIL,
    XCLIENT,
    XFORWARD,
    Attributes,
    parse_attributes,
)

NOT_ALLOWED: Final = deny(
    "You are not authorized to say so", code=550, enhanced="5.7.0"
)
IN_TRANSACTION: Final = deny(
    "A mail transaction is in progress", code=503, enhanced="5.5.1"
)
NO_ADDRESS: Final = deny("An address is needed", code=501, enhanced="5.5.4")

NOTE: Final = "xforward"
"""
What was told of the client: on the connection until the message is over, and on the
transaction, which is queued with it.
"""

_NAMES: Final[Mapping[str, str]] = {"": "NXDOMAIN", TEMPUNAVAIL: "DNSERROR"}
_VERBS: Final[Mapping[str, str]] = {"ESMTP": "EHLO"}


@attrs.frozen(kw_only=True)
class XclientOptions:
    """Who is believed."""

    hosts: tuple[str, ...] = attrs.field(
        default=(),
        validator=check_networks,
        metadata=list_file(
            "xclient.hosts",
            "Addresses and networks that may say with XCLIENT who their client is: as "
            "good as that client itself, login and all.",
        ),
    )
    forward_hosts: tuple[str, ...] = attrs.field(
        default=(),
        validator=check_networks,
        metadata=list_file(
            "xforward.hosts",
            "Addresses and networks that may say with XFORWARD whose mail it is, for "
            "the log.",
        ),
    )


@implementer(
    ICapabilitiesHook, IUnrecognizedCommandHook, IMailHook, IResetTransactionHook
)
@attrs.frozen
class Xclient:
    """
    XCLIENT makes the session another client's; XFORWARD only tells of one.
    """

    _log = Logger()

    options: XclientOptions
    name: str
    _hosts: Networks = attrs.field(init=False, repr=False)
    _forward_hosts: Networks = attrs.field(init=False, repr=False)

    @_hosts.default
    def _read_hosts(self) -> Networks:
        return parse_networks(self.options.hosts)

    @_forward_hosts.default
    def _read_forward_hosts(self) -> Networks:
        return parse_networks(self.options.forward_hosts)

    def hook_capabilities(self, connection: IConnection) -> Verdict:
        peer = peer_of(connection)
        if self._hosts.contains(peer):
            connection.capabilities.append(" ".join(("XCLIENT", *XCLIENT)))
        if self._forward_hosts.contains(peer):
            connection.capabilities.append(" ".join(("XFORWARD", *XFORWARD)))
        return CONT

    def hook_unrecognized_command(
        self, connection: IConnection, verb: str, rest: str
    ) -> Verdict:
        if verb == "XCLIENT":
            return self._answer(connection, self._hosts, self._xclient, rest)
        if verb == "XFORWARD":
            return self._answer(connection, self._forward_hosts, self._xforward, rest)
        return CONT

    def _answer(
        self,
        connection: IConnection,
        allowed: Networks,
        carry_out: Callable[[IConnection, str], Verdict],
        rest: str,
    ) -> Verdict:
        if not allowed.contains(peer_of(connection)):
            return NOT_ALLOWED
        if connection.transaction is not None:
            return IN_TRANSACTION
        try:
            return carry_out(connection, rest)
        except ProtocolError as error:
            said = error.reply
            return deny(said.lines, code=said.code, enhanced=said.enhanced)

    # ---- XCLIENT ---------------------------------------------------------------------

    def _xclient(self, connection: IConnection, rest: str) -> Verdict:
        told = parse_attributes(rest, XCLIENT)
        if told.get("ADDR") == "" or told.get("DESTADDR") == "":
            return NO_ADDRESS
        client = new_client(connection, told)
        self._log.info(
            "{uuid} {plugin}: goes on as {ip} {name}",
            uuid=connection.uuid,
            plugin=self.name,
            ip=client.ip,
            name=client.name,
        )
        return ok(value=client)

    # ---- XFORWARD --------------------------------------------------------------------

    def _xforward(self, connection: IConnection, rest: str) -> Verdict:
        told = parse_attributes(rest, XFORWARD)
        known = connection.notes.get(NOTE) or {}
        connection.notes.set(NOTE, {**known, **lower(told)})
        return ok("OK", code=250, enhanced="2.0.0")

    def hook_mail(
        self, connection: IConnection, sender: Address, params: Params
    ) -> Verdict:
        told = connection.notes.get(NOTE)
        transaction = connection.transaction
        if told and transaction is not None:
            transaction.notes.set(NOTE, told)
            self._log.info(
                "{uuid} {plugin}: forwarded for {told}",
                uuid=transaction.uuid,
                plugin=self.name,
                told=" ".join(
                    f"{name}={encode_xtext(value)}" for name, value in told.items()
                ),
            )
        return CONT

    def hook_reset_transaction(self, connection: IConnection) -> Verdict:
        """What was told was about this message only."""
        if connection.notes.get(NOTE):
            connection.notes.set(NOTE, None)
        return CONT


def peer_of(connection: IConnection) -> str:
    """
    Who speaks with us: not the client that it named with XCLIENT, but itself.
    """
    proxy = connection.proxy
    by_xclient = proxy.type == "xclient"
    ip: str = proxy.ip if by_xclient else connection.remote.ip
    return ip


def lower(told: Attributes) -> Mapping[str, str]:
    """Names as in Haraka's notes."""
    return {name.lower(): value for name, value in told.items()}


def new_client(connection: IConnection, told: Attributes) -> NewClient:
    """
    Whom the session goes on with: what was not told stays as it is.

    Only the name and port of a client do not outlast its address, and a login not even
    the command.
    """
    remote, local = connection.remote, connection.local
    same = told.get("ADDR", remote.ip) == remote.ip
    name = told.get("NAME", remote.host if same else None)
    return NewClient(
        ip=told.get("ADDR", remote.ip),
        port=int(told.get("PORT", remote.port if same else 0) or 0),
        name="" if name is None else _NAMES.get(name, name),
        hello_verb=_VERBS.get(told.get("PROTO", ""), "HELO"),
        hello_host=told.get("HELO", ""),
        login=told.get("LOGIN", ""),
        local_ip=told.get("DESTADDR", local.ip),
        local_port=int(told.get("DESTPORT", local.port) or 0),
        said_by=peer_of(connection),
    )
