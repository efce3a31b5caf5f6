"""What programs are told (RFC 3464)."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.interfaces.queue import Demands
from harakatw.outbound.dsn.recipients import Action, RemoteMTA
from harakatw.outbound.dsn.status import status_body
from harakatw.reply import reply
from tests.outbound.dsn.reports import NOW, QUEUED_AT, queued_message, told

ME = "mx.here.example"
AT_QUEUED = "Sun, 09 Sep 2001 01:46:40 +0000"


class StatusTests(SynchronousTestCase):
    """The blocks of fields."""

    def test_failure(self) -> None:
        """All that is known of a recipient that the peer refused, field by field."""
        refused = told(
            orcpt="rfc822;robert+2Bx@first.example",
            answer=reply(550, "5.1.1", "no such user"),
        )
        body = status_body(queued_message(envid="QQ+2B1"), [refused], ME)
        self.assertEqual(
            body.decode("ascii").split("\r\n"),
            [
                "Original-Envelope-Id: QQ+1",
                "Reporting-MTA: dns; mx.here.example",
                f"Arrival-Date: {AT_QUEUED}",
                "",
                "Original-Recipient: rfc822; robert+x@first.example",
                "Final-Recipient: rfc822; bob@far.example",
                "Action: failed",
                "Status: 5.1.1",
                "Remote-MTA: dns; mx.far.example",
                "Diagnostic-Code: smtp; 550 5.1.1 no such user",
                "Last-Attempt-Date: Sun, 09 Sep 2001 01:47:35 +0000",
                "",
            ],
        )

    def test_deliver_by(self) -> None:
        """When it should have been there is said (RFC 2852)."""
        message = queued_message(demands=Demands(deliver_by=QUEUED_AT + 60))
        body = status_body(message, [told()], ME).decode("ascii")
        self.assertIn("\r\nDeliver-By-Date: Sun, 09 Sep 2001 01:47:40 +0000\r\n", body)

    def test_delay(self) -> None:
        """A delay says for how long the mail will be tried."""
        waiting = told(
            action=Action.DELAYED,
            answer=reply(451, "4.4.1", "Nobody answers at mx.far.example"),
            remote=None,
            last_attempt=None,
            retry_until=QUEUED_AT,
        )
        body = status_body(queued_message(), [waiting], ME).decode("ascii")
        self.assertIn("Action: delayed\r\nStatus: 4.4.1\r\n", body)
        self.assertTrue(body.endswith(f"\r\nWill-Retry-Until: {AT_QUEUED}\r\n"))
        self.assertNotIn("Last-Attempt-Date", body)

    def test_our_words(self) -> None:
        """What no peer said is not passed off as a reply of one."""
        lost = told(remote=None, answer=reply(554, "5.4.6", "Mail loop"))
        body = status_body(queued_message(), [lost], ME).decode("ascii")
        self.assertNotIn("Remote-MTA", body)
        self.assertIn("\r\nDiagnostic-Code: x-harakatw; 554 5.4.6 Mail loop\r\n", body)

    def test_nameless_host(self) -> None:
        """A peer without a name, such as a Unix socket, has no Remote-MTA."""
        refused = told(remote=RemoteMTA("/run/lmtp.sock"))
        body = status_body(queued_message(), [refused], ME).decode("ascii")
        self.assertNotIn("Remote-MTA", body)
        self.assertIn("Diagnostic-Code: smtp; 550", body)

    def test_envelope_id(self) -> None:
        """
        Without ENVID there is no Original-Envelope-Id: the Message-ID is none (WK13).
        Neither is one that is spoilt.
        """
        for envid in ("", "a+", "+0D+0AX:+20y", "x" * 101, "+20"):
            body = status_body(queued_message(envid=envid), [told()], ME)
            self.assertTrue(body.startswith(b"Reporting-MTA: "), envid)

    def test_original_recipient(self) -> None:
        """Without ORCPT, or with one that is spoilt, there is no Original-Recipient."""
        for orcpt in ("", "bob", "rfc822;a+0D+0AX:+20y", "rfc822;+20", ";", "rfc822;"):
            body = status_body(queued_message(), [told(orcpt=orcpt)], ME)
            self.assertNotIn(b"Original-Recipient", body, orcpt)

    def test_foreign(self) -> None:
        """
        Addresses beyond ASCII have a type of their own and are written in ASCII, so
        that the report passes every host (RFC 6533 section 3).
        """
        refused = told("bücher+x@far.example", orcpt="UTF-8;bücher@first.example")
        body = status_body(queued_message(is_utf8=True), [refused], ME).decode("ascii")
        self.assertIn(
            "\r\nOriginal-Recipient: utf-8; b\\x{FC}cher@first.example\r\n"
            "Final-Recipient: utf-8; b\\x{FC}cher\\x{2B}x@far.example\r\n",
            body,
        )

    def test_endless_addresses(self) -> None:
        """What fits no line is left out, or said to be too long."""
        for address, kind in (("x" * 2000, "rfc822"), ("ü" * 2000, "utf-8")):
            refused = told(address, orcpt=f"utf-8;{'ü' * 450}")
            body = status_body(queued_message(), [refused], ME).decode("ascii")
            self.assertIn(f"\r\nFinal-Recipient: {kind}; (too long)\r\n", body)
            self.assertNotIn("Original-Recipient", body)

    def test_several(self) -> None:
        """Each recipient has a block of its own."""
        body = status_body(queued_message(), [told("a@b"), told("c@d")], ME)
        blocks = body.split(b"\r\n\r\n")
        self.assertEqual(len(blocks), 3)
        self.assertTrue(blocks[2].startswith(b"Final-Recipient: rfc822; c@d\r\n"))
        self.assertTrue(blocks[2].endswith(b"\r\n"))

    def test_dates(self) -> None:
        """Dates are in UTC, whole seconds."""
        body = status_body(queued_message(queued_at=NOW + 0.9), [told()], ME)
        self.assertIn(b"Arrival-Date: Sun, 09 Sep 2001 01:47:40 +0000\r\n", body)
