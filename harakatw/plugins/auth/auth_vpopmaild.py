"""
Users log in with what vpopmaild knows.

@see: Haraka row PB05
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, ClassVar, Final

import attrs
from attrs.validators import and_, ge, gt, le
from twisted.internet.defer import Deferred, DeferredSemaphore

from harakatw.config.problems import Problem
from harakatw.outbound.hop import is_ip
from harakatw.outbound.login import is_near
from harakatw.plugin import (
    Address,
    AuthPlugin,
    IConnection,
    IMailHook,
    Params,
    TemporaryFailure,
    Verdict,
    doc,
    implementer,
    other_sections,
    reply,
)
from harakatw.plugins._constrain_sender import SenderRule
from harakatw.plugins.auth._vpopmaild import (
    MAX_COMMAND,
    MAX_USER,
    Place,
    Told,
    Vpopmaild,
    VpopmaildError,
    converse,
)

FILE: Final = "auth_vpopmaild.ini"

LATER: Final = reply(454, "4.7.0", "Passwords cannot be checked now, try again later")

MAX_AT_ONCE: Final = 16
"""Connections at a time; more logins wait for their turn."""

_NO_SUCH_USER: Final = frozenset((10, 12))
"""Invalid e-mail address; user does not exist."""


def _is_sysadmin(
    instance: object, attribute: "attrs.Attribute[str]", value: str
) -> None:
    user, _, password = value.partition(":")
    if value and not (user and password and " " not in user):
        raise ValueError("expected user@domain:password")


@attrs.frozen(kw_only=True)
class ServerOptions:
    """A vpopmaild."""

    host: str = attrs.field(default="127.0.0.1", metadata=doc("The host of vpopmaild."))
    port: int = attrs.field(
        default=89,
        validator=and_(ge(1), le(65535)),
        metadata=doc("The port of vpopmaild."),
    )
    sysadmin: str = attrs.field(
        default="",
        validator=_is_sysadmin,
        repr=False,
        metadata=doc(
            "A user with SYSADMIN privileges and the password, with a colon between "
            "them: who may read others' passwords, for CRAM-MD5.",
            secret=True,
        ),
    )
    allow_clear: bool = attrs.field(
        default=False,
        metadata=doc(
            "Send passwords, which are not encrypted, to a host that is not of a "
            "private network, too?"
        ),
    )


@attrs.frozen(kw_only=True)
class AuthVpopmaildOptions(ServerOptions):
    """C{auth_vpopmaild.ini}."""

    config_file: ClassVar[str] = FILE

    timeout: float = attrs.field(
        default=10,
        validator=gt(0),
        metadata=doc("How long vpopmaild may take.", unit="seconds"),
    )
    constrain_sender: bool = attrs.field(
        default=True,
        metadata=doc(
            "May users whose name has a domain write in the name of that domain only?"
        ),
    )
    domains: Mapping[str, ServerOptions] = attrs.field(
        factory=dict, metadata=other_sections("For users of this domain.")
    )


@implementer(IMailHook)
@attrs.define(eq=False)
class AuthVpopmaild(AuthPlugin):
    """
    Asks vpopmaild. When it cannot be asked, nobody gets in: the client is to try again
    later.
    """

    options: AuthVpopmaildOptions
    reactor: Any
    _domains: Mapping[str, ServerOptions] = attrs.field(init=False, repr=False)
    _senders: SenderRule = attrs.field(init=False, factory=SenderRule, repr=False)
    _turn: DeferredSemaphore = attrs.field(
        init=False, factory=lambda: DeferredSemaphore(MAX_AT_ONCE), repr=False
    )

    @_domains.default
    def _lower_domains(self) -> Mapping[str, ServerOptions]:
        return {name.lower(): each for name, each in self.options.domains.items()}

    @property
    def problems(self) -> Iterator[Problem]:
        """What the postmaster should look at; C{haraka check} shows it."""
        named: list[tuple[str, ServerOptions]] = [("main", self.options)]
        for section, server in [*named, *self.options.domains.items()]:
            host = server.host
            if is_ip(host) and not (server.allow_clear or is_near(host)):
                why = "passwords are not sent to it without TLS: see allow_clear"
                yield Problem(FILE, 0, section, "host", why)

    def auth_methods(self, connection: IConnection) -> frozenset[str]:
        """CRAM-MD5 only if it works for the users of every domain."""
        servers = [self.options, *self._domains.values()]
        methods = {"PLAIN", "LOGIN"}
        if all(server.sysadmin for server in servers):
            methods.add("CRAM-MD5")
        return frozenset(methods)

    async def check_plain_passwd(
        self, connection: IConnection, user: str, password: str
    ) -> bool:
        """Does vpopmaild let the user in?"""
        if not fits("login", user, password):
            return False

        async def talk(client: Vpopmaild) -> Told:
            return await client.ask("login", user, password)

        told = await self._converse(self._server_of(user), talk)
        return told.is_ok and may_send(told)

    async def get_plain_passwd(self, user: str, connection: IConnection) -> str | None:
        """What vpopmaild tells its administrator."""
        server = self._server_of(user)
        if not server.sysadmin or not fits("user_info", user):
            return None
        admin, _, secret = server.sysadmin.partition(":")

        async def talk(client: Vpopmaild) -> Told:
            if not (await client.ask("slogin", admin, secret)).is_ok:
                raise VpopmaildError("it does not let the sysadmin in")
            return await client.ask("user_info", user)

        told = await self._converse(server, talk)
        if not told.is_ok and told.code not in _NO_SUCH_USER:
            why = f"it tells the sysadmin nothing of {user}: error {told.code}"
            raise TemporaryFailure(LATER, vpopmaild=why)
        known = told.fields.get("clear_text_password", "")
        return known if known and may_send(told) else None

    def hook_mail(
        self, connection: IConnection, sender: Address, params: Params
    ) -> Verdict | None:
        if not self.options.constrain_sender:
            return None
        return self._senders.rule(connection, sender)

    # ---- parts -----------------------------------------------------------------------

    def _server_of(self, user: str) -> ServerOptions:
        return self._domains.get(user.rpartition("@")[2].lower(), self.options)

    async def _converse(
        self, server: ServerOptions, talk: Callable[[Vpopmaild], Awaitable[Told]]
    ) -> Told:
        place = Place(server.host, server.port, server.allow_clear)

        def begin() -> "Deferred[Told]":
            return Deferred.fromCoroutine(
                converse(place, self.reactor, self.options.timeout, talk)
            )

        try:
            return await self._turn.run(begin)
        except VpopmaildError as error:
            raise TemporaryFailure(
                LATER, vpopmaild=f"{server.host}:{server.port}", why=str(error)
            ) from None


def fits(command: str, user: str, password: str = "") -> bool:
    """
    Does vpopmaild take it as it is meant?

    A blank would end the user's name, a very long name would be cut, and what is beyond
    the longest line would be taken for another command.
    """
    octets = len(f"{command} {user} {password}".encode())
    has_blank = any(character.isspace() for character in user)
    return not has_blank and len(user.encode()) <= MAX_USER and octets <= MAX_COMMAND


def may_send(told: Told) -> bool:
    """Was sending mail not forbidden to the user?"""
    return told.fields.get("no_smtp", "0") == "0"
