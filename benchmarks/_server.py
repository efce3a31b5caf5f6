"""
A server to measure: started on an instance directory of its own, watched through
C{/proc}.
"""

import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import attrs
import twisted

CHECKOUT = Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")

INBOUND: Mapping[str, str] = {
    "me": "bench.example\n",
    "host_list": "bench.example\n",
    "log.ini": "[main]\nlevel=error\n",
    "plugins": "rcpt_to.in_host_list\nqueue/discard\n",
}
"""An instance that accepts mail and drops it."""


@attrs.frozen
class Server:
    """
    A running server.

    @ivar port: where it listens.
    @ivar pid: its process.
    """

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """User and system time used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_kib(self) -> int:
        """Memory in use now."""
        status = Path(f"/proc/{self.pid}/status").read_text().split("\n")
        line = next(each for each in status if each.startswith("VmRSS:"))
        return int(line.split()[1])


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@attrs.frozen
class Instance:
    """
    An instance directory.

    @ivar port: where its server will listen.
    """

    folder: Path
    port: int


@contextmanager
def server(files: Mapping[str, str]) -> Iterator[Server]:
    """Run a server on an instance with these files in C{config/}."""
    with instance(files) as where, run(where) as target:
        yield target


@contextmanager
def instance(files: Mapping[str, str]) -> Iterator[Instance]:
    """
    Make an instance.

    @param files: of C{config/}, or with C{plugins/} in front of their names.
    """
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="harakatw-bench-") as name:
        folder = Path(name)
        for part in ("config", "plugins"):
            (folder / part).mkdir()
        for file, text in {**files, "smtp.ini": f"listen=127.0.0.1:{port}\n"}.items():
            path = folder / file if "/" in file else folder / "config" / file
            path.write_text(text)
        yield Instance(folder, port)


@contextmanager
def run(where: Instance) -> Iterator[Server]:
    """Run a server on an instance."""
    twistd = [str(Path(sys.executable).with_name("twistd")), "--nodaemon"]
    command = [*twistd, "--pidfile=", "haraka", "--config", str(where.folder)]
    environment = {
        **os.environ,
        "PYTHONPATH": str(CHECKOUT),
        "YES_REALLY_DO_DISCARD": "1",
    }
    process = subprocess.Popen(command, cwd=where.folder, env=environment)
    try:
        wait_for_greeting(where.port)
        yield Server(where.port, process.pid)
    finally:
        process.terminate()
        process.wait(60)


def wait_for_greeting(port: int) -> None:
    """
    Wait until a server is there.

    @raise SystemExit: if it does not come.
    """
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as client:
                client.settimeout(5)
                if client.recv(3) == b"220":
                    return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing answers on port {port}")


def machine() -> str:
    """What the figures were measured on."""
    return (
        f"{os.cpu_count()} cores, Python {platform.python_version()}, "
        f"Twisted {twisted.__version__}, {time.strftime('%Y-%m-%d')}"
    )
