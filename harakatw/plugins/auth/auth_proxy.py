"""
Users log in with what the mail server of their domain knows.

@see: Haraka row PB03
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

import attrs

from harakatw.config.problems import Problem
from harakatw.plugin import (
    AuthPlugin,
    IConnection,
    IHostLogin,
    doc,
    whole_section,
)
from harakatw.plugins.auth._host_users import HostUsers, mistake_in

FILE: Final = "auth_proxy.ini"


@attrs.frozen(kw_only=True)
class AuthProxyOptions:
    """C{auth_proxy.ini}."""

    config_file: ClassVar[str] = FILE

    allow_clear: bool = attrs.field(
        default=False,
        metadata=doc(
            "Send passwords without TLS, if a host offers none, to hosts that are not "
            "of a private network, too?"
        ),
    )
    domains: Mapping[str, tuple[str, ...]] = attrs.field(
        factory=dict,
        metadata=whole_section(
            "The mail servers of each domain whose users may log in; they are asked "
            "in order until one answers: host, host:port or smtps://host:port.",
            section="domains",
        ),
    )


@attrs.define(eq=False)
class AuthProxy(AuthPlugin):
    """
    Tries a user's password at the servers of the domain in the user's name.

    It is sent nowhere else: a name without a domain, or with one that is not listed, is
    nobody's.
    """

    options: AuthProxyOptions
    host_login: IHostLogin
    _users: HostUsers = attrs.field(init=False, repr=False)
    _hosts: Mapping[str, tuple[str, ...]] = attrs.field(init=False, repr=False)

    @_users.default
    def _make_users(self) -> HostUsers:
        return HostUsers(self.host_login, self.options.allow_clear)

    @_hosts.default
    def _usable_hosts(self) -> Mapping[str, tuple[str, ...]]:
        usable = {
            domain.lower(): tuple(host for host in hosts if not mistake_in(host))
            for domain, hosts in self.options.domains.items()
        }
        return {domain: hosts for domain, hosts in usable.items() if hosts}

    @property
    def problems(self) -> Iterator[Problem]:
        """What the postmaster should look at; C{haraka check} shows it."""
        for domain, hosts in self.options.domains.items():
            for host in hosts:
                why = mistake_in(host)
                if why:
                    yield Problem(FILE, 0, "domains", domain, why)

    def auth_methods(self, connection: IConnection) -> frozenset[str]:
        """None without hosts."""
        return super().auth_methods(connection) if self._hosts else frozenset()

    async def check_plain_passwd(
        self, connection: IConnection, user: str, password: str
    ) -> bool:
        """Do the servers of the user's domain say so?"""
        hosts = self._hosts.get(user.rpartition("@")[2].lower(), ())
        if "@" not in user or not hosts:
            return False
        return await self._users.is_password(hosts, user, password)
