"""Row 23: recipients without number."""

from twisted.trial.unittest import SynchronousTestCase

from tests.fake_plugins import fake_plugin
from tests.sessions import ENVELOPE, make_site


class RcptFloodTests(SynchronousTestCase):
    """A client adds recipients for ever."""

    def test_flood(self) -> None:
        """
        After the limit each gets 452 4.5.3 without any plugin being asked, and none is
        kept.
        """
        plugin = fake_plugin(rcpt=None)
        site = make_site(plugin)
        site.greet()
        site.client.say(ENVELOPE[0])
        site.client.hear()
        group = ("\r\n".join([ENVELOPE[1]] * 1000) + "\r\n").encode()
        for _ in range(10):
            site.client.send(group)
        codes = site.client.codes()
        self.assertEqual((codes[:1000], codes[1000:]), ([250] * 1000, [452] * 9000))
        self.assertEqual(len(plugin.asked), 1000)
        self.assertEqual(len(site.connection.transaction.rcpt_to), 1000)

    def test_goes_on(self) -> None:
        """Those before the limit get the message (RFC 5321 section 4.5.3.1.10)."""
        site = make_site()
        site.greet()
        site.client.say(ENVELOPE[0], *[ENVELOPE[1]] * 1001, "DATA")
        self.assertEqual(site.client.codes()[-2:], [452, 354])
        site.client.say("", ".")
        self.assertEqual(len(site.mailbox.messages[0].recipients), 1000)
