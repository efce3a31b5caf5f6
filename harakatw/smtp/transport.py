"""What sessions need of the transport below them."""

from typing import Protocol

from twisted.internet.interfaces import IAddress, IPushProducer


class ClientTransport(Protocol):
    """What is used of Twisted's TCP, TLS and unix-socket transports alike."""

    def write(self, data: bytes) -> None:
        """Send octets, sooner or later."""

    def getHost(self) -> IAddress:
        """Our end."""

    def loseConnection(self) -> None:
        """Close it once all is sent."""

    def abortConnection(self) -> None:
        """Close it now."""

    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:
        """Tell who is to be paused while the peer does not read."""

    def unregisterProducer(self) -> None:
        """Tell nobody any more."""

    def pauseProducing(self) -> None:
        """Read no more for now."""

    def resumeProducing(self) -> None:
        """Read on."""
