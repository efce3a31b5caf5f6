"""Row 11 over the wire: what a host says of a message, in reports and in the log."""

import re
from email import message_from_bytes, policy
from typing import Any

from twisted.internet.task import deferLater

from tests.abuse.inputs import HOSTILE_TEXTS
from tests.functional.hurry import reactor
from tests.functional.relaying import RelayTestCase, Sink
from tests.functional.server import RunningServer

_UNPRINTABLE = re.compile(rb"[^\t\r\n -~]")


class ReplyTextTests(RelayTestCase):
    """A host refuses recipients with text that is meant to do harm."""

    async def test_reports(self) -> None:
        """
        However a host words its refusal, the sender gets one clean report, or the
        message waits for another attempt, and neither the report nor the log has a
        control character in it.
        """
        far, home = await self.sink(), await self.sink()

        def object_to(line: bytes) -> bytes | None:
            found = re.match(rb"RCPT TO:<n(\d+)@", line)
            if found is None:
                return None
            return b"550 5.1.1 " + HOSTILE_TEXTS[int(found[1])].encode(errors="replace")

        far.object_to = object_to
        server = self.relay({"client.example": home.where, "any": far.where})
        for number in range(len(HOSTILE_TEXTS)):
            to = (f"n{number}@far.example",)
            await self.submit(server, to, b"Subject: x\r\n\r\nhello\r\n")
        await self._settled(server, len(HOSTILE_TEXTS), home)
        self.assertGreater(len(home.taken), len(HOSTILE_TEXTS) // 2)
        self.assertEqual(far.taken, [])
        for taken in home.taken:
            self._check_report(taken.sender, taken.octets)
        self.assertIsNone(_UNPRINTABLE.search(server.output.getvalue().encode()))
        for item in await self.queued(server):
            self.assertTrue(item.last_error.isprintable(), item.last_error)

    async def _settled(self, server: RunningServer, count: int, home: Sink) -> None:
        """Wait until each message has come back or waits for another attempt."""

        async def open_ones() -> int:
            items = await self.queued(server)
            waiting = [each for each in items if each.last_error]
            return count - len(home.taken) - len(waiting)

        while await open_ones():
            await deferLater(reactor, 0.05)

    def _check_report(self, sender: str, octets: bytes) -> None:
        self.assertEqual(sender, "")
        self.assertIsNone(_UNPRINTABLE.search(octets), octets)
        self.assertLessEqual(max(map(len, octets.split(b"\r\n"))), 998)
        report: Any = message_from_bytes(octets, policy=policy.default)
        self.assertEqual(report.get_content_type(), "multipart/report")
        self.assertEqual(octets.count(b"\r\nFinal-Recipient:"), 1)
        self.assertEqual(octets.count(b"\r\nStatus: 5.1.1\r\n"), 1)
