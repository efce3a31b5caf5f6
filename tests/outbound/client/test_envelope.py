"""The commands of a message, and what a server must be able to do for it."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.interfaces.queue import QueuedMessage, QueuedRecipient, QueueItem
from harakatw.outbound.client.envelope import (
    Envelope,
    envelope_of,
    mail_command,
    rcpt_command,
    refused_recipients,
    unsuitable,
)
from harakatw.wire.capabilities import NO_CAPABILITIES, Capabilities
from tests.outbound.client.peers import envelope

EVERYTHING = Capabilities(max_size=0, eight_bit=True, smtputf8=True, dsn=True)


class MailTests(SynchronousTestCase):
    """The MAIL command."""

    def test_plain(self) -> None:
        """A server that offers nothing gets the address and nothing else."""
        wanted = envelope(is_8bit=True, ret="FULL", envid="x")
        command = mail_command(wanted, NO_CAPABILITIES)
        self.assertEqual(command, b"MAIL FROM:<a@b.example>\r\n")

    def test_null_sender(self) -> None:
        """A bounce has the null reverse-path."""
        command = mail_command(envelope(sender=""), NO_CAPABILITIES)
        self.assertEqual(command, b"MAIL FROM:<>\r\n")

    def test_all(self) -> None:
        """What the server offers and the message needs is said."""
        wanted = envelope(size=77, is_8bit=True, is_utf8=True, ret="HDRS", envid="q+2B")
        self.assertEqual(
            mail_command(wanted, EVERYTHING),
            b"MAIL FROM:<a@b.example> SIZE=77 BODY=8BITMIME SMTPUTF8 RET=HDRS"
            b" ENVID=q+2B\r\n",
        )

    def test_not_needed(self) -> None:
        """A plain message needs none of it but its size."""
        command = mail_command(envelope(size=7), EVERYTHING)
        self.assertEqual(command, b"MAIL FROM:<a@b.example> SIZE=7\r\n")

    def test_utf8_addresses(self) -> None:
        """An address in another script needs SMTPUTF8 (RFC 6531 section 3.4)."""
        for wanted in (
            envelope(sender="\u00e4@b.example"),
            envelope("\u00e4@e.example"),
        ):
            self.assertIn(b" SMTPUTF8", mail_command(wanted, EVERYTHING))

    def test_bad_parameters(self) -> None:
        """A parameter that could break the line is left out (survey row 9)."""
        wanted = envelope(ret="ALL", envid="x\r\nRCPT TO:<v@w.example>")
        command = mail_command(wanted, EVERYTHING)
        self.assertEqual(command, b"MAIL FROM:<a@b.example> SIZE=21\r\n")


class RcptTests(SynchronousTestCase):
    """The RCPT command."""

    def test_dsn(self) -> None:
        """Requests for reports go to a server that knows them, and to no other."""
        wanted = QueuedRecipient("d@e.example", "SUCCESS,DELAY", "rfc822;x+2By@e")
        self.assertEqual(
            rcpt_command(wanted, EVERYTHING),
            b"RCPT TO:<d@e.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x+2By@e\r\n",
        )
        self.assertEqual(
            rcpt_command(wanted, NO_CAPABILITIES), b"RCPT TO:<d@e.example>\r\n"
        )

    def test_bad_orcpt(self) -> None:
        """An ORCPT that could break the line is left out."""
        for orcpt in ("rfc822;a b", "rfc822;a\r\nb", "x" * 501):
            command = rcpt_command(
                QueuedRecipient("d@e.example", "", orcpt), EVERYTHING
            )
            self.assertEqual(command, b"RCPT TO:<d@e.example>\r\n")


class SuitableTests(SynchronousTestCase):
    """Messages that a server cannot take are not sent to it."""

    def answer(
        self, wanted: Envelope, capabilities: Capabilities, allow_8bit: bool = False
    ) -> str:
        """The enhanced code of the refusal, or nothing."""
        said = unsuitable(wanted, capabilities, allow_8bit)
        return said.answer.reply.enhanced if said else ""

    def test_size(self) -> None:
        """Larger than the server takes: 5.3.4, at once (RFC 1870 section 5)."""
        for limit, enhanced in ((100, ""), (99, "5.3.4"), (0, ""), (None, "")):
            found = self.answer(envelope(size=100), Capabilities(max_size=limit))
            self.assertEqual(found, enhanced)

    def test_8bit(self) -> None:
        """8bit to a server without 8BITMIME: 5.6.3, unless the hop may have it."""
        wanted = envelope(is_8bit=True)
        self.assertEqual(self.answer(wanted, NO_CAPABILITIES), "5.6.3")
        self.assertEqual(self.answer(wanted, NO_CAPABILITIES, True), "")
        self.assertEqual(self.answer(wanted, EVERYTHING), "")

    def test_utf8(self) -> None:
        """A message that needs SMTPUTF8 where there is none: 5.6.7 (WK15)."""
        for wanted in (envelope(is_utf8=True), envelope(sender="\u00e4@b.example")):
            self.assertEqual(self.answer(wanted, NO_CAPABILITIES), "5.6.7")
            self.assertEqual(self.answer(wanted, EVERYTHING), "")

    def test_bad_sender(self) -> None:
        """A sender with a line end in it is never sent (survey row 9)."""
        wanted = envelope(sender="a\r\nDATA@b.example")
        self.assertEqual(self.answer(wanted, EVERYTHING), "5.1.7")

    def test_recipients(self) -> None:
        """Of the recipients those fail that cannot be sent, and no other."""
        recipients = [
            QueuedRecipient(each)
            for each in ("d@e.example", "\u00e4@e.example", "x\n@e.example")
        ]
        refused = refused_recipients(recipients, NO_CAPABILITIES)
        self.assertEqual(
            [(each.recipient, each.reply.enhanced) for each in refused],
            [(recipients[1], "5.6.7"), (recipients[2], "5.1.3")],
        )
        (only,) = refused_recipients(recipients, EVERYTHING)
        self.assertIs(only.recipient, recipients[2])


class QueueTests(SynchronousTestCase):
    """Envelopes of queued messages."""

    def test_item(self) -> None:
        """All that the queue knows of a message is used."""
        message = QueuedMessage(
            uuid="U.1",
            sender="a@b.example",
            size=5,
            queued_at=0,
            envid="E",
            ret="FULL",
            is_8bit=True,
            is_utf8=True,
        )
        recipients = (QueuedRecipient("d@e.example"),)
        item = QueueItem(
            id=1,
            message_id=2,
            message=message,
            domain="e.example",
            site="e.example",
            recipients=recipients,
        )
        self.assertEqual(
            envelope_of(item, b"body"),
            Envelope(
                sender="a@b.example",
                recipients=recipients,
                size=5,
                body=b"body",
                is_8bit=True,
                is_utf8=True,
                ret="FULL",
                envid="E",
                uuid="U.1",
            ),
        )
