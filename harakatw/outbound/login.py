"""
Ask another mail server whether a user's password is right, by logging in there.

@see: RFC 4954, Haraka rows PB03 and PB04
"""

import ipaddress
from collections.abc import Callable
from typing import Any, Final, Protocol

import attrs
from twisted.internet.defer import Deferred
from zope.interface import implementer

from harakatw.errors import DeliveryError, TemporaryFailure
from harakatw.interfaces.services import IHostLogin
from harakatw.outbound.hop import Hop, is_ip, parse_hop
from harakatw.reply import reply

NOT_WORKING: Final = reply(454, "4.7.0", "The users' mail server cannot be asked now")

_NOT_THE_PASSWORD: Final = frozenset((500, 501, 502, 503, 504, 530, 534, 538))
"""Permanent answers to AUTH that say nothing of the password (RFC 4954 section 6)."""


class Client(Protocol):
    """A connection on which a user has logged in."""

    def quit(self) -> "Deferred[None]":
        """Say QUIT."""


@implementer(IHostLogin)
@attrs.frozen(eq=False)
class HostLogin:
    """
    Logs in at hosts, and leaves again.

    @ivar connect: connects and does what the hop asks for.
    """

    connect: Callable[[Hop], "Deferred[Any]"]

    def login(
        self, host: str, user: str, password: str, *, clear: bool = False
    ) -> "Deferred[bool]":
        """See L{IHostLogin}."""
        hop = parse_hop(host)  # before anything else, so that it raises here
        return Deferred.fromCoroutine(self._login(hop, user, password, clear))

    async def _login(self, hop: Hop, user: str, password: str, clear: bool) -> bool:
        clear = clear or is_near(hop.host or hop.ip)
        hop = attrs.evolve(
            hop,
            auth_user=user,
            auth_pass=password,
            allow_clear_auth=clear,
            tls=hop.tls if clear or hop.tls != "default" else "must",
        )
        try:
            client: Client = await self.connect(hop)
        except DeliveryError as error:
            if _is_wrong(error):
                return False
            raise TemporaryFailure(
                NOT_WORKING, host=str(hop), why=error.reply.text
            ) from error
        client.quit()
        return True


def is_near(host: str) -> bool:
    """Is it this machine, or an address that is not routed on the Internet?"""
    if is_ip(host):
        return ipaddress.ip_address(host).is_private
    return host == "localhost"


def _is_wrong(error: DeliveryError) -> bool:
    """Does the host say that it is not the user's password?"""
    code = error.detail.get("auth_code")
    return isinstance(code, int) and code >= 500 and code not in _NOT_THE_PASSWORD
