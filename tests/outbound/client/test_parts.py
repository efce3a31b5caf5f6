"""Hosts that say how much they take (RFC 9422)."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.client.result import Fate
from tests.outbound.client.peers import MESSAGE, fates, open_peer

BODY = MESSAGE.decode() + ".\r\n"
ALL = [f"{letter}@e.example" for letter in "abcde"]


class LimitTests(SynchronousTestCase):
    """What LIMITS says is kept to, without trying."""

    def test_recipients(self) -> None:
        """More recipients than RCPTMAX get it in several transactions."""
        peer = open_peer("PIPELINING", "LIMITS RCPTMAX=2")
        results = peer.deliver(*ALL)
        for count in (2, 2, 1):
            self.assertEqual(peer.hear().count("RCPT TO:"), count)
            self.assertEqual(results, [])
            peer.say(*["250 ok"] * (count + 1), "354 go")
            self.assertEqual(peer.hear(), BODY)
            peer.say("250 taken")
        self.assertTrue(results[0].delivered)
        self.assertEqual(len(results[0].outcomes), 5)
        self.assertTrue(peer.client.is_free)

    def test_enough(self) -> None:
        """As many as it takes go at once."""
        peer = open_peer("PIPELINING", "LIMITS RCPTMAX=5")
        peer.deliver(*ALL)
        self.assertEqual(peer.hear().count("RCPT TO:"), 5)

    def test_messages(self) -> None:
        """After MAILMAX messages the connection is not used again."""
        peer = open_peer("PIPELINING", "LIMITS MAILMAX=1 RCPTMAX=100")
        results = peer.deliver("d@e.example")
        peer.say("250 ok", "250 ok", "354 go", "250 taken")
        self.assertTrue(results[0].delivered)
        self.assertFalse(peer.client.is_free)

    def test_both(self) -> None:
        """Those for whom no message is left wait, or are for another host."""
        peer = open_peer("PIPELINING", "LIMITS MAILMAX=2 RCPTMAX=2")
        results = peer.deliver(*ALL)
        for _ in range(2):
            peer.say("250 ok", "250 ok", "250 ok", "354 go", "250 taken")
        (result,) = results
        self.assertEqual(len(result.having(Fate.DELIVERED)), 4)
        (left,) = result.having(Fate.TEMPORARY)
        self.assertEqual((left.reply.code, left.other_host), (452, True))

    def test_lost(self) -> None:
        """So do those who are left when the connection breaks."""
        peer = open_peer("PIPELINING", "LIMITS RCPTMAX=4")
        results = peer.deliver(*ALL)
        peer.leave()
        self.assertEqual(
            fates(results[0]), " ".join(["451 delayed"] * 4 + ["452 delayed"])
        )

    def test_nonsense(self) -> None:
        """What is no limit is none."""
        for offer in ("LIMITS", "LIMITS RCPTMAX=0", "LIMITS RCPTMAX=x MAILMAX=-1"):
            peer = open_peer("PIPELINING", offer)
            peer.deliver(*ALL)
            self.assertEqual(peer.hear().count("RCPT TO:"), 5)
