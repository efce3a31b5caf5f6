"""Mail that the server writes itself."""

import email
import email.policy
from email.message import EmailMessage

from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import ProtocolError
from harakatw.message.store import StoreSettings
from harakatw.outbound.letter import Letter, LetterBox, LetterWriter, read_envelope
from harakatw.testing.threads import NoThreads

NOW = 1_000_000_000.0
DATE = "Sun, 09 Sep 2001 01:46:40 +0000"


class LetterTestCase(SynchronousTestCase):
    """A test with somebody who writes letters."""

    def write(
        self,
        contents: object = b"Subject: x\r\n\r\nHello\r\n",
        *,
        sender: str = "a@b.example",
        to: str = "c@d.example",
        product: str = "",
    ) -> Letter:
        """A letter."""
        settings = StoreSettings(
            in_thread=NoThreads().call, spool_dir="", spool_after=0
        )
        ids = iter(("one", "two"))
        writer = LetterWriter(
            settings, "me.example", lambda: next(ids), lambda: NOW, product
        )
        return writer.write(*read_envelope(sender, to), contents)  # type: ignore[arg-type]

    def octets(self, letter: Letter) -> bytes:
        """The message."""
        return b"".join(letter.message.chunks())

    def parsed(self, letter: Letter) -> EmailMessage:
        """The message as a mail program sees it."""
        octets = self.octets(letter)
        return email.message_from_bytes(octets, policy=email.policy.default)


class WriterTests(LetterTestCase):
    """What is added, and what is left alone."""

    def test_missing(self) -> None:
        """A missing Date and Message-ID are added (RFC 5322 section 3.6)."""
        letter = self.write()
        parsed = self.parsed(letter)
        self.assertEqual(parsed["Date"], DATE)
        self.assertEqual(parsed["Message-ID"], "<two@me.example>")
        self.assertEqual(parsed["Subject"], "x")
        self.assertEqual(letter.uuid, "ONE")

    def test_there(self) -> None:
        """Those that are there, in whatever case, stay."""
        octets = b"DATE: yesterday\r\nmessage-id: <x@y>\r\n\r\nHello\r\n"
        self.assertEqual(self.octets(self.write(octets)), octets)

    def test_line_ends(self) -> None:
        """Line ends of any kind become those of mail, and the last line has one."""
        for contents in (
            "Subject: x\n\nHello\nworld",
            b"Subject: x\r\n\r\nHello\rworld\r\n",
            (b"Subject: x\n", b"\nHello\r", b"\nworld"),
        ):
            octets = self.octets(self.write(contents))
            self.assertTrue(octets.endswith(b"\r\n\r\nHello\r\nworld\r\n"), octets)
            self.assertNotIn(b"\n", octets.replace(b"\r\n", b""))

    def test_no_header(self) -> None:
        """Text without a header gets one; nothing is lost."""
        for contents in ("Hello", "\nHello", "Hello\n"):
            octets = self.octets(self.write(contents))
            self.assertTrue(octets.startswith(b"Date: "), octets)
            self.assertTrue(octets.endswith(b"\r\n\r\nHello\r\n"), octets)

    def test_empty(self) -> None:
        """So does nothing at all."""
        parsed = self.parsed(self.write(""))
        self.assertEqual(parsed["Date"], DATE)
        self.assertEqual(parsed.get_content(), "")

    def test_trace(self) -> None:
        """
        C{received_header} is what the trace field on top says of us, with the id under
        which the message is queued (RFC 5321 section 4.4).
        """
        octets = self.octets(self.write(product="Haraka outbound"))
        trace, _, rest = octets.partition(b"\r\nSubject: ")
        unfolded = b" ".join(trace.split()).decode()
        expected = f"Received: by me.example (Haraka outbound) id ONE; {DATE}"
        self.assertEqual(unfolded, expected)
        self.assertTrue(rest.startswith(b"x\r\n"))

    def test_utf8(self) -> None:
        """An address beyond ASCII asks for SMTPUTF8, text beyond ASCII does not."""
        self.assertEqual(dict(self.write("X: \u00e9\n\n\u00e9").mail_params), {})
        for envelope in ({"sender": "\u00e9@b.example"}, {"to": "\u00e9@d.example"}):
            letter = self.write(**envelope)
            self.assertEqual(dict(letter.mail_params), {"SMTPUTF8": None})

    def test_notes(self) -> None:
        """Notes are those that were given, and a copy of them."""
        notes: dict[str, object] = {"queue": {"wants": "x"}}
        settings = StoreSettings(
            in_thread=NoThreads().call, spool_dir="", spool_after=0
        )
        writer = LetterWriter(settings, "me.example", lambda: "i", lambda: NOW)
        letter = writer.write(*read_envelope("", "c@d.example"), "x", notes)
        letter.notes.set("queue.wants", "y")
        self.assertEqual(notes, {"queue": {"wants": "x"}})


class LetterTests(LetterTestCase):
    """A plugin can use it as it uses a transaction."""

    def test_edit(self) -> None:
        """It may sign the message, say."""
        letter = self.write()
        letter.add_leading_header("DKIM-Signature", "v=1")
        letter.add_header("X-Last", "z")
        letter.remove_header("subject")
        parsed = self.parsed(letter)
        self.assertEqual(parsed.keys()[0], "DKIM-Signature")
        self.assertEqual(parsed.keys()[-1], "X-Last")
        self.assertNotIn("Subject", parsed)
        self.assertRaises(ValueError, letter.add_header, "X-Bad", "a\r\nBcc: b@c.d")

    def test_shape(self) -> None:
        """What it is asked of a transaction it has, and nothing was asked for."""
        letter = self.write()
        self.assertEqual(letter.data_bytes, len(b"Subject: x\r\n\r\nHello\r\n"))
        self.assertTrue(letter.relaying)
        self.assertEqual(dict(letter.rcpt_params(letter.rcpt_to[0])), {})
        letter.skip_plugins(("dkim",))
        box = LetterBox(letter, letter.uuid)
        box.results.add("dkim", passed="signed")
        letter.results.add("dkim", passed="signed")
        box.notes.set("a.b", 1)
        self.assertIs(box.transaction, letter)


class EnvelopeTests(SynchronousTestCase):
    """Addresses of plugins are checked like those of clients."""

    def test_several(self) -> None:
        """One recipient or several."""
        sender, to = read_envelope("a@b.example", "c@d.example")
        self.assertEqual(
            (str(sender), list(map(str, to))), ("<a@b.example>", ["<c@d.example>"])
        )
        _, to = read_envelope("", iter(("c@d.example", "\u00e9@f.example")))
        self.assertEqual(
            [each.address for each in to], ["c@d.example", "\u00e9@f.example"]
        )

    def test_null(self) -> None:
        """The null path is a sender, and no recipient."""
        sender, _ = read_envelope("", "c@d.example")
        self.assertTrue(sender.is_null)
        self.assertRaises(ProtocolError, read_envelope, "", "")

    def test_nobody(self) -> None:
        """Mail to nobody is a mistake of the plugin's."""
        self.assertRaises(ValueError, read_envelope, "a@b.example", ())

    def test_bad(self) -> None:
        """
        What is no address is refused before anything is queued; nothing can be put into
        a command that way.
        """
        for bad in (
            "c",
            "c@d.example> NOTIFY=NEVER",
            "c@d.example\r\nRCPT TO:<e@f.example",
            "<c@d.example>",
            "c@d.example,e@f.example",
        ):
            self.assertRaises(ProtocolError, read_envelope, "", bad)
            self.assertRaises(ProtocolError, read_envelope, bad, "c@d.example")
