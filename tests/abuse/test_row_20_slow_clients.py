"""Row 20: clients that keep a session busy with an octet now and then."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from harakatw.testing.server import MemoryClient, MemoryServer
from tests.sessions import ENVELOPE, Mailbox, make_site

OPTIONS = ConnectionOptions(max_transaction_seconds=600, min_data_rate=64)


class SlowClientTests(SynchronousTestCase):
    """However it is done, the time of each session is bounded, and others go on."""

    def _trickle(
        self, server: MemoryServer, client: MemoryClient, octets: bytes
    ) -> int:
        """Send an octet every 30 seconds; after how many seconds is it over?"""
        for at in range(len(octets)):
            client.send(octets[at : at + 1])
            server.clock.pump([10.0] * 3)
            if client.transport.closed:
                return 30 * (at + 1)
        return 0

    def test_in_a_command(self) -> None:
        """Octets of a command: closed after the time of inactivity."""
        site = make_site(options=OPTIONS, inactivity_seconds=300)
        seconds = self._trickle(site.server, site.client, b"X" * 100)
        self.assertTrue(0 < seconds <= 330, seconds)

    def test_endless_line(self) -> None:
        """The same when the line is too long already."""
        site = make_site(options=OPTIONS, inactivity_seconds=300)
        site.client.send(b"X" * 5000)
        seconds = self._trickle(site.server, site.client, b"X" * 100)
        self.assertTrue(0 < seconds <= 330, seconds)

    def test_in_data(self) -> None:
        """Octets of a message: closed soon after its first five minutes."""
        site = make_site(options=OPTIONS, inactivity_seconds=300)
        site.begin_data()
        seconds = self._trickle(site.server, site.client, b"X" * 100)
        self.assertTrue(300 < seconds <= 360, seconds)

    def test_between_commands(self) -> None:
        """NOOP for ever within a transaction: closed when its time is up."""
        site = make_site(options=OPTIONS, inactivity_seconds=300)
        site.greet()
        site.client.say(*ENVELOPE)
        seconds = self._trickle(site.server, site.client, b"NOOP\r\n" * 30)
        self.assertTrue(570 < seconds <= 630, seconds)

    def test_many(self) -> None:
        """A thousand of them cost one timer, and a good client among them is served."""
        server = MemoryServer([Mailbox()], limits=OPTIONS)
        slow = [server.connect(f"198.51.100.{number % 250}") for number in range(1000)]
        self.assertEqual(len(server.clock.getDelayedCalls()), 1)
        for client in slow:
            client.send(b"E")
        server.clock.pump([100.0] * 2)
        good = server.connect()
        good.say("EHLO client.example", *ENVELOPE, "DATA")
        server.clock.pump([50.0])
        good.say("Subject: hi", "", ".", "QUIT")
        self.assertEqual(good.codes(), [220, 250, 250, 250, 354, 250, 221])
        server.clock.pump([50.0, 1.0])
        self.assertTrue(all(client.transport.closed for client in slow))
