"""VRFY and EXPN (RFC 5321 section 3.5)."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.verdict import DENY, DENYDISCONNECT, DENYSOFT, OK, ok
from tests.fake_plugins import fake_plugin
from tests.sessions import ENVELOPE, make_site


class VrfyTests(SynchronousTestCase):
    """What a stranger learns about users: as good as nothing."""

    def test_nobody_says(self) -> None:
        """Without a plugin the answer tells nothing (section 7.3)."""
        site = make_site()
        site.client.hear()
        self.assertEqual(
            site.client.ask("VRFY root"),
            "252 2.1.5 Send some mail, I'll try my best\r\n",
        )

    def test_told(self) -> None:
        """Plugins get what the client asked for (Haraka's did not, WK32)."""
        plugin = fake_plugin(vrfy=ok("Root <root@here.example>"))
        site = make_site(plugin)
        site.client.hear()
        said = site.client.ask("VRFY  root ")
        self.assertEqual(said, "250 2.1.5 Root <root@here.example>\r\n")
        self.assertEqual(plugin.calls, [("vrfy", (site.connection, "root"))])

    def test_known(self) -> None:
        """OK without words is a plain yes."""
        site = make_site(fake_plugin(vrfy=OK))
        site.client.hear()
        self.assertEqual(site.client.ask("VRFY root"), "250 2.1.5 User OK\r\n")

    def test_denied(self) -> None:
        """A denial drops the open transaction too (HK24)."""
        for verdict, code in ((DENY, 550), (DENYSOFT, 450)):
            site = make_site(fake_plugin(vrfy=verdict))
            site.greet()
            site.client.say(*ENVELOPE, "VRFY root", "DATA")
            self.assertEqual(site.client.codes(), [250, 250, code, 503])

    def test_denied_and_closed(self) -> None:
        """DENYDISCONNECT closes."""
        site = make_site(fake_plugin(vrfy=DENYDISCONNECT))
        site.client.say("VRFY root")
        self.assertEqual(site.client.codes(), [220, 550])
        self.assertTrue(site.client.transport.closed)

    def test_nobody_asked_for(self) -> None:
        """VRFY needs a name that is text."""
        site = make_site()
        site.client.say("VRFY", "VRFY \x1b[2J", b"VRFY a\0b", b"VRFY \xff")
        self.assertEqual(site.client.codes(), [220, 501, 501, 501, 501])

    def test_expn(self) -> None:
        """EXPN is understood and not offered: 502 (section 4.2.4)."""
        site = make_site()
        site.client.say("EXPN staff")
        self.assertEqual(site.client.codes(), [220, 502])
