"""Tests of C{harakatw.process.doors}."""

import attrs
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from harakatw.config.endpoints import ListenAddress
from harakatw.config.listeners import Listener
from harakatw.process.doors import Doors
from harakatw.smtp.deadlines import Sweep
from harakatw.testing.server import MemoryServer

MX = ListenAddress("192.0.2.1", 25)
SUBMISSION = ListenAddress("192.0.2.1", 587)
PROFILES = {MX: Listener(address="mx"), SUBMISSION: Listener(submission=True)}


class DoorsTests(SynchronousTestCase):
    """Several listeners of one server."""

    def setUp(self) -> None:
        """Two listeners, and two connections at most from one address."""
        limits = ConnectionOptions(max_connections_per_ip=2)
        self.context = MemoryServer(limits=limits).context
        self.sweep = Sweep(Clock())
        self.doors = Doors(self.sweep)
        self.doors.renew(self.context, PROFILES)

    def connect(self, address: ListenAddress) -> bytes:
        """A client comes; what it is told."""
        client = IPv4Address("TCP", "192.0.2.9", 1025)
        protocol = self.doors.factory(address).buildProtocol(client)
        transport = StringTransport()
        protocol.makeConnection(transport)
        told: bytes = transport.value()
        return told

    def test_profile(self) -> None:
        """A session knows what its listener is for."""
        self.assertTrue(self.doors.context(SUBMISSION).listener.submission)
        self.assertEqual(self.doors.context(MX).listener.address, "mx")

    def test_counted_together(self) -> None:
        """
        What connections.ini allows an address counts for all listeners together, and
        one sweep ends the sessions of all that take too long.
        """
        told = [self.connect(address)[:3] for address in (MX, SUBMISSION, SUBMISSION)]
        self.assertEqual(told, [b"220", b"220", b"421"])
        self.assertEqual(len(self.sweep.sessions), 2)

    def test_reload(self) -> None:
        """A new profile is for the next client at a port that stays open."""
        factory = self.doors.factory(MX)
        self.doors.renew(self.context, {MX: Listener(tls="implicit")})
        self.assertIs(self.doors.factory(MX), factory)
        self.assertEqual(self.doors.context(MX).listener.tls, "implicit")

    def test_no_more_in_a_file(self) -> None:
        """
        A listener that no file names any more stays what it was, but for what all
        share: it may be open still, since another could not be opened.
        """
        context = attrs.evolve(self.context, name="new.example")
        self.doors.renew(context, {MX: Listener()})
        kept = self.doors.context(SUBMISSION)
        self.assertEqual((kept.name, kept.listener.submission), ("new.example", True))
