"""C{queue/quarantine}: copies of messages that look suspicious (row PB16)."""

import errno
import os
import time

from twisted.logger import capturedLogs
from zope.interface.verify import verifyObject

from harakatw.config.options import load_options
from harakatw.interfaces.services import IThreads
from harakatw.plugin import (
    DENY,
    OK,
    IConnection,
    IInitMasterHook,
    IQueueHook,
    IQueueOutboundHook,
    Kind,
    deny,
)
from harakatw.plugins._transaction import transaction_of
from harakatw.plugins.queue.quarantine import (
    LEFTOVER_SECONDS,
    Quarantine,
    QuarantineOptions,
    to_verdict,
)
from harakatw.testing.server import MemoryServer
from harakatw.testing.threads import NoThreads
from tests.config.folders import ConfigTestCase
from tests.fake_plugins import fake_plugin
from tests.plugins.keeper import AcceptAll, Keeper, deliver
from tests.plugins.makers import NotesOnConnection, NotesOnTransaction
from tests.plugins.servers import FolderTestCase

NAME = "queue/quarantine"
NOW = 1_700_000_000.0
TODAY = time.strftime("%Y%m%d", time.localtime(NOW))
LINES = "Subject: odd", "", "one", "..two"
SENT = b"Subject: odd\n\none\n.two\n"


class QuarantineTestCase(FolderTestCase):
    """A server with a quarantine below its folder, and a queue after it."""

    def setUp(self) -> None:
        """Nothing was queued yet."""
        super().setUp()
        self.keeper = Keeper()

    def make(self, threads: IThreads | None = None) -> Quarantine:
        """The plugin."""
        options = QuarantineOptions(quarantine_path="q")
        threads = threads or NoThreads()
        return Quarantine(options, NAME, self.server, threads, lambda: NOW)

    def send(self, *makers: object) -> str:
        """Send a message; the answer."""
        plugins = [*makers, AcceptAll(), self.make(), self.keeper]
        client = MemoryServer(plugins).connect()
        return deliver(client, "a@far.example", "b@here.example", *LINES)

    def folders(self) -> list[str]:
        """Where in the instance directory there are files."""
        return sorted({os.path.dirname(path) for path in self.files()})


class CopyTests(QuarantineTestCase):
    """What is copied where, and what becomes of the message."""

    def test_contract(self) -> None:
        """It stands on both hooks of queueing, and on the start."""
        for interface in IInitMasterHook, IQueueHook, IQueueOutboundHook:
            self.assertTrue(verifyObject(interface, self.make()))

    def test_not_wanted(self) -> None:
        """Without a note nothing is copied."""
        self.assertEqual(self.send()[:3], "250")
        self.assertEqual((self.files(), len(self.keeper.messages)), ({}, 1))

    def test_copy(self) -> None:
        """With one a copy is kept under today's date, and the message is delivered."""
        for maker in (
            NotesOnConnection({"quarantine": True}),
            NotesOnTransaction({"quarantine": 1}),
            NotesOnConnection({"quarantine": True}, relaying=True),
        ):
            before = len(self.keeper.messages)
            self.assertEqual(self.send(maker)[:3], "250")
            self.assertEqual(len(self.keeper.messages), before + 1)
        self.assertEqual(self.folders(), [f"q/{TODAY}"])
        self.assertEqual(len(self.files()), 3)

    def test_content(self) -> None:
        """The copy is the whole message, with line ends as on Unix."""
        self.send(NotesOnConnection({"quarantine": True}))
        (content,) = self.files().values()
        self.assertTrue(content.startswith(b"Received: "))
        self.assertTrue(content.endswith(SENT), content)

    def test_name(self) -> None:
        """The file has the name that the client was told and the log has."""
        said = self.send(NotesOnTransaction({"quarantine": True}))
        (path,) = self.files()
        self.assertIn(f"({os.path.basename(path)})", said)

    def test_subfolder(self) -> None:
        """A note may say below which folders."""
        self.send(NotesOnTransaction({"quarantine": "corpus/spam"}))
        self.assertEqual(self.folders(), [f"q/corpus/spam/{TODAY}"])

    def test_hostile_subfolder(self) -> None:
        """A note made of what a client said leads nowhere else (survey row 29)."""
        self.send(NotesOnTransaction({"quarantine": "/../..//x\0y/"}))
        self.assertEqual(self.folders(), [f"q/%2E./%2E./x%00y/{TODAY}"])

    def test_notes_left(self) -> None:
        """Later plugins can find the copy."""
        seen: list[object] = []

        def look(connection: IConnection) -> None:
            transaction = transaction_of(connection)
            seen.append(transaction.notes.get("quarantined"))
            seen.append(transaction.results.get(NAME)["pass"])

        looks = fake_plugin(queue=look)
        maker = NotesOnConnection({"quarantine": True})
        plugins = [maker, AcceptAll(), self.make(), looks, self.keeper]
        client = MemoryServer(plugins).connect()
        deliver(client, "a@far.example", "b@here.example", *LINES)
        (path,) = self.files()
        self.assertEqual(seen, [str(self.folder / path), [str(self.folder / path)]])

    def test_queue_wants(self) -> None:
        """A message whose queue this is goes no further, and is accepted."""
        said = self.send(NotesOnTransaction({"queue.wants": "quarantine"}))
        self.assertEqual(said[:3], "250")
        self.assertEqual((len(self.files()), self.keeper.messages), (1, []))

    def test_action(self) -> None:
        """A note may say what becomes of the message once the copy is kept."""
        for action, answer in (
            (OK, "250 2.0.0 Message Queued"),
            (["DENY", "Go away"], "550 5.7.1 Go away"),
            (deny("No", code=554), "554 5.7.1 No"),
        ):
            notes = {"quarantine": True, "quarantine_action": action}
            for maker in NotesOnConnection(notes), NotesOnTransaction(notes):
                self.assertEqual(self.send(maker)[: len(answer)], answer)
        self.assertEqual((len(self.files()), self.keeper.messages), (6, []))

    def test_action_alone(self) -> None:
        """An action without a quarantine does nothing."""
        self.send(NotesOnConnection({"quarantine_action": DENY}))
        self.assertEqual((self.files(), len(self.keeper.messages)), ({}, 1))


class FaultTests(QuarantineTestCase):
    """A message that should be kept back is not let through unseen."""

    def test_disk(self) -> None:
        """When the copy cannot be kept the client has to come again."""
        for number, answer in (errno.ENOSPC, "452 4.3.1"), (errno.EROFS, "451 4.3.0"):
            broken = self.break_disk(number)
            with capturedLogs() as events:
                said = self.send(NotesOnConnection({"quarantine": True}))
            broken.restore()
            self.assertEqual(said[:9], answer)
            self.assertIn("not quarantined", " ".join(e["log_format"] for e in events))
        self.assertEqual((self.files(), self.keeper.messages), ({}, []))

    def test_nothing_replaced(self) -> None:
        """A copy never takes another's place, and leaves nothing half done."""
        self.break_disk(errno.EEXIST, "link")
        said = self.send(NotesOnConnection({"quarantine": True}))
        self.assertEqual((said[:9], self.files()), ("451 4.3.0", {}))


class ActionTests(QuarantineTestCase):
    """What can stand in the note C{quarantine_action}."""

    def test_forms(self) -> None:
        """A verdict in every form that plugins for Haraka know."""
        for action in DENY, Kind.DENY, "deny", "DENY", 902:
            self.assertEqual(to_verdict(action), DENY)
            self.assertEqual(to_verdict((action, "why")), deny("why"))
            self.assertEqual(to_verdict([action, ""]), DENY)

    def test_nonsense(self) -> None:
        """Anything else is a plugin's mistake."""
        for action in "NO", 250, ["DENY"], ["DENY", "a", "b"], object():
            with self.assertRaises(ValueError):
                to_verdict(action)


class StartTests(QuarantineTestCase):
    """What is done when the server starts."""

    def start(self) -> None:
        """Start."""
        self.successResultOf(self.make().hook_init_master(self.server))

    def test_folder(self) -> None:
        """The quarantine is made."""
        self.start()
        self.assertTrue((self.folder / "q/tmp").is_dir())

    def test_leftovers(self) -> None:
        """What a crash left half written goes, what is being written stays."""
        tmp = self.folder / "q/tmp"
        (tmp / "folder").mkdir(parents=True)
        for name, age in ("old", LEFTOVER_SECONDS + 1), ("new", LEFTOVER_SECONDS - 1):
            (tmp / name).touch()
            os.utime(tmp / name, (NOW - age, NOW - age))
        self.start()
        self.assertEqual(list(self.files()), ["q/tmp/new"])

    def test_fault(self) -> None:
        """A quarantine that cannot be made is reported, and the server starts."""
        (self.folder / "q").touch()
        with capturedLogs() as events:
            self.start()
        self.assertEqual(
            [e["log_format"] for e in events], ["{folder} cannot be used: {problem}"]
        )


class OptionTests(ConfigTestCase):
    """C{quarantine.ini}."""

    def test_default(self) -> None:
        """Without a file it is where Haraka's is."""
        options = load_options(QuarantineOptions, self.files(), NAME).checked()
        self.assertEqual(options.quarantine_path, "/var/spool/haraka/quarantine")

    def test_file(self) -> None:
        """The path can be another, and no path is a mistake."""
        self.write("quarantine.ini", "quarantine_path = /srv/q\n")
        options = load_options(QuarantineOptions, self.files(), NAME).checked()
        self.assertEqual(options.quarantine_path, "/srv/q")
        self.write("quarantine.ini", "quarantine_path =\n")
        loaded = load_options(QuarantineOptions, self.files(), NAME)
        self.assertEqual([problem.line for problem in loaded.problems], [1])
