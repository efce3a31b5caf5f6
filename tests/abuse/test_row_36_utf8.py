"""Row 36: octets that are no UTF-8, and mail beyond ASCII."""

from twisted.trial.unittest import SynchronousTestCase

from tests.abuse.inputs import NOT_UTF8, NOT_UTF8_RECIPIENTS
from tests.sessions import ENVELOPE, make_site

UTF8_ENVELOPE = (
    "MAIL FROM:<bücher@client.example> SMTPUTF8",
    "RCPT TO:<grüße@here.example>",
)


class UTF8Tests(SynchronousTestCase):
    """What is no text is refused, what is arrives as it was."""

    def test_commands(self) -> None:
        """Each is 501, however it is cut, and the session goes on."""
        for command in NOT_UTF8:
            for step in (1, len(command) + 2):
                site = make_site()
                site.greet()
                octets = command + b"\r\n"
                for at in range(0, len(octets), step):
                    site.client.send(octets[at : at + step])
                site.client.say(*ENVELOPE)
                self.assertEqual(site.client.codes(), [501, 250, 250], command)

    def test_recipients(self) -> None:
        """So it is in a transaction that takes UTF-8, which is kept."""
        site = make_site()
        site.greet()
        site.client.say(UTF8_ENVELOPE[0], *NOT_UTF8_RECIPIENTS, UTF8_ENVELOPE[1])
        wanted = [250, *(501 for _ in NOT_UTF8_RECIPIENTS), 250]
        self.assertEqual(site.client.codes(), wanted)

    def test_kept(self) -> None:
        """Addresses and header fields in UTF-8 arrive octet for octet (RFC 6531)."""
        message = "Subject: Grüße\r\nFrom: <bücher@client.example>\r\n\r\nGrüße\r\n"
        site = make_site()
        site.greet()
        site.client.say(*UTF8_ENVELOPE, "DATA")
        site.client.send(message.encode() + b".\r\n")
        self.assertEqual(site.client.codes(), [250, 250, 354, 250])
        (taken,) = site.mailbox.messages
        self.assertEqual(taken.sender, "bücher@client.example")
        self.assertEqual(taken.recipients, ("grüße@here.example",))
        self.assertEqual(taken.received, message.encode())
        self.assertIn(b" with UTF8SMTP ", taken.octets)
