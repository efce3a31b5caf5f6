"""A client is told 250 after its message is on disk, never before."""

import re
import shutil
import signal
import smtplib
import subprocess
import time
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import SkipTest

from harakatw.outbound.store.operations import Add
from harakatw.process import outbound
from tests.functional.hurry import reactor
from tests.functional.processes import TWISTD, ProcessTestCase, free_port
from tests.functional.relaying import RelayTestCase, relay_files
from tests.outbound.store.fakes import HeldWriter, held_writers

MESSAGES = 5
SMALL = b"Subject: small\r\n\r\nhello\r\n"
BIG = b"Subject: big\r\n\r\n" + (b"y" * 70 + b"\r\n") * 5_000

_CALLS = "trace=fsync,fdatasync,write,writev,sendto,sendmsg"
_SYNC = re.compile(r"f(?:data)?sync(?: resumed>|\(\d+<).*= 0$")
_ATTACH_SECONDS = 20.0


class HeldStoreTests(RelayTestCase):
    """The queue's writer is made to wait."""

    async def test_waits(self) -> None:
        """While the disk is at it nothing is said; the client is told at the end."""
        writers: list[HeldWriter] = []
        make = held_writers(writers)
        self.patch(outbound, "WriterThread", lambda *how, **_: make(*how))
        server = self.relay({"any": "127.0.0.1:1"})
        (writer,) = writers
        envelope = ("MAIL FROM:<a@client.example>", "RCPT TO:<b@far.example>")
        client = await self.in_data(server, *envelope)
        client.say("Subject: x", "", "hello", ".")
        while not any(isinstance(each, Add) for each in writer.waiting):
            await deferLater(reactor, 0.01)
        await deferLater(reactor, 0.1)  # room for a reply that comes too early
        self.assertEqual(client.heard, [])
        writer.work()
        self.assertEqual(await client.codes(1), [250])
        stopping = Deferred.fromCoroutine(server.stop())
        while server.service.outbound.store._writer is not None:
            writer.work()
            await deferLater(reactor, 0.01)
        await stopping


class SystemCallTests(ProcessTestCase):
    """What the server asks of the kernel, in order."""

    def test_sync_comes_first(self) -> None:
        """
        Between the 354 for a message and its 250 the kernel has said that the queue is
        on disk: the database for each message, and the file of a big one before.
        """
        if shutil.which("strace") is None:
            raise SkipTest("not installed: strace")
        lines = self._traced([SMALL, BIG] * MESSAGES)
        synced: list[str] = []
        replies = 0
        for line in lines:
            if "354 " in line:
                synced = []
            elif _SYNC.search(line):
                synced.append(line)
            elif "250 2.0.0 Message Queued" in line:
                replies += 1
                self.assertGreaterEqual(len(synced), 1, f"no sync before: {line}")
                if replies % 2 == 0:  # the body's file, its folder, the database
                    self.assertGreaterEqual(len(synced), 3, line)
        self.assertEqual(replies, 2 * MESSAGES)

    def _traced(self, messages: list[bytes]) -> list[str]:
        """Send messages to a server that is looked at; returns its system calls."""
        server, port = self._server()
        pid, trace = server.process.pid, Path(self.mktemp()).absolute()
        command = ["strace", "-f", "-y", "-s", "64", "-e", _CALLS, "-o", str(trace)]
        tracer: subprocess.Popen[Any] = subprocess.Popen(
            [*command, "-p", str(pid)],
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(tracer.wait, 30)
        self.addCleanup(tracer.kill)
        assert tracer.stderr is not None
        self.addCleanup(tracer.stderr.close)
        said = tracer.stderr.readline()
        if "attached" not in said:
            raise SkipTest(f"nobody may look at processes here: {said.strip()}")
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
            client.ehlo()
            for octets in messages:
                client.mail("a@client.example")
                client.rcpt("b@far.example")
                self.assertEqual(client.data(octets)[0], 250)
        self._wait_for(trace, len(messages))
        tracer.send_signal(signal.SIGINT)
        tracer.wait(_ATTACH_SECONDS)
        server.end(signal.SIGTERM)
        return trace.read_text("utf-8", "replace").splitlines()

    def _wait_for(self, trace: Path, replies: int) -> None:
        deadline = time.monotonic() + _ATTACH_SECONDS
        while trace.read_text("utf-8", "replace").count("Message Queued") < replies:
            if time.monotonic() > deadline:
                raise AssertionError("not all replies were seen")
            time.sleep(0.05)

    def _server(self) -> Any:
        """A server that keeps its mail."""
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
        return server, port
