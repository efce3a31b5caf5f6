"""Row 7: who has logged in on one connection is nobody on another."""

from twisted.trial.unittest import SynchronousTestCase

from tests.auth.sites import PUBLIC, auth_site, plain, say
from tests.auth.users import fixed_users

RELAYED = ("MAIL FROM:<a@b.example>", "RCPT TO:<c@far.example>")


class AuthStateTests(SynchronousTestCase):
    """A login belongs to its connection, not to an address."""

    def test_other_connection(self) -> None:
        """From the same address at the same time, relaying is refused."""
        site = auth_site(fixed_users({"ann": "pw"}))
        self.assertEqual(say(site, plain("ann", "pw"))[:3], "235")
        other = site.server.connect(PUBLIC)
        other.say(
            "EHLO b.example", "MAIL FROM:<a@b.example>", "RCPT TO:<c@far.example>"
        )
        self.assertEqual(other.codes(), [220, 250, 250, 550])
        self.assertTrue(site.connection.relaying)

    def test_later_connection(self) -> None:
        """Nor is it remembered when the client has left."""
        site = auth_site(fixed_users({"ann": "pw"}))
        say(site, plain("ann", "pw"))
        site.client.leave()
        other = site.server.connect(PUBLIC)
        other.say(
            "EHLO b.example", "MAIL FROM:<a@b.example>", "RCPT TO:<c@far.example>"
        )
        self.assertEqual(other.codes(), [220, 250, 250, 550])

    def test_failures_stay(self) -> None:
        """RSET and EHLO do not make a client that was wrong start afresh."""
        site = auth_site(fixed_users({"ann": "pw"}))
        for _ in range(2):
            say(site, plain("ann", "wrong"), "RSET", "EHLO client.example")
        self.assertEqual(site.connection.notes["auth_fails"], 2)
