"""The queue of a server that does not run."""

import os
import stat
from pathlib import Path
from typing import Any

from harakatw.cli.failure import CommandError
from harakatw.cli.queue import local
from harakatw.cli.queue.asking import Question
from harakatw.cli.queue.local import NoThreads, become_owner, open_local
from harakatw.cli.queue.opening import open_queue
from tests.cli.instances import InstanceTestCase


def owned_by(uid: int, gid: int) -> os.stat_result:
    """What the system says of a directory of somebody's."""
    return os.stat_result((stat.S_IFDIR | 0o700, 0, 0, 1, uid, gid, 0, 0, 0, 0))


class OwnerTests(InstanceTestCase):
    """Whoever opens a queue leaves it to its owner."""

    def become(self, uid: int, directory: os.stat_result) -> list[tuple[str, str]]:
        """Who a process of a user becomes."""
        seen: list[tuple[str, str]] = []
        self.patch(os, "geteuid", lambda: uid)
        self.patch(local, "become", lambda user, group: seen.append((user, group)))
        become_owner(directory)
        return seen

    def test_root(self) -> None:
        """Root becomes the owner: files of root's would keep the server out."""
        self.assertEqual(self.become(0, owned_by(1000, 1001)), [("1000", "1001")])

    def test_nothing_to_do(self) -> None:
        """Root stays root on a queue of its own; others are who they are."""
        self.assertEqual(self.become(0, owned_by(0, 0)), [])
        self.assertEqual(self.become(1000, owned_by(1000, 1000)), [])


class LocalTests(InstanceTestCase):
    """Asking without a server."""

    def queue(self) -> Path:
        """Make the queue's directory."""
        directory = self.directory / "queue"
        directory.mkdir(mode=0o700)
        return directory

    def test_ask(self) -> None:
        """Answers come as from a server: parts, then the end."""
        queue = open_local(self.instance(), self.queue())
        self.addCleanup(queue.close)
        parts: list[Any] = []
        done = queue.ask(
            Question({"verb": "stat"}), lambda key, value: parts.append(key)
        )
        self.assertEqual((parts, done), (["stat"], {"sites": 0}))

    def test_mistake(self) -> None:
        """A mistake is told to whoever typed it."""
        queue = open_local(self.instance(), self.queue())
        self.addCleanup(queue.close)
        question = Question({"verb": "list", "filter": ["sendr=x"]})
        error = self.assertRaises(CommandError, queue.ask, question, print)
        self.assertIn("did you mean sender?", str(error))

    def test_printer_fails(self) -> None:
        """What goes wrong while an answer is printed is not swallowed."""
        queue = open_local(self.instance(), self.queue())
        self.addCleanup(queue.close)

        def closed(key: str, value: object) -> None:
            raise BrokenPipeError

        question = Question({"verb": "stat"})
        self.assertRaises(BrokenPipeError, queue.ask, question, closed)

    def test_not_ours(self) -> None:
        """A directory that we may not look into is told as that."""

        def refuse(path: object) -> bool:
            raise PermissionError(13, "Permission denied")

        self.patch(Path, "is_dir", lambda path: path.name != "queue" or refuse(path))
        error = self.assertRaises(CommandError, open_queue, self.instance())
        self.assertTrue(str(error).endswith("queue: Permission denied"))


class NoThreadsTests(InstanceTestCase):
    """What would run in a thread runs at once."""

    def test_call(self) -> None:
        """It is done, or has failed, when the call returns."""
        threads = NoThreads()
        self.assertEqual(self.successResultOf(threads.call(int, "7")), 7)
        self.failureResultOf(threads.call(int, "seven"), ValueError)
