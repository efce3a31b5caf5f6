"""C{queue/maildir}: delivery into Maildirs."""

import errno
import os
import stat
from pathlib import Path

from twisted.logger import capturedLogs
from zope.interface.verify import verifyObject

from harakatw.address import Address
from harakatw.config.connection import ConnectionOptions
from harakatw.config.options import load_options
from harakatw.interfaces.services import IThreads
from harakatw.plugin import IInitMasterHook, IQueueHook
from harakatw.plugins.queue.maildir import LEFTOVER_SECONDS, Maildir, MaildirOptions
from harakatw.testing.server import MemoryClient, MemoryServer
from harakatw.testing.threads import HeldThreads, NoThreads
from tests.config.folders import ConfigTestCase
from tests.plugins.keeper import AcceptAll, Keeper, deliver, greet, send
from tests.plugins.makers import NotesOnTransaction
from tests.plugins.servers import FolderTestCase

NAME = "queue/maildir"
NOW = 1_700_000_000.25
LINES = "Subject: hello", "", "one", "..two", "caf\u00e9"
RETURN_PATH = b"Return-Path: <a@far.example>\r\n"
SENT = "Subject: hello\r\n\r\none\r\n.two\r\ncaf\u00e9\r\n".encode()


class MaildirTestCase(FolderTestCase):
    """A server that delivers into Maildirs below its folder."""

    def make(
        self, options: MaildirOptions | None = None, threads: IThreads | None = None
    ) -> Maildir:
        """The plugin."""
        return Maildir(
            options or MaildirOptions(),
            NAME,
            self.server,
            threads or NoThreads(),
            lambda: NOW,
        )

    def connect(self, tested: Maildir, *others: object) -> MemoryClient:
        """A client of a server with the plugin, which takes every recipient."""
        return MemoryServer([AcceptAll(), *others, tested]).connect()

    def deliver(self, tested: Maildir, *recipients: str) -> str:
        """Send a message; the last answer."""
        client = self.connect(tested)
        greet(client)
        for recipient in recipients or ("b@here.example",):
            client.ask(f"RCPT TO:<{recipient}>")
        return send(client, *LINES)

    def folders(self) -> list[str]:
        """Where in the instance directory there are messages."""
        return sorted({os.path.dirname(path) for path in self.files()})


class DeliveryTests(MaildirTestCase):
    """What is in a Maildir after a 250."""

    def test_contract(self) -> None:
        """It delivers inbound mail, and sweeps at the start."""
        self.assertTrue(verifyObject(IQueueHook, self.make()))
        self.assertTrue(verifyObject(IInitMasterHook, self.make()))

    def test_byte_for_byte(self) -> None:
        """The message is what was sent, after its trace headers."""
        self.assertEqual(self.deliver(self.make())[:4], "250 ")
        (content,) = self.files().values()
        self.assertTrue(content.startswith(RETURN_PATH + b"Received: "), content)
        self.assertTrue(content.endswith(SENT), content)
        field = rb"Received: [^\r\n]+(?:\r\n[ \t][^\r\n]+)*\r\n"
        trace = content.removesuffix(SENT).removeprefix(RETURN_PATH)
        self.assertRegex(trace, rb"\A" + field + rb"\Z")

    def test_name(self) -> None:
        """The name is as the Maildir page wants it, with the size of the file."""
        self.deliver(self.make())
        ((path, content),) = self.files().items()
        form = rf"maildir/new/1700000000\.M250000P{os.getpid()}Q0R[0-9a-f]{{8}}"
        self.assertRegex(path, rf"\A{form}\.mail\.example,S={len(content)}\Z")

    def test_shape(self) -> None:
        """The Maildir is complete, and private."""
        self.deliver(self.make())
        for name in "", "cur", "new", "tmp":
            mode = (self.folder / "maildir" / name).stat().st_mode
            self.assertEqual(stat.S_IMODE(mode), 0o700)
        (path,) = self.files()
        mode = (self.folder / path).stat().st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o600)

    def test_group(self) -> None:
        """Files that a group may read stand in folders that it may search."""
        self.deliver(self.make(MaildirOptions(file_mode="0640")))
        (path,) = self.files()
        self.assertEqual(stat.S_IMODE((self.folder / path).stat().st_mode), 0o640)
        new = (self.folder / "maildir/new").stat().st_mode
        self.assertEqual(stat.S_IMODE(new), 0o750)

    def test_line_end(self) -> None:
        """On request lines end as on Unix, those of the trace headers too."""
        self.deliver(self.make(MaildirOptions(line_end="lf")))
        (content,) = self.files().values()
        self.assertNotIn(b"\r", content)
        self.assertTrue(content.endswith(SENT.replace(b"\r\n", b"\n")))

    def test_no_return_path(self) -> None:
        """Without Return-Path the message begins with what the server added."""
        self.deliver(self.make(MaildirOptions(return_path=False)))
        (content,) = self.files().values()
        self.assertTrue(content.startswith(b"Received: "), content)

    def test_null_sender(self) -> None:
        """A bounce has an empty Return-Path (RFC 5321 section 4.4)."""
        deliver(self.connect(self.make()), "", "b@here.example", *LINES[:3])
        (content,) = self.files().values()
        self.assertTrue(content.startswith(b"Return-Path: <>\r\n"), content)

    def test_delivered_to(self) -> None:
        """On request a copy names the recipients that share it, and no others."""
        options = MaildirOptions(path="{domain}", delivered_to=True)
        self.deliver(self.make(options), "b@x.example", "c@y.example", "d@x.example")
        heads = {path[:9]: content[:110] for path, content in self.files().items()}
        both = b"Delivered-To: b@x.example\r\nDelivered-To: d@x.example\r\nReceived"
        one = b"Delivered-To: c@y.example\r\nReceived"
        self.assertTrue(heads["x.example"].startswith(RETURN_PATH + both), heads)
        self.assertTrue(heads["y.example"].startswith(RETURN_PATH + one), heads)

    def test_one_copy_each(self) -> None:
        """Recipients with one Maildir get one copy."""
        self.deliver(self.make(), "b@x.example", "c@y.example")
        self.assertEqual(len(self.files()), 1)

    def test_many_messages(self) -> None:
        """Messages of one moment do not replace each other."""
        tested = self.make()
        for _ in range(3):
            self.deliver(tested)
        self.deliver(self.make())
        self.assertEqual(len(self.files()), 4)

    def test_spooled(self) -> None:
        """A message that was too big for memory comes out of its file whole."""
        limits = ConnectionOptions(spool_after=0, spool_dir=str(self.folder))
        server = MemoryServer([AcceptAll(), self.make()], limits=limits)
        client = server.connect()
        said = deliver(client, "a@far.example", "b@here.example", *LINES)
        self.assertEqual(said[:3], "250")
        (content,) = self.files().values()
        self.assertTrue(content.endswith(SENT), content)

    def test_other_queue(self) -> None:
        """A message that another queue wants is left to it."""
        keeper = Keeper()
        maker = NotesOnTransaction({"queue.wants": "lmtp"})
        client = MemoryServer([AcceptAll(), maker, self.make(), keeper]).connect()
        deliver(client, "a@far.example", "b@here.example", *LINES[:3])
        self.assertEqual((len(keeper.messages), self.files()), (1, {}))

    def test_own_queue(self) -> None:
        """A message that wants this queue gets it."""
        maker = NotesOnTransaction({"queue.wants": "maildir"})
        said = deliver(
            self.connect(self.make(), maker), "a@far.example", "b@h.example", *LINES[:3]
        )
        self.assertEqual((said[:3], len(self.files())), ("250", 1))


class PlaceTests(MaildirTestCase):
    """Whose Maildir is where (survey row 29)."""

    def place(self, path: str, user: str, host: str = "here.example") -> str:
        """The Maildir of a recipient."""
        tested = self.make(MaildirOptions(path=path))
        return tested.folder_of(Address(user, host))

    def test_below_instance(self) -> None:
        """A path without a slash in front is one in the instance directory."""
        self.assertEqual(self.place("m", "b"), str(self.folder / "m"))

    def test_absolute(self) -> None:
        """Another is taken as it is."""
        self.assertEqual(self.place("/srv/m/{user}", "b"), "/srv/m/b")

    def test_placeholders(self) -> None:
        """User and domain stand where they are wanted, in lower case."""
        self.assertEqual(
            self.place("/m/{domain}/{user}/Maildir", "Bob"),
            "/m/here.example/bob/Maildir",
        )

    def test_hostile_user(self) -> None:
        """Nobody chooses a folder by a quoted local part."""
        for user, name in (
            ("../../x", "%2E.%2F..%2Fx"),
            ("..", "%2E."),
            ("/etc", "%2Fetc"),
            ("{domain}", "%7Bdomain%7D"),
        ):
            self.assertEqual(self.place("/m/{user}", user), f"/m/{name}")

    def test_hostile_recipient(self) -> None:
        """Such a recipient gets mail, and it stays where Maildirs are."""
        options = MaildirOptions(path="m/{domain}/{user}")
        said = self.deliver(self.make(options), '"../../../x"@here.example')
        self.assertEqual(said[:3], "250")
        self.assertEqual(self.folders(), ["m/here.example/%2E.%2F..%2F..%2Fx/new"])

    def test_literal(self) -> None:
        """A domain may be an address."""
        self.assertEqual(
            self.place("/m/{domain}", "b", "[IPv6:::1]"), "/m/%5Bipv6%3A%3A%3A1%5D"
        )

    def test_postmaster(self) -> None:
        """The postmaster without a domain is this server's."""
        self.assertEqual(
            self.place("/m/{domain}/{user}", "postmaster", ""),
            "/m/mail.example/postmaster",
        )

    def test_long(self) -> None:
        """The longest address there can be still has a Maildir."""
        host = ".".join(["d" * 60] * 4)
        options = MaildirOptions(path="m/{user}@{domain}")
        tested = self.make(options)
        folder = tested.folder_of(Address("\u00e9" * 32, host[:180]))
        Path(folder).mkdir(parents=True)

    def test_server_name(self) -> None:
        """A server's name with a slash or colon makes no path of a file's name."""
        self.server.name = "a/b:c"
        self.deliver(self.make())
        (path,) = self.files()
        self.assertIn(r".a\057b\072c,S=", path)


class FaultTests(MaildirTestCase):
    """A 250 means that all copies are on disk, and no other answer leaves one."""

    def refused(self, tested: Maildir, *recipients: str) -> str:
        """Send a message; the answer, with what the log says about it."""
        with capturedLogs() as events:
            said = self.deliver(tested, *recipients)
        self.assertIn("not delivered", " ".join(e["log_format"] for e in events))
        self.assertNotIn(str(self.folder), said)
        return said

    def test_disk_full(self) -> None:
        """A full or broken disk is 452 4.3.1, and nothing is kept."""
        self.deliver(self.make())
        before = self.files()
        for calls in 0, 1:  # the file is synced first, then its folder
            for number in errno.ENOSPC, errno.EIO:
                broken = self.break_disk(number, after=calls)
                self.assertEqual(self.refused(self.make())[:9], "452 4.3.1", calls)
                self.assertEqual(self.files(), before)
                broken.restore()

    def test_all_or_nothing(self) -> None:
        """When the second Maildir takes no mail, the first keeps none."""
        tested = self.make(MaildirOptions(path="{user}"))
        (self.folder / "c").write_bytes(b"a file where a Maildir should be")
        said = self.refused(tested, "b@x.example", "c@x.example", "d@x.example")
        self.assertEqual(said[:9], "451 4.3.0")
        self.assertEqual(list(self.files()), ["c"])

    def test_rename_fails(self) -> None:
        """Copies that were placed already are taken back."""
        tested = self.make(MaildirOptions(path="{user}"))
        self.break_disk(errno.EACCES, "rename", after=1)
        said = self.refused(tested, "b@x.example", "c@x.example")
        self.assertEqual(said[:9], "451 4.3.0")
        self.assertEqual(self.files(), {})

    def test_late(self) -> None:
        """
        A disk that takes longer than the plugin may: the client is told to come again,
        and the message that it brings again is not there already.
        """
        threads = HeldThreads()
        server = MemoryServer([AcceptAll(), self.make(threads=threads)])
        client = server.connect()
        said = deliver(client, "a@far.example", "b@here.example", *LINES[:3])
        self.assertEqual(said, "")
        server.clock.advance(30)
        self.assertEqual(client.codes(), [450])
        threads.run_one()
        self.assertEqual(self.files(), {})

    def test_waits(self) -> None:
        """Nothing is said before the message is on disk."""
        threads = HeldThreads()
        client = self.connect(self.make(threads=threads))
        self.assertEqual(deliver(client, "a@x.example", "b@here.example", "a: b"), "")
        threads.run_one()
        self.assertEqual(client.codes(), [250])
        self.assertEqual(self.folders(), ["maildir/new"])

    def test_fault_of_ours(self) -> None:
        """A mistake in the program is logged as one, and loses no mail."""
        self.patch(os, "rename", lambda *_: 1 / 0)
        self.assertEqual(self.deliver(self.make())[:3], "450")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class SweepTests(MaildirTestCase):
    """What a crash left in tmp is removed when the server starts."""

    def leave(self, path: str, age: float) -> None:
        """Put a file there that has been there for a while."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        os.utime(file, (NOW - age, NOW - age))

    def test_old_only(self) -> None:
        """Only files of 36 hours and more, and only those in tmp, are removed."""
        for name in "new/old", "cur/old", "tmp/old":
            self.leave(f"maildir/{name}", LEFTOVER_SECONDS + 1)
        self.leave("maildir/tmp/young", LEFTOVER_SECONDS - 1)
        self.make().hook_init_master(self.server)
        wanted = ["maildir/cur/old", "maildir/new/old", "maildir/tmp/young"]
        self.assertEqual(list(self.files()), wanted)

    def test_each_maildir(self) -> None:
        """The Maildirs of all users and domains are looked at."""
        for name in "x.example/b", "y.example/c":
            self.leave(f"m[1]/{name}/tmp/old", LEFTOVER_SECONDS + 1)
        options = MaildirOptions(path="m[1]/{domain}/{user}")
        self.make(options).hook_init_master(self.server)
        self.assertEqual(self.files(), {})

    def test_no_file(self) -> None:
        """What is no plain file is not ours."""
        (self.folder / "maildir/tmp/folder").mkdir(parents=True)
        os.utime(self.folder / "maildir/tmp/folder", (0, 0))
        self.make().hook_init_master(self.server)
        self.assertTrue((self.folder / "maildir/tmp/folder").is_dir())

    def test_none_yet(self) -> None:
        """Before the first message there is nothing to do."""
        with capturedLogs() as events:
            self.make().hook_init_master(self.server)
        self.assertEqual(events, [])

    def test_fault(self) -> None:
        """A folder that cannot be read is reported, and the server starts."""
        self.leave("maildir/tmp/old", LEFTOVER_SECONDS + 1)
        self.break_disk(errno.EIO, "lstat")
        self.make().hook_init_master(self.server)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)


class OptionTests(ConfigTestCase):
    """C{maildir.ini}."""

    def test_defaults(self) -> None:
        """Without a file there is one Maildir beside the configuration."""
        loaded = load_options(MaildirOptions, self.files(), NAME)
        self.assertEqual(loaded.options, MaildirOptions())
        self.assertEqual((loaded.options.path, loaded.problems), ("maildir", ()))

    def test_file(self) -> None:
        """All of it can be said."""
        self.write(
            "maildir.ini",
            "path = /srv/{domain}/{user}\nfile_mode = 0660\nline_end = LF\n"
            "return_path = false\ndelivered_to = true\n",
        )
        options = load_options(MaildirOptions, self.files(), NAME).checked()
        self.assertEqual(options.path, "/srv/{domain}/{user}")
        self.assertEqual((options.mode, options.folder_mode), (0o660, 0o770))
        self.assertEqual(options.line_end, "lf")
        self.assertEqual((options.return_path, options.delivered_to), (False, True))

    def test_wrong(self) -> None:
        """A slip is reported with its line, and mail goes where it went before."""
        for line in (
            "path = {usr}",
            "path = a}",
            "path =",
            "file_mode = 7",
            "line_end=x",
        ):
            self.write("maildir.ini", f"{line}\n")
            loaded = load_options(MaildirOptions, self.files(), NAME)
            self.assertEqual(loaded.options, MaildirOptions(), line)
            self.assertEqual([p.line for p in loaded.problems], [1], line)
