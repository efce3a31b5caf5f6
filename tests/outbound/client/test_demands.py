"""What a message asks of a host, and what the host is told (RFC 2852, 6710, 8689)."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from harakatw.interfaces.queue import Demands
from harakatw.outbound.client.result import DeliveryResult
from harakatw.outbound.hop import Hop
from tests.outbound.client.peers import Peer, fates, open_peer

NOW = 1_700_000_000.0


def send(
    demands: Demands, *offers: str, sender: str = "a@b.example", **settings: Any
) -> tuple[str, list[DeliveryResult]]:
    """Give a client a message; what it says after MAIL and the path, and the result."""
    peer = open_peer(*offers, now=lambda: NOW, **settings)
    results = peer.deliver(demands=demands, sender=sender)
    said = peer.hear().partition("\r\n")[0]
    return said.removeprefix(f"MAIL FROM:<{sender}>"), results


class SecretTests(SynchronousTestCase):
    """REQUIRETLS (RFC 8689 section 4.2.1)."""

    SECRET = Demands(requires_tls=True)

    def test_offered(self) -> None:
        """The host is told, so that it does the same."""
        self.assertEqual(send(self.SECRET, "REQUIRETLS")[0], " REQUIRETLS")

    def test_not_offered(self) -> None:
        """Another host may have it; if none has, the message comes back with 5.7.30."""
        said, (result,) = send(self.SECRET, "STARTTLS")
        self.assertEqual((said, fates(result)), ("", "550 failed"))
        self.assertEqual(result.outcomes[0].reply.enhanced, "5.7.30")
        self.assertTrue(result.outcomes[0].other_host)

    def test_report(self) -> None:
        """A report is sent all the same, with REQUIRETLS where there is (section 5)."""
        self.assertEqual(send(self.SECRET, "PIPELINING", sender=""), ("", []))
        self.assertEqual(send(self.SECRET, "REQUIRETLS", sender="")[0], " REQUIRETLS")

    def test_final(self) -> None:
        """A host that puts mail into mailboxes sends it nowhere."""
        hop = Hop(path="/run/lmtp", using_lmtp=True)
        peer = Peer(hop)
        peer.hello()
        peer.deliver(demands=self.SECRET)
        self.assertEqual(peer.hear(), "MAIL FROM:<a@b.example>\r\n")


class TimeTests(SynchronousTestCase):
    """DELIVERBY (RFC 2852 section 4.1.4)."""

    def _by(
        self, seconds: float, *, returns: bool = True, traced: bool = False
    ) -> Demands:
        return Demands(deliver_by=NOW + seconds, returns_late=returns, is_traced=traced)

    def test_passed_on(self) -> None:
        """The host is told how much time is left, and what to do then."""
        self.assertEqual(send(self._by(120), "DELIVERBY")[0], " BY=120;R")
        late = self._by(-7, returns=False, traced=True)
        self.assertEqual(send(late, "DELIVERBY")[0], " BY=-7;NT")
        ages_ago = self._by(-1e12, returns=False)
        self.assertEqual(send(ages_ago, "DELIVERBY")[0], " BY=-999999999;N")

    def test_not_offered(self) -> None:
        """
        What must come back if late goes only to hosts that see to that; what is to be
        reported goes on.
        """
        said, (result,) = send(self._by(120))
        self.assertEqual((said, result.outcomes[0].reply.enhanced), ("", "5.4.7"))
        self.assertEqual(send(self._by(120, returns=False)), ("", []))

    def test_too_late(self) -> None:
        """A host that needs longer than there is, or a time that is over."""
        _, (result,) = send(self._by(59), "DELIVERBY 60")
        self.assertEqual(fates(result), "554 failed")
        self.assertEqual(result.outcomes[0].reply.enhanced, "5.4.7")
        for left in (0, -1):  # the queue returns it: it knows why it took so long
            _, (result,) = send(self._by(left), "DELIVERBY")
            self.assertEqual(fates(result), "451 delayed")
        self.assertEqual(send(self._by(60), "DELIVERBY 60")[0], " BY=60;R")
        self.assertEqual(send(self._by(60), "DELIVERBY nonsense")[0], " BY=60;R")

    def test_final(self) -> None:
        """A host that puts mail into mailboxes does so at once."""
        hop = Hop(path="/run/lmtp", using_lmtp=True)
        peer = Peer(hop, now=lambda: NOW)
        peer.hello()
        peer.deliver(demands=self._by(1))
        self.assertEqual(peer.hear(), "MAIL FROM:<a@b.example>\r\n")


class PriorityTests(SynchronousTestCase):
    """MT-PRIORITY (RFC 6710 section 4.2)."""

    def test_passed_on(self) -> None:
        """Where it is understood, unless it is the usual one."""
        self.assertEqual(
            send(Demands(priority=-3), "MT-PRIORITY")[0], " MT-PRIORITY=-3"
        )
        self.assertEqual(send(Demands(priority=3), "MT-PRIORITY MIXER")[0][-2:], "=3")
        self.assertEqual(send(Demands(priority=3))[0], "")
        self.assertEqual(send(Demands(released_at=1.0), "MT-PRIORITY")[0], "")
