"""The command on the queue of a server that does not run."""

import contextlib
import io
import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from harakatw.cli.create import write_files
from harakatw.cli.instance import OpenInstance, open_instance
from harakatw.cli.main import main
from harakatw.cli.queue.local import LocalQueue, open_local
from harakatw.interfaces.queue import (
    Filter,
    ItemState,
    NewItem,
    QueuedMessage,
    QueuedRecipient,
    QueueItem,
)

BODY = b"Subject: hello\r\n\r\nIt waits.\r\n"


class Terminal(io.StringIO):
    """Somebody types."""

    def isatty(self) -> bool:
        return True


class QueueCommandTests(SynchronousTestCase):
    """Everything that a postmaster may type while the server is down."""

    def setUp(self) -> None:
        """Make an instance with two messages in its queue."""
        self.directory = Path(self.mktemp()).absolute()
        write_files(self.directory, {"config/me": "mx.ours.example\n"})
        self.queue_directory = self.directory / "queue"
        self.queue_directory.mkdir(mode=0o700)
        self.patch(os, "environ", {})
        with self.opened() as queue:
            self.add(queue, "a.example")
            self.add(queue, "b.example", uuid="ABC.2", body=BODY * 5000)

    @property
    def instance(self) -> OpenInstance:
        """The instance as it is now."""
        return open_instance(self.directory)

    def opened(self) -> "contextlib.closing[LocalQueue]":
        """Have the queue, as the command has it."""
        return contextlib.closing(open_local(self.instance, self.queue_directory))

    def add(
        self, queue: LocalQueue, domain: str, body: bytes = BODY, **more: Any
    ) -> None:
        """Queue a message."""
        now = queue.tool.now()
        values = {"uuid": "ABC.1", "sender": "me@ours.example", "queued_at": now - 60}
        message = QueuedMessage(size=len(body), **{**values, **more})
        recipient = QueuedRecipient(f"you@{domain}")
        new = NewItem(domain=domain, recipients=(recipient,), due=now + 600)
        adding: Deferred[Any] = queue.tool.store.add(message, [new], [body])
        (item,) = self.successResultOf(adding)
        self.successResultOf(queue.tool.store.give_back((item.id,)))

    def items(self) -> list[QueueItem]:
        """What is in the queue."""
        with self.opened() as queue:
            finding: Deferred[Any] = queue.tool.store.find(Filter(), 100)
            return list(self.successResultOf(finding))

    def type(self, *words: str, status: int = 0) -> str:
        """Type C{haraka}, words and the instance; returns what is printed."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            found = main((*words, "-c", str(self.directory)))
        self.assertEqual(found, status, err.getvalue())
        return out.getvalue() + err.getvalue()

    # ---- looking ---------------------------------------------------------------------

    def test_list(self) -> None:
        """Items are listed, all or those that are meant, for people or programs."""
        self.assertEqual(self.type("queue", "list").count("<me@ours.example>"), 2)
        (line,) = self.type("queue", "list", "domain=A.*", "--json").splitlines()
        self.assertEqual(json.loads(line)["recipients"][0]["address"], "you@a.example")
        self.assertIn("state     ready", self.type("queue", "show", "1"))

    def test_cat(self) -> None:
        """A message is printed whole, also one that is kept in a file."""
        text = self.type("queue", "cat", "uuid=ABC.2")
        self.assertEqual(text, (BODY * 5000).decode().replace("\r\n", "\n"))

    def test_stat_and_shape(self) -> None:
        """The whole in numbers."""
        self.assertIn("2 items: 2 ready", self.type("queue", "stat"))
        total, *rows = self.type("queue", "qshape").splitlines()[1:]
        self.assertEqual(total.split()[:2], ["2", "2"])
        self.assertEqual(len(rows), 2)

    def test_pause(self) -> None:
        """What is paused is kept for the server that starts next, and shown."""
        self.assertIn("a.example", self.type("queue", "pause", "site=a.example"))
        self.type("queue", "pause", "sender=<>")
        told = self.type("queue", "stat")
        self.assertIn("paused sites: a.example\npaused senders: <>\n", told)
        self.type("queue", "pause", status=1)
        self.type("queue", "resume", "sender=<>")
        told = self.type("queue", "resume", "site=a.example")
        self.assertEqual(told, "nothing is paused\n")

    def test_flags(self) -> None:
        """Haraka's flags work."""
        self.assertIn("Q: 1 rcpt:1 from:<me@ours.example>", self.type("--qlist"))
        told = self.type("--qstat")
        self.assertIn(f"queue: {self.queue_directory}", told)
        self.assertIn("2 items", told)
        self.type("--qunstick", "a.example")
        first, second = self.items()
        self.assertLess(first.due, second.due)
        self.assertIn("2 items dropped", self.type("--qempty", "--yes"))
        self.assertEqual(self.items(), [])

    # ---- changing --------------------------------------------------------------------

    def test_hold_and_release(self) -> None:
        """What is held and released again is due at once."""
        self.assertEqual(self.type("queue", "hold", "--all", "-y"), "2 items held\n")
        self.assertEqual({each.state for each in self.items()}, {ItemState.HELD})
        told = self.type("queue", "release", "domain=a.example", "-y")
        self.assertEqual(told, "1 item released\n")
        states = [each.state for each in self.items()]
        self.assertEqual(states, [ItemState.READY, ItemState.HELD])

    def test_reroute(self) -> None:
        """What goes elsewhere does so after the server has started again."""
        self.type("queue", "reroute", "1", "--to", "relay.example:26")
        first, second = self.items()
        self.assertEqual(first.next_hop, "relay.example:26")
        self.assertEqual(first.site, "relay.example:26")
        self.assertEqual(second.next_hop, "")

    def test_drop(self) -> None:
        """A dropped message is gone, with its file; a dry run drops nothing."""
        self.assertIn("b.example", self.type("queue", "drop", "2", "--dry-run"))
        self.assertEqual(len(self.items()), 2)
        bodies = self.queue_directory / "bodies"
        self.assertEqual(len(list(bodies.iterdir())), 1)
        self.type("queue", "drop", "2")
        self.assertEqual(len(self.items()), 1)
        self.assertEqual(list(bodies.iterdir()), [])

    def test_bounce(self) -> None:
        """A message that is given up leaves a report for its sender in the queue."""
        self.type("queue", "bounce", "1", "--reason", "We closed the list")
        _, report = self.items()
        self.assertEqual(report.message.sender, "")
        self.assertEqual(report.recipients[0].address, "me@ours.example")
        self.assertEqual(report.state, ItemState.READY)
        text = self.type("queue", "cat", str(report.id))
        self.assertIn("We closed the list", text)
        self.assertIn("Final-Recipient: rfc822; you@a.example", text)
        self.assertIn("Status: 5.0.0", text)

    def test_asked(self) -> None:
        """Somebody at a terminal is asked, and may think better of it."""
        for typed, status, left in (("n\n", 1, 2), ("", 1, 2), ("yes\n", 0, 0)):
            self.patch(sys, "stdin", Terminal(typed))
            told = self.type("queue", "drop", "--all", status=status)
            self.assertIn("drop 2 items: sure?", told)
            self.assertEqual(len(self.items()), left)

    def test_nobody_to_ask(self) -> None:
        """A script that forgot --yes drops nothing."""
        self.patch(sys, "stdin", io.StringIO("yes\n"))
        told = self.type("queue", "drop", "--all", status=1)
        self.assertIn("say --yes", told)
        self.assertIn("--yes", self.type("--qempty", status=1))
        self.assertEqual(len(self.items()), 2)

    # ---- what may be wrong -----------------------------------------------------------

    def test_in_use(self) -> None:
        """A queue that somebody has, and does not talk about, is left alone."""
        with self.opened():
            told = self.type("queue", "list", status=1)
        self.assertIn(f"in use by another process (pid {os.getpid()})", told)
        self.assertIn("nobody listens", told)

    def test_no_queue(self) -> None:
        """A queue that was never there is not made by asking for it."""
        (self.directory / "config/queue_dir").write_text("elsewhere\n")
        told = self.type("queue", "list", status=1)
        self.assertIn("there is no queue", told)
        self.assertFalse((self.directory / "elsewhere").exists())

    def test_left_as_it_was(self) -> None:
        """The server can open its queue after the command had it."""
        self.type("queue", "list")
        owners = {path.stat().st_uid for path in self.queue_directory.rglob("*")}
        self.assertEqual(owners, {self.queue_directory.stat().st_uid})
        mode = stat.S_IMODE(self.queue_directory.stat().st_mode)
        self.assertEqual(mode, 0o700)
        self.assertEqual(len(self.items()), 2)
