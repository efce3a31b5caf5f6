"""Row 24: sizes that are not what they say."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from tests.abuse.inputs import SIZES
from tests.sessions import ENVELOPE, make_site


class SizeTests(SynchronousTestCase):
    """What SIZE says is a hint, and may be nonsense."""

    def test_declared(self) -> None:
        """Each is answered as RFC 1870 section 6.1 says, and opens no transaction."""
        for parameter, code in SIZES:
            site = make_site()
            site.greet()
            site.client.say(b"MAIL FROM:<a@b.example> " + parameter)
            self.assertEqual(site.client.codes(), [code], parameter)
            self.assertIsNone(site.connection.transaction, parameter)

    def test_lie(self) -> None:
        """SIZE=1 and then three times the limit: refused at the end, nothing kept."""
        options = ConnectionOptions(max_bytes=1024 * 1024)
        site = make_site(options=options)
        site.greet()
        site.client.say("MAIL FROM:<a@b.example> SIZE=1", ENVELOPE[1], "DATA")
        site.client.hear()
        line = b"a" * 998 + b"\r\n"
        for _ in range(3 * 1024):
            site.client.send(line)
        self.assertEqual(site.connection.transaction.message.in_memory, 0)
        site.client.send(b".\r\n")
        self.assertEqual(site.client.codes(), [552])
        self.assertEqual(site.mailbox.messages, [])
