"""What plugins may do with the structure of a message in a session."""

import errno
import hashlib
import os
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from harakatw.config.connection import ConnectionOptions
from harakatw.errors import StoreError
from harakatw.message.store import StoreSettings
from harakatw.testing.threads import HeldThreads
from harakatw.verdict import CONT, DENY
from tests.fake_plugins import fake_plugin
from tests.message.mime.test_reader import IMAGE, Taker
from tests.message.mime.walks import multipart
from tests.message.specimens import testdata
from tests.plugins.servers import FolderTestCase
from tests.sessions import Site, make_site
from tests.smtp.test_bdat import bdat

MIXED = b"Subject: x\r\n" + multipart(b"\r\ntext", IMAGE)


def on_data(do: Callable[[Any], object], **more: Any) -> Any:
    """A plugin that does something with the transaction on C{data}."""

    def hook(connection: Any) -> object:
        do(connection.transaction)
        return CONT

    return fake_plugin(data=hook, **more)


def deliver(site: Site, octets: bytes) -> str:
    """Send a message, and return what is answered to its end."""
    return site.send_message(octets + b".\r\n")


def parse(transaction: Any) -> None:
    """Ask for the tree of parts."""
    transaction.parse_body = True


class BodyTests(SynchronousTestCase):
    """The tree of parts (row TX03)."""

    def seen(self, plugin: Any, octets: bytes = MIXED, **more: Any) -> list[Any]:
        """The tree, as another plugin sees it on C{data_post}, and the parts' count."""
        found: list[Any] = []

        def look(connection: Any) -> None:
            transaction = connection.transaction
            found.extend((transaction.body, transaction.mime_part_count))

        site = make_site(plugin, fake_plugin("Look", data_post=look), **more)
        self.assertEqual(deliver(site, octets)[:3], "250")
        self.assertEqual(site.mailbox.messages[0].received, octets)
        return found

    def test_asked_for(self) -> None:
        """A plugin that asks for it on data has it on data_post."""
        body, count = self.seen(on_data(parse))
        self.assertEqual(body.header.get("Subject"), "x")
        self.assertEqual([each.bodytext for each in body.children], ["text", ""])
        self.assertEqual(count, 3)

    def test_not_asked_for(self) -> None:
        """Without a wish there is none, and nothing is made for it."""
        motions: list[object] = []
        plugin = fake_plugin(
            data_post=lambda connection: motions.append(connection.transaction.motion)
        )
        self.assertEqual(self.seen(plugin), [None, 0])
        self.assertEqual(motions, [None])

    def test_late(self) -> None:
        """On data_post it can be had all the same, by waiting for it."""
        for spool_after in -1, 0:
            bodies: list[Any] = []

            def read(connection: Any, bodies: list[Any] = bodies) -> object:
                reading = connection.transaction.read_body()
                return reading.addCallback(bodies.append)

            options = ConnectionOptions(banner_chars=0, spool_after=spool_after)
            found = self.seen(fake_plugin(data_post=read), options=options)
            self.assertEqual(
                [each.bodytext for each in bodies[0].children], ["text", ""]
            )
            self.assertIs(found[0], bodies[0])

    def test_late_twice(self) -> None:
        """Whoever waits for it later gets the same one."""
        bodies: list[Any] = []

        def read(connection: Any) -> None:
            connection.transaction.parse_body = True
            for _ in range(2):
                connection.transaction.read_body().addCallback(bodies.append)

        self.seen(fake_plugin(data_post=read))
        self.assertIs(bodies[0], bodies[1])

    def test_chunks(self) -> None:
        """A message that comes by BDAT is looked at, too."""
        texts: list[str] = []
        plugin = on_data(
            parse,
            data_post=lambda connection: texts.append(
                connection.transaction.body.children[0].bodytext
            ),
        )
        site = make_site(plugin)
        site.greet()
        site.client.ask("MAIL FROM:<a@b.example>", "RCPT TO:<b@here.example>")
        site.client.send(bdat(MIXED[:99]) + bdat(MIXED[99:], last=True))
        self.assertEqual(site.client.codes(), [250, 250])
        self.assertEqual(texts, ["text"])

    def test_too_many_parts(self) -> None:
        """A message with more parts than allowed is refused, if anybody looks at it."""
        octets = multipart(*[b"\r\nx"] * 20)
        options = ConnectionOptions(banner_chars=0, max_mime_parts=20)
        site = make_site(on_data(parse), options=options)
        self.assertEqual(deliver(site, octets)[:9], "554 5.6.0")
        self.assertEqual(site.mailbox.messages, [])
        site = make_site(options=options)
        self.assertEqual(deliver(site, octets)[:3], "250")

    def test_discard(self) -> None:
        """
        A plugin that wants no more than the parts has the body forgotten; nobody can
        queue such a message by mistake.
        """

        def wish(transaction: Any) -> None:
            transaction.parse_body = transaction.discard_data = True

        kept: list[Any] = []

        def look(connection: Any) -> None:
            transaction = connection.transaction
            kept.append(transaction.message.in_memory)
            kept.append(transaction.body.children[0].bodytext)
            kept.append(transaction.header.get("Subject"))

        site = make_site(on_data(wish, data_post=look))
        big = MIXED.replace(b"text", b"x" * 100_000)
        self.assertEqual(deliver(site, big)[:9], "450 4.3.0")
        self.assertEqual(len(self.flushLoggedErrors(StoreError)), 1)
        self.assertLess(kept[0], 1000)
        self.assertEqual(kept[1:], ["x" * 100_000, "x"])


class AttachmentTests(SynchronousTestCase):
    """Attachments while they come (row TX09)."""

    def wish(self, taker: object) -> Any:
        """A plugin that wants attachments."""
        return on_data(lambda transaction: transaction.attachment_hooks(taker))

    def test_given(self) -> None:
        """A plugin is given name, type and content, before data_post is asked."""
        taker = Taker()
        site = make_site(self.wish(taker))
        self.assertEqual(deliver(site, MIXED)[:3], "250")
        expected = ["image/png; name=a.png", "a.png", b"picture", "end"]
        self.assertEqual(taker.given, expected)

    def test_back_pressure(self) -> None:
        """While a plugin is busy with a piece, the client is not read."""
        busy: list[Deferred[None]] = []

        def answer() -> Deferred[None]:
            busy.append(Deferred())
            return busy[-1]

        options = ConnectionOptions(banner_chars=0, mime_piece_octets=1024)
        site = make_site(self.wish(Taker(answer)), options=options)
        site.begin_data()
        head, _, tail = MIXED.partition(b"cGlj")
        site.client.send(head + b"cGlj" * 20_000)
        self.assertEqual(len(busy), 1)
        self.assertTrue(site.client.protocol.waiting)
        site.client.send(tail + b".\r\nNOOP\r\n")
        self.assertEqual(site.client.transport.producerState, "paused")
        self.assertEqual(site.client.hear(), "")
        for done in busy:  # grows
            done.callback(None)
        self.assertGreater(len(busy), 50)
        self.assertEqual(site.client.codes(), [250, 250])

    def test_wait_at_the_end(self) -> None:
        """The end of the message is answered when all plugins are done with it."""
        done: Deferred[None] = Deferred()

        def start(ct: str, name: str, body: object, stream: Any) -> None:
            stream.on_end(lambda: done)

        for by_chunks in False, True:
            done = Deferred()
            site = make_site(self.wish(start))
            site.greet()
            site.client.ask("MAIL FROM:<a@b.example>", "RCPT TO:<b@here.example>")
            if by_chunks:
                site.client.send(bdat(MIXED, last=True))
            else:
                site.client.ask("DATA")
                site.client.send(MIXED + b".\r\n")
            self.assertEqual(site.client.hear(), "")
            done.callback(None)
            self.assertEqual(site.client.codes(), [250])

    def test_wait_between_chunks(self) -> None:
        """A chunk is answered when all plugins are done with it."""
        busy: list[Deferred[None]] = []

        def answer() -> Deferred[None]:
            busy.append(Deferred())
            return busy[-1]

        site = make_site(self.wish(Taker(answer)))
        site.greet()
        site.client.ask("MAIL FROM:<a@b.example>", "RCPT TO:<b@here.example>")
        octets = MIXED.replace(b"cGlj", b"cGlj" * 50_000)
        site.client.send(bdat(octets[:150_000]))
        self.assertEqual(site.client.hear(), "")
        busy.pop().callback(None)
        self.assertEqual(site.client.codes(), [250])
        site.client.send(bdat(octets[150_000:], last=True))
        while busy:
            busy.pop().callback(None)
        self.assertEqual(site.client.codes(), [250])

    def test_too_slow(self) -> None:
        """A plugin that never gets on does not hold a session for ever: 451."""

        def start(ct: str, name: str, body: object, stream: Any) -> None:
            stream.pause()

        site = make_site(self.wish(start), inactivity_seconds=60)
        with capturedLogs() as logs:
            deliver(site, MIXED)
            site.server.clock.advance(61)
        self.assertEqual(site.client.codes()[-1:], [451])
        self.assertIn("attachment", str(logs))
        self.assertEqual(site.mailbox.messages, [])

    def test_failed(self) -> None:
        """A message whose attachment a plugin failed to take is not queued: 451."""

        def fail() -> None:
            raise ValueError("full")

        site = make_site(self.wish(Taker(fail)))
        self.assertEqual(deliver(site, MIXED)[:9], "451 4.3.0")
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(site.mailbox.messages, [])

    def test_too_late(self) -> None:
        """Who asks when the message has come is told so."""
        errors: list[str] = []

        def ask(connection: Any) -> None:
            try:
                connection.transaction.attachment_hooks(Taker())
            except ValueError as error:
                errors.append(str(error))

        for first in lambda _: None, parse:
            site = make_site(on_data(first, data_post=ask))
            deliver(site, MIXED)
        self.assertEqual(len(errors), 2)
        self.assertIn("hook_data", errors[0])

    def test_left(self) -> None:
        """A client that goes while a plugin is busy leaves nothing behind."""

        def start(ct: str, name: str, body: object, stream: Any) -> None:
            stream.pause()

        site = make_site(self.wish(start))
        deliver(site, MIXED)
        site.client.leave()
        site.server.clock.advance(400)
        self.assertEqual(site.server.clock.getDelayedCalls(), [])


class ChangeTests(FolderTestCase):
    """Filters and banner (rows TX10 and TX11)."""

    def change(self, transaction: Any) -> None:
        """Ask for changes."""
        transaction.set_banner("Grüße")
        transaction.add_body_filter("image/", lambda *call: call[2].upper())

    def expected(self) -> bytes:
        """The message with these changes."""
        text = (
            b"Content-Type: text/plain; charset=utf-8\r\n"
            b"Content-Transfer-Encoding: quoted-printable\r\n"
            b"\r\ntext\r\nGr=C3=BC=C3=9Fe\r\n\r\n--b"
        )
        octets = MIXED.replace(b"\r\ntext\r\n--b", text)
        return octets.replace(b"cGljdHVyZQ==", b"UElDVFVSRQ==")

    def test_changed(self) -> None:
        """The queue gets the message as changed, asked for on data or data_post."""

        def late(connection: Any) -> None:
            self.change(connection.transaction)

        for plugin in on_data(self.change), fake_plugin(data_post=late):
            site = make_site(plugin)
            self.assertEqual(deliver(site, MIXED)[:3], "250")
            self.assertEqual(site.mailbox.messages[0].received, self.expected())

    def test_spooled(self) -> None:
        """Likewise a message that is in a file, and is in a file again afterwards."""
        options = ConnectionOptions(
            banner_chars=0, spool_after=0, spool_dir=str(self.folder)
        )
        sizes: list[object] = []

        def look(connection: Any) -> object:
            message = connection.transaction.message
            sizes.extend(
                (message.size, message.is_spooled, message.in_memory < 400_000)
            )
            return None

        site = make_site(
            on_data(self.change), fake_plugin("Look", queue=look), options=options
        )
        big = b"y" * 90 + b"\r\n"
        octets = MIXED.replace(b"\r\ntext", b"\r\n" + big * 20_000 + b"text")
        self.assertEqual(deliver(site, octets)[:3], "250")
        received = site.mailbox.messages[0].received
        expected = self.expected().replace(
            b"\r\ntext",
            b"\r\n" + (b"y" * 75 + b"=\r\n" + b"y" * 15 + b"\r\n") * 20_000 + b"text",
        )
        self.assertTrue(received == expected)
        self.assertEqual(sizes, [len(expected), True, True])

    def test_data_post_sees_what_came(self) -> None:
        """Plugins on data_post check the message that the client sent."""
        seen: list[bytes] = []

        def look(connection: Any) -> None:
            seen.append(b"".join(connection.transaction.message.body_chunks()))

        site = make_site(on_data(self.change, data_post=look))
        deliver(site, MIXED)
        self.assertEqual(seen, [MIXED.partition(b"\r\n\r\n")[2]])

    def test_refused(self) -> None:
        """A message that is refused is not changed before."""
        calls: list[object] = []

        def wish(transaction: Any) -> None:
            transaction.add_body_filter("", lambda *call: calls.append(call))

        site = make_site(on_data(wish, data_post=DENY))
        deliver(site, MIXED)
        self.assertEqual(calls, [])

    def test_disk_full(self) -> None:
        """If the disk does not take the changed message, the client keeps it: 452."""
        options = ConnectionOptions(
            banner_chars=0, spool_after=0, spool_dir=str(self.folder)
        )

        def fill(connection: Any) -> None:
            message = connection.transaction.message
            message.settings = without_disk(message.settings)

        site = make_site(on_data(self.change, data_post=fill), options=options)
        self.assertEqual(deliver(site, MIXED)[:9], "452 4.3.1")
        self.assertEqual(site.mailbox.messages, [])

    def test_left(self) -> None:
        """A client that goes while its message is changed leaves nothing behind."""
        threads = HeldThreads()
        options = ConnectionOptions(
            banner_chars=0, spool_after=0, spool_dir=str(self.folder)
        )
        site = make_site(on_data(self.change), options=options, threads=threads)
        site.begin_data()
        site.client.send(MIXED)
        while threads.waiting:
            threads.run_one()
        site.client.send(b"more\r\n.\r\n")
        self.assertTrue(threads.waiting)
        site.client.leave()
        while threads.waiting:
            threads.run_one()
        self.assertEqual(site.mailbox.messages, [])
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual(self.files(), {})

    def test_signature(self) -> None:
        """
        A DKIM signature stays good while plugins look at the message, change what is
        not signed, and filter without changing anything (RFC 6376 section 3.7).
        """
        path = testdata() / "dkim-rfc-vectors" / "rfc6376.signed.rsa.msg"
        if not path.exists():
            raise SkipTest("set HARAKATW_TESTDATA to the folder of sample messages")
        signed = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        head = signed.partition(b"\r\n\r\n")[0]

        def wish(transaction: Any) -> None:
            transaction.attachment_hooks(Taker())
            transaction.add_body_filter("", lambda *call: call[2])

        def edit(connection: Any) -> None:
            transaction = connection.transaction
            transaction.add_header("X-One", "1")
            transaction.add_leading_header("X-Two", "2")
            transaction.replace_header("X-One", "one")

        site = make_site(on_data(wish, data_post=edit))
        self.assertEqual(deliver(site, signed)[:3], "250")
        received = site.mailbox.messages[0].octets
        self.assertIn(b"\r\n" + head + b"\r\nX-One: one\r\n\r\n", received)
        body = received.partition(b"\r\n\r\n")[2].rstrip(b"\r\n") + b"\r\n"
        digest = b64encode(hashlib.sha256(body).digest())
        self.assertIn(b"bh=" + digest, head)

    def test_bad_banner(self) -> None:
        """A banner that cannot stand in mail is the plugin's mistake."""
        site = make_site(on_data(lambda transaction: transaction.set_banner("\0")))
        self.assertEqual(deliver(site, MIXED)[:3], "250")
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_no_banner(self) -> None:
        """An empty banner takes one away again."""

        def wish(transaction: Any) -> None:
            transaction.set_banner("x")
            transaction.set_banner("")

        site = make_site(on_data(wish))
        deliver(site, MIXED)
        self.assertEqual(site.mailbox.messages[0].received, MIXED)

    def test_header(self) -> None:
        """A field can be exchanged; the body keeps its octets."""
        site = make_site(
            fake_plugin(
                data_post=lambda connection: connection.transaction.replace_header(
                    "subject", "y"
                )
            )
        )
        deliver(site, MIXED)
        received = site.mailbox.messages[0].received
        self.assertEqual(received, MIXED.replace(b"Subject: x", b"subject: y"))


def without_disk(settings: StoreSettings) -> StoreSettings:
    """The same settings, with a disk that takes no more files."""

    def full(directory: str) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), directory)

    return attrs.evolve(settings, open_file=full)
