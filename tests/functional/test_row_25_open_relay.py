"""Row 25 over the wire: addresses that make some servers relay for strangers."""

from tests.abuse.inputs import RELAY_ATTEMPTS
from tests.functional.server import ENVELOPE, INSTANCE, RunningServer, ServerTestCase

OPTIONS = ("", "postel=true\n", "strict_rfc1869=true\n")

OWN = {"here.example", "mx.here.example"}


class OpenRelayTests(ServerTestCase):
    """A stranger tries every notation there is, on a server with a relay plugin."""

    def site(self, connection: str) -> RunningServer:
        """A server that relays for its own network, in which no test is."""
        return self.start(
            {
                "config/plugins": f"relay\n{INSTANCE['config/plugins']}",
                "config/relay_acl_allow": "192.0.2.0/24\n",
                "config/maildir.ini": "path=mail/{domain}\ndelivered_to=true\n",
                "config/connection.ini": connection,
            }
        )

    async def test_never_the_victim(self) -> None:
        """
        Whatever is accepted lands in a mailbox of our own, however liberal the parser
        is set, and the session goes on.
        """
        for connection in OPTIONS:
            server = self.site(connection)
            client = await self.greeted(server)
            accepted = 0
            await client.ask(f"{ENVELOPE[0]} SMTPUTF8")
            for path in RELAY_ATTEMPTS:
                client.say(b"RCPT TO:" + path, "NOOP")
                code, noop = await client.codes(2)
                self.assertIn(code // 100, (2, 5), path)
                self.assertEqual(noop, 250, path)
                accepted += code == 250
            await client.ask("DATA")
            self.assertEqual((await client.ask("", "x", "."))[:3], "250")
            self.check(server, accepted)
            await server.stop()

    def check(self, server: RunningServer, accepted: int) -> None:
        """Every recipient that was accepted is one of ours."""
        folders = {path.name for path in (server.directory / "mail").iterdir()}
        self.assertEqual(folders - OWN, set())
        recipients = [
            line.partition(b": ")[2]
            for copy in server.delivered("mail/*")
            for line in copy.split(b"\r\n")
            if line.startswith(b"Delivered-To: ")
        ]
        self.assertEqual(len(recipients), accepted)
        self.assertGreater(accepted, 0)
        for recipient in recipients:
            domain = recipient.rpartition(b"@")[2]
            self.assertIn(domain, (b"here.example", b"postmaster"), recipient)

    async def test_plain_stranger(self) -> None:
        """The victim's plain address is refused: 550, and DATA with it."""
        client = await self.greeted(self.site(""))
        client.say(ENVELOPE[0], "RCPT TO:<u@victim.example>")
        self.assertEqual(await client.codes(2), [250, 550])
        self.assertIn(int((await client.ask("DATA"))[:3]), (503, 554))

    async def test_spoofed(self) -> None:
        """Saying to be one of us, in MAIL and EHLO, opens nothing."""
        client = await self.greeted(self.site(""))
        client.say(
            "EHLO here.example",
            "MAIL FROM:<b@here.example>",
            "RCPT TO:<u@victim.example>",
        )
        self.assertEqual(await client.codes(3), [250, 250, 550])
