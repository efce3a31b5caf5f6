"""MAIL: who sends (RFC 5321 section 4.1.1.2)."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from harakatw.verdict import DENY, DENYSOFT, deny, deny_soft, ok
from tests.fake_plugins import fake_plugin
from tests.sessions import make_site


class MailTests(SynchronousTestCase):
    """What a client may say of the sender."""

    def test_accepted(self) -> None:
        """A sender opens a transaction, whose id is the session's and a number."""
        site = make_site()
        site.greet()
        said = site.client.ask("mail from:<A.b@Client.Example>")
        self.assertEqual(said, "250 2.1.0 Sender OK\r\n")
        transaction = site.connection.transaction
        self.assertEqual(transaction.mail_from.address, "A.b@client.example")
        self.assertEqual(transaction.uuid, f"{site.connection.uuid}.1")
        self.assertEqual(site.connection.tran_count, 1)

    def test_bounce(self) -> None:
        """The null path is what bounces come from, and always taken."""
        site = make_site()
        site.greet()
        site.client.say("MAIL FROM:<>")
        self.assertEqual(site.client.codes(), [250])
        self.assertTrue(site.connection.transaction.mail_from.is_null)

    def test_order(self) -> None:
        """Before EHLO, and while a transaction is open, MAIL gets 503."""
        site = make_site()
        line = "MAIL FROM:<a@b.example>"
        site.client.say(line, "EHLO x", line, line)
        self.assertEqual(site.client.codes(), [220, 503, 250, 250, 503])
        self.assertEqual(site.connection.tran_count, 1)

    def test_syntax(self) -> None:
        """A line that is no MAIL gets 501 and opens nothing."""
        site = make_site()
        site.greet()
        for argument in ("", " <a@b.example>", " FROM <a@b.example>", " FROM:<a@b"):
            site.client.say(f"MAIL{argument}")
        self.assertEqual(site.client.codes(), [501] * 4)
        self.assertIsNone(site.connection.transaction)

    def test_blanks(self) -> None:
        """Stray blanks are taken, unless the postmaster wants the strict form."""
        for strict, code in ((False, 250), (True, 501)):
            site = make_site(options=ConnectionOptions(strict_rfc1869=strict))
            site.greet()
            site.client.say("MAIL FROM: <a@b.example>")
            self.assertEqual(site.client.codes(), [code])

    def test_sloppy_address(self) -> None:
        """An address that breaks the grammar is taken only with main.postel."""
        for postel, code in ((True, 250), (False, 501)):
            site = make_site(options=ConnectionOptions(postel=postel))
            site.greet()
            site.client.say("MAIL FROM:<a..b@c.example>")
            self.assertEqual(site.client.codes(), [code])


class ParameterTests(SynchronousTestCase):
    """What stands behind the address."""

    def _code(self, parameters: str, **options: object) -> int:
        limits = ConnectionOptions(**options)  # type: ignore[arg-type]  # by name
        site = make_site(options=limits)
        site.greet()
        site.client.say(f"MAIL FROM:<a@b.example> {parameters}")
        return site.client.codes()[0]

    def test_known(self) -> None:
        """What EHLO announced is taken, in any case."""
        for parameters in ("SIZE=100", "body=8bitmime", "SMTPUTF8", "BODY=7BIT SIZE=0"):
            self.assertEqual(self._code(parameters), 250, parameters)

    def test_unknown(self) -> None:
        """What was not announced gets 555 (section 4.1.1.11)."""
        for parameters in (
            "NOTIFY=NEVER",
            "AUTH=<>",
            "REQUIRETLS",
            "X",
            "SIZE=1 FOO=1",
        ):
            self.assertEqual(self._code(parameters), 555, parameters)

    def test_malformed(self) -> None:
        """Malformed, doubled or nonsense values get 501."""
        for parameters in ("SIZE", "SIZE=x", "SIZE=1 SIZE=1", "BODY=X", "SMTPUTF8=1"):
            self.assertEqual(self._code(parameters), 501, parameters)

    def test_dsn(self) -> None:
        """How much shall come back, and under which name, is kept (RFC 3461)."""
        site = make_site()
        site.greet()
        site.client.say("MAIL FROM:<a@b.example> RET=HDRS ENVID=x+2By")
        self.assertEqual(site.client.codes(), [250])
        self.assertEqual(
            site.connection.transaction.mail_params, {"RET": "HDRS", "ENVID": "x+2By"}
        )

    def test_bad_dsn(self) -> None:
        """What RFC 3461 does not allow gets 501, and no transaction."""
        for parameters in ("RET", "RET=ALL", "ENVID", "ENVID=a+0Ab", "RET=FULL ENVID"):
            self.assertEqual(self._code(parameters), 501, parameters)
        self.assertEqual(self._code(f"ENVID={'x' * 101}"), 501)

    def test_too_big(self) -> None:
        """
        A message announced bigger than max.bytes is refused at once (RFC 1870
        section 6.1), one of exactly that size is not.
        """
        self.assertEqual(self._code("SIZE=1001", max_bytes=1000), 552)
        self.assertEqual(self._code("SIZE=1000", max_bytes=1000), 250)
        self.assertEqual(self._code("SIZE=99999999999", max_bytes=0), 250)

    def test_after_helo(self) -> None:
        """Who said HELO has no parameters."""
        site = make_site()
        site.client.say("HELO x", "MAIL FROM:<a@b.example> SIZE=1")
        self.assertEqual(site.client.codes(), [220, 250, 555])

    def test_smtputf8_off(self) -> None:
        """Where it is turned off, SMTPUTF8 is not taken."""
        self.assertEqual(self._code("SMTPUTF8", smtputf8=False), 555)

    def test_utf8_address(self) -> None:
        """
        An address beyond ASCII needs the parameter (RFC 6531 section 3.3); without it
        the session goes on.
        """
        site = make_site()
        site.greet()
        site.client.say("MAIL FROM:<bücher@b.example>")
        self.assertEqual(site.client.codes(), [550])
        site.client.say("MAIL FROM:<bücher@b.example> SMTPUTF8")
        self.assertEqual(site.client.codes(), [250])
        self.assertTrue(site.connection.transaction.mail_from.is_utf8)

    def test_not_utf8(self) -> None:
        """Octets that are not UTF-8 are refused, with SMTPUTF8 too (row 36)."""
        site = make_site()
        site.greet()
        site.client.say(b"MAIL FROM:<\xff@b.example> SMTPUTF8", "NOOP")
        self.assertEqual(site.client.codes(), [501, 250])


class PluginTests(SynchronousTestCase):
    """What plugins make of a sender."""

    def test_told(self) -> None:
        """Plugins get the address and the parameters, within the transaction."""
        opened: list[bool] = []
        plugin = fake_plugin(mail=lambda c, *_: opened.append(bool(c.transaction)))
        site = make_site(plugin)
        site.greet()
        site.client.say("MAIL FROM:<a@B.example> size=5")
        _, sender, params = plugin.calls[0][1]
        self.assertEqual((sender.address, dict(params)), ("a@b.example", {"SIZE": "5"}))
        self.assertEqual(opened, [True])

    def test_denied(self) -> None:
        """A denied sender has no transaction, and another may be tried."""
        for verdict, said in (
            (DENY, "550 5.7.1 Sender denied\r\n"),
            (deny("no", code=553, enhanced="5.1.8"), "553 5.1.8 no\r\n"),
            (
                DENYSOFT,
                "450 4.7.1 Sender denied for now, try again later\r\n",
            ),
            (deny_soft("4.7.25 later"), "450 4.7.25 later\r\n"),
        ):
            plugin = fake_plugin(mail=verdict, reset_transaction=None)
            site = make_site(plugin)
            site.greet()
            self.assertEqual(site.client.ask("MAIL FROM:<a@b.example>"), said)
            self.assertIsNone(site.connection.transaction)
            self.assertEqual(plugin.asked, ["mail", "reset_transaction"])
            site.client.say("RCPT TO:<b@here.example>", "MAIL FROM:<c@b.example>")
            self.assertEqual(site.client.codes()[0], 503)

    def test_denied_and_closed(self) -> None:
        """DENYDISCONNECT closes once the transaction is dropped and the reply said."""
        plugin = fake_plugin(mail=deny("bye", disconnect=True), reset_transaction=None)
        site = make_site(plugin)
        site.greet()
        said = site.client.ask("MAIL FROM:<a@b.example>", "NOOP")
        self.assertEqual(said, "550 5.7.1 bye\r\n")
        self.assertEqual(plugin.asked, ["mail", "reset_transaction"])

    def test_own_words(self) -> None:
        """The text of OK is the reply."""
        site = make_site(fake_plugin(mail=ok("pleased to meet you")))
        site.greet()
        said = site.client.ask("MAIL FROM:<a@b.example>")
        self.assertEqual(said, "250 2.1.0 pleased to meet you\r\n")
