"""Whether a user's password is right at another mail server."""

import base64
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.errors import TemporaryFailure
from harakatw.interfaces.services import IHostLogin
from harakatw.outbound.client.protocol import SMTPClient
from harakatw.outbound.hop import Hop
from harakatw.outbound.login import HostLogin
from tests.outbound.client.peers import Peer

PLAIN = base64.b64encode(b"\0ann\0secret").decode()


class LoginTests(SynchronousTestCase):
    """What the host says, and what is made of it."""

    def setUp(self) -> None:
        """Nobody has connected."""
        self.peers: list[Peer] = []
        self.results: list[object] = []
        self.login = HostLogin(self.connect)

    def connect(self, hop: Hop) -> "Deferred[SMTPClient]":
        """A host is connected to."""
        peer = Peer(hop)
        self.peers.append(peer)
        connected: Deferred[Any] = Deferred()
        # The peer has noted the outcome, and passes nothing on.
        opened: Deferred[Any] = peer.client.opened
        opened.addBoth(lambda _: connected.callback(peer.opened[0]))
        return connected

    def ask(self, *answers: str, host: str = "127.0.0.1:587", **more: Any) -> Peer:
        """Somebody logs in as Ann; the host offers PLAIN and answers."""
        self.results = []
        asked = self.login.login(host, "ann", "secret", **more)
        asked.addBoth(self.results.append)
        peer = self.peers[-1]
        peer.say("220 hi")
        peer.say("250-hi", "250 AUTH PLAIN")
        for answer in answers:
            peer.say(answer)
        return peer

    def trouble(self) -> TemporaryFailure:
        """Why nobody could tell."""
        (failure,) = self.results
        assert isinstance(failure, Failure), failure
        failure.trap(TemporaryFailure)
        error = failure.value
        assert isinstance(error, TemporaryFailure)
        return error

    def test_interface(self) -> None:
        """It is what plugins are promised."""
        verifyObject(IHostLogin, self.login)

    def test_right(self) -> None:
        """The host lets the user in: that is a yes, and we leave."""
        peer = self.ask()
        self.assertIn(f"AUTH PLAIN {PLAIN}\r\n", peer.hear())
        peer.say("235 welcome")
        self.assertEqual(self.results, [True])
        self.assertEqual(peer.hear(), "QUIT\r\n")

    def test_wrong(self) -> None:
        """The host does not: that is a no (RFC 4954 section 6)."""
        for answer in ("535 5.7.8 no", "550 go away"):
            self.ask(answer)
            self.assertEqual(self.results, [False], answer)

    def test_nobody_can_tell(self) -> None:
        """
        A host that is in trouble, or has something against the way of asking, has not
        said that the password is wrong.
        """
        for answer in ("454 later", "504 what?", "534 too weak", "421 bye"):
            self.ask(answer)
            self.assertEqual(self.trouble().reply.code, 454, answer)
        self.ask().leave()
        self.assertEqual(self.trouble().reply.code, 454)
        self.assertNotIn("secret", str(self.trouble().detail))

    def test_far_host(self) -> None:
        """To a host on the Internet nobody's password goes without TLS."""
        self.ask(host="mx.example")
        self.assertEqual(self.peers[-1].client.hop.tls, "must")
        self.assertFalse(self.peers[-1].client.hop.allow_clear_auth)
        self.ask(host="mx.example", clear=True)
        self.assertTrue(self.peers[-1].client.hop.allow_clear_auth)

    def test_no_host(self) -> None:
        """What is no host is told at once."""
        self.assertRaises(ValueError, self.login.login, "mx:x", "ann", "secret")
