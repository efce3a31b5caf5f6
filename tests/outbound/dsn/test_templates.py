"""The postmaster's words."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.outbound.dsn.recipients import Kind
from harakatw.outbound.dsn.templates import (
    BUILT_IN,
    fill,
    fill_html,
    parse_image,
    parse_template,
)
from tests.outbound.dsn.reports import HARAKAS, IMAGE


class ParseTests(SynchronousTestCase):
    """Header fields, an empty line, text."""

    def test_parts(self) -> None:
        """What stands before the first empty line is the header."""
        template = parse_template(HARAKAS)
        self.assertEqual(len(template.head), 6)
        self.assertEqual(template.head[4], ("Subject", "failure notice"))
        self.assertEqual(template.body, ("It did not work:", "", "{reason}"))

    def test_folded(self) -> None:
        """A field may go on in the next line."""
        template = parse_template(("Subject: a", "\tb", "  c", "To: d", "", "text"))
        self.assertEqual(template.head, (("Subject", "a b c"), ("To", "d")))

    def test_no_header(self) -> None:
        """A template may begin with the empty line; it may also be a header only."""
        self.assertEqual(parse_template(("", "text")).head, ())
        self.assertEqual(parse_template(("Subject: a",)).body, ())

    def test_text_only(self) -> None:
        """A text without the empty line is a mistake; the message says what to do."""
        error = self.assertRaises(ValueError, parse_template, ("Subject: a", "Sorry!"))
        self.assertIn("line 2 is no header field", str(error))
        self.assertIn("an empty line", str(error))

    def test_bad_names(self) -> None:
        """What cannot name a field is none."""
        for line in (": a", "a b: c", "ü: c", " folded: first"):
            self.assertRaises(ValueError, parse_template, (line, ""))

    def test_fields_of_the_report(self) -> None:
        """
        A template cannot say what the report consists of; that it is MIME goes without
        saying.
        """
        for line in ("Content-Type: text/html", "content-transfer-encoding: 8bit"):
            error = self.assertRaises(ValueError, parse_template, (line, ""))
            self.assertIn("several parts", str(error))
        self.assertEqual(parse_template(("MIME-Version: 1.0", "")).head, ())

    def test_quotes(self) -> None:
        """In quotes, text beyond ASCII cannot be encoded: the postmaster is told."""
        self.assertRaises(ValueError, parse_template, ('From: "Müller" <m@b>', ""))
        parse_template(("From: Müller <m@b>", ""))


class FillTests(SynchronousTestCase):
    """Variables."""

    def test_once(self) -> None:
        """A variable in a value is no variable."""
        values = {"a": "{b}", "b": "never"}
        self.assertEqual(fill("{a}{a}", values), "{b}{b}")

    def test_unknown(self) -> None:
        """Other words in braces stay."""
        for text in ("{x}", "{}", "{__class__}", "{a!r}", "{ a }", "{a", "a}"):
            self.assertEqual(fill(text, {"a": "1"}), text)

    def test_html(self) -> None:
        """In HTML a value is text."""
        self.assertEqual(
            fill_html("<p>{a} {b}</p>", {"a": "<b>&\"'\nx"}),
            "<p>&lt;b&gt;&amp;&quot;&#x27;<br>\nx {b}</p>",
        )

    def test_fields(self) -> None:
        """In the header a value can begin no field, and is not endless."""
        template = parse_template(("Subject: re {a}", "To: {b}", ""))
        values = {"a": "x\r\nBcc: victim@d.example\r\n\r\nbody", "b": "y" * 5000}
        subject, to = template.fields(values, utf8=False)
        self.assertEqual(subject, b"Subject: re x Bcc: victim@d.example body\r\n")
        self.assertLess(len(to), 400)

    def test_text(self) -> None:
        """In the text a value may have lines."""
        template = parse_template(("", "a {x} b"))
        self.assertEqual(template.text({"x": "1\n2"}), "a 1\n2 b\n")


class BuiltInTests(SynchronousTestCase):
    """What is said without templates (WK05)."""

    def test_complete(self) -> None:
        """Each kind of report has all the fields that mail must have, and a text."""
        for kind in Kind:
            names = {"date", "from", "to", "subject", "message-id", "auto-submitted"}
            self.assertEqual(BUILT_IN[kind].names, names)
            self.assertIn("{extended_reason}", BUILT_IN[kind].body)

    def test_missing_fields(self) -> None:
        """A postmaster's template gets the fields that it lacks, and no others."""
        template = parse_template(HARAKAS).with_head_of(BUILT_IN[Kind.FAILURE])
        names = [name for name, _ in template.head]
        own = ["Received", "Date", "From", "To", "Subject", "Message-Id"]
        self.assertEqual(names, [*own, "Auto-Submitted"])


class ImageTests(SynchronousTestCase):
    """The picture for the HTML."""

    def test_part(self) -> None:
        """It is a MIME part as it stands."""
        part = parse_image(IMAGE)
        self.assertEqual(bytes(part), "".join(f"{x}\r\n" for x in IMAGE).encode())

    def test_bad(self) -> None:
        """What is none is refused: binary, raw octets, or lines that are too long."""
        for lines in (
            ("iVBORw0KGgo=",),
            ("Content-ID: <a.png>", "", "iVBORw0KGgo="),
            ("Content-Type: image/png", "Content-Transfer-Encoding: binary", "", "x"),
            ("Content-Type: image/png", "", "\x89PNG"),
            ("Content-Type: image/png", "", "x" * 999),
        ):
            self.assertRaises(ValueError, parse_image, lines)
