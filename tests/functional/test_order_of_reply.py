"""A client is told 250 after its message is on disk, never before."""

import re
import signal
import smtplib
import time
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from harakatw.outbound.store.operations import Add
from harakatw.process import outbound
from tests.functional.hurry import reactor
from tests.functional.relaying import RelayTestCase
from tests.functional.traced import TracedTestCase
from tests.outbound.store.fakes import HeldWriter, held_writers

MESSAGES = 5
SMALL = b"Subject: small\r\n\r\nhello\r\n"
BIG = b"Subject: big\r\n\r\n" + (b"y" * 70 + b"\r\n") * 5_000

_CALLS = "trace=fsync,fdatasync,write,writev,sendto,sendmsg"
_SYNC = re.compile(r"f(?:data)?sync(?: resumed>|\(\d+<).*= 0$")
_PATIENCE_SECONDS = 20.0


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


class SystemCallTests(TracedTestCase):
    """What the server asks of the kernel, in order."""

    def test_sync_comes_first(self) -> None:
        """
        Between the 354 for a message and its 250 the kernel has said that the queue is
        on disk: the database for each message, and the file of a big one before.
        """
        synced: list[str] = []
        replies = 0
        for line in self._traced([SMALL, BIG] * MESSAGES):
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
        server, port, _ = self.server()
        trace = Path(self.mktemp()).absolute()
        tracer = self.trace(server, "-y", "-s", "64", "-e", _CALLS, "-o", str(trace))
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
            client.ehlo()
            for octets in messages:
                client.mail("a@client.example")
                client.rcpt("b@far.example")
                self.assertEqual(client.data(octets)[0], 250)
        self._wait_for(trace, len(messages))
        self.leave(tracer)
        server.end(signal.SIGTERM)
        return trace.read_text("utf-8", "replace").splitlines()

    def _wait_for(self, trace: Path, replies: int) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while trace.read_text("utf-8", "replace").count("Message Queued") < replies:
            if time.monotonic() > deadline:
                raise AssertionError("not all replies were seen")
            time.sleep(0.05)
