"""RCPT: who shall get it (RFC 5321 section 4.1.1.3)."""

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from harakatw.address import Address
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
        """Recipients that a plugin says OK to are kept, in order."""
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
        self.assertEqual(said, "550 5.1.1 I cannot deliver mail for that recipient\r\n")
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
        for argument in (
            "",
            "<b@here.example>",
            "TO:",
            "TO:<>",
            "FROM:<b@here.example>",
        ):
            site.client.say(f"RCPT {argument}")
        self.assertEqual(site.client.codes(), [501] * 5)
        self.assertEqual(site.connection.transaction.rcpt_tried, 0)

    def test_parameters(self) -> None:
        """What EHLO did not announce for RCPT gets 555."""
        site = opened()
        site.client.say("RCPT TO:<b@here.example> RET=FULL")
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


class ReportTests(SynchronousTestCase):
    """What a client may say of reports on a recipient (RFC 3461 section 4)."""

    NEVER = "NOTIFY=NEVER"
    WISHES = "notify=Success,failure ORCPT=rfc822;x+2By@far.example"

    def test_kept(self) -> None:
        """Each recipient has its own wishes, though the addresses are the same."""
        plugin = fake_plugin(rcpt=OK)
        site = opened(plugin)
        for wishes in (self.NEVER, "", self.WISHES):
            site.client.say(f"RCPT TO:<b@here.example> {wishes}".strip())
        self.assertEqual(site.client.codes(), [250] * 3)
        transaction = site.connection.transaction
        kept = [dict(transaction.rcpt_params(each)) for each in transaction.rcpt_to]
        wanted: list[dict[str, str]] = [
            {"NOTIFY": "NEVER"},
            {},
            {"NOTIFY": "Success,failure", "ORCPT": "rfc822;x+2By@far.example"},
        ]
        self.assertEqual(kept, wanted)
        self.assertEqual([dict(call[1][2]) for call in plugin.calls], wanted)

    def test_malformed(self) -> None:
        """What RFC 3461 does not allow gets 501; the recipient is not added."""
        site = opened()
        for wishes in ("NOTIFY", "NOTIFY=NEVER,DELAY", "ORCPT=b", "ORCPT=rfc822;+0A"):
            site.client.say(f"RCPT TO:<b@here.example> {wishes}")
            self.assertEqual(site.client.codes(), [501], wishes)
        self.assertEqual(site.connection.transaction.rcpt_to, [])
        self.assertEqual(site.connection.transaction.rcpt_tried, 0)

    def test_after_helo(self) -> None:
        """Who said HELO has no parameters."""
        site = make_site()
        site.client.say(
            "HELO x", "MAIL FROM:<>", "RCPT TO:<b@here.example> NOTIFY=NEVER"
        )
        self.assertEqual(site.client.codes(), [220, 250, 250, 555])

    def test_foreign_original(self) -> None:
        """An original recipient beyond ASCII needs SMTPUTF8, or is encoded."""
        for mail, orcpt, code in (
            ("SMTPUTF8", "utf-8;bücher@here.example", 250),
            ("", "utf-8;bücher@here.example", 501),
            ("", "utf-8;b\\x{FC}cher@here.example", 250),
        ):
            site = make_site()
            site.greet()
            site.client.say(f"MAIL FROM:<a@b.example> {mail}".strip())
            site.client.say(f"RCPT TO:<b@here.example> ORCPT={orcpt}")
            self.assertEqual(site.client.codes(), [250, code], orcpt)

    def test_rewritten(self) -> None:
        """A plugin that rewrites the address does not lose what was asked for it."""

        def rewrite(connection: object, recipient: object, params: object) -> None:
            recipient.user = "info"  # type: ignore[attr-defined]  # an Address

        site = opened(fake_plugin(rcpt=rewrite))
        site.client.say(f"RCPT TO:<b@here.example> {self.NEVER}")
        transaction = site.connection.transaction
        (recipient,) = transaction.rcpt_to
        self.assertEqual(recipient.address, "info@here.example")
        self.assertEqual(transaction.rcpt_params(recipient), {"NOTIFY": "NEVER"})

    def test_replaced(self) -> None:
        """A plugin that puts another address there can hand the wishes on."""

        def replace(connection: Connection, recipient: Address) -> None:
            transaction = connection.transaction
            assert transaction is not None
            alias = Address("other", "here.example")
            transaction.rcpt_to = [alias]
            transaction.set_rcpt_params(alias, transaction.rcpt_params(recipient))

        site = opened(fake_plugin(rcpt_ok=replace))
        site.client.say(f"RCPT TO:<b@here.example> {self.NEVER}")
        transaction = site.connection.transaction
        self.assertEqual(
            transaction.rcpt_params(transaction.rcpt_to[0]), {"NOTIFY": "NEVER"}
        )
        self.assertEqual(transaction.rcpt_params(Address("b", "here.example")), {})

    def test_forgotten_address(self) -> None:
        """An address that nobody holds any more leaves its wishes to no other one."""
        site = opened()
        transaction = site.connection.transaction
        for _ in range(100):
            transaction.set_rcpt_params(Address("a", "b.example"), {"NOTIFY": "NEVER"})
            another = Address("c", "d.example")
            self.assertEqual(transaction.rcpt_params(another), {})

    def test_refused(self) -> None:
        """Nothing is kept for a recipient that was refused, however many there are."""
        refused: list[Address] = []
        site = opened(fake_plugin(rcpt=lambda c, who, params: refused.append(who)))
        for _ in range(3):
            site.client.say(f"RCPT TO:<v@victim.example> {self.NEVER}")
        self.assertEqual(site.client.codes(), [550] * 3)
        transaction = site.connection.transaction
        kept = [dict(transaction.rcpt_params(each)) for each in refused]
        self.assertEqual(kept, [{}] * 3)
