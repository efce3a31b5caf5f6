"""
Row 39: storage that fails in other ways, clocks that jump, and two servers for one
queue. Full disks, damaged files and kills are in the other files of this row.
"""

import errno
import os
import resource
import signal
import smtplib
import sqlite3
import time
from functools import partial
from pathlib import Path
from typing import Any

from harakatw.errors import StoreError
from harakatw.outbound.store.disk import Disk
from harakatw.outbound.store.sqlite import SQLiteStore
from harakatw.process import outbound
from tests.functional.processes import TWISTD, ProcessTestCase, Running, free_port
from tests.functional.relaying import RelayTestCase, relay_files
from tests.outbound.store.fakes import Faults, sqlite_error

SMALL = b"Subject: small\r\n\r\nhello\r\n"
BIG = b"Subject: big\r\n\r\n" + (b"y" * 70 + b"\r\n") * 5_000
DAY = 86_400.0


class FailingSyncTests(RelayTestCase):
    """The disk says that it could not write, when it is asked to make sure."""

    async def check(self, fail: Any, mend: Any, octets: bytes) -> None:
        """
        The client is told 4xx in a session that goes on, nothing of the message is
        queued, and when the disk is well the next one is taken and delivered.
        """
        sink = await self.sink()
        server = self.relay({"any": sink.where})
        envelope = ("MAIL FROM:<a@client.example>", "RCPT TO:<b@far.example>")
        client = await self.in_data(server, *envelope)
        fail()
        client.send(octets)
        self.assertRegex(await client.ask("."), "^45[12] 4\\.3\\.")
        mend()
        client.say(*envelope, "DATA")
        self.assertEqual(await client.codes(3), [250, 250, 354])
        client.send(octets)
        self.assertEqual((await client.ask("."))[:3], "250")
        await self.emptied(server)
        self.assertEqual(len(sink.taken), 1)
        self.assertEqual(list((server.directory / "queue/bodies").iterdir()), [])
        self.flushLoggedErrors(StoreError)  # of the scheduler, if it asked meanwhile

    async def test_commit(self) -> None:
        """An I/O error when the database is synced (EIO on fsync)."""
        faults = Faults()
        store = partial(SQLiteStore, connect=faults.connect)
        self.patch(outbound, "SQLiteStore", store)
        error = sqlite_error(sqlite3.SQLITE_IOERR, "disk I/O error")
        await self.check(
            lambda: faults.failing.update(COMMIT=error), faults.failing.clear, SMALL
        )

    async def test_file(self) -> None:
        """An I/O error when the file of a big message is synced."""
        broken: list[int] = []

        def fsync(descriptor: int) -> None:
            if broken:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            os.fsync(descriptor)

        store = partial(SQLiteStore, disk=Disk(fsync=fsync))
        self.patch(outbound, "SQLiteStore", store)
        await self.check(lambda: broken.append(1), broken.clear, BIG)


class ClockTests(RelayTestCase):
    """Somebody sets the clock while mail is in the queue."""

    async def test_jumps(self) -> None:
        """
        A day back and two days on: nothing is lost, sent twice, or returned before its
        five days are over, and what waits is tried when it is asked for.
        """
        offset, real = [0.0], time.time
        self.patch(time, "time", lambda: real() + offset[0])
        far, home = await self.sink(), await self.sink()
        far.object_to = lambda line: b"450 4.2.1 later" if line[:4] == b"RCPT" else None
        routes = {"client.example": home.where, "any": far.where}
        server = self.relay(routes, {"config/outbound.ini": "delay_warning=0\n"})
        for number, jump in enumerate((-DAY, 0.0, DAY)):
            offset[0] = jump
            await self.submit(server, (f"{number}@far.example",), SMALL)
            await self.leaves(server, number + 1)
        await server.stop()
        offset[0] = -DAY / 2
        far.object_to = lambda line: None
        again = self.begin(server.directory)
        await self.flush(again)
        await self.emptied(again)
        self.assertEqual(far.recipients(), [f"{each}@far.example" for each in range(3)])
        self.assertEqual(home.taken, [])


class ProcessFaultTests(ProcessTestCase):
    """Processes of their own."""

    def start(self, queue: Path) -> tuple[Running, int]:
        """A server that keeps its mail in a queue."""
        directory, port = Path(self.mktemp()).absolute(), free_port()
        files = {
            **relay_files({"any": "127.0.0.1:1"}),
            "config/smtp.ini": f"listen=127.0.0.1:{port}\n",
            "config/outbound.ini": "disabled=true\n",
            "config/queue_dir": f"{queue}\n",
        }
        (directory / "plugins").mkdir(parents=True)
        (directory / "config").mkdir()
        for name, text in files.items():
            (directory / name).write_text(text)
        where = ("haraka", "--config", str(directory))
        return self.begin(TWISTD, "--nodaemon", "--pidfile=", *where), port

    def test_two_servers(self) -> None:
        """
        A second server on a queue says that it is in use and ends; the first goes on.
        """
        queue = Path(self.mktemp()).absolute()
        first, port = self.start(queue)
        first.wait_for("listening on")
        self.assertEqual(self._send(port, SMALL), 250)
        second, _ = self.start(queue)
        second.end()
        self.assertIn("in use", second.printed())
        self.assertNotIn("Traceback", second.printed())
        self.assertEqual(self._send(port, SMALL), 250)
        first.end(signal.SIGTERM)
        self.assertEqual(self._queued(queue), 2)

    def test_no_more_files(self) -> None:
        """
        A process that may open no more files (EMFILE) tells clients 4xx where it needs
        one, takes what needs none, and is as before when it may.
        """
        queue = Path(self.mktemp()).absolute()
        server, port = self.start(queue)
        server.wait_for("listening on")
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
            client.ehlo()
            self.assertEqual(self._submit(client, BIG), 250)
            pid = server.process.pid
            usual, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))
            codes = [self._submit(client, octets) for octets in (BIG, SMALL, BIG)]
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (usual, hard))
            self.assertIn(codes, ([451, 250, 451], [452, 250, 452]))
            self.assertEqual(self._submit(client, BIG), 250)
        self.assertEqual(self._send(port, SMALL), 250)
        server.end(signal.SIGTERM)
        self.assertNotIn("Traceback", server.printed())
        self.assertEqual(self._queued(queue), 4)

    def _send(self, port: int, octets: bytes) -> int:
        """Send a message in a session of its own; returns the code."""
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
            client.ehlo()
            return self._submit(client, octets)

    def _submit(self, client: smtplib.SMTP, octets: bytes) -> int:
        client.mail("a@client.example")
        client.rcpt("b@far.example")
        return client.data(octets)[0]

    def _queued(self, queue: Path) -> int:
        connection = sqlite3.connect(queue / "queue.db")
        self.addCleanup(connection.close)
        (count,) = connection.execute("SELECT count(*) FROM messages").fetchone()
        return int(count)
