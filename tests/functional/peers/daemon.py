"""What is the same for all other servers."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import attrs

NOBODY: Final = 65534
"""The user, and the group, that other servers deliver as."""

_PATIENCE_SECONDS: Final = 30.0
_TRACE: Final = (b"return-path:", b"x-original-to:", b"delivered-to:", b"received:")

CleanUp = Callable[..., object]


def lacking(*programs: str) -> str:
    """
    Why servers with these programs cannot be run here, or C{""}: they change to users
    of their own, as only root can.
    """
    if os.geteuid() != 0:
        return "only root can run it"
    missing = [name for name in programs if which(name) is None]
    return f"not installed: {', '.join(missing)}" if missing else ""


def which(program: str) -> str | None:
    """The path of a program, which may be one for administrators only."""
    path = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"
    return shutil.which(program, path=path)


def private_folder(clean_up: CleanUp) -> Path:
    """
    A folder that every user may enter, and whose name is short enough for sockets.

    @param clean_up: a test's C{addCleanup}.
    """
    folder = Path(tempfile.mkdtemp(prefix="peer-"))
    folder.chmod(0o755)
    clean_up(shutil.rmtree, folder, ignore_errors=True)
    return folder


def owned_folder(path: Path, owner: str | int) -> Path:
    """A folder that belongs to a user."""
    path.mkdir(parents=True)
    shutil.chown(path, owner)
    return path


@attrs.frozen(eq=False)
class Daemon:
    """
    A server in the foreground.

    @ivar log: what it prints.
    """

    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(_PATIENCE_SECONDS)

    def until(self, true: Callable[[], bool]) -> None:
        """
        Wait for something to be so.

        @raise AssertionError: it ends before, or that takes too long.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not true():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"it did not start:\n{self.log.read_text()}")
            time.sleep(0.05)


def run_daemon(
    command: Iterable[str | Path], folder: Path, clean_up: CleanUp, **environment: str
) -> Daemon:
    """
    Start a server.

    @param folder: where it is started, and prints to.
    """
    log = folder / "printed"
    with log.open("wb") as out:
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    daemon = Daemon(process, log)
    clean_up(daemon.stop)
    return daemon


def greets(port: int) -> bool:
    """Does a port of this machine say 220?"""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as client:
            client.settimeout(5)
            return client.recv(3) == b"220"
    except OSError:
        return False


def without_trace(octets: bytes) -> bytes:
    """
    A message as it was sent: without what servers have put in front of it, and with
    CRLF line ends, which some of them do not keep in files.
    """
    lines = octets.replace(b"\r\n", b"\n").split(b"\n")
    while lines[0].lower().startswith(_TRACE):
        lines.pop(0)
        while lines[0].startswith((b" ", b"\t")):
            lines.pop(0)
    return b"\r\n".join(lines)


def trace(octets: bytes) -> bytes:
    """What servers have put in front of a message."""
    whole = octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return whole.removesuffix(without_trace(octets))
