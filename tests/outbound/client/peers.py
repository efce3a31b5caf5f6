"""A server in memory that says what the test makes it say."""

from pathlib import Path
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from harakatw.interfaces.queue import QueuedRecipient
from harakatw.outbound.client.envelope import Envelope
from harakatw.outbound.client.protocol import SMTPClient
from harakatw.outbound.client.result import DeliveryResult
from harakatw.outbound.client.settings import ClientSettings
from harakatw.outbound.client.tls import ClientTLS, Handshake
from harakatw.outbound.client.tls_rules import NO_TLS, OutboundTLSOptions, TLSPolicy
from harakatw.outbound.hop import Hop

HOP = Hop(host="mx.example", ip="192.0.2.1")

ALL = "PIPELINING", "SIZE 1000000", "8BITMIME", "SMTPUTF8", "DSN"

MESSAGE = b"Subject: x\r\n\r\nHello\r\n"


class PeerTransport(StringTransport):
    """
    What the client writes to.

    @ivar handshakes: TLS that the client began.
    @ivar is_slow: does the peer read a piece only when it is told to?
    @ivar aborted: did it drop the connection?
    """

    def __init__(self) -> None:
        address = IPv4Address("TCP", "192.0.2.1", 25)
        super().__init__(peerAddress=address)  # type: ignore[no-untyped-call]  # Twisted's
        self.handshakes: list[Handshake] = []
        self.aborted = False
        self.is_slow = False

    def write(self, data: bytes) -> None:
        """The client says something."""
        super().write(data)  # type: ignore[no-untyped-call]  # Twisted's
        if self.is_slow and self.producer is not None:
            self.producer.pauseProducing()

    def startTLS(self, handshake: Handshake) -> None:
        """TLS begins; the test says when it is there."""
        self.handshakes.append(handshake)

    def abortConnection(self) -> None:
        """The client drops the connection."""
        self.aborted = True

    @property
    def closed(self) -> bool:
        """Has the client closed the connection?"""
        return bool(self.disconnecting or self.aborted)


class Peer:
    """
    One connection with a client.

    @ivar client: what is tested.
    @ivar clock: its time.
    @ivar opened: what the client's C{opened} fired with.
    """

    def __init__(
        self, hop: Hop = HOP, policy: TLSPolicy = NO_TLS, **settings: Any
    ) -> None:
        """
        @param settings: fields of L{ClientSettings} other than the usual, or
            C{transport}.
        """
        self.clock = Clock()
        self.transport = settings.pop("transport", None) or PeerTransport()
        tls = settings.pop("tls", None) or ClientTLS(OutboundTLSOptions(), Path())
        self.settings = ClientSettings(
            clock=self.clock, name="me.example", tls=tls, **settings
        )
        self.client = SMTPClient(hop, self.settings, policy)
        self.opened: list[object] = []
        self.client.opened.addBoth(self.opened.append)
        self.client.makeConnection(self.transport)  # type: ignore[no-untyped-call]

    def say(self, *lines: str) -> None:
        """Say lines, in one go."""
        self.send("".join(f"{line}\r\n" for line in lines).encode())

    def send(self, octets: bytes) -> None:
        """Send octets as they are."""
        self.client.dataReceived(octets)

    def hear(self) -> str:
        """What the client has said since the last call."""
        octets: bytes = self.transport.value()
        self.transport.clear()
        return octets.decode("utf-8")

    def leave(self, error: Exception | None = None) -> None:
        """Close the connection."""
        self.client.connectionLost(Failure(error or ConnectionDone()))

    def hello(self, *capabilities: str) -> None:
        """Greet, and offer something."""
        self.say("220 mx.example")
        self.hear()
        self.say(*(f"250-{line}" for line in ("mx.example", *capabilities)), "250 HELP")
        self.hear()

    def failure(self) -> Exception:
        """
        Why the client could not be used.

        @raise AssertionError: if it can.
        """
        (failed,) = self.opened
        assert isinstance(failed, Failure), failed
        error = failed.value
        assert isinstance(error, Exception)
        return error

    def deliver(self, *recipients: str, **fields: Any) -> list[DeliveryResult]:
        """
        Give the client a message.

        @param fields: of L{Envelope} other than the usual.
        @return: where the result appears.
        """
        results: list[DeliveryResult] = []
        delivery = self.client.deliver(envelope(*recipients, **fields))
        delivery.addCallback(results.append)
        return results


def open_peer(*capabilities: str, hop: Hop = HOP, **settings: Any) -> Peer:
    """A peer whose client waits for a message."""
    peer = Peer(hop, **settings)
    peer.hello(*capabilities)
    assert peer.opened == [peer.client], peer.opened
    return peer


def envelope(*recipients: str, **fields: Any) -> Envelope:
    """A small message, to one recipient unless others are named."""
    fields.setdefault("sender", "a@b.example")
    fields.setdefault("body", MESSAGE)
    fields.setdefault("size", len(MESSAGE))
    fields.setdefault(
        "recipients",
        tuple(QueuedRecipient(each) for each in recipients or ("d@e.example",)),
    )
    return Envelope(**fields)


def fates(result: DeliveryResult) -> str:
    """Code and fate of each recipient, in order of the address."""
    outcomes = sorted(result.outcomes, key=lambda each: each.recipient.address)
    return " ".join(f"{each.answer.code} {each.fate.value}" for each in outcomes)


def failure_of(deferred: "Deferred[Any]") -> Exception:
    """What a Deferred failed with."""
    failures: list[Failure] = []
    deferred.addErrback(failures.append)
    assert failures, "it has not failed"
    error = failures[0].value
    assert isinstance(error, Exception)
    return error
