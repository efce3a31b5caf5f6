"""Proxies and their like that other people wrote."""

import os
import shutil

from twisted.internet.utils import getProcessOutputAndValue

from tests.functional.server import ServerTestCase

_FILES = {
    "config/connection.ini": "[haproxy]\nhosts[]=127.0.0.1\n",
    "message.eml": "Subject: by curl\n\nx\n",
}


class CurlTests(ServerTestCase):
    """curl can say whose connection it passes on: its own."""

    if not shutil.which("curl"):
        skip = "curl is not installed"

    async def test_header(self) -> None:
        """A message is taken, and the proxy's address is in the log."""
        server = self.start(_FILES)
        output, errors, status = await getProcessOutputAndValue(
            shutil.which("curl"),
            (
                *("--silent", "--show-error", "--max-time", "20"),
                *("--crlf", "--haproxy-protocol"),
                *("--mail-from", "a@client.example", "--mail-rcpt", "b@here.example"),
                *("--upload-file", str(server.directory / "message.eml")),
                f"smtp://127.0.0.1:{server.port}/client.example",
            ),
            env={"PATH": os.environ["PATH"]},
        )
        self.assertEqual((status, output), (0, b""), (errors, self.log.lines))
        (message,) = server.delivered()
        self.assertIn(b"Subject: by curl", message)
        line = await self.log.wait_for("disconnect ip=127.0.0.1")
        self.assertTrue(line.endswith("proxy=127.0.0.1"), line)
