"""8bit messages for hosts without 8BITMIME (RFC 6152 section 3; survey row 36)."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import StoreError
from harakatw.outbound.client.result import Fate
from harakatw.outbound.client.timeouts import ClientOptions
from harakatw.testing.threads import HeldThreads, NoThreads
from tests.outbound.client.peers import ALL, Peer, failure_of, fates, open_peer
from tests.outbound.client.peers import envelope as some_envelope

BODY = "Subject: x\r\n\r\nCafé is open\r\n".encode()
WIDE: dict[str, Any] = {"body": BODY, "size": len(BODY), "is_8bit": True}
SIGNED = (
    b"Content-Type: multipart/signed; boundary=x\r\n\r\n"
    b"--x\r\n\r\n\xe9\r\n--x\r\n\r\n--x--\r\n"
)


class DowngradeTests(SynchronousTestCase):
    """What C{without_8bitmime} says is done."""

    def peer(self, choice: Any = "convert", *offers: str, **settings: Any) -> Peer:
        """A host with an option of ours in force."""
        options = ClientOptions(without_8bitmime=choice)
        offered = offers or ("PIPELINING", "SIZE 1000")
        return open_peer(*offered, options=options, **settings)

    def test_convert(self) -> None:
        """The message is encoded, and its new size is announced."""
        peer = self.peer()
        results = peer.deliver(**WIDE)
        said = peer.hear()
        peer.say("250 ok", "250 ok", "354 go")
        body = peer.hear().removesuffix(".\r\n")
        self.assertIn("Content-Transfer-Encoding: quoted-printable\r\n", body)
        self.assertTrue(body.endswith("\r\n\r\nCaf=C3=A9 is open\r\n"))
        self.assertTrue(said.startswith(f"MAIL FROM:<a@b.example> SIZE={len(body)}\r"))
        peer.say("250 ok")
        self.assertEqual(fates(results[0]), "250 delivered")
        self.assertTrue(peer.client.is_free)

    def test_other_host(self) -> None:
        """A host with 8BITMIME gets the message as it is."""
        peer = self.peer("convert", *ALL)
        peer.deliver(**WIDE)
        self.assertIn(" BODY=8BITMIME", peer.hear())
        peer.say("250 ok", "250 ok", "354 go")
        self.assertIn("Café is open", peer.hear())

    def test_choices(self) -> None:
        """It may be returned instead, or sent as it is."""
        peer = self.peer("bounce")
        (result,) = peer.deliver(**WIDE)
        self.assertEqual(result.outcomes[0].reply.enhanced, "5.6.3")
        peer = self.peer("send")
        peer.deliver(**WIDE)
        self.assertNotIn("BODY", peer.hear())
        peer.say("250 ok", "250 ok", "354 go")
        self.assertIn("Café is open", peer.hear())

    def test_impossible(self) -> None:
        """
        What cannot be encoded without harm is returned with 5.6.3, unless another host
        takes it; the connection is good for another message, and closes in time.
        """
        peer = self.peer()
        (result,) = peer.deliver(body=SIGNED, size=len(SIGNED), is_8bit=True)
        (outcome,) = result.outcomes
        self.assertEqual(outcome.reply.enhanced, "5.6.3")
        self.assertIs(outcome.fate, Fate.PERMANENT)
        self.assertTrue(outcome.other_host)
        self.assertEqual(peer.hear(), "")
        self.assertTrue(peer.client.is_free)
        peer.clock.advance(60)
        self.assertEqual(peer.hear(), "QUIT\r\n")

    def test_utf8(self) -> None:
        """A message that needs SMTPUTF8 is returned as such: encoding is no help."""
        peer = self.peer()
        (result,) = peer.deliver(**WIDE, is_utf8=True)
        self.assertEqual(result.outcomes[0].reply.enhanced, "5.6.7")

    def test_too_big_now(self) -> None:
        """An encoded message may be too large for the host, which then is told."""
        body = b"Subject: x\r\n\r\n" + b"\xe9" * 900 + b"\r\n"
        peer = self.peer()
        (result,) = peer.deliver(body=body, size=len(body), is_8bit=True)
        self.assertEqual(result.outcomes[0].reply.enhanced, "5.3.4")

    def test_in_thread(self) -> None:
        """A message is converted in a thread, also if it is in a file."""
        threads = HeldThreads()
        peer = self.peer(in_thread=threads.call)
        peer.deliver(**{**WIDE, "body": (BODY[:9], BODY[9:])})
        self.assertEqual(peer.hear(), "")
        peer.clock.advance(60)  # however long that takes
        threads.run_one()
        self.assertTrue(peer.hear().startswith("MAIL FROM:"))

    def test_gone_meanwhile(self) -> None:
        """The host closes the connection while its message is made ready."""
        threads = HeldThreads()
        peer = self.peer(in_thread=threads.call)
        results = peer.deliver(**WIDE)
        peer.leave()
        threads.run_one()
        self.assertEqual(fates(results[0]), "451 delayed")

    def test_called_off(self) -> None:
        """A delivery that is called off meanwhile may be made later."""
        threads = HeldThreads()
        peer = self.peer(in_thread=threads.call)
        delivery: Deferred[Any] = peer.client.deliver(some_envelope(**WIDE))
        delivery.cancel()
        self.assertTrue(peer.transport.aborted)
        peer.leave()
        self.assertEqual(fates(self.successResultOf(delivery)), "451 delayed")

    def test_unreadable(self) -> None:
        """A message that was cut off is not sent, and nobody got it."""
        peer = self.peer(in_thread=NoThreads().call)
        wanted = some_envelope(body=BODY, size=len(BODY) + 1, is_8bit=True)
        error = failure_of(peer.client.deliver(wanted))
        self.assertIsInstance(error, StoreError)
        self.assertEqual(peer.hear(), "")
