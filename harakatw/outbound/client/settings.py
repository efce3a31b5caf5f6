"""What all connections of a server have in common."""

import time
from collections.abc import Callable
from secrets import token_urlsafe

import attrs
from twisted.internet.interfaces import IReactorTime

from harakatw.net.rounds import Round, round_of
from harakatw.observe.levels import LogSwitch
from harakatw.outbound.client.body import InThread
from harakatw.outbound.client.timeouts import ClientOptions, Timeouts
from harakatw.outbound.client.tls import ClientTLS


@attrs.frozen(kw_only=True)
class ClientSettings:
    """
    What a client is given once.

    @ivar clock: for all time-outs.
    @ivar name: ours, for EHLO: a domain or an address literal, in ASCII.
    @ivar tls: certificates and ciphers.
    @ivar in_thread: calls its first argument with the others in a thread; L{None} to
        call it at once, which may hold up everything.
    @ivar round: when what clients say is sent.
    @ivar make_nonce: random text for SCRAM.
    @ivar now: the time of day, in seconds since 1970.
    """

    clock: IReactorTime
    name: str
    tls: ClientTLS
    in_thread: InThread | None = None
    timeouts: Timeouts = attrs.field(factory=Timeouts)
    options: ClientOptions = attrs.field(factory=ClientOptions)
    log: LogSwitch = attrs.field(factory=LogSwitch)
    round: Round = attrs.field(factory=Round)
    make_nonce: Callable[[], str] = token_urlsafe
    now: Callable[[], float] = time.time


def client_settings(
    clock: IReactorTime,
    name: str,
    tls: ClientTLS,
    options: ClientOptions,
    in_thread: InThread,
    log: LogSwitch,
) -> ClientSettings:
    """Settings from what C{outbound.ini} and C{tls.ini} say."""
    return ClientSettings(
        clock=clock,
        name=name,
        tls=tls,
        in_thread=in_thread,
        timeouts=Timeouts(connect=options.connect_timeout),
        options=options,
        log=log,
        round=round_of(clock),
    )
