"""
What outbound hooks are told of an attempt.

@see: Haraka rows HK32 to HK34
"""

import attrs

from harakatw.outbound.attempt import Undelivered


@attrs.frozen(kw_only=True)
class Deferral:
    """
    What the C{deferred} hook is told.

    @ivar recipients: who is deferred, each with the reply and the host that gave it.
    @ivar error: the first reply, in one line.
    """

    recipients: tuple[Undelivered, ...]
    error: str


@attrs.frozen(kw_only=True)
class Bounce:
    """
    What the C{bounce} hook is told.

    @ivar recipients: who will never get it, each with the reply and the host that gave
        it.
    @ivar text: the first reply, in one line.
    """

    recipients: tuple[Undelivered, ...]
    text: str


@attrs.frozen(kw_only=True)
class Delivery:
    """
    What the C{delivered} hook is told.

    @ivar recipients: addresses of those who have got it.
    @ivar host: the peer's name; C{ip} and C{port} are its address.
    @ivar mode: C{SMTP}, C{ESMTP} or C{LMTP}.
    @ivar response: what it said to the message, in one line.
    @ivar secured: was the connection encrypted?
    @ivar authenticated: did we log in?
    @ivar delay: seconds since the message was queued.
    """

    recipients: tuple[str, ...]
    host: str
    ip: str
    port: int
    mode: str
    response: str
    secured: bool
    authenticated: bool
    delay: float
