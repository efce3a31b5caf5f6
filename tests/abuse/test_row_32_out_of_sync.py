"""Row 32: clients that do not wait for their turn."""

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.fake_plugins import fake_plugin
from tests.sessions import ENVELOPE, make_site


class OutOfSyncTests(SynchronousTestCase):
    """Talk out of turn is refused or put right, never misunderstood."""

    def test_before_the_greeting(self) -> None:
        """
        A whole dialogue before the greeting is heard after it, in order; the plugins
        see an early talker.
        """
        verdict: Deferred[None] = Deferred()
        site = make_site(fake_plugin(connect=verdict))
        site.client.say("EHLO client.example", *ENVELOPE, "DATA")
        self.assertEqual(site.client.hear(), "")
        verdict.callback(None)
        self.assertEqual(site.client.codes(), [220, 250, 250, 250, 354])
        self.assertTrue(site.connection.early_talker)

    def test_body_with_data(self) -> None:
        """DATA and the message in one segment: 554, closed, and no message."""
        site = make_site()
        site.greet()
        site.client.say(*ENVELOPE, "DATA", "Subject: x", "", ".", "QUIT")
        self.assertEqual(site.client.codes(), [250, 250, 554])
        self.assertTrue(site.client.transport.closed)
        self.assertEqual(site.mailbox.messages, [])

    def test_farewell_reaches_the_client(self) -> None:
        """
        What the client still sends must not make the kernel throw our 554 away: only
        our half is closed at first, the rest is read and dropped, and then it is over.
        """
        site = make_site()
        site.greet()
        site.client.say(*ENVELOPE, "DATA", "Subject: x")
        transport = site.client.transport
        self.assertTrue(transport.half_closed)
        self.assertFalse(transport.disconnecting)
        self.assertEqual(transport.producerState, "producing")
        site.client.hear()
        self.assertEqual(site.client.ask("more", ".", "QUIT"), "")
        site.server.clock.pump([1.0] * 7)
        self.assertTrue(transport.aborted)

    def test_after_quit(self) -> None:
        """Commands after QUIT, a second QUIT too, are not answered."""
        site = make_site()
        site.greet()
        site.client.say("QUIT", "QUIT", *ENVELOPE)
        self.assertEqual(site.client.codes(), [221])
        self.assertEqual(site.connection.tran_count, 0)

    def test_ehlo_in_a_transaction(self) -> None:
        """EHLO in the middle of a transaction starts from the beginning."""
        site = make_site()
        site.greet()
        site.client.say(*ENVELOPE, "EHLO client.example", "RCPT TO:<b@here.example>")
        self.assertEqual(site.client.codes(), [250, 250, 250, 503])

    def test_commands_before_354(self) -> None:
        """
        What comes while a plugin still rules on DATA is the message when it says yes,
        and commands when it says no; never both.
        """
        verdict: Deferred[object] = Deferred()
        site = make_site(fake_plugin(data=verdict))
        site.greet()
        site.client.say(*ENVELOPE, "DATA")
        site.client.hear()
        site.client.say("RSET", ".", "NOOP")
        verdict.callback(None)
        self.assertEqual(site.client.codes(), [354, 250, 250])
        self.assertEqual(site.mailbox.messages[0].received, b"\r\nRSET\r\n")
