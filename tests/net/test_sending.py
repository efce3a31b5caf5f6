"""Sending at once, as far as the socket goes along."""

from typing import Any

from twisted.internet.interfaces import ITCPTransport, IUNIXTransport
from twisted.internet.main import CONNECTION_LOST
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import directlyProvides

from harakatw.net.sending import can_send_now, send_now


class Socket(StringTransport):
    """
    A transport that writes to its socket when it is told to.

    @ivar TLS: is the connection encrypted, as Twisted's transports say it?
    """

    TLS = False

    def __init__(self, takes: Any, kind: Any = ITCPTransport) -> None:
        """
        @param takes: octets that there is room for, or an error.
        """
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self._takes = takes
        directlyProvides(self, kind)

    def writeSomeData(self, octets: bytes) -> Any:
        """Take what there is room for."""
        return self._takes if type(self._takes) is not int else min(self._takes, 5)


class SendingTests(SynchronousTestCase):
    """No octet is lost or doubled."""

    def test_which(self) -> None:
        """A TCP or Unix socket may be written to directly, nothing else may."""
        self.assertTrue(can_send_now(Socket(10)))
        self.assertTrue(can_send_now(Socket(10, IUNIXTransport)))
        plain = StringTransport()
        self.assertFalse(can_send_now(plain))
        directlyProvides(plain, ITCPTransport)
        self.assertFalse(can_send_now(plain), "it has no writeSomeData")

    def test_room(self) -> None:
        """
        What does not fit is left to the reactor. So is all of it on a broken
        connection: the reactor finds that out and tells.
        """
        for takes, left in (
            (5, b""),
            (4, b"o"),
            (0, b"hello"),
            (-1, b"hello"),
            (CONNECTION_LOST, b"hello"),
        ):
            self.assertEqual(send_now(Socket(takes), b"hello"), left, takes)

    def test_encrypted(self) -> None:
        """Nothing goes past the encryption of a connection."""
        socket = Socket(5)
        socket.TLS = True
        self.assertEqual(send_now(socket, b"hello"), b"hello")
