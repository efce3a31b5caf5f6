"""
Row 39: the disk is full, or does not take what is written, and what got a 250 is not
lost.
"""

import os
import re
import resource
import signal
import smtplib
import sqlite3
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

from twisted.internet.task import deferLater
from twisted.trial.unittest import SkipTest

from harakatw.errors import StoreError
from tests.functional.hurry import HurriedReactor, reactor
from tests.functional.processes import (
    TWISTD,
    ProcessTestCase,
    Running,
    free_port,
)
from tests.functional.relaying import RelayTestCase, relay_files
from tests.functional.server import RunningServer
from tests.functional.sink import Taken

MEBIOCTET: Final = 1 << 20
SMALL: Final = b"Subject: small\r\n\r\n" + b"x" * 70 + b"\r\n"
BIG: Final = b"Subject: big\r\n\r\n" + (b"y" * 70 + b"\r\n") * 5_000

_UUID = re.compile(r"\(([0-9A-F.-]+)\)")


class Disk:
    """A disk that can be filled, and emptied again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, leave: int = 0) -> None:
        """Leave so many octets, or none."""
        size = 1 << 16
        with self._ballast.open("ab", buffering=0) as file:
            while size:
                try:
                    if self.free() - leave < size or file.write(bytes(size)) < size:
                        size //= 2
                except OSError:
                    size //= 2

    def empty(self) -> None:
        """Take away what L{fill} has put there."""
        self._ballast.unlink()

    def free(self) -> int:
        """Octets that can be written."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_bsize


class FullDiskTests(RelayTestCase):
    """The queue is on a disk of its own, in memory, and a small one."""

    def disk(self, octets: int = 8 * MEBIOCTET) -> Disk:
        """
        Such a disk.

        @raise SkipTest: there can be none here.
        """
        folder = Path(tempfile.mkdtemp(prefix="queue-"))
        self.addCleanup(folder.rmdir)
        command = ["mount", "-t", "tmpfs", "-o", f"size={octets}", "queue", str(folder)]
        done = subprocess.run(command, capture_output=True)
        if done.returncode:
            raise SkipTest(f"cannot mount a disk: {done.stderr.decode().strip()}")
        self.addCleanup(subprocess.run, ["umount", str(folder)], check=True)
        return Disk(folder)

    def relay_from(
        self, disk: Disk, where: str, outbound: str = "", factor: float = 1.0
    ) -> RunningServer:
        """
        A server that has its queue on a disk.

        @param factor: how much faster its time passes.
        """
        files = {
            "config/queue_dir": f"{disk.folder}/queue\n",
            "config/outbound.ini": outbound,
        }
        return self.relay({"any": where}, files, HurriedReactor(factor))

    async def send(self, server: RunningServer, octets: bytes, number: int) -> str:
        """Send a message to a recipient with this number; returns the code."""
        recipients = (f"{number}@far.example",)
        return (await self.submit(server, recipients, octets))[:3]

    async def test_full(self) -> None:
        """
        When the disk is full clients are told 452, of big messages and of small ones.
        When there is room they are accepted again, and whatever was answered 250
        arrives, once.
        """
        disk, sink = self.disk(), await self.sink()
        server = self.relay_from(disk, sink.where, "disabled=true\n")
        accepted: list[str] = []
        disk.fill(leave=2 * MEBIOCTET)
        for octets in (BIG, SMALL):
            codes = ["250"]
            while codes[-1] == "250":
                number = len(accepted)
                codes.append(await self.send(server, octets, number))
                accepted += [f"{number}@far.example"] * (codes[-1] == "250")
                if octets is SMALL:
                    disk.fill()
            self.assertEqual(codes[-1], "452")
        self.assertGreater(len(accepted), 1)
        disk.empty()
        for octets in (BIG, SMALL):
            number = len(accepted)
            self.assertEqual(await self.send(server, octets, number), "250")
            accepted.append(f"{number}@far.example")
        server.write("config/outbound.ini", "disabled=false\n")
        await self.emptied(server)
        self.assertEqual(sink.recipients(), sorted(accepted))
        self.flushLoggedErrors(StoreError)  # of the scheduler, if it asked meanwhile

    async def test_session_goes_on(self) -> None:
        """The client that was told 452 may send again in the same session."""
        disk, sink = self.disk(), await self.sink()
        server = self.relay_from(disk, sink.where, "disabled=true\n")
        disk.fill()
        envelope = ("MAIL FROM:<a@client.example>", "RCPT TO:<b@far.example>")
        client = await self.in_data(server, *envelope)
        self.assertEqual((await client.ask("Subject: x", "", "y", "."))[:4], "452 ")
        disk.empty()
        client.say(*envelope, "DATA")
        self.assertEqual(await client.codes(3), [250, 250, 354])
        self.assertEqual((await client.ask("Subject: x", "", "y", "."))[:3], "250")
        self.flushLoggedErrors(StoreError)  # of the scheduler, if it asked meanwhile

    async def test_outcome(self) -> None:
        """
        A delivery that ends while the disk is full is noted as soon as it can be, and
        the message is not sent again meanwhile.
        """
        disk, sink = self.disk(), await self.sink()

        def take(taken: Taken) -> bytes:
            disk.fill()
            return b"250 OK"

        sink.take = take
        server = self.relay_from(disk, sink.where)
        await self.send(server, SMALL, 1)
        await self.log.wait_for("the queue cannot be written")
        await deferLater(reactor, 1.5)  # it tries again to write, not to deliver
        disk.empty()
        await self.emptied(server)
        self.assertEqual(sink.recipients(), ["1@far.example"])
        self.assertTrue(self.flushLoggedErrors(StoreError))

    async def test_restart(self) -> None:
        """
        A server that stops while the disk is full waits for half a minute, and has its
        mail when it is back.
        """
        disk, sink = self.disk(), await self.sink()
        server = self.relay_from(disk, sink.where, "disabled=true\n", 20.0)
        await self.send(server, SMALL, 1)
        await self.send(server, BIG, 2)
        disk.fill()
        await server.stop()
        disk.empty()
        server.write("config/outbound.ini", "disabled=false\n")
        again = self.begin(server.directory)
        await self.emptied(again)
        self.assertEqual(sink.recipients(), ["1@far.example", "2@far.example"])
        self.assertTrue(self.flushLoggedErrors(StoreError))


class FailingDiskTests(ProcessTestCase):
    """
    Writing fails, though there is room: here because files may not grow, which a
    process of any user can be made to see.
    """

    def test_failing(self) -> None:
        """
        While writing fails clients are told 452; what was answered 250 before and
        after is in the queue, and nothing else is.
        """
        server, port = self._server()
        accepted = [self._send(port, SMALL) for _ in range(3)]
        self._let_files_grow(server, 200_000)
        answers = [self._send(port, octets) for octets in (SMALL, BIG) * 40]
        self.assertTrue(any("452" in answer for answer in answers), answers)
        self.assertIn("452", answers[-1])
        self._let_files_grow(server, resource.RLIM_INFINITY)
        accepted += [self._send(port, octets) for octets in (SMALL, BIG)]
        self.assertTrue(all(_UUID.search(answer) for answer in accepted), accepted)
        self.assertEqual(server.end(signal.SIGTERM), -signal.SIGTERM)
        self.assertNotIn("Traceback", server.printed())
        self.assertEqual(self._queued(), sorted(_uuids(accepted + answers)))

    def _server(self) -> tuple[Running, int]:
        """A server that keeps its mail."""
        self.directory, port = Path(self.mktemp()).absolute(), free_port()
        files = {
            **relay_files({"any": "127.0.0.1:1"}),
            "config/smtp.ini": f"listen=127.0.0.1:{port}\n",
            "config/outbound.ini": "disabled=true\n",
        }
        (self.directory / "plugins").mkdir(parents=True)
        (self.directory / "config").mkdir()
        for name, text in files.items():
            (self.directory / name).write_text(text)
        where = ("haraka", "--config", str(self.directory))
        server = self.begin(TWISTD, "--nodaemon", "--pidfile=", *where)
        server.wait_for("listening on")
        return server, port

    def _let_files_grow(self, server: Running, octets: int) -> None:
        _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        soft = octets if hard == resource.RLIM_INFINITY else min(octets, hard)
        limits = (soft, hard)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limits)

    def _send(self, port: int, octets: bytes) -> str:
        """Send a message, and return the answer to it."""
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
            client.ehlo()
            client.mail("a@client.example")
            client.rcpt("b@far.example")
            code, text = client.data(octets)
        return f"{code} {text.decode()}"

    def _queued(self) -> list[str]:
        """The ids of all messages, each of which must be whole."""
        folder = self.directory / "queue"
        connection = sqlite3.connect(folder / "queue.db")
        self.addCleanup(connection.close)
        rows: Any = connection.execute(
            "SELECT uuid, body_file, body_octets, length(body) FROM messages"
        )
        found = []
        for uuid, name, octets, inline in rows:
            size = inline if name is None else (folder / "bodies" / name).stat().st_size
            self.assertEqual(size, octets)
            found.append(uuid)
        return sorted(found)


def _uuids(answers: list[str]) -> list[str]:
    found = (_UUID.search(answer) for answer in answers if answer[:3] == "250")
    return [each[1] for each in found if each]
