"""Writing commands to a socket at once."""

from twisted.internet.interfaces import ITCPTransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import directlyProvides

from tests.outbound.client.peers import ALL, Peer, PeerTransport


class Socket(PeerTransport):
    """
    A transport that writes to its socket when it is told to.

    @ivar room: octets that the socket takes.
    @ivar at_once: what it took.
    """

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room
        self.at_once = b""
        directlyProvides(self, ITCPTransport)

    def writeSomeData(self, octets: bytes) -> int:
        """Take what there is room for."""
        taken = octets[: self.room]
        self.room -= len(taken)
        self.at_once += taken
        return len(taken)


class DirectTests(SynchronousTestCase):
    """No octet is lost, doubled or out of order."""

    def test_order(self) -> None:
        """Once something had to wait, all that follows waits behind it."""
        whole = b"EHLO me.example\r\nMAIL FROM:<a@b.example> SIZE=21\r\n"
        for room in range(len(whole)):
            socket = Socket(room)
            peer = Peer(transport=socket)
            peer.say("220 hi")
            socket.room += 1  # too late: something waits already, or nothing does
            peer.say("250-mx", *(f"250-{each}" for each in ALL), "250 HELP")
            peer.deliver()
            sent = socket.at_once + peer.hear().encode()
            self.assertTrue(sent.startswith(whole), room)
