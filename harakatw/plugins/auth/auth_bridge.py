"""
Users log in with what one mail server knows.

@see: Haraka row PB04
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar, Final

import attrs
from attrs.validators import and_, ge, le

from harakatw.config.problems import Problem
from harakatw.plugin import AuthPlugin, IConnection, IHostLogin, doc
from harakatw.plugins.auth._host_users import HostUsers, mistake_in

FILE: Final = "smtp_bridge.ini"

_ROUTES: Final = "it is for queue/smtp_bridge, which comes later"


@attrs.frozen(kw_only=True)
class AuthBridgeOptions:
    """C{smtp_bridge.ini}."""

    config_file: ClassVar[str] = FILE
    unsupported: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"main.auth_type": _ROUTES, "main.priority": _ROUTES}
    )

    host: str = attrs.field(
        default="", metadata=doc("The mail server that knows the users.")
    )
    port: int = attrs.field(
        default=0,
        validator=and_(ge(0), le(65535)),
        metadata=doc("Its port, unless C{host} names one; 0 for 25."),
    )
    allow_clear: bool = attrs.field(
        default=False,
        metadata=doc(
            "Send passwords without TLS, if the server offers none, though it is not "
            "of a private network?"
        ),
    )


@attrs.define(eq=False)
class AuthBridge(AuthPlugin):
    """Tries a user's password at one mail server."""

    options: AuthBridgeOptions
    host_login: IHostLogin
    _users: HostUsers = attrs.field(init=False, repr=False)
    _hosts: tuple[str, ...] = attrs.field(init=False)

    @_users.default
    def _make_users(self) -> HostUsers:
        return HostUsers(self.host_login, self.options.allow_clear)

    @_hosts.default
    def _usable_hosts(self) -> tuple[str, ...]:
        place = self._place
        return () if mistake_in(place) else (place,)

    @property
    def _place(self) -> str:
        host, port = self.options.host, self.options.port
        if not port:
            return host
        return f"[{host}]:{port}" if host.count(":") > 1 else f"{host}:{port}"

    @property
    def problems(self) -> Iterator[Problem]:
        """What the postmaster should look at; C{haraka check} shows it."""
        why = mistake_in(self._place)
        if why:
            yield Problem(FILE, 0, "main", "host", why)

    def auth_methods(self, connection: IConnection) -> frozenset[str]:
        """None without a server."""
        return super().auth_methods(connection) if self._hosts else frozenset()

    async def check_plain_passwd(
        self, connection: IConnection, user: str, password: str
    ) -> bool:
        """Does the server say so?"""
        return await self._users.is_password(self._hosts, user, password)
