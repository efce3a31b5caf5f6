"""Replies wait for the end of the reactor's round, and for nothing else."""

import attrs
from twisted.internet.interfaces import ITCPTransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import directlyProvides

from harakatw.net.rounds import Round
from harakatw.smtp.protocol import SMTPProtocol
from harakatw.testing.server import MemoryClient, MemoryServer, MemoryTransport


class RoundTests(SynchronousTestCase):
    """What a client hears when."""

    def setUp(self) -> None:
        """A client has connected over a plain socket, and a round has begun."""
        server = MemoryServer()
        self.round = Round()
        self.round.is_open = True
        server.context = attrs.evolve(server.context, round=self.round)
        self.client = _over_socket(server)

    def test_together(self) -> None:
        """All that was said in the round comes at its end, in order."""
        self.client.say("NOOP")
        self.client.say("RSET")
        self.assertEqual(self.client.hear(), "")
        self.round.end()
        self.assertEqual(self.client.codes(), [220, 250, 250])
        self.round.end()
        self.assertEqual(self.client.hear(), "")

    def test_last_words(self) -> None:
        """The last reply is sent before the connection is closed."""
        self.client.say("QUIT")
        self.assertEqual(self.client.codes(), [220, 221])
        self.assertTrue(self.client.transport.closed)
        self.round.end()
        self.assertEqual(self.client.hear(), "")

    def test_left(self) -> None:
        """To a client that left in the same round nothing is sent."""
        self.client.say("NOOP")
        self.client.leave()
        self.round.end()
        self.assertEqual(self.client.hear(), "")

    def test_no_rounds(self) -> None:
        """Without rounds each reply is sent at once."""
        self.round.is_open = False
        self.client.say("NOOP")
        self.assertEqual(self.client.codes(), [220, 250])


def _over_socket(server: MemoryServer) -> MemoryClient:
    """Connect through a transport that has a plain socket."""
    transport = _SocketTransport(lenient=True)
    directlyProvides(transport, ITCPTransport)
    protocol = server.factory.buildProtocol(transport.getPeer())
    assert isinstance(protocol, SMTPProtocol)
    protocol.makeConnection(transport)  # type: ignore[no-untyped-call]
    return MemoryClient(protocol, transport)


class _SocketTransport(MemoryTransport):
    """It writes to its socket when it is told to."""

    def writeSomeData(self, octets: bytes) -> int:
        """All of it."""
        self.write(octets)
        return len(octets)
