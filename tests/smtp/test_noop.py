"""NOOP: are you there (RFC 5321 section 4.1.1.9)."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.verdict import DENY, DENYDISCONNECT, DENYSOFT, DENYSOFTDISCONNECT
from tests.fake_plugins import fake_plugin
from tests.sessions import ENVELOPE, make_site


class NoopTests(SynchronousTestCase):
    """What NOOP does, which is nothing."""

    def test_noop(self) -> None:
        """NOOP is answered at any time; its argument is ignored."""
        site = make_site()
        site.client.say("NOOP", "noop whatever", "EHLO x", "NOOP")
        self.assertEqual(site.client.codes(), [220, 250, 250, 250, 250])

    def test_changes_nothing(self) -> None:
        """A transaction goes on as if there had been no NOOP."""
        site = make_site()
        site.greet()
        site.client.say(*ENVELOPE, "NOOP", "DATA")
        self.assertEqual(site.client.codes(), [250, 250, 250, 354])

    def test_denied(self) -> None:
        """A plugin may refuse it for good; for now means nothing here (HK25)."""
        for verdict, code, closed in (
            (DENY, 500, False),
            (DENYSOFT, 250, False),
            (DENYDISCONNECT, 500, True),
            (DENYSOFTDISCONNECT, 250, False),
        ):
            site = make_site(fake_plugin(noop=verdict))
            site.client.say("NOOP")
            self.assertEqual(site.client.codes(), [220, code], verdict)
            self.assertEqual(site.client.transport.closed, closed, verdict)
