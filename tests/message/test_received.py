"""Tests of C{harakatw.message.received}."""

import re
from email.utils import parsedate_to_datetime

from twisted.trial.unittest import SynchronousTestCase

from harakatw.message.header import Header
from harakatw.message.received import (
    DateStamp,
    ReceivedTemplate,
    from_clause,
    rfc5322_date,
    tls_comment,
    with_keyword,
)
from tests.properties import given, st

NOON = 1_700_000_000
TEMPLATE = ReceivedTemplate("mx.e.example", "harakatw 1.0")


def trace(**changes: str) -> bytes:
    """A trace field with some parts other than usual."""
    parts = {
        "client": from_clause("c.example", "host.c.example", "192.0.2.1"),
        "protocol": "ESMTP",
        "uuid": "U-1.1",
        "mail_from": "a@c.example",
        "recipient": "",
        "tls": "",
    }
    return TEMPLATE.line(seconds=NOON, **{**parts, **changes})


class LineTests(SynchronousTestCase):
    """The trace field of a message."""

    def test_all_parts(self) -> None:
        """Every part stands where RFC 5321 section 4.4 wants it."""
        tls = tls_comment("TLSv1.3", "TLS_AES_256_GCM_SHA384", verified=False)
        self.assertEqual(
            trace(protocol="ESMTPS", recipient="b@e.example", tls=tls),
            b"Received: from c.example (host.c.example [192.0.2.1])\r\n"
            b"\tby mx.e.example (harakatw 1.0) with ESMTPS id U-1.1\r\n"
            b"\t(envelope-from <a@c.example>)\r\n"
            b"\t(version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 verify=NO)\r\n"
            b"\tfor <b@e.example>;\r\n"
            b"\tTue, 14 Nov 2023 22:13:20 +0000\r\n",
        )

    def test_several_recipients(self) -> None:
        """Without a recipient to name there is no C{for}; blind copies stay blind."""
        self.assertNotIn(b"for <", trace())

    def test_bounce(self) -> None:
        """The null reverse-path is written as such."""
        self.assertIn(b"\t(envelope-from <>);\r\n", trace(mail_from=""))

    def test_hidden_product(self) -> None:
        """The software need not be named."""
        line = ReceivedTemplate("mx.e.example").line(
            client="c", protocol="SMTP", uuid="u", mail_from="", seconds=NOON
        )
        self.assertIn(b"\tby mx.e.example with SMTP id u\r\n", line)

    def test_comment_is_closed(self) -> None:
        """A sender with parentheses in its name does not end the comment (row 9)."""
        line = trace(mail_from='") for <x@y>; (\\ "@c.example')
        self.assertIn(b'<"\\) for <x@y>; \\(\\\\ "@c.example>)', line)

    def test_utf8(self) -> None:
        """
        Addresses stay in UTF-8 where the client spoke it (RFC 6531 section 3.7.3).
        """
        parts = {"mail_from": "é@c.example", "recipient": "ü@e.example"}
        line = trace(protocol="UTF8SMTPS", **parts)
        self.assertIn("<é@c.example>".encode(), line)
        self.assertIn("for <ü@e.example>".encode(), line)
        line = trace(protocol="ESMTPS", **parts)
        self.assertIn(b"<?@c.example>", line)
        self.assertIn(b"for <?@e.example>", line)

    @given(st.text(), st.text(), st.text(), st.text(), st.text())
    def test_injection(
        self, helo: str, rdns: str, ip: str, sender: str, recipient: str
    ) -> None:
        """
        Whatever the client says, the trace field is one field of short lines without
        control characters (row 9).
        """
        line = TEMPLATE.line(
            client=from_clause(helo, rdns, ip),
            protocol="UTF8SMTP",
            uuid="u",
            mail_from=sender,
            seconds=NOON,
            recipient=recipient,
        )
        text = line.decode("utf-8")
        lines = text.split("\r\n")
        self.assertEqual(lines.pop(), "")
        self.assertIn(len(lines), (4, 5))
        self.assertTrue(all(part.startswith("\t") for part in lines[1:]))
        self.assertLess(max(map(len, lines)), 998)
        self.assertIsNone(
            re.search("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028]", "".join(lines))
        )
        self.assertEqual(Header(line).names(), ["Received"])

    def test_long(self) -> None:
        """A client that names itself at length is cut short."""
        client = from_clause("h" * 60_000, "r" * 60_000, "1" * 60_000)
        for sender in ("(" * 60_000, "s" * 60_000):
            line = trace(client=client, mail_from=sender, recipient="r" * 60_000)
            self.assertLess(max(map(len, line.split(b"\r\n"))), 998)


class ClientTests(SynchronousTestCase):
    """Who the client is."""

    def test_forms(self) -> None:
        """A name is shown only if DNS knows it; an address is a literal."""
        for helo, rdns, ip, expected in (
            ("a", "b.example", "192.0.2.1", "a (b.example [192.0.2.1])"),
            ("a", "", "2001:db8::1", "a ([IPv6:2001:db8::1])"),
            ("[192.0.2.1]", "", "192.0.2.1", "[192.0.2.1] ([192.0.2.1])"),
            ("", "", "192.0.2.1", "[192.0.2.1] ([192.0.2.1])"),
            ("a_b", "", "", "a_b (local)"),
        ):
            self.assertEqual(from_clause(helo, rdns, ip), expected)

    def test_strange_names(self) -> None:
        """A name cannot open a comment, end the field or reach a terminal (row 9)."""
        clause = from_clause("a (b)\r\nX: \x1b[2J;é", "c) d", "192.0.2.1")
        self.assertEqual(clause, "a??b???X:??[2J?? (c??d [192.0.2.1])")


class KeywordTests(SynchronousTestCase):
    """How the message came."""

    def test_registered(self) -> None:
        """The keywords are those of RFC 3848 and RFC 6531 section 4.3."""
        found = [
            with_keyword(extended=True, encrypted=s, authenticated=a, utf8=utf8)
            for utf8 in (False, True)
            for s in (False, True)
            for a in (False, True)
        ]
        expected = "ESMTP ESMTPA ESMTPS ESMTPSA UTF8SMTP UTF8SMTPA UTF8SMTPS UTF8SMTPSA"
        self.assertEqual(found, expected.split())
        plain = with_keyword(extended=False, encrypted=False, authenticated=False)
        self.assertEqual(plain, "SMTP")


class DateTests(SynchronousTestCase):
    """The date."""

    def test_form(self) -> None:
        """Dates are in UTC, in the form of RFC 5322 section 3.3."""
        self.assertEqual(rfc5322_date(0.9), "Thu, 01 Jan 1970 00:00:00 +0000")
        self.assertEqual(parsedate_to_datetime(rfc5322_date(NOON)).timestamp(), NOON)

    def test_stamp(self) -> None:
        """The date is written once a second, and follows a clock that is set back."""
        stamp = DateStamp()
        first = stamp.at(NOON)
        self.assertIs(stamp.at(NOON + 0.9), first)
        self.assertEqual(stamp.at(NOON + 1), rfc5322_date(NOON + 1))
        self.assertEqual(stamp.at(NOON), first)
