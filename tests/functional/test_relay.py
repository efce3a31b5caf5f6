"""Mail that a server takes for other domains gets there, or its sender is told."""

import email
import email.policy
from email.message import EmailMessage, Message
from typing import Final

from twisted.internet.defer import Deferred

from harakatw.interfaces.queue import ItemState
from tests.functional.relaying import RelayTestCase, until
from tests.functional.sink import Taken

ALICE: Final = "alice@client.example"

MESSAGE: Final = (
    b"From: <alice@client.example>\r\n"
    b"To: <bob@far.example>\r\n"
    b"Date: Sun, 9 Sep 2001 01:46:40 +0000\r\n"
    b"Message-ID: <1.2@client.example>\r\n"
    b"Subject: hello\r\n"
    b"\r\n"
    b"Hello, Bob.\r\n"
    b"..\r\n"
    b".\r\n"
    b". dots \t\r\n"
    b"\xc3\xa9\r\n"
    b"\r\n"
)


def without_trace(octets: bytes, fields: int = 1) -> bytes:
    """
    A message without what the servers have put in front of it.

    @param fields: how many Received fields that must be.
    @raise AssertionError: it is another number.
    """
    lines = octets.split(b"\r\n")
    found = 0
    while lines[0].lower().startswith((b"received:", b"return-path:")):
        found += lines.pop(0).lower().startswith(b"received:")
        while lines[0].startswith((b" ", b"\t")):
            lines.pop(0)
    if found != fields:
        raise AssertionError(f"{found} trace fields in {octets!r}")
    return b"\r\n".join(lines)


class DeliveryTests(RelayTestCase):
    """Everybody accepts it."""

    async def test_one(self) -> None:
        """
        A message arrives with a trace field in front, otherwise octet for octet, and
        nothing of it stays in the queue.
        """
        sink = await self.sink()
        server = self.relay({"any": sink.where})
        answer = await self.submit(server, ("bob@far.example",), MESSAGE)
        self.assertIn("250 2.0.0 Message Queued (", answer)
        await self.emptied(server)
        (taken,) = sink.taken
        self.assertEqual(taken.sender, ALICE)
        self.assertEqual(taken.recipients, ("bob@far.example",))
        self.assertEqual(without_trace(taken.octets), MESSAGE)

    async def test_sizes(self) -> None:
        """Messages of any size do, those too that were in files meanwhile."""
        sink = await self.sink()
        server = self.relay({"any": sink.where})
        bodies = [b"", b".\r\n", b"x\r\n" * 20_000, (b"y" * 900 + b"\r\n") * 2_000]
        messages = [b"Subject: x\r\n\r\n" + body for body in bodies]
        for message in messages:
            await self.submit(server, ("bob@far.example",), message)
        await self.emptied(server)
        arrived = [without_trace(taken.octets) for taken in sink.taken]
        self.assertEqual(sorted(arrived), sorted(messages))
        self.assertEqual(list((server.directory / "queue/bodies").iterdir()), [])

    async def test_domains(self) -> None:
        """
        Each domain has its own way; the recipients of one domain get the message
        together, and everybody gets it once.
        """
        one, other = await self.sink(), await self.sink()
        server = self.relay({"one.example": one.where, "any": other.where})
        at_one = ("a@one.example", "b@one.example", "c@one.example")
        elsewhere = ("a@two.example", "a@three.example")
        await self.submit(server, (*at_one, *elsewhere), MESSAGE)
        await self.emptied(server)
        self.assertEqual([taken.recipients for taken in one.taken], [at_one])
        self.assertEqual(other.recipients(), sorted(elsewhere))
        self.assertEqual(len(other.taken), 2)

    async def test_many(self) -> None:
        """A connection is used for message after message."""
        sink = await self.sink()
        server = self.relay({"any": sink.where})
        for number in range(20):
            await self.submit(server, (f"{number}@far.example",), MESSAGE)
        await self.emptied(server)
        self.assertEqual(len(sink.taken), 20)
        self.assertLessEqual(sink.connections, 3)

    async def test_our_own(self) -> None:
        """Another server of this kind takes it, into its Maildir."""
        far = self.start()
        server = self.relay({"here.example": f"127.0.0.1:{far.port}"})
        await self.submit(server, ("b@here.example",), MESSAGE)
        await self.emptied(server)
        (delivered,) = far.delivered()
        self.assertEqual(without_trace(delivered, 2), MESSAGE)
        self.assertTrue(delivered.startswith(b"Return-Path: <alice@client.example>"))


class LaterTests(RelayTestCase):
    """It cannot be delivered at once."""

    async def test_later(self) -> None:
        """
        A host that says 4xx is tried again; what was said is to be seen in the queue.
        """
        sink = await self.sink()
        sink.take = lambda taken: b"451 4.3.0 not now"
        server = self.relay({"any": sink.where})
        await self.submit(server, ("bob@far.example",), MESSAGE)
        await self.leaves(server, 1)
        (item,) = await self.queued(server)
        self.assertEqual(item.attempts, 1)
        self.assertIn("not now", item.last_error)
        sink.take = lambda taken: b"250 OK"
        self.assertEqual(await self.flush(server), 1)
        await self.emptied(server)
        self.assertEqual(without_trace(sink.taken[0].octets), MESSAGE)

    async def test_some(self) -> None:
        """Who was told to wait gets it later, and nobody else gets it twice."""
        sink = await self.sink()
        sink.object_to = lambda line: b"450 4.2.1 busy" if b"<b@" in line else None
        server = self.relay({"any": sink.where})
        recipients = ("a@far.example", "b@far.example", "c@far.example")
        await self.submit(server, recipients, MESSAGE)
        await self.leaves(server, 1)
        self.assertEqual(sink.recipients(), ["a@far.example", "c@far.example"])
        sink.object_to = lambda line: None
        await self.flush(server)
        await self.emptied(server)
        self.assertEqual(sink.recipients(), list(recipients))

    async def test_down(self) -> None:
        """
        Mail for a host that is down waits, also while the server itself is restarted.
        """
        sink = await self.sink()
        first = self.relay({"any": "127.0.0.1:1"})  # nobody listens there
        await self.submit(first, ("bob@far.example",), MESSAGE)
        await self.submit(first, ("bob@far.example",), MESSAGE + b"x\r\n" * 30_000)
        await self.leaves(first, 2)
        await first.stop()
        routes = first.directory / "config/relay_dest_domains.ini"
        routes.write_text(routes.read_text().replace("127.0.0.1:1", sink.where))
        server = self.begin(first.directory)
        await self.flush(server)
        await self.emptied(server)
        sizes = sorted(len(without_trace(taken.octets)) for taken in sink.taken)
        self.assertEqual(sizes, [len(MESSAGE), len(MESSAGE) + 90_000])

    async def test_disabled(self) -> None:
        """C{disabled} in C{outbound.ini} keeps mail until it says otherwise."""
        sink = await self.sink()
        files = {"config/outbound.ini": "disabled=true\n"}
        server = self.relay({"any": sink.where}, files)
        await self.submit(server, ("bob@far.example",), MESSAGE)
        await self.flush(server)
        self.assertEqual(sink.connections, 0)
        server.write("config/outbound.ini", "disabled=false\n")
        await self.emptied(server)
        self.assertEqual(len(sink.taken), 1)

    async def test_stopped_amid(self) -> None:
        """
        A server that stops lets the delivery end that has begun, and the message does
        not come a second time when it is back.
        """
        sink = await self.sink()
        stopped: list[Deferred[None]] = []

        def take(taken: Taken) -> bytes:
            stopped.append(Deferred.fromCoroutine(server.stop()))
            return b"250 OK"

        sink.take = take
        server = self.relay({"any": sink.where})
        await self.submit(server, ("bob@far.example",), MESSAGE)
        await until(lambda: stopped)
        await stopped[0]
        again = self.begin(server.directory)
        self.assertEqual(await self.queued(again), ())
        self.assertEqual(len(sink.taken), 1)


class BounceTests(RelayTestCase):
    """It cannot be delivered at all: the sender is told."""

    async def bounce(self, *refusals: bytes) -> EmailMessage:
        """
        What the sender gets when a host refuses recipients.

        @param refusals: answers to RCPT, in order; empty for the usual one.
        """
        sink, home = await self.sink(), self.start()
        left = list(refusals)
        sink.object_to = lambda line: left.pop(0) if line[:4] == b"RCPT" else None
        routes = {"here.example": f"127.0.0.1:{home.port}", "any": sink.where}
        server = self.relay(routes)
        recipients = tuple(f"{name}@far.example" for name in "bcd"[: len(refusals)])
        await self.submit(server, recipients, MESSAGE, "a@here.example")
        await until(home.delivered)
        await self.emptied(server)
        (delivered,) = home.delivered()
        self.assertTrue(delivered.startswith(b"Return-Path: <>\r\n"), delivered)
        return email.message_from_bytes(delivered, policy=email.policy.default)

    async def test_report(self) -> None:
        """
        A 5xx becomes a report (RFC 3464) in the sender's own Maildir: words for people,
        fields for programs, and the message that it is about.
        """
        report = await self.bounce(b"550 5.1.1 no such user")
        self.assertEqual(report.get_content_type(), "multipart/report")
        self.assertEqual(report.get_param("report-type"), "delivery-status")
        self.assertIn("a@here.example", report["To"])
        defects = [defect for part in report.walk() for defect in part.defects]
        self.assertEqual(defects, [])
        words, status, original = list(report.iter_parts())
        self.assertEqual(status.get_content_type(), "message/delivery-status")
        whole, recipient = _blocks(status)
        self.assertEqual(whole["Reporting-MTA"], "dns; relay.example")
        self.assertEqual(recipient["Final-Recipient"], "rfc822; b@far.example")
        self.assertEqual(recipient["Action"], "failed")
        self.assertEqual(recipient["Status"], "5.1.1")
        self.assertIn("550 5.1.1 no such user", recipient["Diagnostic-Code"])
        self.assertIn("b@far.example", _text(words))
        self.assertIn(b"Message-ID: <1.2@client.example>", original.as_bytes())

    async def test_several(self) -> None:
        """One report tells of all whom the host refused, and only of them."""
        report = await self.bounce(
            b"550 5.1.1 no such user", b"", b"554 5.7.1 not from you"
        )
        _, status, _ = list(report.iter_parts())
        _, *recipients = _blocks(status)
        told = {each["Final-Recipient"]: each["Status"] for each in recipients}
        self.assertEqual(
            told, {"rfc822; b@far.example": "5.1.1", "rfc822; d@far.example": "5.7.1"}
        )

    async def test_double_bounce(self) -> None:
        """
        A report that nobody takes is not reported again, nor lost: it stays in the
        queue, for the postmaster.
        """
        sink = await self.sink()
        sink.object_to = lambda line: b"550 no" if line[:4] == b"RCPT" else None
        server = self.relay({"any": sink.where})
        await self.submit(server, ("bob@far.example",), MESSAGE)
        await self.leaves(server, 1)
        (item,) = await self.queued(server)
        self.assertEqual(item.state, ItemState.DEAD)
        self.assertEqual(item.message.sender, "")
        self.assertEqual(item.recipients[0].address, ALICE)


def _blocks(status: Message) -> list[Message]:
    """The groups of fields of a delivery status."""
    blocks = status.get_payload()
    assert isinstance(blocks, list)
    return [block for block in blocks if isinstance(block, Message)]


def _text(part: Message) -> str:
    """The first text of a part."""
    return next(
        each.get_payload(decode=True).decode()  # type: ignore[union-attr]
        for each in part.walk()
        if each.get_content_type() == "text/plain"
    )
