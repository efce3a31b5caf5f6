"""Programs of ours as processes of their own."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import attrs
from twisted.trial.unittest import SynchronousTestCase

from tests.rules.source import CHECKOUT

HARAKA = "import sys; from harakatw.cli.main import main; sys.exit(main())"
TWISTD = "from twisted.scripts.twistd import run; run()"

_DEADLINE_SECONDS = 30.0


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@attrs.define(eq=False)
class Running:
    """
    A process and what it prints.

    @ivar output: where it prints to.
    """

    process: subprocess.Popen[bytes]
    output: Path

    def printed(self) -> str:
        """All that it has printed until now."""
        return self.output.read_text("utf-8", "replace")

    def wait_for(self, text: str) -> None:
        """
        Wait until it prints something.

        @raise AssertionError: if it ends, or takes too long.
        """
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while text not in self.printed():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"no {text!r} in:\n{self.printed()}")
            time.sleep(0.02)

    def end(self, number: signal.Signals | None = None) -> int:
        """Send it a signal, if any, and return its status."""
        if number is not None:
            self.process.send_signal(number)
        return self.process.wait(_DEADLINE_SECONDS)

    def memory(self, field: str) -> int:
        """
        What the kernel says of its memory.

        @param field: C{VmRSS} for what it has, C{VmHWM} for the most that it had.
        @return: octets.
        """
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) * 1024
        raise AssertionError(f"no {field} of process {self.process.pid}")


class ProcessTestCase(SynchronousTestCase):
    """Starts processes, and leaves none behind."""

    def begin(self, code: str, *arguments: str, **environment: str) -> Running:
        """Start Python code with arguments."""
        output = Path(self.mktemp())
        with output.open("wb") as out:
            process = self._process(code, arguments, environment, out)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return Running(process, output)

    def _process(
        self,
        code: str,
        arguments: tuple[str, ...],
        environment: dict[str, str],
        out: IO[bytes],
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            env={**os.environ, "PYTHONPATH": str(CHECKOUT), **environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
