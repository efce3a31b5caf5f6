"""Messages of any octets on their way out (RFC 3030)."""

from base64 import b64decode
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import StoreError
from harakatw.outbound.client.result import DeliveryResult
from harakatw.outbound.client.timeouts import ClientOptions
from harakatw.outbound.hop import Hop
from tests.outbound.client.peers import Peer, envelope, failure_of, fates, open_peer

OFFERS = "PIPELINING", "CHUNKING", "BINARYMIME"
BODY = b"Subject: x\r\n\r\n.\r\na\rb\nc\r\n.\r\n\r"
MAIL = "MAIL FROM:<a@b.example> BODY=BINARYMIME\r\n"
RCPT = "RCPT TO:<d@e.example>\r\n"
BDAT = f"BDAT {len(BODY)} LAST\r\n{BODY.decode()}"


def send(peer: Peer, *recipients: str, **fields: Any) -> list[DeliveryResult]:
    """Give the client the message."""
    fields = {"body": BODY, "size": len(BODY), "is_binary": True, **fields}
    return peer.deliver(*recipients, **fields)


class BinaryTests(SynchronousTestCase):
    """A message that came as BINARYMIME goes on as such, or not at all."""

    def test_pipelining(self) -> None:
        """No DATA: the message follows the reply to the last recipient, as it is."""
        peer = open_peer(*OFFERS)
        results = send(peer)
        self.assertEqual(peer.hear(), MAIL + RCPT)
        peer.say("250 ok")
        self.assertEqual(peer.hear(), "")
        peer.say("250 ok")
        self.assertEqual(peer.hear(), BDAT)
        self.assertEqual(results, [])
        peer.say("250 taken")
        self.assertTrue(results[0].delivered)
        self.assertTrue(peer.client.is_free)

    def test_one_by_one(self) -> None:
        """Without PIPELINING each command waits for its reply."""
        peer = open_peer("CHUNKING", "BINARYMIME")
        results = send(peer)
        for heard in (MAIL, RCPT, BDAT):
            self.assertEqual(peer.hear(), heard)
            peer.say("250 ok")
        self.assertTrue(results[0].delivered)

    def test_converted(self) -> None:
        """
        A host without it gets the message encoded, not one octet of which is changed
        before: a CR alone is part of the content.
        """
        content = b"\0\r\n\r\xff\n"
        body = b"Content-Transfer-Encoding: binary\r\n\r\n" + content
        peer = open_peer("PIPELINING", "8BITMIME")
        results = send(peer, body=body, size=len(body), is_8bit=True)
        self.assertEqual(peer.hear(), "MAIL FROM:<a@b.example>\r\n" + RCPT + "DATA\r\n")
        peer.say("250 ok", "250 ok", "354 go")
        head, _, sent = peer.hear().removesuffix(".\r\n").partition("\r\n\r\n")
        self.assertIn("Content-Transfer-Encoding: base64", head)
        self.assertEqual(b64decode(sent), content)
        peer.say("250 ok")
        self.assertTrue(results[0].delivered)

    def test_not_offered(self) -> None:
        """
        If that is not wanted, a host with none or half of it is not sent one octet
        (5.6.3).
        """
        options = [ClientOptions(without_8bitmime=each) for each in ("bounce", "send")]
        for offers in ((), ("CHUNKING",), ("BINARYMIME",), ("8BITMIME", "SMTPUTF8")):
            for hop in (Hop(host="mx.example"), Hop(host="x", allow_8bit=True)):
                peer = open_peer(*offers, hop=hop, options=options[hop.allow_8bit])
                (result,) = send(peer, is_8bit=True)
                self.assertEqual(fates(result), "554 failed")
                self.assertEqual(result.outcomes[0].reply.enhanced, "5.6.3")
                self.assertTrue(result.outcomes[0].other_host)
                self.assertEqual(peer.hear(), "")

    def test_without_8bitmime(self) -> None:
        """BINARYMIME is enough: it does not need 8BITMIME besides."""
        peer = open_peer(*OFFERS)
        send(peer, is_8bit=True)
        self.assertEqual(peer.hear(), MAIL + RCPT)

    def test_refused(self) -> None:
        """Refused recipients get nothing sent for them; the next begins with RSET."""
        peer = open_peer(*OFFERS)
        results = send(peer, "d@e.example", "f@e.example")
        peer.hear()
        peer.say("250 ok", "550 who?", "450 later")
        self.assertEqual(fates(results[0]), "550 failed 450 delayed")
        self.assertEqual(peer.hear(), "")
        send(peer)
        self.assertEqual(peer.hear(), "RSET\r\n" + MAIL + RCPT)

    def test_sender_refused(self) -> None:
        """A refused sender is refused for all, and no chunk follows."""
        peer = open_peer(*OFFERS)
        results = send(peer)
        peer.hear()
        peer.say("550 no", "250 ok")
        self.assertEqual(fates(results[0]), "550 failed")
        self.assertEqual(peer.hear(), "")

    def test_chunk_refused(self) -> None:
        """The reply to the chunk is for all who were taken."""
        peer = open_peer(*OFFERS)
        results = send(peer, "d@e.example", "f@e.example")
        peer.say("250 ok", "250 ok", "550 who?", "452 full")
        self.assertEqual(fates(results[0]), "452 delayed 550 failed")

    def test_lmtp(self) -> None:
        """LMTP answers the last chunk once for each recipient (RFC 2033)."""
        peer = Peer(Hop(path="/run/lmtp", using_lmtp=True))
        peer.hello(*OFFERS)
        results = send(peer, "d@e.example", "f@e.example")
        peer.say("250 ok", "250 ok", "250 ok", "250 taken")
        self.assertEqual(results, [])
        peer.say("550 5.2.2 full")
        self.assertEqual(fates(results[0]), "250 delivered 550 failed")

    def test_big(self) -> None:
        """A big one goes as one chunk, in pieces that the peer can follow."""
        body = b"a\rb\n" * 200_000
        peer = open_peer(*OFFERS)
        results = send(peer, body=body, size=len(body))
        peer.hear()
        peer.say("250 ok", "250 ok")
        heard = peer.hear()
        self.assertTrue(heard == f"BDAT {len(body)} LAST\r\n" + body.decode())
        peer.say("250 taken")
        self.assertTrue(results[0].delivered)

    def test_wrong_size(self) -> None:
        """
        A message that has not the size that was announced is not sent, and the
        connection is given up: what follows would be taken for part of it.
        """
        for size in (len(BODY) - 1, len(BODY) + 1):
            peer = open_peer(*OFFERS)
            fields = {"body": BODY, "size": size, "is_binary": True}
            delivery = peer.client.deliver(envelope(**fields))
            peer.hear()
            peer.say("250 ok", "250 ok")
            self.assertIsInstance(failure_of(delivery), StoreError)
            self.assertEqual(peer.hear(), "")
            self.assertTrue(peer.transport.aborted)
