"""
From a hop to a client that may be given messages.

@see: Haraka rows OB25 and OB26
"""

import os
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    HostnameEndpoint,
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
    UNIXClientEndpoint,
    connectProtocol,
)
from twisted.internet.error import (
    ConnectBindError,
    ConnectionRefusedError,
    DNSLookupError,
    TimeoutError,
)
from twisted.internet.interfaces import IStreamClientEndpoint

from harakatw.outbound.client.failures import HostFailure
from harakatw.outbound.client.protocol import SMTPClient
from harakatw.outbound.client.settings import ClientSettings
from harakatw.outbound.client.tls_rules import TLSPolicy
from harakatw.outbound.hop import Hop, is_ip, is_ip6
from harakatw.reply import reply


def connect(
    hop: Hop, reactor: Any, settings: ClientSettings, policy: TLSPolicy
) -> "Deferred[SMTPClient]":
    """
    Connect, say hello, and do what the hop and the policy ask for.

    @param reactor: C{IReactorTCP}, C{IReactorTime} and, for a hop with a path,
        C{IReactorUNIX}; for one with a name and no C{ip} also
        C{IReactorPluggableNameResolver}.
    @param policy: from L{harakatw.outbound.client.tls_rules.TLSRules.policy}. After a
        L{HostFailure} with C{retry_in_clear} call this again with
        L{harakatw.outbound.client.tls_rules.NO_TLS}, or do not.
    @return: fires with a client that is free. Fails with L{HostFailure} or
        L{harakatw.outbound.client.failures.HostRefusal}.
    """
    endpoint = _endpoint(hop, reactor, settings.timeouts.connect)
    return Deferred.fromCoroutine(_connect(endpoint, hop, settings, policy))


def _endpoint(hop: Hop, reactor: Any, seconds: float) -> IStreamClientEndpoint:
    if hop.path:
        return UNIXClientEndpoint(reactor, hop.path, seconds)
    address = hop.ip or hop.host
    bind = (hop.bind, 0) if hop.bind else None
    if is_ip6(address):
        return TCP6ClientEndpoint(reactor, address, hop.port, seconds, bind)
    if is_ip(address):
        return TCP4ClientEndpoint(reactor, address, hop.port, seconds, bind)
    return HostnameEndpoint(reactor, address, hop.port, seconds, bind)


async def _connect(
    endpoint: IStreamClientEndpoint,
    hop: Hop,
    settings: ClientSettings,
    policy: TLSPolicy,
) -> SMTPClient:
    client = SMTPClient(hop, settings, policy)
    try:
        await connectProtocol(endpoint, client)
    except Exception as error:  # of many kinds, from the reactor, resolver and kernel
        answer = reply(451, "4.4.1", f"Cannot connect: {_why(error)}")
        raise HostFailure(answer, hop=str(hop), error=error) from error
    return await client.opened


def _why(error: Exception) -> str:
    """In words that may stand in a bounce: no name or path of ours."""
    if isinstance(error, DNSLookupError):
        return "the host's name cannot be found"
    if isinstance(error, ConnectBindError):
        return "our own address cannot be used"
    if isinstance(error, TimeoutError):
        return "the host does not answer"
    if isinstance(error, ConnectionRefusedError):
        return "the host refuses the connection"
    number = getattr(error, "osError", None) or getattr(error, "errno", None)
    return os.strerror(number) if isinstance(number, int) else "no connection"
