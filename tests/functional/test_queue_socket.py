"""The command on the queue of a server that runs, over a real socket."""

import io
import json
import os
import shutil
import socket
import stat
import tempfile
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, ensureDeferred, succeed
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from harakatw.cli.create import write_files
from harakatw.cli.failure import CommandError
from harakatw.cli.instance import open_instance
from harakatw.cli.queue import asking
from harakatw.cli.queue.arguments import queue_parser
from harakatw.cli.queue.asking import Question, connect_remote
from harakatw.cli.queue.command import run_queue
from harakatw.interfaces.queue import NewItem, QueuedMessage, QueuedRecipient
from harakatw.outbound.control.place import MAX_PATH, SOCKET, find_place
from harakatw.outbound.control.server import Control, start_control
from harakatw.outbound.control.tool import QueueTool
from harakatw.outbound.store.sqlite import SQLiteStore
from harakatw.process.threads import PooledThreads
from tests.functional.hurry import reactor


class QueueSocketTests(TestCase):
    """What a postmaster types while the server runs."""

    timeout = 60
    folder = "short"

    def setUp(self) -> None:
        """Open a queue as a server does."""
        # Not mktemp(), which is longer or shorter where the tests are run elsewhere.
        self.directory = Path(tempfile.mkdtemp(prefix="queue-")) / self.folder
        self.addCleanup(shutil.rmtree, self.directory.parent)
        write_files(self.directory, {"config/me": "mx.ours.example\n"})
        threads = PooledThreads(reactor, 4)
        threads.start()
        self.addCleanup(threads.stop)
        self.store = SQLiteStore(self.directory / "queue", reactor, threads)
        self.store.open()
        self.addCleanup(self.store.close)
        tool = QueueTool(
            store=self.store,
            now=reactor.seconds,
            settled=lambda work, settlement: succeed(None),
            threads=threads,
        )
        self.control = self.listen(tool)
        self.path = self.directory / "queue" / SOCKET

    def listen(self, tool: QueueTool) -> Control:
        """Open the socket, and close it in the end."""
        control = start_control(reactor, self.directory / "queue", tool)
        self.addCleanup(control.stop)
        return control

    async def add(self, count: int, body: bytes = b"Subject: x\r\n\r\n") -> None:
        """Queue messages."""
        message = QueuedMessage(
            uuid="ABC.1",
            sender="me@ours.example",
            size=len(body),
            queued_at=reactor.seconds(),
        )
        new = NewItem(
            domain="a.example", recipients=(QueuedRecipient("you@a.example"),)
        )
        adding = [self.store.add(message, [new], [body]) for _ in range(count)]
        added = await DeferredList(adding, fireOnOneErrback=True)
        await self.store.give_back(items[0].id for _, items in added)

    def type(self, line: str) -> "Deferred[str]":
        """Type C{haraka queue} and something; fires with what is printed."""
        return deferToThread(self._type, line)

    def _type(self, line: str) -> str:
        out = io.StringIO()
        flags = queue_parser().parse_args(line.split())
        run_queue(flags, open_instance(self.directory), lambda question: True, out)
        return out.getvalue()

    def test_owner_only(self) -> None:
        """Nobody else may even connect."""
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        self.assertEqual(self.path.stat().st_uid, os.geteuid())

    def test_conversation(self) -> "Deferred[None]":
        """Items are listed, changed and dropped while the server has the queue."""

        async def go() -> None:
            await self.add(1200)
            listed = await self.type("list --json")
            ids = [json.loads(line)["id"] for line in listed.splitlines()]
            self.assertEqual(len(set(ids)), 1200)
            self.assertEqual(await self.type("hold --all"), "1200 items held\n")
            self.assertIn("1200 held", await self.type("stat"))
            dropped = await self.type(f"drop id={ids[0]},{ids[1]}")
            self.assertEqual(dropped, "2 items dropped\n")
            self.assertIn("1198", await self.type("qshape"))

        return ensureDeferred(go())

    def test_big_message(self) -> "Deferred[None]":
        """A big message comes in pieces, and whole."""
        body = b"Subject: big\r\n\r\n" + b"x" * 76 + b"\r\n" * 1_000_000

        async def go() -> None:
            await self.add(1, body)
            text = await self.type("cat 1")
            self.assertEqual(text, body.decode().replace("\r\n", "\n"))

        return ensureDeferred(go())

    def test_server_stops(self) -> "Deferred[None]":
        """A server that stops says so to whoever asks."""

        async def go() -> None:
            remote: Any = await deferToThread(connect_remote, self.directory / "queue")
            self.addCleanup(remote.close)
            await self.control.stop()
            self.assertFalse(self.path.exists())
            error = await deferToThread(self._ask_after_the_end, remote)
            self.assertTrue(error)

        return ensureDeferred(go())

    def _ask_after_the_end(self, remote: Any) -> str:
        try:
            remote.ask(Question({"verb": "list"}), lambda key, value: None)
        except CommandError as error:
            return str(error)
        return ""

    def test_deaf_server(self) -> "Deferred[None]":
        """A server that does not answer is told of, and nobody waits for ever."""
        elsewhere = self.directory / "deaf"
        elsewhere.mkdir()
        deaf = socket.socket(socket.AF_UNIX)
        self.addCleanup(deaf.close)
        place = find_place(elsewhere)
        self.addCleanup(place.close)
        deaf.bind(place.address)
        deaf.listen(1)
        self.patch(asking, "_GREETING_SECONDS", 0.2)

        async def go() -> None:
            connecting = deferToThread(connect_remote, elsewhere)
            error = await self.assertFailure(connecting, CommandError)
            self.assertIn("does not answer", str(error))

        return ensureDeferred(go())


class LongPathTests(QueueSocketTests):
    """The same where the path is longer than that of a socket may be."""

    folder = "long" * 30

    def test_length(self) -> None:
        """It is."""
        self.assertGreater(len(str(self.path)), MAX_PATH)
