"""C{attachment}: messages refused for their attachments (row PN04)."""

from base64 import b64encode
from pathlib import Path
from typing import Any

from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from harakatw.config.options import load_options
from harakatw.interfaces.hooks import IDataHook, IDataPostHook
from harakatw.plugins.attachment import Attachment, AttachmentOptions
from harakatw.testing.server import MemoryServer
from harakatw.testing.threads import HeldThreads, NoThreads
from harakatw.verdict import CONT
from tests.config.folders import ConfigTestCase
from tests.fake_plugins import fake_plugin
from tests.message.mime.walks import multipart
from tests.plugins.archives import locked, zipped
from tests.plugins.servers import FakeServer
from tests.sessions import ENVELOPE, Mailbox, Site, make_site


def plugin(threads: Any = None, **options: Any) -> Attachment:
    """The plugin with these options."""
    made = AttachmentOptions(**options)
    return Attachment(made, "attachment", threads or NoThreads())


def attached(name: str, content: bytes = b"x", ct: str = "application/x") -> bytes:
    """A part that is an attachment."""
    head = (
        f"Content-Type: {ct}\r\n"
        f'Content-Disposition: attachment; filename="{name}"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + b64encode(content)


def answer(octets: bytes, *more: object, tested: Any = None, **options: Any) -> str:
    """What is answered to a message?"""
    site = make_site(*more, tested or plugin(**options))
    return site.send_message(octets + b"\r\n.\r\n")


def refused(octets: bytes, **options: Any) -> str:
    """Why is a message refused? C{""} if it is not."""
    said = answer(octets, **options).rstrip("\r\n")
    if said.startswith("250"):
        return ""
    code, _, why = said.partition(" Message contains ")
    assert code == "550 5.7.1", said
    return why


class ExtensionTests(SynchronousTestCase):
    """Files that are refused for their extension."""

    def test_interface(self) -> None:
        """It stands on these hooks."""
        for interface in IDataHook, IDataPostHook:
            verifyObject(interface, plugin())

    def test_extensions(self) -> None:
        """A listed extension, in whatever case and disguise."""
        for name in "a.exe", "A.EXE", "invoice.pdf.exe", "a.exe .", "=?utf-8?q?a.exe?=":
            octets = multipart(b"\r\ntext", attached(name))
            self.assertEqual(refused(octets), "disallowed file extension (exe)", name)
        for name in "a.txt", "exe", "a.exe.txt", "":
            self.assertEqual(refused(multipart(attached(name))), "", name)

    def test_own_list(self) -> None:
        """The postmaster's list, with dots or without."""
        for options in ("js", ".JS"), ("vbs", "js"):
            octets = multipart(attached("a.js"))
            why = refused(octets, disallowed_extensions=options)
            self.assertEqual(why, "disallowed file extension (js)")
        self.assertEqual(
            refused(multipart(attached("a.exe")), disallowed_extensions=()), ""
        )

    def test_anywhere(self) -> None:
        """Any part may have a name, in any field and depth."""
        bad = (
            b"Content-Type: text/plain; name=a.exe\r\n\r\nx",
            b"Content-Type: a/b; name*0=a.; name*1=exe\r\n\r\nx",
            b"Content-Type: a/b; name=a.exe\r\n"
            b"Content-Disposition: attachment; filename=a.txt\r\n\r\nx",
            b"Content-Disposition: attachment; filename=a.exe;\r\n"
            b" filename*=utf-8''a.txt\r\n\r\nx",
            b"Content-Disposition: attachment; filename=a; filename=a.exe\r\n\r\nx",
            b"Content-Type: a/b\r\nContent-Type: a/b; name=a.exe\r\n\r\nx",
            b"Content-Type: message/rfc822\r\n\r\n"
            + multipart(attached("a.exe"), boundary="i"),
        )
        for part in bad:
            why = refused(multipart(b"\r\nx", part))
            self.assertEqual(why, "disallowed file extension (exe)", part)
        self.assertEqual(refused(bad[0]), "disallowed file extension (exe)")


class PatternTests(SynchronousTestCase):
    """Files and parts that are refused for a pattern."""

    def test_filename(self) -> None:
        """Attachments' names, found anywhere in them, in any case."""
        octets = multipart(attached("My Invoice 7.pdf"))
        why = refused(octets, filename_regex=("^no", r"invoice \d"))
        self.assertEqual(why, "unacceptable attachment (My Invoice 7.pdf)")
        self.assertEqual(refused(octets, filename_regex=("^invoice",)), "")

    def test_type(self) -> None:
        """Content types, of the message too."""
        octets = multipart(attached("a", ct="application/x-executable"))
        for pattern in "executable", "^multipart/":
            self.assertIn("content type", refused(octets, ctype_regex=(pattern,)))
        self.assertEqual(refused(octets, ctype_regex=("partial",)), "")

    def test_in_archive(self) -> None:
        """Names in archives have patterns of their own."""
        octets = multipart(attached("a.zip", zipped("setup.bin")))
        why = refused(octets, archive_regex=("setup",))
        self.assertEqual(why, "unacceptable attachment (a.zip/setup.bin)")
        self.assertEqual(refused(octets, filename_regex=("setup",)), "")

    def test_bad_pattern(self) -> None:
        """A pattern that is none is logged, and the others hold."""
        with capturedLogs() as logs:
            tested = plugin(filename_regex=("(", "bad"))
        self.assertIn("'('", str(logs))
        octets = multipart(attached("bad.txt"))
        self.assertEqual(answer(octets, tested=tested)[:3], "550")

    def test_foreign_letters(self) -> None:
        """A name that no reply can bear is told as well as can be."""
        octets = multipart(attached("grün\x07.txt"))
        why = refused(octets, filename_regex=("gr",))
        self.assertEqual(why, "unacceptable attachment (gr?n?.txt)")


class ArchiveTests(SynchronousTestCase):
    """What is found in archives."""

    def test_extension(self) -> None:
        """A program in an archive, however deep."""
        octets = zipped("b.txt", "a.exe")
        for _ in range(3):
            octets = zipped("b.zip", content=octets)
            why = refused(multipart(attached("a.zip", octets)))
            self.assertEqual(why, "disallowed file extension (exe)")

    def test_depth(self) -> None:
        """Archives within each other beyond the limit."""
        octets = multipart(attached("a.zip", zipped("b.zip", content=zipped("c"))))
        self.assertEqual(refused(octets, max_depth=2), "")
        why = refused(octets, max_depth=1)
        self.assertEqual(why, "nested archives exceeding the maximum depth")

    def test_encrypted(self) -> None:
        """Archives with a password, unless they are allowed."""
        octets = multipart(attached("a.zip", locked("b.txt")))
        self.assertEqual(refused(octets), "encrypted archive")
        self.assertEqual(refused(octets, allow_encrypted=True), "")
        octets = multipart(attached("a.zip", locked("b.exe")))
        why = refused(octets, allow_encrypted=True)
        self.assertEqual(why, "disallowed file extension (exe)")

    def test_too_big(self) -> None:
        """Archives that unpack to too much, or hold too many files."""
        bomb = zipped("b.zip", content=bytes(100_000))
        why = "an archive too big to be looked into"
        octets = multipart(attached("a.zip", bomb))
        self.assertEqual(refused(octets, max_bytes=50_000), why)
        many = zipped(*map(str, range(20)))
        octets = multipart(attached("a.zip", many))
        self.assertEqual(refused(octets, max_files=19), why)
        self.assertEqual(refused(octets, max_files=20), "")

    def test_unreadable(self) -> None:
        """Damaged archives, if the postmaster wants that."""
        octets = multipart(attached("a.zip", b"PK\x03\x04"))
        self.assertEqual(refused(octets), "")
        why = refused(octets, allow_unreadable=False)
        self.assertEqual(why, "an archive that cannot be read")

    def test_too_slow(self) -> None:
        """What takes too long has to come again, unless its sender may relay."""
        octets = multipart(attached("a.zip", zipped("b.txt")))
        self.assertEqual(answer(octets, timeout=1e-9)[:9], "451 4.7.1")

        def relay(connection: Any) -> object:
            connection.relaying = True
            return CONT

        said = answer(octets, fake_plugin(connect_init=relay), timeout=1e-9)
        self.assertNotEqual(said[:9], "451 4.7.1")

    def test_threads(self) -> None:
        """Archives are written and looked into in threads; the reply waits for them."""
        threads = HeldThreads()
        site = make_site(plugin(threads))
        content = zipped("a.exe", content=bytes(range(256)) * 2000, method=0)
        octets = multipart(attached("a.zip", content))
        said = site.send_message(octets + b"\r\n.\r\n")
        runs = 0
        while threads.waiting:
            self.assertEqual(said, "")
            threads.run_one()
            runs += 1
            said = site.client.hear()
        self.assertGreater(runs, 4)
        self.assertIn("(exe)", said)

    def test_turns(self) -> None:
        """Of many archives that come at a time four are looked into, then others."""
        threads = HeldThreads()
        server = MemoryServer([plugin(threads), Mailbox()])
        octets = multipart(attached("a.zip", zipped("a.txt")))
        clients = [server.connect() for _ in range(6)]
        for client in clients:
            client.say("EHLO c.example", *ENVELOPE, "DATA")
            client.send(octets + b".\r\n")
        self.assertEqual(len(threads.waiting), 4)
        while threads.waiting:
            threads.run_one()
        self.assertEqual([client.codes()[-1] for client in clients], [250] * 6)


class NoteTests(SynchronousTestCase):
    """What other plugins and the log are told."""

    def test_notes(self) -> None:
        """Names, types and checksums are in notes and results."""
        notes: list[Any] = []

        def look(connection: Any) -> None:
            transaction = connection.transaction
            notes.append(transaction.notes.as_dict())
            notes.append(transaction.results.get("attachment"))

        site = make_site(plugin(), fake_plugin("Look", queue=look))
        parts = attached("b.txt", b"hello"), attached("a.zip", zipped("c.txt"))
        with capturedLogs() as logs:
            site.send_message(multipart(b"\r\nx", *parts) + b"\r\n.\r\n")
        noted, results = notes
        self.assertEqual(noted["attachment_files"], ["b.txt", "a.zip"])
        self.assertEqual(noted["attachment_archive_files"], ["a.zip/c.txt"])
        self.assertEqual(len(noted["attachment_ctypes"]), 4)
        hello = "5d41402abc4b2a76b9719d911017c592"
        self.assertEqual(
            noted["attachments"][0],
            {
                "ctype": "application/x",
                "filename": "b.txt",
                "extension": "txt",
                "md5": hello,
            },
        )
        self.assertEqual(results["attach"][0]["bytes"], 5)
        self.assertIn(hello, str(logs))

    def test_many(self) -> None:
        """Of many files a hundred are noted: notes are queued. All are looked at."""
        notes: list[Any] = []
        look = fake_plugin(
            "Look",
            reset_transaction=lambda connection: notes.append(
                connection.transaction.notes.as_dict()
            ),
        )
        names = [f"{number}.txt" for number in range(500)]
        octets = multipart(attached("a.zip", zipped(*names, "a.exe")))
        self.assertEqual(answer(octets, look)[:3], "550")
        self.assertEqual(len(notes[0]["attachment_archive_files"]), 100)

    def test_no_tool(self) -> None:
        """Without bsdtar the log says at the start what is not looked into."""
        tested = plugin()
        object.__setattr__(tested, "_tool", "")
        with capturedLogs() as logs:
            tested.hook_init_master(FakeServer("me", "/"))
        self.assertEqual(len(logs), 1)
        tested = plugin(archive_extensions=("zip",))
        object.__setattr__(tested, "_tool", "")
        with capturedLogs() as logs:
            tested.hook_init_master(FakeServer("me", "/"))
        self.assertEqual(logs, [])


class OptionTests(ConfigTestCase):
    """What the postmaster writes."""

    def test_files(self) -> None:
        """An ini file and three lists, with Haraka's names."""
        self.write(
            "attachment.ini",
            "timeout=10\ndisallowed_extensions=exe,com;scr\n"
            "[archive]\nmax_depth=10\nextensions=zip tar\nallow_encrypted=true\n",
        )
        for name in "filename", "archive.filename", "ctype":
            self.write(f"attachment.{name}.regex", f"{name}\n")
        loaded = load_options(AttachmentOptions, self.files(), "attachment")
        options = loaded.options
        self.assertEqual(loaded.problems, ())
        self.assertEqual(options.archive_extensions, ("zip", "tar"))
        self.assertEqual((options.timeout, options.max_depth), (10, 10))
        self.assertTrue(options.allow_encrypted)
        patterns = options.filename_regex, options.archive_regex, options.ctype_regex
        self.assertEqual(patterns, (("filename",), ("archive.filename",), ("ctype",)))
        self.assertEqual(set(options.disallowed_extensions), {"exe", "com", "scr"})

    def test_old_keys(self) -> None:
        """Keys that Haraka has given up are reported, with those in their place."""
        self.write("attachment.ini", "archive_max_depth=3\n")
        loaded = load_options(AttachmentOptions, self.files(), "attachment")
        self.assertIn("[archive] max_depth", str(loaded.problems[0]))


class SampleTests(SynchronousTestCase):
    """Nothing is held up by mistake."""

    def test_ordinary(self) -> None:
        """Ordinary mail passes, octet by octet."""
        for octets in (
            b"Subject: x\r\n\r\ntext",
            multipart(b"\r\nx", attached("a.pdf"), attached("b.docx", zipped("w.xml"))),
            Path(__file__).read_bytes().replace(b"\n", b"\r\n"),
        ):
            site: Site = make_site(plugin())
            said = site.send_message(octets + b"\r\n.\r\n")
            self.assertEqual(said[:3], "250")
            self.assertEqual(site.mailbox.messages[0].received, octets + b"\r\n")
