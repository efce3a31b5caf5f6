"""One message after another over one connection."""

from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import StoreError
from harakatw.interfaces.queue import QueuedRecipient
from harakatw.outbound.client.result import Fate
from harakatw.outbound.client.timeouts import ClientOptions
from harakatw.outbound.hop import Hop
from harakatw.testing.threads import HeldThreads, NoThreads
from harakatw.wire.dialogue import Stage
from tests.outbound.client.peers import (
    ALL,
    MESSAGE,
    Peer,
    envelope,
    failure_of,
    fates,
    open_peer,
)

LMTP = Hop(path="/run/lmtp", using_lmtp=True)
BODY = MESSAGE.decode() + ".\r\n"
BIG = (b"x" * 98 + b"\r\n") * 5000


class DeliveryTests(SynchronousTestCase):
    """A message from MAIL to the last reply."""

    def test_pipelining(self) -> None:
        """The envelope goes in one write, the message in another (RFC 2920)."""
        peer = open_peer("PIPELINING")
        results = peer.deliver()
        self.assertEqual(
            peer.hear(), "MAIL FROM:<a@b.example>\r\nRCPT TO:<d@e.example>\r\nDATA\r\n"
        )
        peer.say("250 ok", "250 ok", "354 go")
        self.assertEqual(peer.hear(), BODY)
        self.assertEqual(results, [])
        peer.clock.advance(2)
        peer.say("250 2.0.0 queued as 7")
        (result,) = results
        (outcome,) = result.outcomes
        self.assertTrue(result.delivered)
        self.assertIs(outcome.fate, Fate.DELIVERED)
        self.assertEqual(outcome.recipient, QueuedRecipient("d@e.example"))
        self.assertEqual(outcome.reply.encoded, b"250 2.0.0 queued as 7\r\n")
        self.assertIs(result.final, outcome.answer)
        self.assertIs(result.peer, peer.client.peer)
        self.assertEqual((result.seconds, result.untried), (2, False))

    def test_one_by_one(self) -> None:
        """Without PIPELINING each command waits for the reply to the last."""
        peer = open_peer()
        results = peer.deliver("d@e.example", "f@e.example")
        for said in (
            "MAIL FROM:<a@b.example>\r\n",
            "RCPT TO:<d@e.example>\r\n",
            "RCPT TO:<f@e.example>\r\n",
        ):
            self.assertEqual(peer.hear(), said)
            peer.say("250 ok")
        self.assertEqual(peer.hear(), "DATA\r\n")
        peer.say("354 go")
        self.assertEqual(peer.hear(), BODY)
        peer.say("250 ok")
        self.assertEqual(fates(results[0]), "250 delivered 250 delivered")

    def test_any_cut(self) -> None:
        """However the network cuts the replies, the same is said and delivered."""
        replies = b"250 ok\r\n550-no\r\n550 5.1.1 no\r\n250 ok\r\n354 go\r\n250 ok\r\n"
        for at in range(1, len(replies)):
            peer = open_peer(*ALL)
            results = peer.deliver("d@e.example", "f@e.example")
            peer.send(replies[:at])
            peer.send(replies[at:])
            self.assertEqual(fates(results[0]), "550 failed 250 delivered")
            self.assertEqual(peer.hear().count("\r\n.\r\n"), 1)

    def test_several_recipients(self) -> None:
        """Each recipient has a fate of its own (rows OB43 and OB44)."""
        peer = open_peer(*ALL)
        results = peer.deliver("a@e.example", "b@e.example", "c@e.example")
        peer.say(
            "250 ok", "250 ok", "450 later", "550 5.1.1 unknown", "354 go", "250 ok"
        )
        (result,) = results
        self.assertEqual(fates(result), "250 delivered 450 delayed 550 failed")
        self.assertFalse(result.delivered)
        (failed,) = result.having(Fate.PERMANENT)
        self.assertEqual(failed.recipient.address, "c@e.example")
        self.assertIs(failed.stage, Stage.RCPT)
        self.assertFalse(failed.other_host)

    def test_parameters(self) -> None:
        """What the host offers is used (WK12, WK13, WK15)."""
        peer = open_peer(*ALL)
        recipients = (QueuedRecipient("d@e.example", "NEVER", "rfc822;x@y.example"),)
        peer.deliver(recipients=recipients, is_8bit=True, envid="Q", ret="HDRS")
        self.assertEqual(
            peer.hear(),
            "MAIL FROM:<a@b.example> SIZE=21 BODY=8BITMIME RET=HDRS ENVID=Q\r\n"
            "RCPT TO:<d@e.example> NOTIFY=NEVER ORCPT=rfc822;x@y.example\r\nDATA\r\n",
        )

    def test_lmtp(self) -> None:
        """LMTP tells of each recipient after the message (RFC 2033, row OB32)."""
        peer = Peer(LMTP)
        peer.hello("PIPELINING")
        results = peer.deliver("a@e.example", "b@e.example", "c@e.example")
        peer.say("250 ok", "250 ok", "550 who?", "250 ok", "354 go")
        peer.say("250 delivered")
        self.assertEqual(results, [])
        peer.say("452 4.2.2 full")
        self.assertEqual(fates(results[0]), "250 delivered 550 failed 452 delayed")
        self.assertEqual(results[0].peer.mode, "LMTP")

    def test_dots(self) -> None:
        """The message cannot end early, whatever is in it (survey row 2)."""
        peer = open_peer(*ALL)
        peer.deliver(body=b"a\n.\nb\r.\rMAIL FROM:<x@y.example>\r\n")
        peer.hear()
        peer.say("250 ok", "250 ok", "354 go")
        self.assertEqual(
            peer.hear(), "a\r\n..\r\nb\r\n..\r\nMAIL FROM:<x@y.example>\r\n.\r\n"
        )


class UnsuitableTests(SynchronousTestCase):
    """Messages that a host cannot take."""

    def test_nothing_is_sent(self) -> None:
        """Too large, 8bit or UTF-8: the sender is told, and nothing is sent."""
        for fields, enhanced in (
            ({"size": 11}, "5.3.4"),
            ({"size": 9, "is_8bit": True}, "5.6.3"),
            ({"size": 9, "is_utf8": True}, "5.6.7"),
        ):
            options = ClientOptions(without_8bitmime="bounce")
            peer = open_peer("SIZE 10", options=options)
            (result,) = peer.deliver(**fields)
            self.assertEqual(result.outcomes[0].reply.enhanced, enhanced)
            self.assertIs(result.outcomes[0].fate, Fate.PERMANENT)
            self.assertTrue(result.outcomes[0].other_host)
            self.assertIsNone(result.final)
            self.assertEqual(peer.hear(), "")
            self.assertTrue(peer.client.is_free)

    def test_allow_8bit(self) -> None:
        """A hop may take 8bit without saying so."""
        peer = open_peer(hop=Hop(host="mx.example", allow_8bit=True))
        peer.deliver(is_8bit=True)
        self.assertEqual(peer.hear(), "MAIL FROM:<a@b.example>\r\n")

    def test_some_recipients(self) -> None:
        """A recipient that needs SMTPUTF8 fails, the others get the message."""
        peer = open_peer("PIPELINING")
        results = peer.deliver("\u00e4@e.example", "d@e.example")
        self.assertEqual(peer.hear().count("RCPT"), 1)
        peer.say("250 ok", "250 ok", "354 go", "250 ok")
        self.assertEqual(fates(results[0]), "250 delivered 553 failed")

    def test_no_recipient_left(self) -> None:
        """When none is left nothing is sent."""
        peer = open_peer("PIPELINING")
        (result,) = peer.deliver("\u00e4@e.example")
        self.assertEqual((fates(result), peer.hear()), ("553 failed", ""))
        self.assertTrue(peer.client.is_free)


class RefusalTests(SynchronousTestCase):
    """Refusals, and what the next message finds."""

    def test_sender(self) -> None:
        """MAIL refused: all recipients share the fate."""
        peer = open_peer(*ALL)
        results = peer.deliver("d@e.example", "f@e.example")
        peer.say("451 4.7.1 later", "503 no", "503 no", "503 no")
        self.assertEqual(fates(results[0]), "451 delayed 451 delayed")
        self.assertTrue(results[0].outcomes[0].other_host)
        self.assertTrue(peer.client.is_free)

    def test_reset(self) -> None:
        """After a message that was broken off the next one begins with RSET."""
        peer = open_peer(*ALL)
        peer.deliver()
        peer.say("250 ok", "550 unknown", "503 no recipients")
        peer.hear()
        results = peer.deliver()
        self.assertTrue(peer.hear().startswith("RSET\r\nMAIL FROM:"))
        peer.say("250 ok", "250 ok", "250 ok", "354 go", "250 ok")
        self.assertTrue(results[0].delivered)
        peer.hear()
        peer.deliver()
        self.assertTrue(peer.hear().startswith("MAIL FROM:"))

    def test_dot_for_nobody(self) -> None:
        """354 after all recipients were refused is answered with a dot (RFC 2920)."""
        peer = open_peer(*ALL)
        results = peer.deliver()
        peer.hear()
        peer.say("250 ok", "550 unknown", "354 go")
        self.assertEqual((peer.hear(), results), (".\r\n", []))
        peer.say("554 no valid recipients")
        self.assertEqual(fates(results[0]), "550 failed")
        peer.deliver()
        self.assertTrue(peer.hear().startswith("MAIL FROM:"))

    def test_close(self) -> None:
        """421 ends the connection, and what is not decided is tried again."""
        peer = open_peer(*ALL)
        results = peer.deliver("d@e.example", "f@e.example")
        peer.say("250 ok", "550 unknown", "421 4.3.2 shutting down")
        self.assertEqual(fates(results[0]), "550 failed 421 delayed")
        self.assertTrue(peer.transport.aborted)
        self.assertFalse(peer.client.is_free)
        self.assertFalse(results[0].untried)


class LargeTests(SynchronousTestCase):
    """Large messages."""

    def begin(self, body: object, **settings: object) -> Peer:
        """A peer that waits for a large message."""
        peer = open_peer(*ALL, **settings)  # type: ignore[arg-type]
        self.results = peer.deliver(body=body, size=len(BIG))
        peer.hear()
        peer.say("250 ok", "250 ok", "354 go")
        return peer

    def chunks(self) -> Iterator[bytes]:
        """The message from what may be a file."""
        for start in range(0, len(BIG), 50_000):
            yield BIG[start : start + 50_000]

    def test_in_memory(self) -> None:
        """A large message arrives whole."""
        peer = self.begin(BIG)
        self.assertEqual(peer.hear().encode(), BIG + b".\r\n")
        peer.say("250 ok")
        self.assertTrue(self.results[0].delivered)
        self.assertIsNone(peer.transport.producer)

    def test_from_file(self) -> None:
        """So does one from a file, read in a thread."""
        peer = self.begin(self.chunks(), in_thread=NoThreads().call)
        self.assertEqual(peer.hear().encode(), BIG + b".\r\n")
        peer.say("250 ok")
        self.assertTrue(self.results[0].delivered)

    def test_small_from_file(self) -> None:
        """A small one from a file is read in a thread, too."""
        threads = HeldThreads()
        peer = open_peer(*ALL, in_thread=threads.call)
        results = peer.deliver(body=iter([MESSAGE]))
        peer.hear()
        peer.say("250 ok", "250 ok", "354 go")
        self.assertEqual(peer.hear(), "")
        threads.run_one()
        self.assertEqual(peer.hear(), BODY)
        peer.say("250 ok")
        self.assertTrue(results[0].delivered)

    def test_not_reading(self) -> None:
        """A host that reads nothing for three minutes is left."""
        peer = open_peer(*ALL)
        peer.transport.is_slow = True
        results = peer.deliver(body=BIG, size=len(BIG))
        peer.say("250 ok", "250 ok", "354 go")
        producer = peer.transport.producer
        assert producer is not None
        for _ in range(2):
            peer.clock.advance(179)
            producer.resumeProducing()
        self.assertEqual(results, [])
        peer.clock.advance(180)
        self.assertEqual(fates(results[0]), "451 delayed")
        self.assertTrue(peer.transport.aborted)

    def test_reading_slowly(self) -> None:
        """One that reads a little at a time gets it all."""
        peer = open_peer(*ALL)
        peer.transport.is_slow = True
        results = peer.deliver(body=BIG, size=len(BIG))
        peer.hear()
        peer.say("250 ok", "250 ok", "354 go")
        while peer.transport.producer is not None:
            peer.clock.advance(179)
            peer.transport.producer.resumeProducing()
        self.assertEqual(peer.hear().encode(), BIG + b".\r\n")
        peer.say("250 ok")
        self.assertTrue(results[0].delivered)

    def test_unreadable(self) -> None:
        """A message that cannot be read ends without a dot: its queue is told."""

        def broken() -> Iterator[bytes]:
            yield BIG
            raise StoreError("no such file")

        peer = open_peer(*ALL)
        delivery = peer.client.deliver(envelope(body=broken(), size=len(BIG)))
        peer.say("250 ok", "250 ok", "354 go")
        self.assertIsInstance(failure_of(delivery), StoreError)
        self.assertNotIn("\r\n.\r\n", peer.hear())
        self.assertTrue(peer.transport.aborted)
        self.assertFalse(peer.client.is_free)

    def test_early_refusal(self) -> None:
        """A refusal amid the message counts, and the rest is not sent."""
        threads = HeldThreads()
        peer = self.begin(self.chunks(), in_thread=threads.call)
        threads.run_one()
        peer.say("552 5.3.4 too much")
        self.assertEqual(fates(self.results[0]), "552 failed")
        self.assertTrue(peer.transport.aborted)
        peer.hear()
        threads.waiting.clear()
        self.assertEqual(peer.hear(), "")

    def test_lost(self) -> None:
        """A connection that breaks amid the message leaves nothing running."""
        threads = HeldThreads()
        peer = self.begin(self.chunks(), in_thread=threads.call)
        threads.run_one()
        peer.leave()
        self.assertEqual(fates(self.results[0]), "451 delayed")
        self.assertTrue(self.results[0].outcomes[0].other_host)
        self.assertEqual(peer.clock.getDelayedCalls(), [])
        threads.run_one()  # the thread ends later; nobody listens
