"""What session C{-t} is asked for."""

import io
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from harakatw.cli.arguments import flag_parser
from harakatw.cli.failure import CommandError
from harakatw.cli.try_wanted import Wanted


def wanted(*words: str) -> Wanted:
    """What a command line asks for."""
    return Wanted.from_flags(flag_parser().parse_args(["-t", *words]))


class WantedTests(SynchronousTestCase):
    """From the command line to a session."""

    def test_default(self) -> None:
        """Without more, a client of this machine says EHLO and leaves."""
        self.assertEqual(wanted("all"), Wanted())

    def test_everything(self) -> None:
        """Every flag has its place."""
        path = Path(self.mktemp())
        path.write_bytes(b"Subject: x\n\ny\n")
        found = wanted(
            *("a,b", "--ip", "2001:DB8::1", "--helo", "h.example", "--envfrom", ""),
            *("--envrcpt", "a@b.c", "--envrcpt", "d@e.f", "--message", str(path)),
            *("--set-relay", "--skip-deny", "--queue", "--dump-stream", "--dump-mime"),
        )
        self.assertEqual(
            found,
            Wanted(
                plugins=("a", "b"),
                ip="2001:db8::1",
                verb="HELO",
                host="h.example",
                sender="",
                recipients=("a@b.c", "d@e.f"),
                message=b"Subject: x\n\ny\n",
                relaying=True,
                skip_deny=True,
                queue=True,
                dump=True,
                dump_mime=True,
            ),
        )

    def test_stdin(self) -> None:
        """A message may come from a pipe."""
        self.patch(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x")))
        found = wanted("all", "--message", "-")
        self.assertEqual(found.message, b"x")

    def test_bad(self) -> None:
        """What cannot be is told before anything is run."""
        for words, why in (
            (("all", "--ip", "localhost"), "no IP address"),
            (("a,,b",), "names of plugins"),
            (("all", "--message", "/nonexistent/m"), "No such file"),
            (("all", "--envfrom", "a@b.c\r\nDATA"), "control characters"),
            (("all", "--ehlo", "a\nb"), "control characters"),
            (("all", "--envrcpt", "a\tb"), "control characters"),
        ):
            error = self.assertRaises(CommandError, wanted, *words)
            self.assertIn(why, str(error))
