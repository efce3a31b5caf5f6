"""
All that the core reads from an instance's files, as one value.

A file that cannot be used leaves in force what it said before; at the start, the
defaults.
"""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeVar

import attrs

from harakatw.config.connection import ConnectionOptions
from harakatw.config.core import LogOptions, ServerOptions
from harakatw.config.endpoints import ListenAddress
from harakatw.config.extensions import ExtensionOptions
from harakatw.config.files import ConfigFiles
from harakatw.config.listeners import (
    Listener,
    ListenersOptions,
    listeners,
    misplaced_lmtp,
    unused_sections,
)
from harakatw.config.options import load_options
from harakatw.config.problems import Problem
from harakatw.config.results import ResultsOptions
from harakatw.config.schema import OptionClass
from harakatw.dns.options import DNSOptions
from harakatw.net.tls.options import TLSOptions
from harakatw.outbound.client.timeouts import ClientOptions
from harakatw.outbound.client.tls_rules import OutboundTLSOptions
from harakatw.outbound.dsn.options import BounceOptions
from harakatw.outbound.options import OutboundOptions

_T = TypeVar("_T", bound=attrs.AttrsInstance)


@attrs.frozen
class Settings:
    """
    The core's options.

    @ivar files: what they were read from.
    @ivar server: C{smtp.ini} and the files beside it.
    @ivar listeners: C{listeners.ini}.
    @ivar connection: C{connection.ini}; C{extensions} is a part of it.
    @ivar log: C{log.ini}.
    @ivar dns: C{net-utils.ini}.
    @ivar results: C{results.ini}.
    @ivar outbound: C{outbound.ini}; C{client} and C{bounce} are parts of it.
    @ivar tls: C{tls.ini}, for the server's own certificates.
    @ivar client_tls: C{tls.ini}, for connections to other hosts.
    @ivar problems: what the postmaster should look at.
    """

    files: ConfigFiles
    server: ServerOptions
    listeners: ListenersOptions
    connection: ConnectionOptions
    extensions: ExtensionOptions
    log: LogOptions
    dns: DNSOptions
    results: ResultsOptions
    outbound: OutboundOptions
    client: ClientOptions
    tls: TLSOptions
    client_tls: OutboundTLSOptions
    bounce: BounceOptions
    problems: tuple[Problem, ...]

    @property
    def profiles(self) -> Mapping[ListenAddress, Listener]:
        """What each listener is for."""
        return listeners(self.server, self.listeners, self.tls.require_authorized)


CORE: Final[tuple[tuple[str, OptionClass], ...]] = (
    ("smtp", ServerOptions),
    ("listeners", ListenersOptions),
    ("connection", ConnectionOptions),
    ("extensions", ExtensionOptions),
    ("log", LogOptions),
    ("net-utils", DNSOptions),
    ("results", ResultsOptions),
    ("outbound", OutboundOptions),
    ("client", ClientOptions),
    ("tls", TLSOptions),
    ("client_tls", OutboundTLSOptions),
    ("bounce", BounceOptions),
)
"""What the server itself reads, each with its owner's name."""


def own_name(settings: Settings) -> str:
    """The server's name: what C{config/me} says, or else the machine's."""
    return settings.server.me or socket.gethostname() or "localhost"


def read_settings(config: Path, before: Settings | None = None) -> Settings:
    """
    Read the core's files.

    @param config: the instance's C{config/}.
    @param before: what was in force, if anything was.
    """
    files = ConfigFiles(config) if before is None else before.files.fresh()
    problems: list[Problem] = []

    def read(cls: type[_T], name: str, last: _T | None) -> _T:
        loaded = load_options(cls, files, name, also=CORE)
        problems.extend(loaded.problems)
        return last if last is not None and loaded.errors else loaded.options

    server = read(ServerOptions, "smtp", before.server if before else None)
    profiles = read(ListenersOptions, "listeners", before.listeners if before else None)
    problems.extend(unused_sections(server, profiles, files))
    problems.extend(misplaced_lmtp(server, profiles, files))
    return Settings(
        files,
        server,
        profiles,
        read(ConnectionOptions, "connection", before.connection if before else None),
        read(ExtensionOptions, "extensions", before.extensions if before else None),
        read(LogOptions, "log", before.log if before else None),
        read(DNSOptions, "net-utils", before.dns if before else None),
        read(ResultsOptions, "results", before.results if before else None),
        read(OutboundOptions, "outbound", before.outbound if before else None),
        read(ClientOptions, "client", before.client if before else None),
        read(TLSOptions, "tls", before.tls if before else None),
        read(OutboundTLSOptions, "client_tls", before.client_tls if before else None),
        read(BounceOptions, "bounce", before.bounce if before else None),
        tuple(dict.fromkeys(problems)),
    )
