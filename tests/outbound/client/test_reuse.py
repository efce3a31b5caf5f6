"""How long a connection is used, and how it ends."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.client.link import State
from harakatw.outbound.client.timeouts import ClientOptions
from tests.outbound.client.peers import (
    ALL,
    Peer,
    envelope,
    failure_of,
    open_peer,
)


class ReuseTests(SynchronousTestCase):
    """How long a connection is used (WK12)."""

    def send_one(self, peer: Peer) -> None:
        """Deliver a message."""
        results = peer.deliver()
        peer.say("250 ok", "250 ok", "354 go", "250 ok")
        assert results[0].delivered
        assert "MAIL FROM" in peer.hear()

    def test_messages(self) -> None:
        """So many messages, then QUIT."""
        peer = open_peer(*ALL, options=ClientOptions(messages_per_connection=3))
        for count in range(1, 4):
            self.assertTrue(peer.client.is_free)
            results = peer.deliver()
            peer.hear()
            peer.say("250 ok", "250 ok", "354 go", "250 ok")
            self.assertTrue(results[0].delivered)
            self.assertEqual(peer.client.messages, count)
        self.assertFalse(peer.client.is_free)
        self.assertTrue(peer.hear().endswith(".\r\nQUIT\r\n"))

    def test_age(self) -> None:
        """No further message on an old connection."""
        options = ClientOptions(connection_age=60, connection_idle=1000)
        peer = open_peer(*ALL, options=options)
        peer.clock.advance(20)
        self.send_one(peer)
        peer.clock.advance(39)
        self.assertTrue(peer.client.is_free)
        peer.clock.advance(1)
        self.assertFalse(peer.client.is_free)

    def test_idle(self) -> None:
        """A connection that nobody needs is closed politely."""
        peer = open_peer(*ALL, options=ClientOptions(connection_idle=5))
        self.send_one(peer)
        peer.clock.advance(4)
        self.send_one(peer)
        peer.clock.advance(4)
        self.assertEqual(peer.hear(), "")
        peer.clock.advance(1)
        self.assertEqual(peer.hear(), "QUIT\r\n")
        self.assertFalse(peer.client.is_free)
        peer.say("221 bye")
        self.assertTrue(peer.transport.disconnecting)
        peer.leave()
        self.assertEqual(peer.clock.getDelayedCalls(), [])

    def test_not_kept(self) -> None:
        """With C{connection_idle = 0} it is closed after the first message."""
        peer = open_peer(*ALL, options=ClientOptions(connection_idle=0))
        self.assertTrue(peer.client.is_free)
        peer.deliver()
        peer.hear()
        peer.say("250 ok", "250 ok", "354 go", "250 ok")
        self.assertTrue(peer.hear().endswith("QUIT\r\n"))

    def test_never_used(self) -> None:
        """A connection that is given no message is closed after a while."""
        peer = open_peer(*ALL)
        peer.clock.advance(30)
        self.assertEqual(peer.hear(), "QUIT\r\n")

    def test_next_at_once(self) -> None:
        """Whoever gets a result may give the next message at once."""
        peer = open_peer(*ALL, options=ClientOptions(connection_idle=0))
        delivery = peer.client.deliver(envelope())
        delivery.addCallback(lambda _: [peer.deliver()])
        peer.hear()
        peer.say("250 ok", "250 ok", "354 go", "250 ok")
        self.assertTrue(peer.hear().endswith("DATA\r\n"))
        self.assertIs(peer.client.state, State.SENDING)

    def test_one_at_a_time(self) -> None:
        """Two messages at a time are a mistake of the caller's."""
        peer = open_peer(*ALL)
        peer.deliver()
        self.assertRaises(ValueError, peer.client.deliver, envelope())
        self.assertRaises(ValueError, peer.client.ask, b"NOOP", 5)
        self.assertRaises(ValueError, Peer().client.deliver, envelope())


class QuitTests(SynchronousTestCase):
    """The end of a connection."""

    def test_idle(self) -> None:
        """QUIT, its reply, and the end."""
        peer = open_peer()
        closed: list[None] = []
        peer.client.quit().addCallback(closed.append)
        self.assertEqual(peer.hear(), "QUIT\r\n")
        peer.say("221 bye")
        self.assertTrue(peer.transport.disconnecting)
        self.assertEqual(closed, [])
        peer.leave()
        self.assertEqual(closed, [None])
        self.assertEqual(peer.clock.getDelayedCalls(), [])
        peer.client.quit().addCallback(closed.append)
        self.assertEqual(closed, [None, None])

    def test_after_the_message(self) -> None:
        """A message that is on its way is finished first."""
        peer = open_peer(*ALL)
        results = peer.deliver()
        peer.client.quit()
        peer.hear()
        peer.say("250 ok", "250 ok", "354 go", "250 ok")
        self.assertTrue(results[0].delivered)
        self.assertTrue(peer.hear().endswith("QUIT\r\n"))

    def test_no_answer(self) -> None:
        """A host that does not answer QUIT is left after ten seconds."""
        peer = open_peer()
        peer.client.quit()
        peer.clock.advance(10)
        self.assertTrue(peer.transport.aborted)

    def test_closed(self) -> None:
        """Whoever asks is told when the connection is gone, whoever closed it."""
        peer = open_peer()
        closed: list[None] = []
        peer.client.when_closed().addCallback(closed.append)
        peer.leave()
        self.assertEqual(closed, [None])

    def test_ask(self) -> None:
        """Other commands may be sent while nothing goes on."""
        peer = open_peer(options=ClientOptions(connection_idle=50))
        answers: list[object] = []
        peer.client.ask(b"NOOP", 5).addCallback(answers.append)
        self.assertFalse(peer.client.is_free)
        self.assertEqual(peer.hear(), "NOOP\r\n")
        peer.say("250 ok")
        self.assertEqual(len(answers), 1)
        self.assertTrue(peer.client.is_free)
        peer.clock.advance(50)
        self.assertEqual(peer.hear(), "QUIT\r\n")
        self.assertIn("closed", str(failure_of(peer.client.ask(b"NOOP", 5))))

    def test_ask_in_vain(self) -> None:
        """A command that is not answered ends the connection."""
        peer = open_peer()
        asked = peer.client.ask(b"VRFY joe", 5)
        peer.clock.advance(5)
        self.assertIn("the reply to VRFY", str(failure_of(asked)))
        self.assertTrue(peer.transport.aborted)
