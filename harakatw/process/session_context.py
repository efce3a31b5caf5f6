"""From an instance's files to what its sessions are bound to."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.names.client import Resolver

from harakatw.dns.names import NameLookup
from harakatw.dns.options import DNSOptions
from harakatw.dns.servers import name_servers
from harakatw.hooks.chain import Chain
from harakatw.interfaces.services import IOutbound, IThreads
from harakatw.message.mime.limits import limits_of
from harakatw.message.received import ReceivedTemplate
from harakatw.message.store import StoreSettings
from harakatw.net.rounds import round_of
from harakatw.net.tls.server import ServerTLS
from harakatw.observe.levels import LogSwitch
from harakatw.process.settings import Settings
from harakatw.smtp.context import SessionContext
from harakatw.version import __version__


def make_context(
    settings: Settings,
    name: str,
    chains: Mapping[str, Chain],
    *,
    reactor: Any,
    threads: IThreads,
    log: LogSwitch,
    outbound: IOutbound | None = None,
    tls: ServerTLS | None = None,
) -> SessionContext:
    """
    Everything that a session which begins now is bound to.

    @param name: the server's.
    @param chains: the plugins, by hook.
    @param reactor: time and sockets.
    @param outbound: takes mail of those who may relay.
    @param tls: keys and certificates; without it nothing is encrypted.
    """
    limits = settings.connection
    version = f"/{__version__}" if limits.show_version else ""
    return SessionContext(
        name=name,
        limits=limits,
        extensions=settings.extensions,
        proxies=limits.proxies,
        chains=chains,
        inactivity_seconds=settings.server.inactivity_timeout,
        greeting=limits.greeting or (f"{name} ESMTP Haraka{version} ready",),
        received=ReceivedTemplate(name, f"Haraka{version}"),
        store=StoreSettings(
            in_thread=threads.call,
            spool_dir=limits.spool_dir,
            spool_after=limits.spool_after,
            max_header_fields=limits.max_header_lines,
            mime=limits_of(limits),
        ),
        now=time.time,
        results=settings.results.settings,
        log=log,
        clock=reactor,
        threads=threads,
        names=_name_lookup(settings.dns, reactor),
        outbound=outbound,
        tls=tls or ServerTLS(),
        round=round_of(reactor),
    )


def make_resolver(dns: DNSOptions, reactor: Any) -> Resolver:
    """A resolver that asks the system's name servers, within the time that is given."""
    each = max(1, round(dns.timeout / 1000 / dns.tries))
    return Resolver(
        servers=list(name_servers(Path("/etc/resolv.conf"))),  # Twisted adds to it
        timeout=(each,) * dns.tries,
        reactor=reactor,
    )


def _name_lookup(dns: DNSOptions, reactor: Any) -> NameLookup:
    return NameLookup(make_resolver(dns, reactor), reactor, dns.timeout / 1000)
