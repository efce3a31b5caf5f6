"""C{listeners.ini} in a running server."""

from tests.functional.server import ServerTestCase


class ListenersTests(ServerTestCase):
    """What each port is for."""

    async def test_two(self) -> None:
        """Two ports of one server, each with rules of its own."""
        server = self.start(
            {
                "config/smtp.ini": "listen=127.0.0.1:0, 127.0.0.2:0\n",
                "config/listeners.ini": "[127.0.0.2:0]\nsubmission=true\n"
                "no_extensions[]=CHUNKING\n",
            }
        )
        for address, port in server.service.listeners.ports.items():
            number = port.getHost().port  # type: ignore[attr-defined]  # of TCP
            client = await self.connect(server, number, address.host)
            await client.replies(1)
            is_submission = address.host == "127.0.0.2"
            offered = await client.ask("EHLO client.example")
            self.assertEqual("CHUNKING" in offered, not is_submission)
            answer = await client.ask("MAIL FROM:<a@client.example>")
            self.assertEqual(answer[:3], "530" if is_submission else "250")

    async def test_reload(self) -> None:
        """A change holds for who connects next; a session that is open goes on."""
        server = self.start()
        before = await self.greeted(server)
        server.write("config/listeners.ini", "[0]\nsubmission=true\n")
        await self.log.wait_for("changed: listeners.ini")
        after = await self.greeted(server)
        mail = "MAIL FROM:<a@client.example>"
        self.assertEqual((await after.ask(mail))[:3], "530")
        self.assertEqual((await before.ask(mail))[:3], "250")

    async def test_mistake(self) -> None:
        """A section that is about no port of ours is reported, and the rest holds."""
        server = self.start()
        text = "[0]\nsubmission=true\n[2525]\nsubmission=true\n"
        server.write("config/listeners.ini", text)
        line = await self.log.wait_for("is about no listener")
        self.assertIn("config/listeners.ini:3: [2525]", line)
        await self.log.wait_for("changed: listeners.ini")
        client = await self.greeted(server)
        answer = await client.ask("MAIL FROM:<a@client.example>")
        self.assertEqual(answer[:3], "530")
