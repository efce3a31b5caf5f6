"""C{haraka -t} as a process, with a real reactor and real threads."""

from pathlib import Path

from harakatw.cli.create import create, instance_files
from tests.functional.processes import HARAKA, ProcessTestCase, Running


class TryTests(ProcessTestCase):
    """What a postmaster types before a change goes live."""

    def setUp(self) -> None:
        """Make an instance and a message."""
        self.directory = Path(self.mktemp()).absolute()
        files = instance_files("mx.example", ("example.org",))
        create(self.directory, files, force=False)
        self.message = Path(self.mktemp()).absolute()
        self.message.write_bytes(b"Subject: x\n\n.y\n")

    def trial(self, recipient: str, *flags: str) -> Running:
        """Try a session."""
        return self.begin(
            *(HARAKA, "-t", "all", "-c", str(self.directory), *flags),
            *("--envfrom", "a@b.example", "--envrcpt", recipient),
            *("--message", str(self.message)),
        )

    def delivered(self) -> list[Path]:
        """The messages in the Maildir."""
        return list((self.directory / "maildir/new").glob("*"))

    def test_accepted(self) -> None:
        """It ends with status 0, and prints nothing but the session."""
        running = self.trial("c@example.org")
        self.assertEqual(running.end(), 0, running.printed())
        lines = running.printed().splitlines()
        self.assertEqual(lines[-1], "accepted")
        strange = [line for line in lines[:-1] if line[:3] not in ("C: ", "S: ", "   ")]
        self.assertEqual(strange, [])
        self.assertEqual(self.delivered(), [])

    def test_refused(self) -> None:
        """Status 1 is for what a client would be refused."""
        running = self.trial("c@elsewhere.example")
        self.assertEqual(running.end(), 1)
        self.assertIn("refused: 550 5.1.1", running.printed())

    def test_queued(self) -> None:
        """With C{--queue} the message is where the server would have put it."""
        running = self.trial("c@example.org", "--queue")
        self.assertEqual(running.end(), 0, running.printed())
        (path,) = self.delivered()
        self.assertTrue(path.read_bytes().endswith(b"Subject: x\r\n\r\n.y\r\n"))

    def test_unknown_plugin(self) -> None:
        """A plugin that is not there is told in a line, without a traceback."""
        running = self.begin(HARAKA, "-t", "nosuch", "-c", str(self.directory))
        self.assertEqual(running.end(), 1)
        self.assertIn("haraka: plugin nosuch: not found", running.printed())
        self.assertNotIn("Traceback", running.printed())
