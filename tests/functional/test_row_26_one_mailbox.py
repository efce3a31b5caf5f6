"""Row 26 over the wire: one mailbox, read in two ways (CVE-2025-13033)."""

from tests.abuse.names import MAILBOXES
from tests.functional.relaying import RelayTestCase
from tests.functional.test_relay import MESSAGE

LOCALS = tuple(dict.fromkeys(local for _, local in MAILBOXES))


class OneMailboxTests(RelayTestCase):
    """Local parts that look like somebody else's address."""

    async def deliver(self, scheme: str) -> None:
        """
        Each recipient is named to the host of its route as it was taken, and in the log
        likewise; the host of the mailbox that it looks like gets nothing.
        """
        sink, victim = await self.sink(), await self.sink()
        entries = "".join(
            f"{user}@{host}={victim.where}\n"
            for user in ("x", "y")
            for host in ("victim.example", "here.example")
        )
        server = self.start(
            {
                "config/plugins": "recipient-routes\n",
                "config/rcpt_to.routes.ini": f"[routes]\n{entries}"
                f"victim.example={victim.where}\n"
                f"here.example={scheme}{sink.where}\n",
            }
        )
        for written, local in MAILBOXES:
            await self.submit(server, (f"{written}@here.example",), MESSAGE)
            await self.log.wait_for(f"rcpts=<{local}@here.example>")
        await self.emptied(server)
        taken = {each for got in sink.taken for each in got.recipients}
        self.assertEqual(taken, {f"{local}@here.example" for local in LOCALS})
        self.assertEqual(len(sink.taken), len(MAILBOXES))
        self.assertEqual(victim.connections, 0)

    async def test_smtp(self) -> None:
        """Over SMTP."""
        await self.deliver("smtp://")

    async def test_lmtp(self) -> None:
        """Over LMTP."""
        await self.deliver("lmtp://")

    async def test_maildir(self) -> None:
        """Two spellings of one mailbox are one Maildir; no two mailboxes share one."""
        server = self.start(
            {"config/maildir.ini": "path=mail/{domain}/{user}\ndelivered_to=true\n"}
        )
        for written, _ in MAILBOXES:
            await self.submit(server, (f"{written}@here.example",), MESSAGE)
        folders = list((server.directory / "mail/here.example").iterdir())
        self.assertEqual(len(folders), len(LOCALS))
        found = set()
        for folder in folders:
            copies = server.delivered(f"mail/here.example/{folder.name}")
            named = {
                line.partition(b": ")[2].decode()
                for copy in copies
                for line in copy.split(b"\r\n")
                if line.startswith(b"Delivered-To: ")
            }
            self.assertEqual(len(named), 1, folder)
            found |= named
        self.assertEqual(found, {f"{local}@here.example" for local in LOCALS})

    async def test_report(self) -> None:
        """A report names the mailbox that failed."""
        sink, home = await self.sink(), await self.sink()
        sink.object_to = lambda line: b"550 5.1.1 no" if line[:4] == b"RCPT" else None
        server = self.relay({"client.example": home.where, "any": sink.where})
        await self.submit(
            server, tuple(f"{local}@here.example" for local in LOCALS), MESSAGE
        )
        await self.emptied(server)
        (report,) = home.taken
        for local in LOCALS:
            named = f"Final-Recipient: rfc822; {local}@here.example\r\n"
            self.assertIn(named.encode(), report.octets)
