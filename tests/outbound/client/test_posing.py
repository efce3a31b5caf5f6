"""Hops that are told whose mail it is."""

from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from tests.outbound.client.peers import HOP, Peer, envelope, fates, open_peer
from tests.outbound.client.test_clients import CLIENT

XCLIENT = "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT"
XFORWARD = "XFORWARD NAME ADDR PROTO HELO IDENT SOURCE"
COMMAND = (
    "XCLIENT NAME=mx.client.example ADDR=198.51.100.7 PORT=2525 PROTO=ESMTP"
    " HELO=helo.example LOGIN=joe DESTADDR=192.0.2.25 DESTPORT=587\r\n"
)
OTHER = {**CLIENT, "addr": "2001:db8::9"}


def peer_for(*capabilities: str, **hop: Any) -> Peer:
    """A peer that is to be told, whose client is open."""
    return open_peer("PIPELINING", *capabilities, hop=attrs.evolve(HOP, **hop))


def verbs(said: str) -> str:
    """The first word of each line."""
    return " ".join(line.split()[0] for line in said.splitlines())


class XclientTests(SynchronousTestCase):
    """XCLIENT."""

    def setUp(self) -> None:
        """Open a connection to a host that takes it."""
        self.peer = peer_for(XCLIENT, xclient=True)

    def _begin_again(self) -> None:
        """The host greets the other client."""
        self.peer.say("220 mx.example")
        self.assertEqual(self.peer.hear(), "EHLO me.example\r\n")
        self.peer.say("250-mx.example", f"250-{XCLIENT}", "250 PIPELINING")

    def _take(self) -> None:
        """The host takes a message."""
        self.assertEqual(verbs(self.peer.hear()), "MAIL RCPT DATA")
        self.peer.say("250 ok", "250 ok", "354 go")
        self.peer.hear()
        self.peer.say("250 taken")

    def test_message(self) -> None:
        """The session becomes the client's, then the message is sent."""
        results = self.peer.deliver(notes={"client": CLIENT})
        self.assertEqual(self.peer.hear(), COMMAND)
        self._begin_again()
        self._take()
        self.assertEqual(fates(results[0]), "250 delivered")

    def test_same_client(self) -> None:
        """Another message of the same client needs no more of it."""
        self.test_message()
        results = self.peer.deliver(notes={"client": dict(CLIENT)})
        self._take()
        self.assertEqual(fates(results[0]), "250 delivered")

    def test_other_client(self) -> None:
        """A message of another client does."""
        self.test_message()
        results = self.peer.deliver(notes={"client": OTHER})
        self.assertIn("ADDR=IPV6:2001:db8::9 ", self.peer.hear())
        self._begin_again()
        self._take()
        self.assertEqual(fates(results[0]), "250 delivered")

    def test_own_mail(self) -> None:
        """Mail of our own goes over a connection that nobody else's mail went over."""
        results = self.peer.deliver()
        self._take()
        self.assertEqual(fates(results[0]), "250 delivered")
        self.test_message()
        results = self.peer.deliver()
        self.assertEqual(self.peer.hear(), "QUIT\r\n")
        self.assertTrue(results[0].untried)

    def test_client_refused(self) -> None:
        """If the host refuses that client, this message is refused, and no other."""
        for code, fate in (("554", "failed"), ("421", "delayed")):
            self.setUp()
            results = self.peer.deliver(notes={"client": CLIENT})
            self.peer.hear()
            self.peer.say(f"{code} not you")
            self.assertEqual(fates(results[0]), f"{code} {fate}")
            self.assertFalse(results[0].untried)
            self.assertEqual(self.peer.hear(), "QUIT\r\n")
            self.assertFalse(self.peer.client.is_free)

    def test_lost(self) -> None:
        """If the connection breaks the message waits."""
        results = self.peer.deliver(notes={"client": CLIENT})
        self.peer.leave()
        self.assertEqual(fates(results[0]), "451 delayed")

    def test_silent(self) -> None:
        """If the host does not answer it does not wait forever."""
        results = self.peer.deliver(notes={"client": CLIENT})
        self.peer.clock.advance(3600)
        self.assertEqual(fates(results[0]), "451 delayed")
        self.assertTrue(self.peer.transport.aborted)

    def test_hello_refused(self) -> None:
        """If it takes the client but not the greeting, likewise."""
        results = self.peer.deliver(notes={"client": CLIENT})
        self.peer.say(
            "220 mx.example",
        )
        self.peer.say("421 too busy")
        self.assertEqual(fates(results[0]), "451 delayed")

    def test_not_offered(self) -> None:
        """A host that does not offer it gets the message all the same."""
        self.peer = peer_for(xclient=True)
        results = self.peer.deliver(notes={"client": CLIENT})
        self._take()
        self.assertEqual(fates(results[0]), "250 delivered")

    def test_not_wanted(self) -> None:
        """A host that is not to be told is not, whatever it offers."""
        self.peer = peer_for(XCLIENT, XFORWARD)
        self.peer.deliver(notes={"client": CLIENT})
        self._take()

    def test_called_off(self) -> None:
        """It can be called off like any delivery."""
        delivery = self.peer.client.deliver(envelope(notes={"client": CLIENT}))
        results: list[Any] = []
        delivery.addBoth(results.append)
        delivery.cancel()
        self.assertTrue(self.peer.transport.aborted)
        self.assertEqual(len(results), 1)


class XforwardTests(SynchronousTestCase):
    """XFORWARD."""

    def test_pipelined(self) -> None:
        """It goes along with MAIL, and its answer does not matter."""
        peer = peer_for(XFORWARD, xforward=True)
        results = peer.deliver(notes={"client": CLIENT}, uuid="UUID.1")
        said = peer.hear()
        self.assertEqual(verbs(said), "XFORWARD MAIL RCPT DATA")
        self.assertEqual(
            said.splitlines()[0],
            "XFORWARD NAME=mx.client.example ADDR=198.51.100.7 PROTO=ESMTP"
            " HELO=helo.example IDENT=UUID.1 SOURCE=REMOTE",
        )
        peer.say("550 I do not care", "250 ok", "250 ok", "354 go")
        peer.hear()
        peer.say("250 taken")
        self.assertEqual(fates(results[0]), "250 delivered")

    def test_every_message(self) -> None:
        """Each message has its own."""
        peer = peer_for(XFORWARD, xforward=True)
        for uuid in ("UUID.1", "UUID.2"):
            results = peer.deliver(uuid=uuid)
            self.assertIn(f"XFORWARD IDENT={uuid} SOURCE=LOCAL\r\n", peer.hear())
            peer.say("250 ok", "250 ok", "250 ok", "354 go")
            peer.say("250 taken")
            self.assertEqual(fates(results[0]), "250 delivered")

    def test_not_offered(self) -> None:
        """A host that does not offer it is not told."""
        peer = peer_for(xforward=True)
        peer.deliver(notes={"client": CLIENT})
        self.assertEqual(verbs(peer.hear()), "MAIL RCPT DATA")
