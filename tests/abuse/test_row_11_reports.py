"""Row 11: what a remote host said, in the report to the sender."""

import time

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.dsn.recipients import Action, Kind
from harakatw.reply import Reply, reply
from tests.abuse.inputs import HOSTILE_TEXTS
from tests.outbound.dsn.reports import (
    HARAKAS,
    blocks_of,
    make_report,
    make_reporter,
    parsed,
    parts_of,
    told,
    words_of,
)

HEADER_NAMES = [
    *("Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted"),
    *("In-Reply-To", "References", "MIME-Version", "Content-Type"),
]
REASON_IN_HEADER = ("X-Reason: {reason}", "X-Why: {extended_reason}", *HARAKAS)


class ReportTests(SynchronousTestCase):
    """A refusal whose text was written to do harm."""

    def _replies(self) -> list[Reply]:
        """As the client hands them on, and as if nothing had cleaned them."""
        texts = [text.encode("ascii", "replace").decode() for text in HOSTILE_TEXTS]
        return [
            *(reply(550, "", text) for text in HOSTILE_TEXTS),
            *(Reply(550, "", (text,)) for text in texts),
        ]

    def test_structure(self) -> None:
        """
        The report has the parts, the fields and the blocks that it always has, and all
        of it is ASCII without control characters.
        """
        for answer in self._replies():
            report = make_report(told(answer=answer))
            self.assertEqual(parsed(report).keys(), HEADER_NAMES)
            self.assertEqual(len(parts_of(report)), 3)
            self.assertEqual(len(blocks_of(report)), 2)
            self.assertNotRegex(report.octets, rb"[^\r\n -~]")

    def test_diagnostic(self) -> None:
        """The text is one field of moderate length, and the status code is one."""
        for answer in self._replies():
            recipient = blocks_of(make_report(told(answer=answer)))[1]
            self.assertRegex(recipient["Diagnostic-Code"], r"\Asmtp; 550\b")
            self.assertLess(len(recipient["Diagnostic-Code"]), 1100)
            self.assertRegex(recipient["Status"], r"\A5\.\d\.\d\Z")

    def test_words(self) -> None:
        """What people read stays one line for each recipient."""
        for answer in self._replies():
            words = words_of(make_report(told(answer=answer)))
            self.assertEqual(
                words.count("\n"), words_of(make_report(told())).count("\n")
            )

    def test_header(self) -> None:
        """A template that has the reason in its header is not the way to a new one."""
        reporter = make_reporter(message=REASON_IN_HEADER)
        plain = parsed(make_report(told(), reporter=reporter)).keys()
        for answer in self._replies():
            report = make_report(told(answer=answer), reporter=reporter)
            self.assertEqual(parsed(report).keys(), plain)

    def test_html(self) -> None:
        """In HTML it is text."""
        reporter = make_reporter(html=("<p>{extended_reason}</p>",))
        answer = reply(550, "", "<script src=x></script><img src='http://x'>")
        report = make_report(told(answer=answer), reporter=reporter)
        html = parts_of(report)[0].get_payload(1)
        self.assertEqual(str(html).count("<p>"), 1)
        self.assertNotRegex(str(html), "<(script|img)")

    def test_time(self) -> None:
        """Row 19: 64 KB of anything does not take long to report."""
        for text in HOSTILE_TEXTS:
            delayed = told(action=Action.DELAYED, answer=reply(450, "", text))
            began = time.process_time()
            make_report(delayed, kind=Kind.DELAY)
            self.assertLess(time.process_time() - began, 0.05)
