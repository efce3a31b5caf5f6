"""
In front of a session whose client stands behind a proxy: wait for the PROXY header.

Nothing is said and nothing is parsed before the header is whole; then the session, or
the TLS below it, takes the transport over as if the client itself had connected. A
connection that needs no header has nothing of this.

@see: HAProxy's C{proxy-protocol.txt} section 2; Haraka row VB15, survey row 33
"""

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.logger import Logger
from twisted.python.failure import Failure

from harakatw.errors import ProtocolError
from harakatw.reply import Reply, reply
from harakatw.smtp.context import SessionContext
from harakatw.smtp.deadlines import Sweep
from harakatw.smtp.proxied import address_of
from harakatw.wire.proxy import ProxyHeaderReader
from harakatw.wire.proxy_header import ProxyHeader

WAIT_SECONDS: Final = 30.0
"""How long a proxy may take for its header, as in Haraka."""

NO_HEADER: Final = reply(421, "4.4.2", "No PROXY header came")
NOT_A_PROXY: Final = reply(421, "4.7.0", "Only proxies may connect here")


class ProxyFront(Protocol):
    """
    Reads the header, then gives the transport away.
    """

    _log = Logger()

    transport: Any

    def __init__(
        self,
        factory: "ProxyFactory",
        address: IAddress | None,
        context: SessionContext,
    ) -> None:
        """
        @param factory: makes what comes behind the header.
        @param address: the proxy's.
        @param context: of the listener; the session gets the one that holds then.
        """
        self._factory = factory
        self._address = address
        self._context = context
        self._began = context.clock.seconds()
        self._reader = ProxyHeaderReader()

    @property
    def ip(self) -> str:
        """The proxy's address, for the log."""
        return getattr(self._address, "host", "") or "a unix socket"

    def connectionMade(self) -> None:
        """Say nothing."""
        self._factory.sweep.add(self)

    def dataReceived(self, octets: bytes) -> None:
        """Part of the header, and perhaps of what follows."""
        if self.transport.disconnecting:
            return
        try:
            header = self._reader.feed(octets)
        except ProtocolError as error:
            self._log.warn(
                "{ip} sent no PROXY header: {octets}",
                ip=self.ip,
                octets=ascii(error.detail.get("octets", b"")),
            )
            self._refuse(error.reply)
        else:
            if header is not None:
                self._give_way(header)

    def _give_way(self, header: ProxyHeader) -> None:
        """The client's own session begins."""
        sweep, transport = self._factory.sweep, self.transport
        sweep.release(self)
        session = self._factory.wrapped.buildProtocol(address_of(self._address, header))
        sweep.remove(self)
        if session is None:
            transport.abortConnection()
            return
        # Twisted's own startTLS changes a transport's protocol in the same way.
        transport.protocol = session
        session.makeConnection(transport)
        if self._reader.rest:
            # Which is TLS by now, if the session begins with that.
            transport.protocol.dataReceived(self._reader.rest)

    def check_deadlines(self, now: float) -> None:
        """The proxy has to be quick."""
        if now - self._began < WAIT_SECONDS:
            return
        if self.transport.disconnecting:
            self.transport.abortConnection()
        else:
            self._log.warn("{ip} sent no PROXY header in time", ip=self.ip)
            self._refuse(NO_HEADER)

    def shut_down(self) -> None:
        """The server stops."""
        self.transport.loseConnection()

    def break_off(self) -> None:
        """The server stops, and waits no longer."""
        self.transport.abortConnection()

    def _refuse(self, answer: Reply) -> None:
        _say_last(self.transport, answer, self._context)

    def connectionLost(self, reason: Failure | None = None) -> None:
        """It left before its header was whole, as some do to see whether we are up."""
        self._factory.sweep.remove(self)


class NotAProxy(Protocol):
    """Turns away who may not speak for others, on a port that is for proxies only."""

    transport: Any

    def __init__(self, context: SessionContext) -> None:
        self._context = context

    def connectionMade(self) -> None:
        """Say no."""
        _say_last(self.transport, NOT_A_PROXY, self._context)


def _say_last(transport: Any, answer: Reply, context: SessionContext) -> None:
    """Where sessions begin with TLS, an answer in clear would help nobody."""
    if context.listener.tls != "implicit":
        transport.write(answer.encoded)
    transport.loseConnection()


class ProxyFactory(ServerFactory):
    """
    Has the header read of those who are to send one; all others go straight on.

    @ivar wrapped: makes the sessions, with TLS below them or without.
    @ivar sweep: keeps those who wait for their header.
    """

    noisy = False
    _log = Logger()

    def __init__(
        self,
        wrapped: ServerFactory,
        current: Callable[[], SessionContext],
        sweep: Sweep,
    ) -> None:
        """
        @param wrapped: Twisted's protocol factory.
        @param current: gives the context of a session that begins now.
        """
        self.wrapped: Any = wrapped
        self.sweep = sweep
        self._current = current

    def doStart(self) -> None:
        """A port opens."""
        self.wrapped.doStart()
        super().doStart()  # type: ignore[no-untyped-call]  # Twisted's

    def doStop(self) -> None:
        """A port closes."""
        super().doStop()  # type: ignore[no-untyped-call]  # Twisted's
        self.wrapped.doStop()

    def _is_full(self, context: SessionContext) -> bool:
        """Then whoever comes is turned away, and not waited for."""
        return len(self.sweep.sessions) >= context.limits.max_connections

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        """Who has to send a header, and who may not?"""
        protocol: Protocol | None = self._front(addr) or self.wrapped.buildProtocol(
            addr
        )
        return protocol

    def _front(self, addr: IAddress | None) -> Protocol | None:
        context = self._current()
        proxies, only = context.proxies, context.listener.proxy
        if not (proxies or only) or self._is_full(context):
            return None
        ip = getattr(addr, "host", "")
        if proxies.contains(ip) or (only and not (proxies and ip)):
            return ProxyFront(self, addr, context)
        if not only:
            return None
        self._log.warn("{ip} is no proxy that may speak for others", ip=ip)
        return NotAProxy(context)
