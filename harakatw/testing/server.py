"""
An SMTP server in memory: no socket, no reactor, and a clock that the test moves.

::

    server = MemoryServer([MyPlugin()])
    client = server.connect()
    client.say("EHLO client.example", "MAIL FROM:<a@b.example>")
    server.clock.advance(30)
    assert client.codes() == [220, 250, 250]
"""

from collections.abc import Iterable
from typing import Any

import attrs
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from harakatw.config.connection import ConnectionOptions
from harakatw.config.extensions import ExtensionOptions
from harakatw.config.listeners import ORDINARY, Listener
from harakatw.hooks.declared import declared_hooks
from harakatw.hooks.loader import LoadedPlugin
from harakatw.hooks.registry import make_chains
from harakatw.interfaces.services import INameLookup, IOutbound, IThreads
from harakatw.message.mime.limits import limits_of
from harakatw.message.received import ReceivedTemplate
from harakatw.message.store import StoreSettings
from harakatw.net.tls.server import ServerTLS
from harakatw.observe.levels import LogSwitch
from harakatw.smtp.context import SessionContext
from harakatw.smtp.deadlines import Sweep
from harakatw.smtp.factory import SMTPFactory
from harakatw.smtp.protocol import SMTPProtocol
from harakatw.smtp.proxy_front import ProxyFactory
from harakatw.testing.threads import NoThreads


class MemoryTransport(StringTransport):
    """
    A transport in memory that can be half closed.

    @ivar half_closed: did the server close its half?
    @ivar aborted: did the server break the connection off?
    """

    half_closed = False
    aborted = False

    def loseWriteConnection(self) -> None:
        """The server says no more."""
        self.half_closed = True

    def abortConnection(self) -> None:
        """The server breaks the connection off."""
        self.aborted = True
        super().abortConnection()  # type: ignore[no-untyped-call]  # Twisted's

    @property
    def closed(self) -> bool:
        """Has the server closed the connection, or its half?"""
        return bool(self.disconnecting or self.half_closed or self.aborted)


@attrs.define(eq=False)
class MemoryClient:
    """
    A client of a L{MemoryServer}.

    @ivar protocol: the server's end.
    @ivar transport: what the server writes to.
    """

    protocol: SMTPProtocol
    transport: MemoryTransport

    def say(self, *lines: str | bytes) -> None:
        """Send lines, each with a CRLF, in one go."""
        octets = [line.encode() if isinstance(line, str) else line for line in lines]
        self.send(b"".join(line + b"\r\n" for line in octets))

    def send(self, octets: bytes) -> None:
        """Send octets as they are."""
        self.protocol.dataReceived(octets)

    def hear(self) -> str:
        """All that the server has said since the last call."""
        octets: bytes = self.transport.value()  # type: ignore[no-untyped-call]
        self.transport.clear()  # type: ignore[no-untyped-call]  # Twisted's
        said = octets.decode("ascii")
        return said

    def ask(self, *lines: str | bytes) -> str:
        """Send lines and return what is answered, which may be nothing yet."""
        self.hear()
        self.say(*lines)
        return self.hear()

    def codes(self) -> list[int]:
        """The codes of all replies since the last call, one for each reply."""
        return [int(line[:3]) for line in self.hear().split("\r\n") if line[3:4] == " "]

    def leave(self) -> None:
        """Close the connection from the client's side."""
        from_peer: Any = None
        self.protocol.connectionLost(from_peer)


class MemoryServer:
    """
    A server whose plugins are objects that the test made.

    @ivar clock: the time; move it with C{advance(seconds)}.
    @ivar factory: what makes the sessions.
    @ivar door: what a port would open with; proxies come through it.
    """

    def __init__(
        self,
        plugins: Iterable[object] = (),
        *,
        limits: ConnectionOptions | None = None,
        extensions: ExtensionOptions | None = None,
        clock: Clock | None = None,
        threads: IThreads | None = None,
        names: INameLookup | None = None,
        outbound: IOutbound | None = None,
        listener: Listener = ORDINARY,
        tls: ServerTLS | None = None,
        inactivity_seconds: float = 300,
        plugin_timeout_seconds: float = 30,
    ) -> None:
        """
        @param plugins: in order; each is asked under the name of its class.
        @param limits: C{connection.ini}; as it comes if left out.
        @param tls: keys and certificates; none if left out.
        @param listener: what C{listeners.ini} says of where the clients come to.
        @param extensions: which ones it offers.
        """
        self.clock = clock or Clock()
        self.threads = threads or NoThreads()
        self.limits = limits or ConnectionOptions()
        loaded = [_loaded(plugin, plugin_timeout_seconds) for plugin in plugins]
        self.context = SessionContext(
            name="mail.example",
            limits=self.limits,
            proxies=self.limits.proxies,
            chains=make_chains(loaded, self.clock),
            inactivity_seconds=inactivity_seconds,
            extensions=extensions or ExtensionOptions(),
            greeting=("mail.example ESMTP",),
            received=ReceivedTemplate("mail.example"),
            store=StoreSettings(
                in_thread=self.threads.call,
                spool_dir=self.limits.spool_dir,
                spool_after=self.limits.spool_after,
                mime=limits_of(self.limits),
            ),
            now=self.clock.seconds,
            listener=listener,
            tls=tls or ServerTLS(),
            log=LogSwitch(),
            clock=self.clock,
            threads=self.threads,
            names=names,
            outbound=outbound,
        )
        sweep = Sweep(self.clock)
        self.factory = SMTPFactory(lambda: self.context, sweep)
        self.door = ProxyFactory(self.factory, lambda: self.context, sweep)

    def connect(self, ip: str = "192.0.2.1", port: int = 54321) -> MemoryClient:
        """
        A client connects.

        @raise AssertionError: if it is turned away; use L{factory} to test that.
        """
        kind = IPv6Address if ":" in ip else IPv4Address
        protocol = self.factory.buildProtocol(kind("TCP", ip, port))
        assert isinstance(protocol, SMTPProtocol), "the client was turned away"
        transport = MemoryTransport(  # type: ignore[no-untyped-call]  # Twisted's
            hostAddress=IPv4Address("TCP", "192.0.2.25", 25),
            peerAddress=kind("TCP", ip, port),
            lenient=True,  # as real ones: while it closes, it may be told to read
        )
        protocol.makeConnection(transport)  # type: ignore[no-untyped-call]
        return MemoryClient(protocol, transport)


def _loaded(plugin: object, timeout_seconds: float) -> LoadedPlugin:
    name = type(plugin).__name__
    hooks = declared_hooks(name, type(plugin))
    return LoadedPlugin(name, plugin, hooks, timeout_seconds, frozenset(), "", ())
