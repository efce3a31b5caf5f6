"""The server under C{twistd}, and C{haraka run} that stands for it."""

import os
import signal
import smtplib
import subprocess
import sys
import time
from pathlib import Path

from harakatw.cli.create import create, instance_files
from tests.functional.processes import HARAKA, TWISTD, ProcessTestCase, free_port
from tests.rules.source import CHECKOUT

_FRONT = ("--nodaemon", "--pidfile=")


class ServerTests(ProcessTestCase):
    """Starting and stopping."""

    def setUp(self) -> None:
        """Make an instance."""
        self.directory = Path(self.mktemp()).absolute()
        self.port = free_port()
        files = instance_files("mx.example", ("example.org",))
        files["config/smtp.ini"] = f"listen=127.0.0.1:{self.port}\n"
        create(self.directory, files, force=False)

    def send(self) -> None:
        """Send a message, which must land in the Maildir."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=60) as client:
            client.sendmail("a@b.example", "c@example.org", b"Subject: x\r\n\r\ny\r\n")
        self.assertEqual(len(list((self.directory / "maildir/new").iterdir())), 1)

    def test_twistd(self) -> None:
        """
        C{twistd haraka} takes mail until SIGTERM, then closes and ends by that signal,
        as systemd expects of a service.
        """
        where = str(self.directory)
        server = self.begin(TWISTD, *_FRONT, "haraka", "--config", where)
        server.wait_for("listening on")
        self.send()
        self.assertEqual(server.end(signal.SIGTERM), -signal.SIGTERM)
        self.assertIn("Server Shut Down", server.printed())
        self.assertNotIn("Traceback", server.printed())

    def test_run(self) -> None:
        """C{haraka -c} and C{haraka run} do the same."""
        server = self.begin(HARAKA, "-c", str(self.directory))
        server.wait_for("listening on")
        self.send()
        self.assertEqual(server.end(signal.SIGTERM), -signal.SIGTERM)
        self.assertIn("Server Shut Down", server.printed())

    def test_reactor(self) -> None:
        """The command does not make a reactor before the server can choose its own."""
        server = self.begin(HARAKA, "run", "-c", str(self.directory))
        server.wait_for("listening on")
        self.assertIn("harakatw.process.reactor.QuickReactor", server.printed())

    def test_port_in_use(self) -> None:
        """A port that is taken is told in a line, with status 1."""
        first = self.begin(HARAKA, "-c", str(self.directory))
        first.wait_for("listening on")
        second = self.begin(HARAKA, "-c", str(self.directory))
        self.assertEqual(second.end(), 1)
        last = second.printed().splitlines()[-1]
        self.assertIn("config/smtp.ini: [main] listen: cannot listen on", last)
        self.assertNotIn("Traceback", second.printed())

    def test_daemon(self) -> None:
        """
        With C{daemonize} the command comes back when the server runs, which leaves its
        process id and its log where C{smtp.ini} says.
        """
        with (self.directory / "config/smtp.ini").open("a") as smtp_ini:
            smtp_ini.write("daemonize=true\ndaemon_log_file=log\ndaemon_pid_file=pid\n")
        command = [sys.executable, "-c", HARAKA, "-c", str(self.directory)]
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        subprocess.run(command, env=environment, check=True, timeout=60)
        pid = int((self.directory / "pid").read_text())
        try:
            self.send()
        finally:
            os.kill(pid, signal.SIGTERM)
            self.wait_until_gone(self.directory / "pid")
        self.assertIn("listening on", (self.directory / "log").read_text())

    def wait_until_gone(self, path: Path) -> None:
        """Wait until a server has removed its file."""
        deadline = time.monotonic() + 30
        while path.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertFalse(path.exists())
