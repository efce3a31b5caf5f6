"""How commands are shown in the log."""

from twisted.trial.unittest import SynchronousTestCase

from harakatw.smtp.transcript import shown_line


class ShownTests(SynchronousTestCase):
    """As they are, but for what may be a password (survey row 8)."""

    def test_commands(self) -> None:
        """Commands are shown as they came, what is not printable in quotes."""
        for line in b"MAIL FROM:<a@b.example> SIZE=1", b"quit", b"STARTTLS", b"XFOO b":
            self.assertEqual(shown_line(line), line.decode())
        self.assertEqual(shown_line(b"NOOP \x1b[2J"), r"'NOOP \x1b[2J'")
        self.assertEqual(shown_line(b"NOOP \xff"), "NOOP \\xff")

    def test_auth(self) -> None:
        """Of AUTH the mechanism, and whether something follows."""
        self.assertEqual(shown_line(b"auth plain AGEAYg=="), "auth plain ...")
        self.assertEqual(shown_line(b"AUTH  PLAIN   AGEAYg=="), "AUTH PLAIN ...")
        self.assertEqual(shown_line(b"AUTH LOGIN"), "AUTH LOGIN")
        self.assertEqual(shown_line(b"AUTH"), "AUTH ")

    def test_lone_word(self) -> None:
        """A word that is no verb may be a password that nobody asked for."""
        self.assertEqual(shown_line(b"Z2VoZWltMTI="), "(12 octets)")
        self.assertEqual(shown_line(b"YWJj"), "YWJj")
        self.assertEqual(shown_line(b"YWJj", after_auth=True), "(4 octets)")
        self.assertEqual(shown_line(b"QUIT", after_auth=True), "QUIT")
