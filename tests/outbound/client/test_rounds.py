"""Commands wait for the end of the reactor's round, and for nothing else."""

from twisted.internet.interfaces import ITCPTransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import directlyProvides

from harakatw.net.rounds import Round
from tests.outbound.client.peers import Peer, PeerTransport


class _SocketTransport(PeerTransport):
    """It writes to its socket when it is told to."""

    def writeSomeData(self, octets: bytes) -> int:
        """All of it."""
        self.write(octets)
        return len(octets)


class RoundTests(SynchronousTestCase):
    """What a host hears when."""

    def setUp(self) -> None:
        """We have connected, and a round has begun."""
        transport = _SocketTransport()
        directlyProvides(transport, ITCPTransport)
        self.round = Round()
        self.round.is_open = True
        self.peer = Peer(transport=transport, round=self.round)

    def test_together(self) -> None:
        """A command goes out when the round ends, once."""
        self.peer.say("220 hi")
        self.assertEqual(self.peer.hear(), "")
        self.round.end()
        self.assertEqual(self.peer.hear(), "EHLO me.example\r\n")
        self.round.end()
        self.assertEqual(self.peer.hear(), "")

    def test_last_words(self) -> None:
        """QUIT is sent before the connection is closed."""
        self.peer.say("554 not you")
        self.assertIn("QUIT\r\n", self.peer.hear())
        self.assertTrue(self.peer.transport.closed)

    def test_left(self) -> None:
        """To a host that left in the same round nothing is sent."""
        self.peer.say("220 hi")
        self.peer.leave()
        self.round.end()
        self.assertEqual(self.peer.hear(), "")
