"""C{block_me}: users have senders blocked by forwarding their mail (row PB06)."""

import os
import threading
from pathlib import Path

import attrs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from harakatw.config.options import load_options
from harakatw.interfaces.services import IThreads
from harakatw.notes import Notes
from harakatw.plugin import (
    CONT,
    IConnectInitHook,
    IConnection,
    IDataPostHook,
    IQueueHook,
    IQueueOutboundHook,
    IServer,
    Verdict,
)
from harakatw.plugins.block_me import (
    MAX_LIST_OCTETS,
    BlockMe,
    BlockMeOptions,
    add_line,
)
from harakatw.testing.server import MemoryServer
from harakatw.testing.threads import HeldThreads, NoThreads
from tests.config.folders import ConfigTestCase
from tests.plugins.keeper import AcceptAll, Keeper, deliver

SPAM = ("Subject: Fwd", "", "From: Win <win@spam.example>", "Subject: win")


@implementer(IServer)
@attrs.frozen
class FakeServer:
    """A server with an instance directory."""

    directory: str
    name: str = "mail.example"
    notes: Notes = attrs.field(factory=Notes)


@implementer(IConnectInitHook)
@attrs.frozen
class Relaying:
    """Says whether clients may relay."""

    allowed: bool

    def hook_connect_init(self, connection: IConnection) -> Verdict:
        connection.relaying = self.allowed
        return CONT


class BlockMeTests(SynchronousTestCase):
    """Requests to block somebody."""

    def setUp(self) -> None:
        """Make an instance directory."""
        self.instance = Path(self.mktemp())
        (self.instance / "config").mkdir(parents=True)
        self.blocklist = self.instance / "config" / "mail_from.blocklist"
        self.keeper = Keeper()

    def _plugin(self, threads: IThreads | None = None) -> BlockMe:
        options = BlockMeOptions(
            recipient="Spam@Here.example", senders=frozenset({"User@here.example"})
        )
        server = FakeServer(str(self.instance))
        verifyObject(IServer, server)
        return BlockMe(
            options=options,
            name="block_me",
            server=server,
            threads=threads or NoThreads(),
        )

    def _deliver(
        self,
        *lines: str,
        sender: str = "user@here.example",
        recipient: str = "spam@here.example",
        relaying: bool = True,
    ) -> str:
        plugins = [Relaying(relaying), AcceptAll(), self._plugin(), self.keeper]
        client = MemoryServer(plugins).connect()
        return deliver(client, sender, recipient, *(lines or SPAM))

    def _listed(self) -> str:
        return self.blocklist.read_text() if self.blocklist.exists() else ""

    def test_blocked(self) -> None:
        """The sender is listed, and the message goes no further."""
        self.assertEqual(self._deliver()[:3], "250")
        self.assertEqual(self._listed(), "win@spam.example\n")
        self.assertEqual(self.keeper.messages, [])

    def test_twice(self) -> None:
        """A sender is listed once, and others stay listed."""
        self.blocklist.write_text("# mine\nold@spam.example")
        for _ in range(2):
            self.assertEqual(self._deliver()[:3], "250")
        self.assertEqual(self._listed(), "# mine\nold@spam.example\nwin@spam.example\n")

    def test_listed_already(self) -> None:
        """The case in which somebody is listed already does not matter."""
        self.blocklist.write_text("WIN@spam.example\n")
        self._deliver()
        self.assertEqual(self._listed(), "WIN@spam.example\n")

    def test_not_allowed(self) -> None:
        """Who is not in block_me.senders is refused."""
        self.assertEqual(
            self._deliver(sender="other@here.example"),
            "550 5.7.1 You are not allowed to block mail, other@here.example\r\n",
        )
        self.assertEqual(self._deliver(sender="")[:9], "550 5.7.1")
        self.assertEqual(self._listed(), "")

    def test_stranger(self) -> None:
        """
        A client that may not relay blocks nobody, whoever it says it is: its mail is
        ordinary mail.
        """
        self.assertEqual(self._deliver(relaying=False)[:3], "250")
        self.assertEqual(len(self.keeper.messages), 1)
        self.assertEqual(self._listed(), "")

    def test_other_recipient(self) -> None:
        """Mail to anybody else passes."""
        self._deliver(recipient="friend@here.example")
        self.assertEqual(len(self.keeper.messages), 1)
        self.assertEqual(self._listed(), "")

    def test_several_recipients(self) -> None:
        """Mail that is also for somebody else passes, and blocks nobody."""
        plugins = [Relaying(True), AcceptAll(), self._plugin(), self.keeper]
        client = MemoryServer(plugins).connect()
        client.ask("EHLO x.example", "MAIL FROM:<user@here.example>")
        client.ask("RCPT TO:<spam@here.example>", "RCPT TO:<u@far.example>", "DATA")
        self.assertEqual(client.ask(*SPAM, ".")[:3], "250")
        self.assertEqual(len(self.keeper.messages), 1)
        self.assertEqual(self._listed(), "")

    def test_no_sender(self) -> None:
        """A message in which nobody can be found goes on to the mailbox."""
        self._deliver("Subject: x", "", "no idea who that was")
        self.assertEqual(len(self.keeper.messages), 1)
        self.assertEqual(self._listed(), "")

    def test_own_people(self) -> None:
        """Neither those who may block nor the address itself can be blocked."""
        for address in "user@here.example", "spam@here.example":
            self._deliver("Subject: x", "", f"From: <{address}>")
        self.assertEqual(self._listed(), "")

    def test_not_configured(self) -> None:
        """Without block_me.recipient all mail passes."""
        tested = BlockMe(
            options=BlockMeOptions(),
            name="block_me",
            server=FakeServer(str(self.instance)),
            threads=NoThreads(),
        )
        client = MemoryServer([Relaying(True), tested, self.keeper]).connect()
        deliver(client, "user@here.example", "spam@here.example", *SPAM)
        self.assertEqual(len(self.keeper.messages), 1)

    def test_cannot_write(self) -> None:
        """If the list cannot be written the client is asked to try again."""
        self.blocklist.mkdir()
        self.assertEqual(
            self._deliver(),
            "451 4.3.0 The sender could not be blocked, try again later\r\n",
        )

    def test_waits_for_the_disk(self) -> None:
        """The client has its answer when the sender is listed, not before."""
        threads = HeldThreads()
        plugins = [Relaying(True), self._plugin(threads), self.keeper]
        client = MemoryServer(plugins).connect()
        said = deliver(client, "user@here.example", "spam@here.example", *SPAM)
        self.assertEqual(said, "")
        threads.run_one()
        self.assertEqual(client.codes(), [250])
        self.assertEqual(self._listed(), "win@spam.example\n")

    def test_interfaces(self) -> None:
        """The plugin has the methods that the server will call."""
        for interface in IDataPostHook, IQueueHook, IQueueOutboundHook:
            verifyObject(interface, self._plugin())


class AddLineTests(SynchronousTestCase):
    """The list on the disk."""

    def setUp(self) -> None:
        """Name a list that does not exist yet."""
        self.path = Path(self.mktemp())

    def test_symbolic_link(self) -> None:
        """A link is not followed: it may lead out of the instance."""
        outside = Path(self.mktemp())
        outside.write_text("")
        self.path.symlink_to(outside.resolve())
        self.assertRaises(OSError, add_line, self.path, "a@b.example")
        self.assertEqual(outside.read_text(), "")

    def test_pipe(self) -> None:
        """A pipe is refused, and nobody waits for it."""
        os.mkfifo(self.path)
        self.assertRaises(OSError, add_line, self.path, "a@b.example")

    def test_full(self) -> None:
        """The list does not grow without end, and what is in it stays."""
        content = b"x" * (MAX_LIST_OCTETS - 5)
        self.path.write_bytes(content)
        self.assertRaises(OSError, add_line, self.path, "a@b.example")
        self.assertEqual(self.path.read_bytes(), content)

    def test_together(self) -> None:
        """Of many that write at once each gets a line of its own."""
        writers = [
            threading.Thread(target=add_line, args=(self.path, f"{n % 10}@b.example"))
            for n in range(20)
        ]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        lines = self.path.read_text().splitlines()
        self.assertEqual(sorted(lines), [f"{n}@b.example" for n in range(10)])


class OptionTests(ConfigTestCase):
    """The files."""

    def test_files(self) -> None:
        """The two files are Haraka's."""
        self.write("block_me.recipient", "spam@here.example\n")
        self.write("block_me.senders", "a@here.example\nB@here.example\n")
        loaded = load_options(BlockMeOptions, self.files(), "block_me")
        self.assertEqual(loaded.problems, ())
        self.assertEqual(loaded.options.recipient, "spam@here.example")
        self.assertEqual(loaded.options.senders, {"a@here.example", "B@here.example"})
