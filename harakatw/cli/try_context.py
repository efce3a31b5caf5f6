"""
What a session in memory is begun with: the same as a session of the server.

A test compares the two.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.names.client import Resolver

from harakatw.cli.instance import OpenInstance
from harakatw.cli.services import ReactorThreads
from harakatw.config.connection import ConnectionOptions
from harakatw.config.options import load_options
from harakatw.config.results import ResultsOptions
from harakatw.dns.names import NameLookup
from harakatw.dns.options import DNSOptions
from harakatw.dns.servers import name_servers
from harakatw.hooks.chain import Chain
from harakatw.message.received import ReceivedTemplate
from harakatw.message.store import StoreSettings
from harakatw.observe.levels import LogSwitch
from harakatw.smtp.context import SessionContext
from harakatw.version import __version__


def make_context(
    instance: OpenInstance, name: str, chains: Mapping[str, Chain], reactor: Any
) -> SessionContext:
    """
    Everything that a session is bound to.

    @param name: the server's.
    @param chains: the plugins by hook.
    @param reactor: time, threads and sockets.
    """
    limits = load_options(ConnectionOptions, instance.files, "connection").options
    results = load_options(ResultsOptions, instance.files, "results").options
    version = f" {__version__}" if limits.show_version else ""
    smtputf8 = ("SMTPUTF8",) if limits.smtputf8 else ()
    threads = ReactorThreads(reactor)
    return SessionContext(
        name=name,
        limits=limits,
        chains=chains,
        inactivity_seconds=instance.server.inactivity_timeout,
        capabilities=(
            *("PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "DSN"),
            *smtputf8,
            f"SIZE {limits.max_bytes}",
        ),
        greeting=limits.greeting or (f"{name} ESMTP Haraka{version} ready",),
        received=ReceivedTemplate(name, f"Haraka{version}"),
        store=StoreSettings(
            in_thread=threads.call,
            spool_dir=limits.spool_dir,
            spool_after=limits.spool_after,
            max_header_fields=limits.max_header_lines,
        ),
        now=time.time,
        results=results.settings,
        log=LogSwitch(info=False),
        clock=reactor,
        threads=threads,
        names=_name_lookup(instance, reactor),
    )


def _name_lookup(instance: OpenInstance, reactor: Any) -> NameLookup:
    dns = load_options(DNSOptions, instance.files, "net-utils").options
    seconds = dns.timeout / 1000
    each = max(1, round(seconds / dns.tries))
    resolver = Resolver(
        # A list: Twisted adds another to it.
        servers=list(name_servers(Path("/etc/resolv.conf"))),
        timeout=(each,) * dns.tries,
        reactor=reactor,
    )
    return NameLookup(resolver, reactor, seconds)
