"""QUIT: the end of a session (RFC 5321 section 4.1.1.10)."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from harakatw.verdict import DENY, deny, ok
from tests.fake_plugins import fake_plugin
from tests.sessions import ENVELOPE, make_site

BYE = "221 2.0.0 mail.example closing connection, until next time\r\n"


class QuitTests(SynchronousTestCase):
    """How sessions end well."""

    def test_quit(self) -> None:
        """QUIT is answered with 221, and then the connection is closed."""
        site = make_site()
        site.client.hear()
        self.assertEqual(site.client.ask("QUIT"), BYE)
        self.assertTrue(site.client.transport.closed)

    def test_drops_transaction(self) -> None:
        """An open transaction is dropped: the message was never sent."""
        plugin = fake_plugin(reset_transaction=None)
        site = make_site(plugin)
        site.greet()
        site.client.say(*ENVELOPE, "QUIT")
        site.client.leave()
        self.assertEqual(plugin.asked, ["reset_transaction"])
        self.assertEqual(site.mailbox.messages, [])

    def test_nothing_after(self) -> None:
        """What comes after QUIT is not answered, whether with it or later (row 32)."""
        site = make_site()
        site.client.hear()
        self.assertEqual(site.client.ask("QUIT", "NOOP", "QUIT"), BYE)
        self.assertEqual(site.client.ask("QUIT"), "")

    def test_argument(self) -> None:
        """QUIT with an argument is no QUIT."""
        site = make_site()
        site.client.say("QUIT now")
        self.assertEqual(site.client.codes(), [220, 501])
        self.assertFalse(site.client.transport.closed)

    def test_words(self) -> None:
        """A plugin may word the farewell, else the postmaster, else it is Bye."""
        for plugin, words, said in (
            (fake_plugin(quit=ok("so long")), "unused", "221 2.0.0 so long\r\n"),
            (fake_plugin(quit=None), "ciao", "221 2.0.0 mail.example ciao\r\n"),
            (fake_plugin(quit=deny("stay")), "", "221 2.0.0 Bye\r\n"),
        ):
            site = make_site(plugin, options=ConnectionOptions(close=words))
            site.client.hear()
            self.assertEqual(site.client.ask("QUIT"), said)

    def test_cannot_be_denied(self) -> None:
        """Nobody is kept from leaving."""
        site = make_site(fake_plugin(quit=DENY))
        site.client.say("QUIT")
        self.assertEqual(site.client.codes(), [220, 221])
        self.assertTrue(site.client.transport.closed)
