"""Row 9 over the wire: line ends and terminal escapes in the envelope."""

from tests.abuse.inputs import BAD_ENVELOPES
from tests.functional.server import ENVELOPE, ServerTestCase


class EnvelopeInjectionTests(ServerTestCase):
    """Commands that carry what must not get further than the parser."""

    async def test_refused(self) -> None:
        """
        Each is refused with a 5xx, the session goes on, and the message that is sent in
        the end has the recipient that was good, and no other.
        """
        server = self.start({"config/maildir.ini": "delivered_to=true\n"})
        client = await self.greeted(server)
        client.say(*ENVELOPE)
        self.assertEqual(await client.codes(2), [250, 250])
        for line in BAD_ENVELOPES:
            client.say(line, "NOOP")
            *refused, noop = await client.codes(2 + line.count(b"\n"))
            self.assertTrue(all(code >= 500 for code in refused), line)
            self.assertEqual(noop, 250, line)
        await client.ask("DATA")
        self.assertEqual((await client.ask("", "x", "."))[:3], "250")
        (message,) = server.delivered()
        trace = message.partition(b"Received:")[0].split(b"\r\n")
        self.assertEqual(
            trace,
            [b"Return-Path: <a@client.example>", b"Delivered-To: b@here.example", b""],
        )

    async def test_xclient(self) -> None:
        """
        Neither does a trusted peer get a line end or an escape into the session by way
        of XCLIENT or XFORWARD: 501, and the client stays who it was.
        """
        server = self.start(
            {
                "config/plugins": "xclient\nrcpt_to.in_host_list\nqueue/maildir\n",
                "config/xclient.hosts": "127.0.0.1\n",
                "config/xforward.hosts": "127.0.0.1\n",
            }
        )
        client = await self.greeted(server)
        for verb, names in (
            ("XCLIENT", ("NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN")),
            ("XFORWARD", ("NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT")),
        ):
            for name in names:
                for value in ("a+0D+0ARCPT+20TO:<c@d>", "a+0A", "a+00", "a+1B[2J"):
                    answer = await client.ask(f"{verb} {name}={value}")
                    self.assertEqual(answer[:9], "501 5.5.4", (verb, name, value))
        self.assertIn("localhost [127.0.0.1]", await client.ask("EHLO client.example"))

    async def test_newline_in_quotes(self) -> None:
        """A CRLF in a quoted local part ends the command: two commands, both bad."""
        client = await self.greeted(self.start())
        await client.ask(ENVELOPE[0])
        client.send(b'RCPT TO:<"a\r\nBcc: z"@here.example>\r\nNOOP\r\n')
        self.assertEqual(await client.codes(3), [501, 500, 250])

    async def test_log(self) -> None:
        """
        A postmaster who reads the log of all commands at a terminal sees one line of
        printable text for each.
        """
        server = self.start({"config/log.ini": "level=protocol\n"})
        client = await self.greeted(server)
        await client.ask(ENVELOPE[0])
        client.say(*BAD_ENVELOPES, "QUIT")
        await client.rest()
        written = server.output.getvalue().split("\n")
        for line in written:
            self.assertTrue(line.isprintable(), ascii(line))
        said = [line for line in written if " C: " in line]
        whole = [line for line in BAD_ENVELOPES if b"\r" not in line]
        self.assertEqual(len(said), len(whole) + len(("EHLO", "MAIL", "QUIT")))
