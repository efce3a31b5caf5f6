"""How long a client may take (RFC 5321 section 4.5.3.2)."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from tests.fake_plugins import fake_plugin
from tests.sessions import ENVELOPE, Site, make_site

IDLE = "421 4.4.2 Timeout: closing the connection\r\n"


def wait(site: Site, seconds: int) -> None:
    """Let time pass, second by second, as the sweep sees it."""
    site.server.clock.pump([1.0] * seconds)


class InactivityTests(SynchronousTestCase):
    """Clients that say nothing."""

    def test_idle(self) -> None:
        """A silent client is told 421 when its time is over, and not before."""
        site = make_site(inactivity_seconds=300)
        site.client.hear()
        wait(site, 299)
        self.assertEqual(site.client.hear(), "")
        wait(site, 2)
        self.assertEqual(site.client.hear(), IDLE)
        self.assertTrue(site.client.transport.closed)

    def test_commands_count(self) -> None:
        """Each command starts the time anew."""
        site = make_site(inactivity_seconds=300)
        site.client.hear()
        for _ in range(3):
            wait(site, 299)
            site.client.say("NOOP")
        self.assertEqual(site.client.codes(), [250] * 3)

    def test_octets_do_not_count(self) -> None:
        """An octet of a command now and then is no command: row 20."""
        site = make_site(inactivity_seconds=300)
        site.client.hear()
        for _ in range(11):
            site.client.send(b"N")
            wait(site, 30)
        self.assertEqual(site.client.hear(), IDLE)

    def test_never(self) -> None:
        """0 is for ever."""
        site = make_site(inactivity_seconds=0)
        site.client.hear()
        wait(site, 5000)
        self.assertEqual(site.client.hear(), "")

    def test_plugin_takes_long(self) -> None:
        """
        The time that a plugin takes is not the client's: it has all of its own time
        after the reply.
        """
        verdict: Deferred[None] = Deferred()
        plugin = fake_plugin(mail=verdict)
        site = make_site(plugin, inactivity_seconds=100, plugin_timeout_seconds=0)
        site.greet()
        site.client.say("MAIL FROM:<>")
        wait(site, 500)
        self.assertEqual(site.client.hear(), "")
        verdict.callback(None)
        self.assertEqual(site.client.codes(), [250])
        wait(site, 99)
        self.assertEqual(site.client.hear(), "")
        wait(site, 2)
        self.assertEqual(site.client.hear(), IDLE)

    def test_lingering(self) -> None:
        """
        A client that does not close after our farewell is cut off some seconds later.
        """
        site = make_site()
        site.client.say("QUIT")
        wait(site, 5)
        self.assertFalse(site.client.transport.aborted)
        wait(site, 2)
        self.assertTrue(site.client.transport.aborted)

    def test_no_timer_left(self) -> None:
        """When the last session is over, nothing ticks any more."""
        site = make_site()
        self.assertEqual(len(site.server.clock.getDelayedCalls()), 1)
        site.client.leave()
        self.assertEqual(site.server.clock.getDelayedCalls(), [])


class TransactionTests(SynchronousTestCase):
    """Messages that take too long."""

    def test_whole_transaction(self) -> None:
        """
        However busy the client is, a message has max.transaction_seconds from MAIL on.
        """
        site = make_site(options=ConnectionOptions(max_transaction_seconds=100))
        site.greet()
        site.client.say(*ENVELOPE)
        site.client.hear()
        for _ in range(9):
            wait(site, 11)
            site.client.say("NOOP")
        self.assertEqual(site.client.codes(), [250] * 9)
        wait(site, 2)
        said = site.client.hear()
        self.assertEqual(said, "421 4.4.2 The transaction took too long\r\n")

    def test_next_transaction(self) -> None:
        """The next message has its own time."""
        site = make_site(options=ConnectionOptions(max_transaction_seconds=100))
        site.greet()
        for _ in range(4):
            site.client.say("MAIL FROM:<>")
            wait(site, 90)
            site.client.say("RSET")
        self.assertEqual(site.client.codes(), [250] * 8)

    def test_slow_message(self) -> None:
        """
        After five minutes a message must have come at max.data_rate on average.
        """
        site = make_site(options=ConnectionOptions(min_data_rate=64))
        site.begin_data()
        for _ in range(6):
            site.client.send(b"a" * 62 + b"\r\n")
            wait(site, 50)
        self.assertEqual(site.client.hear(), "")
        wait(site, 2)
        said = site.client.hear()
        self.assertEqual(said, "421 4.4.2 The message comes too slowly\r\n")
        self.assertEqual(site.mailbox.messages, [])

    def test_fast_enough(self) -> None:
        """A message that comes at that rate is taken however big it is."""
        site = make_site(options=ConnectionOptions(min_data_rate=64))
        site.begin_data()
        for _ in range(200):
            site.client.send(b"a" * 64 + b"\r\n")
            wait(site, 1)
        site.client.send(b".\r\n")
        self.assertEqual(site.client.codes(), [250])

    def test_rate_off(self) -> None:
        """With max.data_rate 0 a message may come an octet at a time."""
        site = make_site(options=ConnectionOptions(min_data_rate=0))
        site.begin_data()
        for _ in range(30):
            site.client.send(b"a")
            wait(site, 30)
        site.client.send(b"\r\n.\r\n")
        self.assertEqual(site.client.codes(), [250])

    def test_hooks_run(self) -> None:
        """A session that we end for its slowness ends like any other."""
        plugin = fake_plugin(reset_transaction=None, disconnect=None)
        site = make_site(plugin, inactivity_seconds=60)
        site.greet()
        site.client.say(*ENVELOPE)
        wait(site, 61)
        site.client.leave()
        self.assertEqual(plugin.asked, ["reset_transaction", "disconnect"])

    def test_others_unaffected(self) -> None:
        """A slow client costs only itself its session (row 20)."""
        site = make_site(inactivity_seconds=60)
        busy: Any = site.server.connect("192.0.2.9")
        for _ in range(3):
            wait(site, 30)
            busy.say("NOOP")
        self.assertTrue(site.client.transport.closed)
        self.assertEqual(busy.codes(), [220, 250, 250, 250])
