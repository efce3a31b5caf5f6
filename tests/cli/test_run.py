"""Starting the server."""

import sys
from pathlib import Path

from harakatw.cli.failure import CommandError
from harakatw.cli.run import run, start, twistd_arguments
from harakatw.config.core import ServerOptions
from tests.cli.instances import InstanceTestCase


class ArgumentsTests(InstanceTestCase):
    """How C{twistd} is called."""

    def test_foreground(self) -> None:
        """Without C{daemonize} the server stays in front, and writes no pid file."""
        found = twistd_arguments(Path("/srv/mail"), ServerOptions())
        wanted = ["--nodaemon", "--pidfile=", "haraka", "--config", "/srv/mail"]
        self.assertEqual(found, wanted)

    def test_background(self) -> None:
        """With it, log and pid file are those of C{smtp.ini}, below the instance."""
        options = ServerOptions(
            daemonize=True, daemon_log_file="log/x", daemon_pid_file="/run/h.pid"
        )
        found = twistd_arguments(Path("/srv/mail"), options)
        self.assertEqual(
            found,
            [
                "--rundir=/srv/mail",
                "--logfile=/srv/mail/log/x",
                "--pidfile=/run/h.pid",
                "haraka",
                "--config",
                "/srv/mail",
            ],
        )


class RunTests(InstanceTestCase):
    """What the command adds to C{twistd}."""

    def twistd(self, error: Exception | None = None) -> list[list[str]]:
        """Put something in the place of C{twistd}; returns what it is called with."""
        seen: list[list[str]] = []

        def fake() -> None:
            seen.append(sys.argv)
            if error is not None:
                raise error

        self.patch(sys.modules["harakatw.cli.run"].twistd, "run", fake)
        return seen

    def test_called(self) -> None:
        """C{haraka -c} calls C{twistd haraka}, and leaves all as it was."""
        seen, before = self.twistd(), sys.argv
        self.assertEqual(run(self.directory), 0)
        self.assertEqual(seen[0][-1], str(self.directory.absolute()))
        self.assertIs(sys.argv, before)

    def test_daemon(self) -> None:
        """C{smtp.ini} decides whether it goes to the background."""
        self.write(smtp_ini="daemonize=true\n")
        seen = self.twistd()
        run(self.directory)
        self.assertNotIn("--nodaemon", seen[0])

    def test_no_log(self) -> None:
        """A log that cannot be opened is told by its name, without a traceback."""
        self.twistd(PermissionError(13, "Permission denied", "/var/log/h.log"))
        error = self.assertRaises(CommandError, start, ["haraka"])
        self.assertEqual(str(error), "/var/log/h.log: Permission denied")
