"""LMTP: a reply for each recipient (RFC 2033)."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from harakatw.config.listeners import Listener
from harakatw.smtp.connection import TLS
from harakatw.verdict import CONT, DENY, OK, deny, deny_soft, ok
from tests.fake_plugins import fake_plugin
from tests.sessions import ENVELOPE, Site, make_site

LMTP = Listener(protocol="lmtp")
RECIPIENTS = ("RCPT TO:<b@here.example>", "RCPT TO:<C@Here.Example>")
MESSAGE = b"Subject: x\r\n\r\nx\r\n.\r\n"


def site(*plugins: object, **arguments: Any) -> Site:
    """A server of LMTP, and a client that has said LHLO."""
    made = make_site(*plugins, listener=LMTP, **arguments)
    made.client.say("LHLO client.example")
    made.client.hear()
    return made


def said_to(made: Site, message: bytes = MESSAGE) -> list[str]:
    """Send a message to both recipients; what is answered to its end."""
    made.client.say(ENVELOPE[0], *RECIPIENTS, "DATA")
    made.client.hear()
    made.client.send(message)
    return made.client.hear().splitlines()


class HelloTests(SynchronousTestCase):
    """LHLO."""

    def test_greeting(self) -> None:
        """The greeting says what is spoken, also in the words of a plugin."""
        self.assertEqual(
            make_site(listener=LMTP).client.hear(), "220 mail.example LMTP\r\n"
        )
        made = make_site(fake_plugin(connect=ok("be welcome")), listener=LMTP)
        self.assertEqual(made.client.hear(), "220 mail.example LMTP be welcome\r\n")

    def test_lhlo(self) -> None:
        """LHLO is EHLO by another name, for plugins too; PIPELINING must be there."""
        plugin = fake_plugin(ehlo=CONT, helo=CONT)
        made = make_site(plugin, listener=LMTP)
        said = made.client.ask("LHLO client.example")
        self.assertIn("250-PIPELINING\r\n", said)
        self.assertIn("ENHANCEDSTATUSCODES", said)
        self.assertEqual(plugin.asked, ["ehlo"])
        connection = made.connection
        self.assertEqual(connection.hello.verb, "LHLO")
        self.assertTrue(connection.esmtp and connection.lmtp)

    def test_not_smtp(self) -> None:
        """HELO and EHLO are no commands (RFC 2033 section 4.1), nor is LHLO in SMTP."""
        made = make_site(listener=LMTP)
        made.client.say("EHLO a", "HELO a", "MAIL FROM:<a@b.example>")
        self.assertEqual(made.client.codes(), [220, 500, 500, 503])
        other = make_site()
        other.client.say("LHLO a")
        self.assertEqual(other.client.codes(), [220, 500])
        self.assertFalse(other.connection.lmtp)


class ReplyTests(SynchronousTestCase):
    """The end of a message."""

    def test_each(self) -> None:
        """One 250 for each recipient that was accepted; the message is taken once."""
        made = site()
        said = said_to(made)
        self.assertEqual([line[:10] for line in said], ["250 2.0.0 "] * 2)
        self.assertEqual(len(made.mailbox.messages), 1)
        self.assertEqual(made.connection.msg_accepted, 1)

    def test_twice_the_same(self) -> None:
        """A recipient that was given twice has two replies."""
        made = site()
        made.client.say(*ENVELOPE, ENVELOPE[1], "RCPT TO:<x@else.example>", "DATA")
        self.assertEqual(made.client.codes(), [250, 250, 250, 550, 354])
        made.client.send(MESSAGE)
        self.assertEqual(made.client.codes(), [250, 250])

    def test_refused(self) -> None:
        """A refusal after the message is for each of them, whoever refuses."""
        for plugin, message, code in (
            (fake_plugin(data_post=DENY), MESSAGE, "550"),
            (fake_plugin(queue=DENY), MESSAGE, "550"),
            (fake_plugin(queue=deny_soft("later")), MESSAGE, "450"),
            (fake_plugin(data_post=CONT), b"a\rb\r\n.\r\n", "554"),
            (fake_plugin(data_post=CONT), b"a" * 2000 + b"\r\n.\r\n", "552"),
        ):
            made = site(plugin, options=ConnectionOptions(max_bytes=1000))
            said = said_to(made, message)
            self.assertEqual([line[:3] for line in said], [code] * 2)
            self.assertEqual(made.client.ask("NOOP"), "250 2.0.0 OK\r\n")

    def test_before_the_message(self) -> None:
        """DATA itself is refused once."""
        made = site(fake_plugin(data=DENY))
        made.client.say(ENVELOPE[0], *RECIPIENTS, "DATA")
        self.assertEqual(made.client.codes(), [250, 250, 250, 554])

    def test_closing(self) -> None:
        """A refusal that ends the session comes after the other replies."""
        made = site(fake_plugin(queue=deny("go", disconnect=True)))
        self.assertEqual([line[:3] for line in said_to(made)], ["550", "550"])
        self.assertTrue(made.client.transport.closed)

    def test_waiting(self) -> None:
        """A plugin that waits holds all of the replies back, in order."""
        waiting: Deferred[Any] = Deferred()
        made = site(fake_plugin(queue=waiting))
        self.assertEqual(said_to(made, MESSAGE + b"NOOP\r\n"), [])
        waiting.callback(OK)
        self.assertEqual(made.client.codes(), [250, 250, 250])

    def test_changed_recipients(self) -> None:
        """What plugins make of the recipients does not change the number of replies."""

        def add(connection: Any) -> Any:
            connection.transaction.rcpt_to *= 3
            return CONT

        self.assertEqual(len(said_to(site(fake_plugin(data_post=add)))), 2)

    def test_next_message(self) -> None:
        """The next message has its own recipients, also after RSET."""
        made = site()
        said_to(made)
        made.client.say(*ENVELOPE, "RSET", *ENVELOPE, "DATA")
        made.client.hear()
        made.client.send(MESSAGE)
        self.assertEqual(made.client.codes(), [250])

    def test_no_recipient(self) -> None:
        """Without a recipient DATA gets 503 (RFC 2033 section 4.2), and BDAT too."""
        made = site()
        made.client.say(ENVELOPE[0], "RCPT TO:<x@else.example>", "DATA")
        self.assertEqual(made.client.codes(), [250, 550, 503])
        made.client.say("BDAT 3 LAST")
        made.client.send(b"a\r\n")
        self.assertEqual(made.client.codes(), [503])


class ChunkTests(SynchronousTestCase):
    """Messages by BDAT."""

    def _bdat(self, made: Site, *chunks: bytes) -> list[int]:
        made.client.say(ENVELOPE[0], *RECIPIENTS)
        made.client.hear()
        for chunk in chunks:
            made.client.send(chunk)
        return made.client.codes()

    def test_last(self) -> None:
        """Only the last chunk has a reply for each."""
        codes = self._bdat(site(), b"BDAT 3\r\na\r\n", b"BDAT 3 LAST\r\nb\r\n")
        self.assertEqual(codes, [250, 250, 250])

    def test_refused(self) -> None:
        """A chunk in the middle is refused once, the last for each."""
        self.assertEqual(
            self._bdat(site(fake_plugin(data=DENY)), b"BDAT 3\r\na\r\n"), [554]
        )
        self.assertEqual(
            self._bdat(site(fake_plugin(data=DENY)), b"BDAT 3 LAST\r\na\r\n"),
            [554, 554],
        )

    def test_data_after_chunks(self) -> None:
        """A chunk that was refused leaves nothing behind for the next message."""
        made = site(options=ConnectionOptions(max_bytes=1000))
        self.assertEqual(self._bdat(made, b"BDAT 2000\r\n" + b"a" * 2000), [552])
        self.assertEqual(len(said_to(made)), 2)


class VerdictTests(SynchronousTestCase):
    """Queue plugins that say what became of each recipient."""

    def test_each(self) -> None:
        """Each is told its own; who is not named is told that of all."""
        each = {
            "b@here.example": deny_soft("over quota", code=452, enhanced="4.2.2"),
            "nobody@here.example": DENY,
        }
        said = said_to(site(fake_plugin(queue=ok(value=each))))
        self.assertEqual(said[0], "452 4.2.2 over quota")
        self.assertTrue(said[1].startswith("250 2.0.0 Message Queued"))

    def test_all_accepted(self) -> None:
        """Those that are not refused are told the same."""
        said = said_to(site(fake_plugin(queue=ok(value={"b@here.example": OK}))))
        self.assertEqual(len(set(said)), 1)

    def test_in_smtp(self) -> None:
        """
        In SMTP there is one reply: nobody's mail is lost, though some may get it twice.
        """
        soft, hard = deny_soft("later", code=452), deny("never", code=551)
        for each, code in (
            ({"b": OK}, 250),
            ({"b": OK, "c": soft}, 452),
            ({"b": hard, "c": soft}, 452),
            ({"b": OK, "c": hard}, 451),
            ({"b": hard, "c": hard}, 551),
            ({}, 250),
            ("something else", 250),
        ):
            made = make_site(fake_plugin(queue=ok(value=each)))
            self.assertEqual(int(made.send_message(MESSAGE)[:3]), code)


class TraceTests(SynchronousTestCase):
    """The trace field says how the message came (RFC 3848, RFC 6531)."""

    def _keyword(self, made: Site, sender: str = ENVELOPE[0]) -> bytes:
        made.client.say(sender, RECIPIENTS[0], "DATA")
        made.client.send(MESSAGE)
        octets = made.mailbox.messages[-1].octets
        return octets.partition(b" with ")[2].split()[0]

    def test_keyword(self) -> None:
        """LMTP, with S for encrypted and A for logged in, or UTF8LMTP."""
        made = site()
        self.assertEqual(self._keyword(made), b"LMTP")
        self.assertEqual(self._keyword(made, f"{ENVELOPE[0]} SMTPUTF8"), b"UTF8LMTP")
        made = site()
        made.connection.tls = TLS(True, "x", False)
        made.connection.notes.set("auth_user", "joe")
        self.assertEqual(self._keyword(made), b"LMTPSA")
