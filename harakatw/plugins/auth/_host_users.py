"""
Users whom another mail server knows: what C{auth/auth_proxy} and C{auth/auth_bridge}
have in common.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import attrs
from twisted.internet.defer import Deferred, DeferredSemaphore

from harakatw.outbound.hop import HopError, parse_hop
from harakatw.plugin import IHostLogin, TemporaryFailure

MAX_AT_ONCE: Final = 16
"""Connections of one plugin at a time; more logins wait for their turn."""


@attrs.frozen(eq=False)
class HostUsers:
    """
    Asks hosts about users.

    @ivar host_login: connects to them.
    @ivar clear: may passwords go to any host without TLS?
    """

    host_login: IHostLogin
    clear: bool
    _turn: DeferredSemaphore = attrs.field(
        init=False, factory=lambda: DeferredSemaphore(MAX_AT_ONCE)
    )

    async def is_password(self, hosts: Sequence[str], user: str, password: str) -> bool:
        """
        Is it the user's password at the first host that answers?

        A host may know the user by the name without the domain: that is tried, too.

        @raise TemporaryFailure: if no host answers.
        """
        trouble: TemporaryFailure | None = None
        for host in hosts:
            try:
                for name in _names(user):
                    if await self._ask(host, name, password):
                        return True
            except TemporaryFailure as error:
                trouble = error
            else:
                return False
        if trouble is not None:
            raise trouble
        return False

    def _ask(self, host: str, name: str, password: str) -> "Deferred[bool]":
        login = self.host_login.login
        return self._turn.run(login, host, name, password, clear=self.clear)


def _names(user: str) -> Iterator[str]:
    """What the host may know the user as."""
    yield user
    local = user.rpartition("@")[0]
    if local:
        yield local


def mistake_in(host: str) -> str:
    """What is wrong with the name of a host, C{""} for nothing."""
    try:
        hop = parse_hop(host)
    except HopError as error:
        return str(error)
    if hop.path or hop.using_lmtp or hop.auth_user:
        return "expected host, host:port or smtps://host:port"
    return ""
