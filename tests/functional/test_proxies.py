"""Proxies and their like that other people wrote."""

from tests.functional.server import RunningServer
from tests.functional.test_clients import ClientTestCase

BELIEVED = {"config/connection.ini": "[haproxy]\nhosts[]=127.0.0.1\n"}

PLUGINS = "xclient\nrcpt_to.in_host_list\nqueue/maildir\n"


class ProxyTests(ClientTestCase):
    """Programs that say whose connection they pass on."""

    async def _swaks(self, server: RunningServer, *options: str) -> bytes:
        await self.run_program(
            *("swaks", "--server", "127.0.0.1", "--port", str(server.port)),
            *("--helo", "client.example", "--from", "a@client.example"),
            *("--to", "b@here.example", *options),
        )
        (message,) = server.delivered()
        return message

    async def test_curl(self) -> None:
        """curl's header says that it comes from here, and so does the log."""
        server = self.start({**BELIEVED, "message.eml": "Subject: by curl\n\nx\n"})
        await self.run_program(
            *("curl", "--silent", "--show-error", "--max-time", "20", "--crlf"),
            *("--haproxy-protocol", "--mail-from", "a@client.example"),
            *("--mail-rcpt", "b@here.example"),
            *("--upload-file", str(server.directory / "message.eml")),
            f"smtp://127.0.0.1:{server.port}/client.example",
        )
        (message,) = server.delivered()
        self.assertIn(b"Subject: by curl", message)
        line = await self.log.wait_for("disconnect ip=127.0.0.1")
        self.assertTrue(line.endswith("proxy=127.0.0.1"), line)

    async def test_swaks_header(self) -> None:
        """Headers of version 1 and 2, as swaks writes them."""
        for version in ("1", "2"):
            server = self.start(BELIEVED)
            message = await self._swaks(
                server,
                *("--proxy-version", version, "--proxy-family"),
                *("TCP4" if version == "1" else "AF_INET",),
                *("--proxy-source", "198.51.100.7", "--proxy-source-port", "4321"),
                *("--proxy-dest", "203.0.113.25", "--proxy-dest-port", "25"),
            )
            self.assertIn(b"[198.51.100.7]", message.partition(b"\tby")[0])

    async def test_swaks_xclient(self) -> None:
        """XCLIENT, as swaks sends it, in two commands."""
        files = {"config/plugins": PLUGINS, "config/xclient.hosts": "127.0.0.0/8\n"}
        message = await self._swaks(
            self.start(files),
            *("--xclient-addr", "2001:db8::7", "--xclient-name", "mx.client.example"),
            *("--xclient-delim", "--xclient-helo", "helo.example"),
            *("--xclient-proto", "ESMTP"),
        )
        self.assertIn(
            b"from client.example (mx.client.example [IPv6:2001:db8::7])", message
        )
        await self.log.wait_for("goes on as 2001:db8::7 mx.client.example")
        line = await self.log.wait_for("disconnect ip=2001:db8::7")
        self.assertTrue(line.endswith("proxy=127.0.0.1"), line)
