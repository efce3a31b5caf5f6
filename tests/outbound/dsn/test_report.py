"""Reports to senders, as their mail programs read them (rows OB45 to OB49)."""

from email.message import EmailMessage
from itertools import count

from twisted.trial.unittest import SynchronousTestCase

from harakatw.message.received import rfc5322_date
from harakatw.outbound.dsn.options import BounceOptions
from harakatw.outbound.dsn.recipients import Action, Kind
from harakatw.outbound.dsn.report import MAX_EXPLAINED, Report, Reporter
from harakatw.reply import reply
from tests.outbound.dsn.reports import (
    BOB,
    HARAKAS,
    IMAGE,
    NOW,
    ORIGINAL,
    QUEUED_AT,
    SENDER,
    blocks_of,
    make_report,
    make_reporter,
    parsed,
    parts_of,
    queued_message,
    told,
    words_of,
)

REFUSED = reply(550, "5.1.1", "no such user")


class FailureTests(SynchronousTestCase):
    """Mail that cannot be delivered."""

    def setUp(self) -> None:
        """Make a report."""
        self.report = make_report(
            told(answer=REFUSED, orcpt="rfc822;robert@first.example"),
            message=queued_message(envid="QQ1"),
        )

    def test_header(self) -> None:
        """Who sends it and to whom, and that no program should answer."""
        whole = parsed(self.report)
        self.assertEqual(self.report.recipient, SENDER)
        self.assertEqual(
            {name: str(value) for name, value in whole.items()},
            {
                "Date": rfc5322_date(NOW),
                "From": "Mail Delivery System <MAILER-DAEMON@mx.here.example>",
                "To": SENDER,
                "Subject": "Your message could not be delivered",
                "Message-ID": "<0123456789abcdef@mx.here.example>",
                "Auto-Submitted": "auto-replied",
                "In-Reply-To": "<1.2@client.example>",
                "References": "<1.2@client.example>",
                "MIME-Version": "1.0",
                "Content-Type": 'multipart/report; report-type="delivery-status";'
                ' boundary="=_00123456789abcdef"',
            },
        )

    def test_words(self) -> None:
        """The text names message, recipient, host and reason."""
        words = words_of(self.report)
        self.assertIn("This is the mail server mx.here.example.", words)
        self.assertIn("\n    hello\n", words)
        self.assertIn(
            "\n<bob@far.example>: mx.far.example [192.0.2.7]:25 said: 550 5.1.1 no such"
            " user\n",
            words,
        )

    def test_status(self) -> None:
        """Programs find each fact in its field."""
        self.assertEqual(
            blocks_of(self.report),
            [
                {
                    "Original-Envelope-Id": "QQ1",
                    "Reporting-MTA": "dns; mx.here.example",
                    "Arrival-Date": rfc5322_date(QUEUED_AT),
                },
                {
                    "Original-Recipient": "rfc822; robert@first.example",
                    "Final-Recipient": "rfc822; bob@far.example",
                    "Action": "failed",
                    "Status": "5.1.1",
                    "Remote-MTA": "dns; mx.far.example",
                    "Diagnostic-Code": "smtp; 550 5.1.1 no such user",
                    "Last-Attempt-Date": rfc5322_date(NOW - 5),
                },
            ],
        )

    def test_header_comes_back(self) -> None:
        """The message's header comes back, not its body."""
        last = parts_of(self.report)[2]
        self.assertEqual(last.get_content_type(), "text/rfc822-headers")
        self.assertEqual(
            last.get_payload(decode=True), ORIGINAL.partition(b"\r\n\r\n")[0] + b"\r\n"
        )
        self.assertNotIn(b"The body.", self.report.octets)

    def test_7bit(self) -> None:
        """Such a report passes every host."""
        self.assertTrue(self.report.octets.isascii())
        self.assertFalse(self.report.is_8bit)
        self.assertFalse(self.report.is_utf8)


class DelayTests(SynchronousTestCase):
    """Mail that is still tried."""

    def test_delay(self) -> None:
        """The sender learns until when, and that nothing is to be done."""
        waiting = told(
            action=Action.DELAYED,
            answer=reply(451, "4.4.1", "Nobody answers"),
            remote=None,
            retry_until=NOW + 86400,
        )
        report = make_report(waiting, kind=Kind.DELAY)
        self.assertEqual(parsed(report)["Subject"], "Your message is delayed")
        words = words_of(report)
        self.assertIn("\n<bob@far.example>: 451 4.4.1 Nobody answers\n", words)
        self.assertIn(f"\n{rfc5322_date(NOW + 86400)}.\n", words)
        recipient = blocks_of(report)[1]
        self.assertEqual(recipient["Action"], "delayed")
        self.assertEqual(recipient["Status"], "4.4.1")
        self.assertEqual(recipient["Will-Retry-Until"], rfc5322_date(NOW + 86400))
        self.assertEqual(
            recipient["Diagnostic-Code"], "x-harakatw; 451 4.4.1 Nobody answers"
        )


class SuccessTests(SynchronousTestCase):
    """Mail that got through, when the sender asked to be told."""

    def test_actions(self) -> None:
        """What exactly was done is in the words and in the field."""
        for action, words in (
            (Action.DELIVERED, "delivered"),
            (Action.RELAYED, "passed on to mx.far.example [192.0.2.7]:25, which"),
            (Action.EXPANDED, "sent on to several others"),
        ):
            answer = reply(250, "", "queued")
            done = told(action=action, notify="SUCCESS", answer=answer)
            report = make_report(done, kind=Kind.SUCCESS)
            self.assertIn(f"\n<bob@far.example>: {words}", words_of(report))
            recipient = blocks_of(report)[1]
            self.assertEqual(recipient["Action"], action.value)
            self.assertEqual(recipient["Status"], "2.0.0")
            self.assertEqual(recipient["Remote-MTA"], "dns; mx.far.example")
            self.assertNotIn("Diagnostic-Code", recipient)


class WhomTests(SynchronousTestCase):
    """Who gets a report, and about whom."""

    def _report(self, kind: Kind, *notify: str, sender: str = SENDER) -> Report | None:
        actions = (Action.FAILED, Action.DELAYED, Action.RELAYED)
        outcomes = [
            told(f"u{number}@far.example", action, notify=wish)
            for number, (wish, action) in enumerate(zip(notify, actions, strict=True))
        ]
        message = queued_message(sender=sender)
        return make_reporter().report(kind, message, outcomes, (ORIGINAL,), NOW)

    def test_null_sender(self) -> None:
        """Survey row 30: a bounce gets no bounce, whatever was asked for."""
        for kind in Kind:
            for wish in ("", "SUCCESS,FAILURE,DELAY"):
                report = self._report(kind, wish, wish, wish, sender="")
                self.assertIsNone(report)

    def test_by_kind(self) -> None:
        """A report tells of the recipients of its kind only."""
        for number, kind in enumerate((Kind.FAILURE, Kind.DELAY, Kind.SUCCESS)):
            report = self._report(kind, *["SUCCESS,FAILURE,DELAY"] * 3)
            assert report is not None
            (_, recipient) = blocks_of(report)
            self.assertEqual(
                recipient["Final-Recipient"], f"rfc822; u{number}@far.example"
            )

    def test_not_asked_for(self) -> None:
        """Who asked for nothing hears no success; who said NEVER hears nothing."""
        self.assertIsNone(self._report(Kind.SUCCESS, "", "", ""))
        for kind in Kind:
            self.assertIsNone(self._report(kind, *["NEVER"] * 3))
        self.assertIsNone(self._report(Kind.DELAY, "", "FAILURE", ""))
        self.assertIsNotNone(self._report(Kind.DELAY, "", "", ""))

    def test_one_report(self) -> None:
        """
        Survey row 30: a thousand recipients make one report; the text stops naming
        them, the fields do not. Those who said NEVER are in neither.
        """
        wishes = ("SUCCESS", "NEVER")
        outcomes = [
            told(f"u{number}@far.example", Action.RELAYED, notify=wishes[number % 2])
            for number in range(2000)
        ]
        report = make_report(*outcomes, kind=Kind.SUCCESS)
        self.assertEqual(len(blocks_of(report)), 1001)
        words = words_of(report)
        self.assertEqual(words.count("@far.example"), MAX_EXPLAINED)
        self.assertIn("\nand 900 more\n", words)


class ReturnTests(SynchronousTestCase):
    """What comes back (RFC 3461 section 4.3)."""

    def _last(
        self, ret: str, kind: Kind = Kind.FAILURE, **options: int
    ) -> EmailMessage:
        actions = {Kind.FAILURE: Action.FAILED, Kind.DELAY: Action.DELAYED}
        report = make_report(
            told(action=actions[kind]),
            kind=kind,
            message=queued_message(ret=ret),
            reporter=make_reporter(**options),
        )
        return parts_of(report)[2]

    def test_ret(self) -> None:
        """The whole message comes back to who asked for it, its header to others."""
        for ret, content_type in (
            ("FULL", "message/rfc822"),
            ("HDRS", "text/rfc822-headers"),
            ("", "text/rfc822-headers"),
        ):
            self.assertEqual(self._last(ret).get_content_type(), content_type)

    def test_whole(self) -> None:
        """It comes back octet by octet."""
        report = make_report(message=queued_message(ret="FULL"))
        self.assertIn(b"\r\n\r\n" + ORIGINAL + b"\r\n--=_0", report.octets)

    def test_not_with_a_delay(self) -> None:
        """With other reports than of failure only the header comes back."""
        last = self._last("FULL", Kind.DELAY)
        self.assertEqual(last.get_content_type(), "text/rfc822-headers")

    def test_binary(self) -> None:
        """A message that may have any octets in it cannot be part of a report."""
        report = make_report(message=queued_message(ret="FULL", is_binary=True))
        last = parts_of(report)[2]
        self.assertEqual(last.get_content_type(), "text/rfc822-headers")

    def test_too_large(self) -> None:
        """A message larger than the postmaster allows does not come back whole."""
        size = len(ORIGINAL)
        for limit, content_type in (
            (size, "message/rfc822"),
            (size - 1, "text/rfc822-headers"),
            (0, "text/rfc822-headers"),
        ):
            last = self._last("FULL", max_returned_bytes=limit)
            self.assertEqual(last.get_content_type(), content_type, limit)

    def test_8bit(self) -> None:
        """A whole message with octets above 127 makes the report 8bit, and says so."""
        original = ORIGINAL + "Grüße\r\n".encode()
        report = make_report(message=queued_message(ret="FULL"), original=(original,))
        self.assertTrue(report.is_8bit)
        self.assertFalse(report.is_utf8)
        self.assertEqual(parsed(report)["Content-Transfer-Encoding"], "8bit")
        self.assertIn(original, report.octets)

    def test_lost(self) -> None:
        """A message whose body is lost bounces all the same."""
        report = make_report(original=())
        self.assertEqual(len(parts_of(report)), 2)
        self.assertIn("(no subject)", words_of(report))
        self.assertIsNone(parsed(report)["References"])


class ForeignTests(SynchronousTestCase):
    """Addresses and subjects beyond ASCII."""

    def test_recipient(self) -> None:
        """A report on such a recipient is ASCII, for its sender may be far behind."""
        report = make_report(
            told("bücher@far.example", answer=REFUSED),
            message=queued_message(is_utf8=True),
            original=("Subject: grüße\r\n\r\nx\r\n".encode(),),
        )
        self.assertFalse(report.is_8bit or report.is_utf8)
        self.assertIn("    grüße\n", words_of(report))
        self.assertIn("<bücher@far.example>: ", words_of(report))
        self.assertEqual(
            blocks_of(report)[1]["Final-Recipient"], "utf-8; b\\x{FC}cher@far.example"
        )
        last = parts_of(report)[2]
        self.assertEqual(last.get_content_type(), "message/global-headers")

    def test_sender(self) -> None:
        """A report to such a sender needs SMTPUTF8."""
        message = queued_message(sender="grün@client.example", is_utf8=True)
        report = make_report(message=message)
        self.assertTrue(report.is_8bit and report.is_utf8)
        self.assertIn("\r\nTo: <grün@client.example>\r\n".encode(), report.octets)


class TemplateTests(SynchronousTestCase):
    """The postmaster's own words (row CF61)."""

    def test_harakas(self) -> None:
        """A template of Haraka is used as it is, and gets the fields that it lacks."""
        report = make_report(
            told(answer=REFUSED), reporter=make_reporter(message=HARAKAS)
        )
        whole = parsed(report)
        self.assertEqual(
            whole["Received"], f"(Haraka 4711 ran for bounce); {rfc5322_date(NOW)}"
        )
        self.assertEqual(whole["From"], "MAILER-DAEMON@mx.here.example")
        self.assertEqual(whole["To"], SENDER)
        self.assertEqual(whole["Subject"], "failure notice")
        self.assertEqual(whole["Message-Id"], "<0123456789abcdef@mx.here.example>")
        self.assertEqual(whole["Auto-Submitted"], "auto-replied")
        self.assertEqual(len(whole.get_all("Message-ID", [])), 1)
        self.assertEqual(
            words_of(report), "It did not work:\n\n550 5.1.1 no such user\n"
        )

    def test_variables(self) -> None:
        """Every variable stands for something, and others for themselves."""
        template = (
            "",
            "{date}|{me}|{from}|{to}|{subject}|{recipients}|{reason}|{pid}|{msgid}|{x}",
            "{extended_reason}",
        )
        report = make_report(
            told(answer=REFUSED),
            told("carol@far.example", remote=None, answer=reply(554, "5.4.6", "loop")),
            reporter=make_reporter(message=template),
        )
        self.assertEqual(
            words_of(report).split("\n"),
            [
                f"{rfc5322_date(NOW)}|mx.here.example|<{SENDER}>|<{BOB}>|hello|"
                f"<{BOB}>, <carol@far.example>|550 5.1.1 no such user|4711|"
                "<0123456789abcdef@mx.here.example>|{x}",
                f"<{BOB}>: mx.far.example [192.0.2.7]:25 said: 550 5.1.1 no such user",
                "<carol@far.example>: 554 5.4.6 loop",
                "",
            ],
        )

    def test_by_kind(self) -> None:
        """Each kind of report has its own words: a delay is no failure."""
        reporter = make_reporter(
            message=("Subject: failed", "", "f"),
            delay_message=("Subject: delayed", "", "d"),
            success_message=("Subject: done", "", "s"),
        )
        for action, subject, words in (
            (Action.FAILED, "failed", "f\n"),
            (Action.DELAYED, "delayed", "d\n"),
            (Action.DELIVERED, "done", "s\n"),
        ):
            outcome = told(action=action, notify="SUCCESS,FAILURE,DELAY")
            report = make_report(outcome, kind=action.kind, reporter=reporter)
            self.assertEqual(parsed(report)["Subject"], subject)
            self.assertEqual(words_of(report), words)

    def test_foreign_subject(self) -> None:
        """A subject beyond ASCII in the header is encoded."""
        reporter = make_reporter(message=("Subject: Rückläufer: {subject}", "", "x"))
        report = make_report(reporter=reporter)
        self.assertEqual(parsed(report)["Subject"], "Rückläufer: hello")
        self.assertTrue(report.octets.isascii())

    def test_html(self) -> None:
        """With a template for it, the words come in HTML too."""
        reporter = make_reporter(html=("<p>{reason}", "</p>"))
        answer = reply(550, "5.7.1", "<b>go</b> & away")
        report = make_report(told(answer=answer), reporter=reporter)
        words = parts_of(report)[0]
        self.assertEqual(words.get_content_type(), "multipart/alternative")
        plain, html = words.iter_parts()
        self.assertEqual(plain.get_content_type(), "text/plain")
        self.assertEqual(html.get_content_type(), "text/html")
        self.assertEqual(
            html.get_payload(),
            "<p>550 5.7.1 &lt;b&gt;go&lt;/b&gt; &amp; away\r\n</p>\r\n",
        )

    def test_image(self) -> None:
        """A picture comes with the HTML that shows it."""
        reporter = make_reporter(html=('<img src="cid:a.png">',), image=IMAGE)
        _, related = parts_of(make_report(reporter=reporter))[0].iter_parts()
        self.assertEqual(related.get_content_type(), "multipart/related")
        assert isinstance(related, EmailMessage)
        html, image = related.iter_parts()
        self.assertEqual(html.get_content_type(), "text/html")
        self.assertEqual(image.get_content_type(), "image/png")
        self.assertEqual(image["Content-ID"], "<a.png>")
        self.assertEqual(image.get_payload(decode=True), b"\x89PNG\r\n\x1a\n")

    def test_html_is_about_failure(self) -> None:
        """Other reports do not get the HTML of failure."""
        reporter = make_reporter(html=("<p>failed</p>",))
        report = make_report(
            told(action=Action.DELAYED), kind=Kind.DELAY, reporter=reporter
        )
        self.assertEqual(parts_of(report)[0].get_content_type(), "text/plain")


class HostileTests(SynchronousTestCase):
    """Messages that were sent in order to be returned."""

    def test_subject(self) -> None:
        """A subject cannot begin a field of the report, or its body."""
        original = (
            b"Subject: =?utf-8?q?a=0D=0ABcc:_victim@d.example=0D=0A=0D=0Aboo?=\r\n\r\n"
        )
        reporter = make_reporter(message=("Subject: re: {subject}", "", "{subject}"))
        report = make_report(original=(original,), reporter=reporter)
        whole = parsed(report)
        self.assertIsNone(whole["Bcc"])
        self.assertTrue(str(whole["Subject"]).startswith("re: a"))
        self.assertEqual(words_of(report).count("\n"), 1)

    def test_boundary(self) -> None:
        """A message that holds the boundary of its own report does not end it."""
        original = ORIGINAL + b"--=_00123456789abcdef--\r\n"
        message = queued_message(ret="FULL")
        report = make_report(message=message, original=(original,))
        self.assertEqual(len(parts_of(report)), 3)
        self.assertIn(original, report.octets)

    def test_ids(self) -> None:
        """Each report has an id of its own."""
        numbers = count()
        reporter = Reporter(
            me="mx.here.example",
            options=BounceOptions(),
            new_id=lambda: f"n{next(numbers)}",
            pid=1,
        )
        ids = {parsed(make_report(reporter=reporter))["Message-ID"] for _ in range(3)}
        self.assertEqual(len(ids), 3)
