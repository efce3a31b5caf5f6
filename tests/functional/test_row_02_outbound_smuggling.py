"""
Row 2 over the wire: a second message hidden in one that leaves.

@see: RFC 5321 section 2.3.8 (line ends), section 4.5.2 (dots)
"""

from tests.abuse.inputs import FALSE_ENDS, SMUGGLED
from tests.functional.relaying import RelayTestCase, Sink, relay_files

BEFORE = b"Subject: harmless\r\n\r\nhello"

SENDER = f'''
"""Sends mail of its own on every MAIL."""

from harakatw.plugin import CONT, IMailHook, IOutbound, implementer

ENDS = {FALSE_ENDS!r}
BEFORE, SMUGGLED = {BEFORE!r}, {SMUGGLED!r}


@implementer(IMailHook)
class Sender:
    def __init__(self, outbound):
        self.outbound = outbound

    async def hook_mail(self, connection, sender, params):
        for number, end in enumerate(ENDS):
            to = f"n{{number}}@far.example"
            contents = BEFORE + end + SMUGGLED
            await self.outbound.send_email("a@client.example", to, contents)
        return CONT
'''


class OutboundSmugglingTests(RelayTestCase):
    """What another host hears, octet by octet."""

    def check(self, sink: Sink, count: int) -> None:
        """It has heard so many messages, and nothing that could be taken for more."""
        heard = bytes(sink.heard)
        rest = heard.replace(b"\r\n", b"")
        self.assertNotIn(b"\r", rest)
        self.assertNotIn(b"\n", rest)
        self.assertEqual(heard.count(b"\r\n.\r\n"), count)
        self.assertEqual(len(sink.taken), count)
        for taken in sink.taken:
            self.assertEqual(taken.sender, "a@client.example")
            self.assertIn(b"\r\nSubject: smuggled\r\n", taken.octets)
            for line in taken.stuffed.split(b"\r\n"):
                self.assertFalse(line[:1] == b"." and line[1:2] != b".", line)

    async def test_sessions(self) -> None:
        """Mail of clients, where bare line ends are repaired instead of refused."""
        sink = await self.sink()
        files = {"config/connection.ini": "[main]\nbare_newline=normalise\n"}
        server = self.relay({"any": sink.where}, files)
        envelope = ("MAIL FROM:<a@client.example>", "RCPT TO:<b@far.example>")
        for end in FALSE_ENDS:
            client = await self.in_data(server, *envelope)
            client.send(BEFORE + end + SMUGGLED)
            self.assertIn("250 2.0.0", await client.ask("."), end)
            await client.leave()
        await self.emptied(server)
        self.check(sink, len(FALSE_ENDS))

    async def test_plugins(self) -> None:
        """Mail of a plugin's own, which no client's line ends limit."""
        sink = await self.sink()
        routes = {"any": sink.where}
        plugins = relay_files(routes)["config/plugins"] + "sender\n"
        files = {"config/plugins": plugins, "plugins/sender.py": SENDER}
        server = self.relay(routes, files)
        client = await self.greeted(server)
        client.say("MAIL FROM:<x@client.example>")
        self.assertEqual(await client.codes(1), [250])
        await self.emptied(server)
        self.check(sink, len(FALSE_ENDS))
