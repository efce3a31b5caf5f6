"""Row 30 over the wire: mail and reports that would go round for ever."""

from harakatw.interfaces.queue import ItemState
from tests.functional.processes import free_port
from tests.functional.relaying import RelayTestCase, until

MESSAGE = b"Subject: x\r\n\r\nhello\r\n"


class BounceLoopTests(RelayTestCase):
    """Whatever is sent, at last nothing moves any more."""

    async def test_two_servers(self) -> None:
        """
        Two servers send each other mail for one domain: after a hundred trace fields it
        comes back, once, with 5.4.6 (RFC 5321 section 6.3).
        """
        home, port = await self.sink(), free_port()
        routes = {"client.example": home.where, "any": f"127.0.0.1:{port}"}
        one = self.relay(routes)
        back = {**routes, "any": f"127.0.0.1:{one.port}"}
        files = {"config/smtp.ini": f"listen=127.0.0.1:{port}\n"}
        other = self.relay(back, files)
        await self.submit(one, ("bob@far.example",), MESSAGE)
        await until(lambda: home.taken)
        for server in (one, other, one):
            await self.emptied(server)
        (report,) = home.taken
        self.assertIn(b"\r\nStatus: 5.4.6\r\n", report.octets)
        self.assertEqual(report.recipients, ("alice@client.example",))

    async def test_null_path(self) -> None:
        """Mail from the null path that nobody takes makes no report."""
        far, home = await self.sink(), await self.sink()
        far.object_to = lambda line: b"550 5.1.1 no" if line[:4] == b"RCPT" else None
        server = self.relay({"client.example": home.where, "any": far.where})
        await self.submit(server, ("bob@far.example",), MESSAGE, sender="")
        await self.leaves(server, 1)
        (item,) = await self.queued(server)
        self.assertIs(item.state, ItemState.DEAD)
        self.assertEqual((home.taken, far.taken), ([], []))

    async def test_refused_report(self) -> None:
        """A report that nobody takes is the end."""
        far = await self.sink()
        far.object_to = lambda line: b"550 5.1.1 no" if line[:4] == b"RCPT" else None
        server = self.relay({"any": far.where})
        await self.submit(server, ("bob@far.example",), MESSAGE)
        await self.leaves(server, 1)
        (item,) = await self.queued(server)
        self.assertIs(item.state, ItemState.DEAD)
        self.assertEqual(item.message.sender, "")

    async def test_many_wishes(self) -> None:
        """
        A thousand recipients of whom the sender wants to hear that they got it: one
        report, and none about that.
        """
        far, home = await self.sink(), await self.sink()
        far.offers = (b"PIPELINING",)
        files = {"config/connection.ini": "[max]\nrecipients=1000\n"}
        routes = {"client.example": home.where, "any": far.where}
        server = self.relay(routes, files)
        client = await self.greeted(server)
        asked = "> NOTIFY=SUCCESS,FAILURE,DELAY"
        client.say(
            "MAIL FROM:<alice@client.example>",
            *(f"RCPT TO:<n{number}@far.example{asked}" for number in range(1000)),
            "DATA",
        )
        await client.replies(1002)
        self.assertEqual((await client.ask("Subject: x", "", "hello", "."))[:3], "250")
        await self.emptied(server)
        self.assertEqual(len(far.recipients()), 1000)
        (report,) = home.taken
        self.assertEqual(report.octets.count(b"\r\nFinal-Recipient:"), 1000)
