"""An instance directory of Haraka's, as its files stand, serves unchanged."""

import os

from twisted.logger import LogLevel

from tests.functional.server import RunningServer, ServerTestCase

HARAKAS = {
    "config/me": "bench.local\n",
    "config/host_list": "bench.local\nharaka.local\n",
    "config/smtp.ini": "listen=127.0.0.1:0\nnodes=0\n",
    "config/log.ini": "[main]\nlevel=error\n",
    "config/connection.ini": (
        "[main]\nspool_dir=/tmp\n\n[haproxy]\n\n[headers]\n\n"
        "[max]\nbytes=26214400\nline_length=512\ndata_line_length=992\nmime_parts=1000\n"
        "\n[message]\n\n[uuid]\n"
    ),
    "config/outbound.ini": "enable_tls=false\nconcurrency_max=100\nlocal_mx_ok=true\n",
    "config/plugins": "rcpt_to.in_host_list\nqueue/discard\n",
}
"""Made for Haraka, to measure how fast it takes mail."""


class BenchInstanceTests(ServerTestCase):
    """What was written for Haraka means the same here."""

    def setUp(self) -> None:
        """Let messages be discarded, as in a measurement."""
        super().setUp()
        self.patch(os, "environ", {**os.environ, "YES_REALLY_DO_DISCARD": "1"})

    def check_log(self, server: RunningServer) -> None:
        """No error was logged, and at that level the log is empty."""
        grave = (LogLevel.error, LogLevel.critical)
        errors = [event for event in self.log.events if event.get("log_level") in grave]
        self.assertEqual(errors, [])
        self.assertEqual(server.output.getvalue(), "")

    async def test_message(self) -> None:
        """A message is accepted, for both domains, in a session that sends several."""
        server = self.start(HARAKAS)
        client = await self.greeted(server)
        for domain in ("bench.local", "haraka.local", "BENCH.local"):
            client.say("MAIL FROM:<a@client.example>", f"RCPT TO:<b@{domain}>", "DATA")
            self.assertEqual(await client.codes(3), [250, 250, 354])
            answer = await client.ask("Subject: x", "", *["x" * 70] * 70, ".")
            self.assertTrue(answer.startswith("250 2.0.0 Message Queued ("), answer)
        self.check_log(server)

    async def test_stranger(self) -> None:
        """A recipient of another domain is refused: 550."""
        server = self.start(HARAKAS)
        client = await self.greeted(server)
        client.say("MAIL FROM:<a@client.example>", "RCPT TO:<b@elsewhere.example>")
        self.assertEqual(await client.codes(2), [250, 550])
        self.check_log(server)

    async def test_limits(self) -> None:
        """The limits of its connection.ini hold."""
        server = self.start(HARAKAS)
        client = await self.connect(server)
        (greeting,) = await client.replies(1)
        hello = await client.ask("EHLO client.example")
        self.assertTrue(greeting.startswith("220 bench.local "), greeting)
        self.assertIn("SIZE 26214400", hello)
        client.say("NOOP " + "x" * 505, "NOOP " + "x" * 506, "NOOP")
        self.assertEqual(await client.codes(3), [250, 500, 250])
