"""Row 36 over the wire: mail beyond ASCII for hosts that do not take it."""

from email import message_from_bytes, policy
from typing import Any

from tests.abuse.inputs import NOT_UTF8, NOT_UTF8_RECIPIENTS
from tests.functional.relaying import RelayTestCase, Sink
from tests.functional.server import RunningServer

TEXT = "Grüße aus Köln, und auf ein baldiges Wiedersehen.\r\n"
MESSAGE = (
    f"Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{TEXT}".encode()
)


class EightBitTests(RelayTestCase):
    """A host that offers little."""

    async def relay_to(
        self, *offers: bytes, outbound_ini: str = ""
    ) -> tuple[RunningServer, Sink, Sink]:
        """A server, the host that it relays to, and where its reports arrive."""
        far, home = await self.sink(), await self.sink()
        far.offers = offers
        routes = {"client.example": home.where, "any": far.where}
        files = {"config/outbound.ini": outbound_ini}
        return self.relay(routes, files), far, home

    async def test_8bit(self) -> None:
        """8bit mail is encoded for a host that has no 8BITMIME, and means the same."""
        server, far, _ = await self.relay_to(b"PIPELINING")
        await self.submit(server, ("b@far.example",), MESSAGE)
        await self.emptied(server)
        (taken,) = far.taken
        self.assertTrue(far.heard.isascii())
        found: Any = message_from_bytes(taken.octets, policy=policy.default)
        self.assertEqual(found["Content-Transfer-Encoding"], "quoted-printable")
        self.assertEqual(found.get_content(), TEXT)

    async def test_bounce(self) -> None:
        """Or returned, if C{outbound.ini} says so."""
        ini = "without_8bitmime=bounce\n"
        server, far, home = await self.relay_to(b"PIPELINING", outbound_ini=ini)
        await self.submit(server, ("b@far.example",), MESSAGE)
        await self.emptied(server)
        self.assertEqual(far.taken, [])
        (report,) = home.taken
        self.assertIn(b"\r\nStatus: 5.6.3\r\n", report.octets)

    async def test_binary(self) -> None:
        """
        Binary mail, with bare line ends, NUL and long lines, is encoded for a host that
        takes lines of 7bit only, and holds the same octets (RFC 3030 section 3).
        """
        server, far, _ = await self.relay_to(b"PIPELINING")
        content = bytes(range(256)) * 8 + b"a\nb\rc\n.\r\n" + b"x" * 2000
        octets = (
            b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: image/png\r\n"
            b"Content-Transfer-Encoding: binary\r\n\r\n" + content
        )
        client = await self.greeted(server)
        envelope = "MAIL FROM:<a@client.example> BODY=BINARYMIME"
        client.say(envelope, "RCPT TO:<b@far.example>")
        self.assertEqual(await client.codes(2), [250, 250])
        client.send(b"BDAT %d LAST\r\n%b" % (len(octets), octets))
        self.assertEqual(await client.codes(1), [250])
        await self.emptied(server)
        (taken,) = far.taken
        self.assertTrue(far.heard.isascii())
        self.assertLessEqual(max(map(len, taken.stuffed.split(b"\r\n"))), 998)
        found: Any = message_from_bytes(taken.octets, policy=policy.default)
        self.assertEqual(found["Content-Transfer-Encoding"], "base64")
        self.assertEqual(found.get_content(), content)

    async def test_utf8_recipient(self) -> None:
        """
        A recipient that only SMTPUTF8 can name comes back with 5.6.7; the others get
        the message, which is ASCII but for its text, and so does what follows.
        """
        server, far, home = await self.relay_to(b"8BITMIME")
        to = ("b@far.example", "bücher@far.example")
        await self.submit(server, to, MESSAGE, parameters=" SMTPUTF8")
        await self.submit(server, ("c@far.example",), MESSAGE)
        await self.emptied(server)
        self.assertEqual(far.recipients(), ["b@far.example", "c@far.example"])
        (report,) = home.taken
        self.assertEqual(report.octets.count(b"Status: 5.6.7\r\n"), 1)

    async def test_utf8_header(self) -> None:
        """A header in UTF-8 is for hosts with SMTPUTF8 only."""
        server, far, home = await self.relay_to(b"8BITMIME")
        message = "Subject: Grüße\r\n\r\nhello\r\n".encode()
        to = ("b@far.example",)
        await self.submit(server, to, message, parameters=" SMTPUTF8")
        await self.emptied(server)
        self.assertEqual(far.taken, [])
        (report,) = home.taken
        self.assertIn(b"Status: 5.6.7\r\n", report.octets)

    async def test_invalid_utf8(self) -> None:
        """Octets that are no UTF-8 in a command are refused, the session goes on."""
        server, _, _ = await self.relay_to(b"8BITMIME")
        client = await self.greeted(server)
        for command in NOT_UTF8:
            client.say(command, "NOOP")
            self.assertEqual(await client.codes(2), [501, 250], command)
        client.say("MAIL FROM:<bücher@client.example> SMTPUTF8")
        self.assertEqual(await client.codes(1), [250])
        for command in NOT_UTF8_RECIPIENTS:
            client.say(command, "NOOP")
            self.assertEqual(await client.codes(2), [501, 250], command)
        client.say("RCPT TO:<grüße@far.example>")
        self.assertEqual(await client.codes(1), [250])
