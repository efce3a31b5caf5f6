"""Connecting to a hop."""

from pathlib import Path
from typing import Any

from twisted.internet.error import (
    ConnectBindError,
    ConnectionRefusedError,
    DNSLookupError,
    TimeoutError,
    UserError,
)
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from harakatw.observe.levels import LogSwitch
from harakatw.outbound.client.connect import connect
from harakatw.outbound.client.failures import HostFailure
from harakatw.outbound.client.protocol import SMTPClient
from harakatw.outbound.client.settings import client_settings
from harakatw.outbound.client.timeouts import ClientOptions
from harakatw.outbound.client.tls import ClientTLS
from harakatw.outbound.client.tls_rules import NO_TLS, OutboundTLSOptions
from harakatw.outbound.hop import Hop
from harakatw.testing.threads import NoThreads
from tests.outbound.client.peers import PeerTransport, failure_of


class ConnectTests(SynchronousTestCase):
    """From a hop to a client."""

    def setUp(self) -> None:
        """A reactor in memory."""
        self.reactor: Any = MemoryReactorClock()

    def connect(self, hop: Hop) -> Any:
        """Connect with a time-out of seven seconds."""
        settings = client_settings(
            self.reactor,
            "me.example",
            ClientTLS(OutboundTLSOptions(), Path()),
            ClientOptions(connect_timeout=7),
            NoThreads().call,
            LogSwitch(),
        )
        return connect(hop, self.reactor, settings, NO_TLS)

    def test_address(self) -> None:
        """A hop with an address is connected to it, from the address that it wants."""
        self.connect(Hop(host="mx.example", ip="192.0.2.1", port=26, bind="192.0.2.9"))
        host, port, _, seconds, bind = self.reactor.tcpClients[0]
        self.assertEqual(
            (host, port, seconds, bind), ("192.0.2.1", 26, 7, ("192.0.2.9", 0))
        )

    def test_ipv6(self) -> None:
        """IPv6 likewise."""
        self.connect(Hop(host="2001:db8::1"))
        host, port, _, seconds, bind = self.reactor.tcpClients[0]
        self.assertEqual((host, port, seconds, bind), ("2001:db8::1", 25, 7, None))

    def test_path(self) -> None:
        """A hop with a path is a Unix socket."""
        self.connect(Hop(path="/run/lmtp", using_lmtp=True))
        path, _, seconds, _ = self.reactor.unixClients[0]
        self.assertEqual((path, seconds), ("/run/lmtp", 7))

    def test_opens(self) -> None:
        """The client is there when it may be given a message, and not before."""
        clients: list[SMTPClient] = []
        self.connect(Hop(ip="192.0.2.1")).addCallback(clients.append)
        protocol = self.reactor.tcpClients[0][2].buildProtocol(None)
        protocol.makeConnection(PeerTransport())
        protocol.dataReceived(b"220 hi\r\n")
        self.assertEqual(clients, [])
        protocol.dataReceived(b"250 mx.example\r\n")
        self.assertTrue(clients[0].is_free)

    def test_fails(self) -> None:
        """
        A host that cannot be reached: another one, or later; the reason may stand in a
        bounce and tells nothing of us.
        """
        for error, text in (
            (ConnectionRefusedError(), "the host refuses the connection"),
            (TimeoutError(), "the host does not answer"),
            (DNSLookupError(), "the host's name cannot be found"),
            (ConnectBindError("192.0.2.9"), "our own address cannot be used"),
            (UserError(), "no connection"),
        ):
            connecting = self.connect(Hop(path="/run/secret", using_lmtp=True))
            self.reactor.unixClients[-1][1].clientConnectionFailed(None, Failure(error))
            failure = failure_of(connecting)
            assert isinstance(failure, HostFailure)
            self.assertEqual(failure.reply.enhanced, "4.4.1")
            self.assertEqual(failure.reply.text, f"Cannot connect: {text}")
            self.assertTrue(failure.other_host)
            self.assertEqual(failure.detail["hop"], "/run/secret")
