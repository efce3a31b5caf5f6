"""Row 39: what was answered 250 arrives, whenever the server is killed."""

import asyncio
import signal
import smtplib
import sqlite3
from pathlib import Path
from typing import Final

from twisted.trial.unittest import SynchronousTestCase

from tests.functional.crash import crash
from tests.functional.traced import TracedTestCase

KILLS = 3
SMALL: Final = b"Subject: small\r\n\r\nhello\r\n"
BIG: Final = b"Subject: big\r\n\r\n" + (b"y" * 70 + b"\r\n") * 5_000

CALLS: Final = (
    (SMALL, "pwrite64", 1),
    (SMALL, "pwrite64", 2),
    (SMALL, "pwrite64", 3),
    (SMALL, "fdatasync", 1),
    (SMALL, "sendto", 1),
    (BIG, "openat", 1),
    (BIG, "write", 1),
    (BIG, "fsync", 1),
    (BIG, "fsync", 2),
    (BIG, "fdatasync", 1),
)
"""A message, and the system call by one thread at which the server is killed."""


class KillTests(SynchronousTestCase):
    """C{SIGKILL} under load; C{benchmarks/crash.py} does this a hundred times."""

    timeout = 120

    def test_kill(self) -> None:
        """
        After each 250 the message is on disk: nothing that was answered so is lost or
        damaged, and a message comes twice only if it was just being delivered when the
        server was killed.
        """
        outcome = asyncio.run(crash(Path(self.mktemp()).absolute(), KILLS, 1))
        self.assertEqual(outcome.lost, ())
        self.assertEqual(outcome.damaged, ())
        self.assertEqual(outcome.late, ())
        self.assertEqual(outcome.left, 0)
        self.assertEqual(outcome.kills, KILLS)
        self.assertGreater(outcome.acknowledged, 10)


class SystemCallTests(TracedTestCase):
    """C{SIGKILL} at a certain system call between the final dot and the reply."""

    timeout = 120

    def test_kills(self) -> None:
        """
        A message that was answered 250 is in the queue as a whole; one that was not is
        there as a whole, or not at all.
        """
        kept = [self._kill(*call) for call in CALLS]
        self.assertIn(0, kept)  # killed before it was on disk
        self.assertIn(1, kept)  # killed after that, before the reply

    def _kill(self, octets: bytes, call: str, number: int) -> int:
        """
        Kill a server at this call while it takes a message.

        @return: how many messages are in the queue then.
        """
        server, port, queue = self.server()
        client = smtplib.SMTP("127.0.0.1", port, timeout=30)
        self.addCleanup(client.close)
        client.ehlo()
        client.mail("a@client.example")
        client.rcpt("b@far.example")
        self.assertEqual(client.docmd("DATA")[0], 354)
        inject = f"inject={call}:signal=KILL:when={number}"
        tracer = self.trace(server, "-o", "/dev/null", "-e", inject)
        client.send(octets + b".\r\n")
        try:
            code, _ = client.getreply()
        except (smtplib.SMTPServerDisconnected, ConnectionResetError):
            code = 0
        if code:  # it has made no such call, or only afterwards
            self.assertEqual(code, 250, (call, number))
            self.leave(tracer)
            server.end(signal.SIGKILL)
        server.process.wait()
        kept = self._kept(queue)
        self.assertGreaterEqual(kept, 1 if code else 0, (call, number))
        self.assertLessEqual(kept, 1, (call, number))
        return kept

    def _kept(self, queue: Path) -> int:
        """How many messages there are, each of which must be whole."""
        connection = sqlite3.connect(queue / "queue.db")
        self.addCleanup(connection.close)
        text = "SELECT body_file, body_octets, length(body) FROM messages"
        rows = connection.execute(text).fetchall()
        for name, octets, inline in rows:
            size = inline if name is None else (queue / "bodies" / name).stat().st_size
            self.assertEqual(size, octets)
        return len(rows)
