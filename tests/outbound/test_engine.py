"""Mail comes in: what is queued, and when its sender is told so."""

import os
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from zope.interface import implementer
from zope.interface.verify import verifyObject

from harakatw.address import Address
from harakatw.config.connection import ConnectionOptions
from harakatw.errors import ProtocolError, StoreError
from harakatw.interfaces.queue import ItemState
from harakatw.interfaces.services import IOutbound
from harakatw.outbound.dsn.report import Report
from harakatw.outbound.engine import KEPT_OCTETS
from harakatw.outbound.scheduler.core import Target
from harakatw.plugin import (
    DENY,
    OK,
    IConnection,
    IMailHook,
    IPreSendTransEmailHook,
    IQueueOutboundHook,
    Params,
    Verdict,
)
from harakatw.testing.threads import HeldThreads
from tests.outbound.post_office import (
    ALICE,
    BOB,
    MESSAGE,
)
from tests.outbound.submission import EngineTestCase


@implementer(IPreSendTransEmailHook)
@attrs.define
class Signs:
    """
    Signs mail before it is queued.

    @ivar answer: what it returns.
    @ivar seen: the uuids of what it has signed.
    """

    answer: Any = None
    seen: list[str] = attrs.field(factory=list)

    def hook_pre_send_trans_email(self, connection: Any) -> Any:
        connection.transaction.add_leading_header("X-Signed", "yes")
        self.seen.append(connection.transaction.uuid)
        return self.answer


@implementer(IMailHook)
class TakesNotes:
    """Notes something on every transaction."""

    def hook_mail(self, connection: Any, sender: Address, params: Params) -> None:
        connection.transaction.notes.set("queue.next_hop", "relay.example:2525")
        connection.transaction.notes.set("auth_passwd", "secret")
        connection.transaction.notes.set("object", object())


class AcknowledgementTests(EngineTestCase):
    """A 250 means that the message is on disk."""

    def test_interface(self) -> None:
        """The engine is what sessions and plugins expect."""
        self.start()
        verifyObject(IOutbound, self.post.engine)

    def test_order(self) -> None:
        """The client hears nothing until the disk has the message (row 39)."""
        self.start()
        self.post.store.is_held = True
        self.assertEqual(self.submit(), "")
        self.post.run(20)
        self.assertEqual(self.client.hear(), "")
        self.assertEqual(self.post.net.tried, [])
        self.post.store.commit()
        self.assertIn("250 2.0.0 Message Queued (", self.client.hear())
        self.post.run()
        self.assertEqual(self.post.first.recipients, [BOB])

    def test_full_disk(self) -> None:
        """
        A disk that does not take it is a 4xx (weakness WK03); nothing is delivered, the
        client keeps its message, and the session goes on.
        """
        self.start()
        self.post.store.is_held = True
        self.submit()
        self.post.store.refuse()
        self.assertIn("452 4.3.1 The message could not be stored", self.client.hear())
        self.post.run()
        self.assertEqual(self.post.net.tried, [])
        self.assertEqual(self.post.items(), ())
        self.post.store.is_held = False
        self.assertIn("250 2.0.0", self.submit())

    def test_client_leaves(self) -> None:
        """
        The message of a client that leaves while the disk works is delivered; without a
        250 the client may send it once more (RFC 5321 section 4.1.1.10).
        """
        self.start()
        self.post.store.is_held = True
        self.submit()
        self.client.leave()
        self.post.store.commit()
        self.post.run()
        self.assertEqual(self.post.first.recipients, [BOB])
        self.assertEqual(self.post.items(), ())

    def test_no_scheduler(self) -> None:
        """Mail that comes while the server stops is kept for the next start."""
        self.start()
        self.post.engine.scheduler = None
        self.assertIn("250 2.0.0", self.submit())
        self.post.run()
        self.assertEqual(self.post.net.tried, [])
        (item,) = self.post.items()
        self.assertIs(item.state, ItemState.LEASED)


class ItemTests(EngineTestCase):
    """What a message becomes in the queue."""

    def test_domains(self) -> None:
        """A message to several domains is stored once, and delivered to each."""
        self.start()
        self.submit(BOB, "carol@other.example", "dave@far.example")
        self.assertEqual(len(self.post.store.added), 1)
        self.assertEqual(self.post.store.bodies(), 1)
        self.assertEqual(len(self.post.items()), 2)
        self.post.run()
        self.assertEqual(self.post.first.recipients, [BOB, "dave@far.example"])
        self.assertEqual(len(self.post.first.taken), 1)
        other = self.post.net.hosts["192.0.2.50"]
        self.assertEqual(other.recipients, ["carol@other.example"])
        self.assertEqual(self.post.store.bodies(), 0)

    def test_always_split(self) -> None:
        """With C{always_split} each recipient gets the message alone."""
        self.start(always_split=True)
        self.submit(BOB, "dave@far.example")
        self.assertEqual(self.post.store.bodies(), 1)
        self.post.run()
        alone = [taken.recipients for taken in self.post.first.taken]
        self.assertEqual(alone, [(BOB,), ("dave@far.example",)])

    def test_keep_client(self) -> None:
        """With C{keep_client} it is known later who the client of a message was."""
        self.start(keep_client=True)
        self.submit()
        (item,) = self.post.items()
        note: Any = item.message.notes["client"]
        self.assertEqual((note["helo"], note["proto"]), ("client.example", "ESMTP"))
        self.assertEqual(note["addr"], self.client.protocol.connection.remote.ip)

    def test_notes(self) -> None:
        """
        Notes go along, and route; passwords and objects stay in the session (weakness
        WK41).
        """
        self.start(TakesNotes())
        self.submit()
        (item,) = self.post.items()
        self.assertEqual(
            item.message.notes, {"queue": {"next_hop": "relay.example:2525"}}
        )

    def test_queue_outbound(self) -> None:
        """A plugin on C{queue_outbound} takes the message instead of the engine."""

        @implementer(IQueueOutboundHook)
        class Takes:
            def hook_queue_outbound(self, connection: IConnection) -> Verdict:
                return OK

        self.start(Takes())
        self.assertIn("250 2.0.0", self.submit())
        self.assertEqual(self.post.store.added, [])

    def test_queue_outbound_denies(self) -> None:
        """Or refuses it: nothing is queued."""

        @implementer(IQueueOutboundHook)
        class Denies:
            def hook_queue_outbound(self, connection: IConnection) -> Verdict:
                return DENY

        self.start(Denies())
        self.assertIn("550 5.7.1", self.submit())
        self.assertEqual(self.post.store.added, [])


class PreSendTests(EngineTestCase):
    """The hook C{pre_send_trans_email}, where mail is signed."""

    def test_session(self) -> None:
        """What it does to a client's message is queued."""
        signs = Signs()
        self.start(signs)
        self.submit()
        (body,) = self.bodies()
        self.assertTrue(body.startswith(b"X-Signed: yes\r\nReceived: from "), body)
        (message, _, _) = self.post.store.added[0]
        self.assertEqual(message.size, len(body))
        self.assertEqual(signs.seen, [message.uuid])

    def test_own_mail(self) -> None:
        """So it is with what plugins send and with reports."""
        self.start(Signs())
        self.post.send(BOB)
        self.post.first.refuse(rcpt=b"550 5.1.1 who")
        self.post.run()
        self.assertEqual([body[:13] for body in self.bodies()], [b"X-Signed: yes"] * 2)
        (report,) = self.post.reports()
        self.assertTrue(report.startswith(b"X-Signed: yes\r\n"))

    def test_waits(self) -> None:
        """A plugin may take its time; the message waits for it."""
        pending: Deferred[None] = Deferred()
        self.start(Signs(pending))
        self.assertEqual(self.submit(), "")
        self.assertEqual(self.bodies(), [])
        pending.callback(None)
        self.assertIn("250 2.0.0", self.client.hear())
        self.assertEqual(len(self.bodies()), 1)

    def test_hangs(self) -> None:
        """
        One that hangs is left, and the message is queued as it is. What it says does
        not matter.
        """
        self.start(Signs(Deferred()))
        self.submit()
        self.post.run(30)
        self.assertIn("250 2.0.0", self.client.hear())
        self.assertEqual(len(self.bodies()), 1)
        self.start(Signs(DENY))
        self.assertIn("250 2.0.0", self.submit())

    def test_raises(self) -> None:
        """A mistake in a plugin does not lose the message."""

        @implementer(IPreSendTransEmailHook)
        class Raises:
            def hook_pre_send_trans_email(self, connection: IConnection) -> None:
                raise ZeroDivisionError()

        self.start(Raises())
        self.assertIn("250 2.0.0", self.submit())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class SpooledTests(EngineTestCase):
    """Messages that are in a file when they are queued."""

    def test_large(self) -> None:
        """
        It is read in a thread, queued whole, and delivered from the queue; whether it
        is 8bit is found out.
        """
        folder = self.mktemp()
        os.mkdir(folder)
        limits = ConnectionOptions(spool_dir=folder, spool_after=1000)
        for last, is_8bit in ((b"z", False), (b"\xc3\xa9", True)):
            threads = HeldThreads()
            self.start(limits=limits, threads=threads)
            octets = b"Subject: big\r\n\r\n" + b"y" * 70 + b"\r\n"
            octets = octets + (b"x" * 70 + b"\r\n") * 8000 + last + b"\r\n"
            self.assertEqual(self.submit(octets=octets), "")
            self.assertEqual(self.bodies(), [])
            threads.run_one()
            self.assertIn("250 2.0.0", self.client.hear())
            ((message, _, body),) = self.post.store.added
            self.assertTrue(body.endswith(octets))
            self.assertEqual(message.size, len(body))
            self.assertEqual(message.is_8bit, is_8bit)
            self.post.run()
            (taken,) = self.post.first.taken
            self.assertEqual(taken.octets, body)

    def test_kept(self) -> None:
        """A big message is not kept in memory until it is delivered."""
        self.start()
        self.post.scheduler.pause(Target())
        self.submit(octets=MESSAGE + b"x\r\n" * (KEPT_OCTETS // 3))
        self.assertEqual(self.post.scheduler.snapshot().held_octets, 0)
        self.submit()
        self.assertGreater(self.post.scheduler.snapshot().held_octets, 0)


class SendEmailTests(EngineTestCase):
    """Mail of plugins (row OB51)."""

    def test_send(self) -> None:
        """It is queued, with an id to find it again, and delivered like any other."""
        self.start()
        sent = self.post.engine.send_email(ALICE, [BOB], "Subject: hi\n\nHello")
        uuid = self.successResultOf(sent)
        (item,) = self.post.items()
        self.assertEqual(item.message.uuid, uuid)
        self.post.run()
        (taken,) = self.post.first.taken
        self.assertEqual((taken.sender, taken.recipients), (ALICE, (BOB,)))
        self.assertTrue(taken.octets.endswith(b"\r\n\r\nHello\r\n"))

    def test_on_disk(self) -> None:
        """The plugin hears of it when it is on disk, or that it is not."""
        self.start()
        self.post.store.is_held = True
        sent = self.post.engine.send_email(ALICE, BOB, "x")
        refused = self.post.engine.send_email(ALICE, BOB, "x")
        self.assertNoResult(sent)
        self.post.store.commit()
        self.successResultOf(sent)
        self.post.store.refuse()
        self.failureResultOf(refused, StoreError)

    def test_notes(self) -> None:
        """Its notes are queued with it."""
        self.start()
        self.post.send(notes={"queue": {"next_hop": "192.0.2.2"}})
        self.post.run()
        self.assertEqual(self.post.second.recipients, [BOB])

    def test_mistakes(self) -> None:
        """What cannot be sent is refused at once, and nothing is queued."""
        self.start()
        send = self.post.engine.send_email
        self.assertRaises(ProtocolError, send, ALICE, "nobody", "x")
        self.assertRaises(ProtocolError, send, "a@b.example\r\nX", BOB, "x")
        self.assertRaises(ValueError, send, ALICE, [], "x")
        self.assertEqual(self.post.store.added, [])

    def test_utf8(self) -> None:
        """An address beyond ASCII is sent to a host that can take it."""
        self.start()
        self.post.send("b\u00f6b@far.example")
        self.post.run()
        self.assertIn(b" SMTPUTF8\r\n", self.post.first.commands)
        self.assertEqual(self.post.first.recipients, ["b\u00f6b@far.example"])


class ReportTests(EngineTestCase):
    """Reports are queued like any mail."""

    def test_null_path(self) -> None:
        """They come from the null path."""
        self.start()
        report = Report(recipient=ALICE, octets=MESSAGE, is_8bit=False, is_utf8=False)
        self.successResultOf(self.post.engine.send_report(report))
        (item,) = self.post.items()
        self.assertEqual(item.message.sender, "")
        self.assertEqual(item.domain, "client.example")
