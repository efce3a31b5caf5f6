"""RCPT: who shall get it (RFC 5321 section 4.1.1.3)."""

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from harakatw.smtp.connection import Connection
from harakatw.verdict import CONT, DENY, DENYSOFT, OK, Verdict, deny, deny_soft, ok
from tests.fake_plugins import FakePlugin, fake_plugin, in_turn
from tests.sessions import Site, make_site


def opened(*plugins: FakePlugin) -> Site:
    """A site whose client has said MAIL."""
    site = make_site(*plugins)
    site.greet()
    site.client.say("MAIL FROM:<a@client.example>")
    site.client.hear()
    return site


def allow_relay(connection: Connection) -> None:
    """An answer to C{connect}: this client may send anywhere."""
    connection.relaying = True


class RcptTests(SynchronousTestCase):
    """Which recipients are taken."""

    def test_ours(self) -> None:
        """A recipient that a plugin says OK to is kept, in the order of the commands."""
        site = opened()
        site.client.say("RCPT TO:<b@Here.Example>", "rcpt to:<c@here.example>")
        self.assertEqual(site.client.codes(), [250, 250])
        kept = [each.address for each in site.connection.transaction.rcpt_to]
        self.assertEqual(kept, ["b@here.example", "c@here.example"])
        self.assertEqual(site.connection.rcpt_accepted, 2)

    def test_nobody_knows(self) -> None:
        """
        Without an OK the recipient is refused: no open relay for want of a plugin.
        """
        site = opened()
        said = site.client.ask("RCPT TO:<v@victim.example>")
        self.assertEqual(
            said, "550 5.1.1 I cannot deliver mail for that recipient\r\n"
        )
        self.assertEqual(site.connection.transaction.rcpt_to, [])
        self.assertEqual(site.connection.rcpt_rejected, 1)

    def test_relaying(self) -> None:
        """A client that may relay needs nobody's OK."""
        site = opened(fake_plugin(connect=allow_relay))
        self.assertEqual(
            site.client.ask("RCPT TO:<v@far.example>"), "250 2.1.5 Recipient OK\r\n"
        )

    def test_relaying_for_one_message(self) -> None:
        """Leave to relay that a plugin gave in a transaction ends with it."""

        def allow_once(connection: Connection, *_: object) -> None:
            if connection.tran_count == 1:
                connection.relaying = True

        site = opened(fake_plugin(mail=allow_once))
        site.client.say("RCPT TO:<v@far.example>", "RSET", "MAIL FROM:<>")
        site.client.say("RCPT TO:<v@far.example>")
        self.assertEqual(site.client.codes(), [250, 250, 250, 550])

    def test_order(self) -> None:
        """Without MAIL there is nobody to send to: 503."""
        site = make_site()
        line = "RCPT TO:<b@here.example>"
        site.client.say(line, "EHLO x", line)
        self.assertEqual(site.client.codes(), [220, 503, 250, 503])

    def test_syntax(self) -> None:
        """A line that is no RCPT gets 501; <> is no recipient."""
        site = opened()
        for argument in ("", "<b@here.example>", "TO:", "TO:<>", "FROM:<b@here.example>"):
            site.client.say(f"RCPT {argument}")
        self.assertEqual(site.client.codes(), [501] * 5)
        self.assertEqual(site.connection.transaction.rcpt_tried, 0)

    def test_parameters(self) -> None:
        """No parameter of RCPT is announced, so each gets 555."""
        site = opened()
        site.client.say("RCPT TO:<b@here.example> NOTIFY=NEVER")
        self.assertEqual(site.client.codes(), [555])

    def test_postmaster(self) -> None:
        """Postmaster without a domain is asked for (RFC 5321 section 4.5.1)."""
        site = opened(fake_plugin(rcpt=OK))
        site.client.say("RCPT TO:<Postmaster>")
        self.assertEqual(site.client.codes(), [250])

    def test_utf8(self) -> None:
        """A recipient beyond ASCII needs SMTPUTF8 with MAIL: 553 (RFC 6531)."""
        site = opened()
        site.client.say("RCPT TO:<bücher@here.example>", "RSET")
        site.client.say("MAIL FROM:<a@b.example> SMTPUTF8")
        site.client.say("RCPT TO:<bücher@here.example>")
        self.assertEqual(site.client.codes(), [553, 250, 250, 250])


class PluginTests(SynchronousTestCase):
    """What plugins make of a recipient."""

    def test_first_word_counts(self) -> None:
        """The first plugin that decides is the last that is asked."""
        site = opened(fake_plugin("First", rcpt=DENY), later := fake_plugin(rcpt=OK))
        site.client.say("RCPT TO:<b@here.example>")
        self.assertEqual(site.client.codes(), [550])
        self.assertEqual(later.asked, [])

    def test_denied(self) -> None:
        """A denied recipient is forgotten; the others stay."""
        verdicts = in_turn((OK, deny("5.1.6 moved"), deny_soft("busy", code=452)))
        site = opened(fake_plugin(rcpt=verdicts))
        said = site.client.ask(*(f"RCPT TO:<{user}@here.example>" for user in "bcd"))
        self.assertEqual(
            said,
            "250 2.1.5 Recipient OK\r\n550 5.1.6 moved\r\n452 4.7.1 busy\r\n",
        )
        connection = site.connection
        kept = [each.address for each in connection.transaction.rcpt_to]
        self.assertEqual(kept, ["b@here.example"])
        counts = connection.rcpt_accepted, connection.rcpt_rejected
        self.assertEqual((*counts, connection.rcpt_tempfailed), (1, 1, 1))

    def test_denied_twin(self) -> None:
        """When the same address comes twice, a denial drops the one it is about."""
        site = opened(fake_plugin(rcpt=in_turn((OK, DENY))))
        site.client.say(*["RCPT TO:<b@here.example>"] * 2, "DATA")
        self.assertEqual(site.client.codes(), [250, 550, 354])

    def test_rewritten(self) -> None:
        """A plugin may rewrite the recipient; that is who gets the message (RG23)."""

        def rewrite(connection: object, recipient: object, params: object) -> None:
            recipient.user = "info"  # type: ignore[attr-defined]  # an Address

        site = opened(fake_plugin(rcpt=rewrite))
        site.client.say("RCPT TO:<info+tag@here.example>", "DATA")
        site.client.say("", ".")
        self.assertEqual(site.client.codes(), [250, 354, 250])
        self.assertEqual(site.mailbox.messages[0].recipients, ("info@here.example",))

    def test_accepting_words(self) -> None:
        """The words of the plugin that accepted are the reply."""
        site = opened(fake_plugin(rcpt=ok("2.1.5 known since 1999")))
        said = site.client.ask("RCPT TO:<b@here.example>")
        self.assertEqual(said, "250 2.1.5 known since 1999\r\n")

    def test_rcpt_ok(self) -> None:
        """rcpt_ok has the last word: its denial counts, its words come first."""
        for verdict, said in (
            (DENY, "550 5.7.1 Recipient denied\r\n"),
            (
                DENYSOFT,
                "450 4.7.1 Recipient denied for now, try again later\r\n",
            ),
            (ok("come in"), "250 2.1.5 come in\r\n"),
            (CONT, "250 2.1.5 known\r\n"),
        ):
            site = opened(fake_plugin(rcpt=ok("known"), rcpt_ok=verdict))
            self.assertEqual(site.client.ask("RCPT TO:<b@here.example>"), said)
            kept = len(site.connection.transaction.rcpt_to)
            self.assertEqual(kept, 0 if verdict.denies else 1)

    def test_denied_and_closed(self) -> None:
        """DENYDISCONNECT closes; nothing that was pipelined is answered."""
        site = opened(fake_plugin(rcpt=deny("spammer", disconnect=True)))
        said = site.client.ask("RCPT TO:<b@here.example>", "DATA", "QUIT")
        self.assertEqual(said, "550 5.7.1 spammer\r\n")
        self.assertTrue(site.client.transport.closed)

    def test_left_meanwhile(self) -> None:
        """A client that leaves while a plugin thinks leaves nothing behind."""
        thinking: Deferred[Verdict] = Deferred()
        plugin = fake_plugin(rcpt=thinking, reset_transaction=None, disconnect=None)
        site = opened(plugin)
        site.client.say("RCPT TO:<b@here.example>")
        site.client.leave()
        self.assertEqual(plugin.asked, ["rcpt", "reset_transaction", "disconnect"])
        self.assertIsNone(site.connection.transaction)
        thinking.callback(OK)
        self.assertEqual(site.client.hear(), "")
        self.assertEqual(self.flushLoggedErrors(), [])
