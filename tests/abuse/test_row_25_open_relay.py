"""Row 25: addresses that make some servers relay for strangers."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from tests.abuse.inputs import RELAY_ATTEMPTS
from tests.sessions import Site, make_site


class OpenRelayTests(SynchronousTestCase):
    """A stranger tries every notation there is."""

    def _try(self, path: bytes, options: ConnectionOptions) -> Site:
        site = make_site(options=options)
        site.greet()
        for line in (b"MAIL FROM:<a@b.example> SMTPUTF8", b"RCPT TO:" + path):
            site.client.say(line)
        return site

    def _options(self) -> tuple[ConnectionOptions, ...]:
        return (
            ConnectionOptions(),
            ConnectionOptions(postel=True),
            ConnectionOptions(strict_rfc1869=True),
        )

    def test_never_the_victim(self) -> None:
        """
        Whatever is accepted goes to a mailbox of our own domain, however liberal the
        parser is set.
        """
        for options in self._options():
            for path in RELAY_ATTEMPTS:
                site = self._try(path, options)
                self.assertEqual(site.client.codes()[0], 250)
                for recipient in site.connection.transaction.rcpt_to:
                    self.assertEqual(recipient.host, "here.example", path)
                    self.assertTrue(recipient.address.endswith("@here.example"), path)

    def test_kept_opaque(self) -> None:
        """
        A local part of ours is ours to read: with a percent sign, an exclamation mark
        or a quoted at-sign it stays as it is, in its quotes.
        """
        for path, address in (
            (b"<u%victim.example@here.example>", "u%victim.example@here.example"),
            (b"<victim.example!u@here.example>", "victim.example!u@here.example"),
            (
                b'<"u@victim.example"@here.example>',
                '"u@victim.example"@here.example',
            ),
        ):
            site = self._try(path, ConnectionOptions())
            (recipient,) = site.connection.transaction.rcpt_to
            self.assertEqual(recipient.address, address)

    def test_source_route(self) -> None:
        """A source route is dropped: the last address is the recipient (RFC 5321 C)."""
        site = self._try(b"<@victim.example:u@here.example>", ConnectionOptions())
        (recipient,) = site.connection.transaction.rcpt_to
        self.assertEqual(recipient.address, "u@here.example")
        site = self._try(b"<@here.example:u@victim.example>", ConnectionOptions())
        self.assertEqual(site.client.codes(), [250, 550])

    def test_session_goes_on(self) -> None:
        """None of them ends the session or breaks anything."""
        site = make_site()
        site.greet()
        site.client.say("MAIL FROM:<a@b.example>")
        for path in RELAY_ATTEMPTS:
            site.client.say(b"RCPT TO:" + path)
        site.client.say("NOOP")
        self.assertEqual(site.client.codes()[-1], 250)
        self.assertEqual(self.flushLoggedErrors(), [])
