"""RSET: forget the transaction (RFC 5321 section 4.1.1.5)."""

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from harakatw.verdict import DENYDISCONNECT
from tests.fake_plugins import fake_plugin
from tests.sessions import ENVELOPE, make_site


class RsetTests(SynchronousTestCase):
    """What RSET forgets, and what it keeps."""

    def test_forgets_transaction(self) -> None:
        """Sender and recipients are gone; the greeting still holds."""
        plugin = fake_plugin(rset=None, reset_transaction=None)
        site = make_site(plugin)
        site.greet()
        self.assertEqual(
            site.client.ask(*ENVELOPE, "RSET").splitlines()[-1], "250 2.0.0 OK"
        )
        self.assertIsNone(site.connection.transaction)
        self.assertEqual(plugin.asked, ["rset", "reset_transaction"])
        site.client.say("DATA", "MAIL FROM:<>")
        self.assertEqual(site.client.codes(), [503, 250])

    def test_any_time(self) -> None:
        """RSET is taken at any time, also first of all (section 4.1.4)."""
        site = make_site()
        site.client.say("RSET", "MAIL FROM:<a@b.example>", "EHLO x", "RSET", "RSET")
        self.assertEqual(site.client.codes(), [220, 250, 503, 250, 250, 250])

    def test_argument(self) -> None:
        """RSET with an argument is no RSET: the transaction stays."""
        site = make_site()
        site.greet()
        site.client.say(*ENVELOPE, "RSET now", "DATA")
        self.assertEqual(site.client.codes(), [250, 250, 501, 354])

    def test_cannot_be_denied(self) -> None:
        """What plugins say to RSET does not matter."""
        site = make_site(fake_plugin(rset=DENYDISCONNECT))
        site.client.say("RSET", "NOOP")
        self.assertEqual(site.client.codes(), [220, 250, 250])

    def test_waits_for_plugins(self) -> None:
        """250 is said when plugins have let go of the transaction, not before."""
        done: Deferred[None] = Deferred()
        site = make_site(fake_plugin(reset_transaction=done))
        site.greet()
        site.client.say(*ENVELOPE, "RSET")
        self.assertEqual(site.client.codes(), [250, 250])
        done.callback(None)
        self.assertEqual(site.client.codes(), [250])

    def test_left_meanwhile(self) -> None:
        """
        A client that leaves during its RSET: plugins are told once to let go of the
        transaction, not twice.
        """
        done: Deferred[None] = Deferred()
        plugin = fake_plugin(reset_transaction=done, disconnect=None)
        site = make_site(plugin)
        site.greet()
        site.client.say(*ENVELOPE, "RSET")
        site.client.leave()
        self.assertEqual(plugin.asked, ["reset_transaction"])
        done.callback(None)
        self.assertEqual(plugin.asked, ["reset_transaction", "disconnect"])
        self.assertEqual(self.flushLoggedErrors(), [])
