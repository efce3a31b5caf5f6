"""Processes whose system calls are looked at, or go wrong on order."""

import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SkipTest

from tests.functional.processes import TWISTD, ProcessTestCase, Running, free_port
from tests.functional.relaying import relay_files

_SECONDS = 20.0


class TracedTestCase(ProcessTestCase):
    """Has a server that keeps its mail, and strace."""

    def setUp(self) -> None:
        """
        There is strace.

        @raise SkipTest: or there is not.
        """
        if shutil.which("strace") is None:
            raise SkipTest("not installed: strace")

    def server(self) -> tuple[Running, int, Path]:
        """A server that keeps its mail: the process, its port and its queue."""
        directory, port = Path(self.mktemp()).absolute(), free_port()
        files = {
            **relay_files({"any": "127.0.0.1:1"}),
            "config/smtp.ini": f"listen=127.0.0.1:{port}\n",
            "config/outbound.ini": "disabled=true\n",
        }
        (directory / "plugins").mkdir(parents=True)
        (directory / "config").mkdir()
        for name, text in files.items():
            (directory / name).write_text(text)
        where = ("haraka", "--config", str(directory))
        server = self.begin(TWISTD, "--nodaemon", "--pidfile=", *where)
        server.wait_for("listening on")
        return server, port, directory / "queue"

    def trace(self, server: Running, *options: str) -> "subprocess.Popen[Any]":
        """
        Look at a process from now on.

        @param options: of strace.
        @raise SkipTest: that is not allowed here.
        """
        command = ["strace", "-f", *options, "-p", str(server.process.pid)]
        tracer: subprocess.Popen[Any] = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True
        )
        self.addCleanup(tracer.wait, _SECONDS)
        self.addCleanup(tracer.kill)
        assert tracer.stderr is not None
        self.addCleanup(tracer.stderr.close)
        said = tracer.stderr.readline()
        if "attached" not in said:
            raise SkipTest(f"nobody may look at processes here: {said.strip()}")
        return tracer

    def leave(self, tracer: "subprocess.Popen[Any]") -> None:
        """Look at it no longer."""
        tracer.send_signal(signal.SIGINT)
        tracer.wait(_SECONDS)
