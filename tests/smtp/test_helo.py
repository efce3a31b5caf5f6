"""HELO and EHLO, as a client sees them (RFC 5321 section 4.1.1.1)."""

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from harakatw.verdict import DENY, DENYDISCONNECT, DENYSOFT
from tests.fake_plugins import fake_plugin
from tests.sessions import ENVELOPE, make_site

EHLO = (
    "250-mail.example Hello Unknown [192.0.2.1] at your service\r\n"
    "250-PIPELINING\r\n"
    "250-8BITMIME\r\n"
    "250-ENHANCEDSTATUSCODES\r\n"
    "250-SMTPUTF8\r\n"
    "250-DSN\r\n"
    "250-CHUNKING\r\n"
    "250-BINARYMIME\r\n"
    "250-LIMITS RCPTMAX=1000\r\n"
    "250 SIZE 26214400\r\n"
)


class HelloTests(SynchronousTestCase):
    """How a client introduces itself."""

    def test_ehlo(self) -> None:
        """
        EHLO is answered with our name and a line for each extension, and no enhanced
        status code (RFC 2034 section 4).
        """
        site = make_site()
        site.client.hear()
        self.assertEqual(site.client.ask("EHLO client.example"), EHLO)
        hello = site.connection.hello
        self.assertEqual((hello.verb, hello.host), ("EHLO", "client.example"))
        self.assertTrue(site.connection.esmtp)

    def test_helo(self) -> None:
        """HELO is answered with one line, and offers no extension."""
        site = make_site()
        said = site.client.ask("helo client.example")
        self.assertEqual(
            said, "250 mail.example Hello Unknown [192.0.2.1] at your service\r\n"
        )
        self.assertFalse(site.connection.esmtp)

    def test_own_words(self) -> None:
        """The postmaster may word what follows our name, or have nothing there."""
        for words, end in (("hi there", " hi there"), ("", "")):
            site = make_site(options=ConnectionOptions(helo=words))
            said = site.client.ask("HELO client.example")
            self.assertEqual(
                said, f"250 mail.example Hello Unknown [192.0.2.1]{end}\r\n"
            )

    def test_no_name(self) -> None:
        """Without a name, or with one that no host can have, 501."""
        site = make_site()
        site.client.hear()
        for line in ("EHLO", "HELO ", b"EHLO a\0b", b"EHLO \xff", "EHLO " + "a" * 256):
            site.client.say(line)
        self.assertEqual(site.client.codes(), [501] * 5)
        self.assertEqual(site.connection.errors, 5)

    def test_ends_transaction(self) -> None:
        """
        A second EHLO drops the open transaction as RSET does (section 4.1.4).
        """
        plugin = fake_plugin(reset_transaction=None)
        site = make_site(plugin)
        site.greet()
        site.client.say(*ENVELOPE, "EHLO client.example", "DATA")
        self.assertEqual(site.client.codes(), [250, 250, 250, 503])
        self.assertEqual(plugin.asked, ["reset_transaction"])

    def test_bad_ehlo_keeps_transaction(self) -> None:
        """An EHLO that was refused for its form changes nothing (section 4.1.4)."""
        site = make_site()
        site.greet()
        site.client.say(*ENVELOPE, "EHLO", "DATA")
        self.assertEqual(site.client.codes(), [250, 250, 501, 354])

    def test_helo_after_ehlo(self) -> None:
        """After HELO nothing is offered any more: parameters of MAIL get 555."""
        site = make_site()
        site.greet()
        site.client.say("HELO client.example", "MAIL FROM:<a@b.example> SIZE=1")
        self.assertEqual(site.client.codes(), [250, 555])


class PluginTests(SynchronousTestCase):
    """What plugins make of a client's name."""

    def test_told(self) -> None:
        """The plugin is given the name as the client wrote it."""
        plugin = fake_plugin(ehlo=None, helo=None)
        site = make_site(plugin)
        site.client.say("EHLO Client.Example", "HELO [192.0.2.1]")
        self.assertEqual(
            plugin.calls,
            [
                ("ehlo", (site.connection, "Client.Example")),
                ("helo", (site.connection, "[192.0.2.1]")),
            ],
        )

    def test_denied(self) -> None:
        """After a denial the client has not introduced itself, and may try again."""
        for verb in ("helo", "ehlo"):
            for verdict, code in ((DENY, 550), (DENYSOFT, 450)):
                site = make_site(fake_plugin(**{verb: verdict}))
                site.client.hear()
                site.client.say(f"{verb} x", "MAIL FROM:<a@b.example>")
                self.assertEqual(site.client.codes(), [code, 503])
                self.assertEqual(site.connection.hello.host, "")
                self.assertFalse(site.client.transport.closed)

    def test_denied_mid_session(self) -> None:
        """A client whose second EHLO is denied has lost its first."""
        plugin = fake_plugin(helo=DENY)
        site = make_site(plugin)
        site.greet()
        site.client.say(*ENVELOPE, "HELO x", "RCPT TO:<b@here.example>")
        self.assertEqual(site.client.codes(), [250, 250, 550, 503])
        self.assertIsNone(site.connection.transaction)

    def test_denied_and_closed(self) -> None:
        """DENYDISCONNECT closes after the reply."""
        site = make_site(fake_plugin(ehlo=DENYDISCONNECT))
        site.client.say("EHLO x", "NOOP")
        self.assertEqual(site.client.codes(), [220, 550])
        self.assertTrue(site.client.transport.closed)

    def test_waits(self) -> None:
        """No reply to EHLO, nor to what follows, before the plugin has ruled."""
        verdict: Deferred[None] = Deferred()
        site = make_site(fake_plugin(ehlo=verdict))
        site.client.hear()
        site.client.say("EHLO client.example", "NOOP")
        self.assertEqual(site.client.hear(), "")
        verdict.callback(None)
        self.assertEqual(site.client.codes(), [250, 250])

    def test_capabilities(self) -> None:
        """A plugin adds what it offers; the next client is not offered it twice."""
        site = make_site(
            fake_plugin(capabilities=lambda c: c.capabilities.append("STARTTLS"))
        )
        for _ in range(2):
            said = site.client.ask("EHLO client.example")
            self.assertEqual(said.count("STARTTLS"), 1)
            self.assertTrue(said.endswith("250 STARTTLS\r\n"))

    def test_hostile_capability(self) -> None:
        """A capability with a line end in it stays one reply."""
        site = make_site(
            fake_plugin(capabilities=lambda c: c.capabilities.append("X\r\n221 Bye"))
        )
        said = site.client.ask("EHLO client.example")
        self.assertTrue(all(line.startswith("250") for line in said.splitlines()))

    def test_nothing_offered(self) -> None:
        """A plugin may take everything from the list; the reply is still one."""
        site = make_site(fake_plugin(capabilities=lambda c: c.capabilities.clear()))
        site.client.hear()
        site.client.say("EHLO client.example")
        self.assertEqual(site.client.codes(), [250])
