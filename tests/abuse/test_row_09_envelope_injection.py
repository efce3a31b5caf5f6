"""Row 9: line ends and terminal escapes in the envelope."""

from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase

from tests.abuse.inputs import BAD_ENVELOPES
from tests.log_events import collect_log
from tests.sessions import make_site


class EnvelopeInjectionTests(SynchronousTestCase):
    """Commands that carry what must not get further than the parser."""

    def test_refused(self) -> None:
        """Each is refused with a 5xx, and the session goes on."""
        for line in BAD_ENVELOPES:
            site = make_site()
            site.greet()
            if line.startswith(b"RCPT"):
                site.client.ask("MAIL FROM:<a@b.example>")
            site.client.say(line)
            codes = site.client.codes()
            self.assertTrue(codes and all(code >= 500 for code in codes), line)
            site.client.say("NOOP")
            self.assertEqual(site.client.codes(), [250], line)

    def test_no_recipient(self) -> None:
        """None of them puts a recipient or a sender into the transaction."""
        site = make_site()
        site.greet()
        site.client.say("MAIL FROM:<a@b.example>")
        for line in BAD_ENVELOPES:
            if not line.startswith((b"EHLO", b"HELO")):
                site.client.say(line)
        transaction = site.connection.transaction
        self.assertEqual(transaction.rcpt_to, [])
        self.assertEqual(transaction.mail_from.address, "a@b.example")

    def test_newline_in_quotes(self) -> None:
        """
        A CRLF in a quoted local part ends the command all the same: what follows is a
        command of its own, and a bad one.
        """
        site = make_site()
        site.greet()
        site.client.say("MAIL FROM:<a@b.example>")
        site.client.hear()
        site.client.send(b'RCPT TO:<"a\r\nBcc: z"@here.example>\r\n')
        self.assertEqual(site.client.codes(), [501, 500])

    def test_log(self) -> None:
        """In the log each stays one line of printable text."""
        events = collect_log(self)
        site = make_site()
        site.server.context.log.set_level("protocol")
        site.greet()
        site.client.say("MAIL FROM:<a@b.example>", *BAD_ENVELOPES)
        site.client.leave()
        lines = [formatEvent(event) for event in events]
        self.assertGreater(len(lines), 2 * len(BAD_ENVELOPES))
        for line in lines:
            self.assertTrue(line.isprintable(), ascii(line))
