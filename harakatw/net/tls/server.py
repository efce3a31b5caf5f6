"""What a server's sessions encrypt with: the contexts that hold now."""

from typing import Final

import attrs

from harakatw.config.networks import Networks, parse_networks
from harakatw.net.tls.channel import ServerChannel
from harakatw.net.tls.options import TLSOptions
from harakatw.net.tls.table import ContextTable

MOST_REMEMBERED: Final = 10000
"""So many clients whose handshakes failed; the oldest are forgotten first."""


@attrs.define(eq=False)
class ServerTLS:
    """
    The way from a session to the contexts of the moment, whichever these are.

    @ivar table: L{None} while there is no certificate.
    @ivar options: C{tls.ini}.
    """

    table: ContextTable | None = None
    options: TLSOptions = attrs.field(factory=TLSOptions)
    _spared: Networks = attrs.field(factory=Networks, init=False)
    _failed: dict[str, float] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self.configure(self.options)

    @property
    def is_ready(self) -> bool:
        """Is there a certificate?"""
        return self.table is not None

    def configure(self, options: TLSOptions) -> None:
        """Keep to these from now on."""
        self.options = options
        self._spared = parse_networks(options.no_tls_hosts)

    def channel(self) -> ServerChannel:
        """
        Begin one encrypted connection.

        @raise ValueError: if there is no certificate.
        """
        if self.table is None:
            raise ValueError("there is no certificate")
        return ServerChannel(self.table.find)

    def is_offered(self, ip: str, port: int, now: float) -> bool:
        """
        Is STARTTLS for a client?

        @param ip: the client's; C{""} on a Unix socket.
        @param port: ours.
        @param now: seconds of the clock.
        """
        if port in self.options.no_starttls_ports:
            return False
        if self._spared and self._spared.contains(ip):
            return False
        failed = self._failed.get(ip)
        return failed is None or now - failed >= self.options.disable_inbound_expiry

    def handshake_failed(self, ip: str, now: float) -> None:
        """Remember it, if C{disable_for_failed_hosts} says so (row CF73)."""
        if not self.options.disable_for_failed_hosts or not ip:
            return
        self._failed.pop(ip, None)
        self._failed[ip] = now
        if len(self._failed) > MOST_REMEMBERED:
            del self._failed[next(iter(self._failed))]
