"""Connections that break, and hosts that do not answer."""

from twisted.internet.error import ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.client.result import DeliveryResult, Fate
from tests.outbound.client.peers import (
    ALL,
    Peer,
    envelope,
    fates,
    open_peer,
)


class LostTests(SynchronousTestCase):
    """Connections that break (survey row 37)."""

    def stage(self, *lines: str) -> Peer:
        """A peer that said this of its first message, and where that leads."""
        peer = open_peer(*ALL)
        self.results = peer.deliver("d@e.example", "f@e.example")
        peer.say(*lines)
        return peer

    def test_every_stage(self) -> None:
        """
        Another host may have the message, unless this one may have it already: then
        that would make a duplicate (WK09).
        """
        lines = ("250 ok", "250 ok", "550 no", "354 go")
        stages = ("MAIL", "RCPT", "RCPT", "DATA", "the end of the message")
        for count in range(5):
            peer = self.stage(*lines[:count])
            peer.leave(ConnectionLost())
            (result,) = self.results
            expected = (
                "451 delayed 550 failed" if count > 2 else "451 delayed 451 delayed"
            )
            self.assertEqual(fates(result), expected)
            outcome = result.having(Fate.TEMPORARY)[0]
            self.assertIn(f"before the reply to {stages[count]}", outcome.reply.text)
            self.assertEqual(outcome.reply.enhanced, "4.4.2")
            self.assertTrue(outcome.answer.is_ours)
            self.assertEqual(outcome.other_host, count < 4)
            self.assertFalse(result.untried)
            self.assertEqual(peer.clock.getDelayedCalls(), [])

    def test_every_time(self) -> None:
        """
        Each step has its own time: ten minutes for the last reply, not thirty seconds
        (RFC 5321 section 4.5.3.2, WK09).
        """
        lines = ("250 ok", "250 ok", "250 ok", "354 go")
        for count, seconds in ((0, 300), (1, 300), (3, 120), (4, 600)):
            peer = self.stage(*lines[:count])
            peer.clock.advance(seconds - 1)
            self.assertEqual(self.results, [])
            peer.clock.advance(1)
            (result,) = self.results
            self.assertIn("took too long: the reply to", result.outcomes[0].reply.text)
            self.assertEqual(result.outcomes[0].other_host, count < 4)
            self.assertTrue(peer.transport.aborted)
            self.assertEqual(peer.clock.getDelayedCalls(), [])

    def test_endless(self) -> None:
        """A host that answers one of many recipients a minute is left in the end."""
        peer = open_peer()
        results = peer.deliver(*(f"{number}@e.example" for number in range(500)))
        for _ in range(59):
            peer.clock.advance(60)
            peer.say("250 ok")
        self.assertEqual(results, [])
        peer.clock.advance(61)
        self.assertEqual(len(results), 1)

    def test_idle(self) -> None:
        """
        A host that closed an idle connection has not refused the message: it is for a
        new connection.
        """
        peer = self.stage("250 ok", "250 ok", "250 ok", "354 go", "250 ok")
        peer.leave()
        (late,) = peer.deliver()
        self.assertEqual((late.untried, fates(late)), (True, "451 delayed"))
        peer = open_peer(*ALL)
        peer.leave()
        (new,) = peer.deliver()
        self.assertFalse(new.untried, "it would be tried without end")
        for ending in ("lost", "421"):
            peer = self.stage("250 ok", "250 ok", "250 ok", "354 go", "250 ok")
            results = peer.deliver()
            if ending == "lost":
                peer.leave()
            else:
                peer.say("421 4.4.2 idle for too long")
            self.assertTrue(results[0].untried, ending)

    def test_idle_farewell(self) -> None:
        """A host that says 421 while nothing goes on is left without a fuss."""
        peer = open_peer(*ALL)
        peer.say("421 4.4.2 bye")
        self.assertTrue(peer.transport.disconnecting)
        self.assertFalse(peer.client.is_free)

    def test_protocol(self) -> None:
        """A host that breaks the protocol gets no other message."""
        for lines in (
            ("354 what?",),
            ("250-ok", "550 or not"),
            ("GET / HTTP/1.1",),
            ("250 ok", "250 ok", "250 ok", "250 ok"),
        ):
            peer = self.stage(*lines)
            (result,) = self.results
            self.assertEqual(fates(result), "451 delayed 451 delayed")
            self.assertEqual(result.outcomes[0].reply.enhanced, "4.5.0")
            self.assertTrue(peer.transport.aborted)

    def test_unasked(self) -> None:
        """A reply to nothing means that host and client are out of step."""
        peer = open_peer(*ALL)
        peer.say("250 ok")
        self.assertTrue(peer.transport.aborted)
        peer = open_peer(*ALL)
        peer.send(b"250 o")
        (result,) = peer.deliver()
        self.assertEqual((result.untried, fates(result)), (False, "451 delayed"))
        self.assertTrue(peer.transport.aborted)

    def test_said_in_advance(self) -> None:
        """
        Answers to the next message that come with those to this one are not taken for
        answers.
        """
        peer = self.stage("250 ok", "250 ok", "250 ok", "354 go")
        peer.say("250 taken", "250 ok", "250 ok", "354 go", "250 taken too")
        self.assertTrue(self.results[0].delivered)
        self.assertTrue(peer.transport.aborted)
        self.assertFalse(peer.client.is_free)

    def test_called_off(self) -> None:
        """Whoever waits for the result may call the delivery off."""
        peer = open_peer(*ALL)
        results: list[object] = []
        delivery = peer.client.deliver(envelope())
        delivery.addBoth(results.append)
        delivery.cancel()
        (result,) = results
        assert isinstance(result, DeliveryResult)
        self.assertEqual(fates(result), "451 delayed")
        self.assertFalse(result.outcomes[0].other_host, "somebody else may have it now")
        self.assertTrue(peer.transport.aborted)
