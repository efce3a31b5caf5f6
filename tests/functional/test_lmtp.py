"""LMTP over real sockets, with clients that other people wrote and with our own."""

from pathlib import Path

from tests.functional.server import RunningServer
from tests.functional.test_clients import ClientTestCase

LMTP = {"config/listeners.ini": "[127.0.0.1:0]\nprotocol=lmtp\n"}


class ProgramTests(ClientTestCase):
    """Programs that speak LMTP."""

    async def test_swaks(self) -> None:
        """swaks hands a message over for two users, and gets a reply for each."""
        server = self.start(LMTP)
        out = await self.run_program(
            *("swaks", "--server", "127.0.0.1", "--port", str(server.port)),
            *("--protocol", "LMTP", "--helo", "client.example"),
            *("--from", "a@client.example", "--to", "b@here.example,c@here.example"),
        )
        self.assertEqual(out.count(b"<-  250 2.0.0 Message Queued"), 2, out)
        (message,) = server.delivered()
        self.assertIn(b" with LMTP id ", message)

    async def test_smtp_source(self) -> None:
        """Postfix's source of test mail, to TCP and to a unix socket."""
        await self._source(self.start(LMTP), "inet:127.0.0.1:{port}")

    async def test_unix_socket(self) -> None:
        """A unix socket, as an agent for local delivery has it."""
        path = str(Path(self.mktemp()[-60:].replace("/", "_")).absolute())
        server = self.start(
            {
                "config/smtp.ini": f"listen={path}:666\n",
                "config/listeners.ini": f"[{path}]\nprotocol=lmtp\n",
            }
        )
        await self._source(server, f"unix:{path}")

    async def _source(self, server: RunningServer, to: str) -> None:
        target = to.format(port=server.port) if "{port}" in to else to
        await self.run_program(
            *("smtp-source", "-L", "-s", "5", "-m", "50", "-r", "3", "-l", "1000"),
            *("-f", "a@client.example", "-t", "b@here.example", target),
        )
        messages = server.delivered()
        self.assertEqual(len(messages), 50)
        self.assertIn(b" with LMTP id ", messages[0])
