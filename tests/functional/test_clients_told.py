"""A server that tells the next one whose mail it is."""

from tests.functional.relaying import RelayTestCase, until
from tests.functional.server import RunningServer

PLUGIN = """\
from harakatw.plugin import IGetMXHook, implementer, ok


@implementer(IGetMXHook)
class Way:
    def hook_get_mx(self, hmail, domain):
        return ok(value={hop!r})
"""

INSIDE = {
    "config/me": "inside.example\n",
    "config/host_list": "far.example\n",
    "config/plugins": "xclient\nrcpt_to.in_host_list\nqueue/maildir\n",
    "config/xclient.hosts": "127.0.0.1\n",
    "config/xforward.hosts": "127.0.0.1\n",
}
"""A server that believes what it is told, and keeps the mail."""

MESSAGE = b"Subject: x\r\n\r\nx\r\n"


class ClientsToldTests(RelayTestCase):
    """Two servers, one behind the other."""

    def outside(self, inside: RunningServer, **wanted: bool) -> RunningServer:
        """A server that relays to the other one."""
        hop = {"exchange": "127.0.0.1", "port": inside.port, **wanted}
        return self.relay(
            {},
            {
                "config/plugins": "xclient\nrelay\nway\n",
                "config/xclient.hosts": "127.0.0.1\n",
                "config/relay_acl_allow": "198.51.100.0/24\n127.0.0.0/8\n",
                "config/outbound.ini": "keep_client=true\n",
                "plugins/way.py": PLUGIN.format(hop=hop),
            },
        )

    async def _send(self, server: RunningServer, address: str) -> None:
        """A message of the client at an address."""
        client = await self.greeted(server)
        client.say(f"XCLIENT ADDR={address} NAME=mx.client.example", "EHLO a.example")
        client.say("MAIL FROM:<a@b.example>", "RCPT TO:<c@far.example>", "DATA")
        self.assertEqual(await client.codes(5), [220, 250, 250, 250, 354])
        client.send(MESSAGE)
        self.assertEqual((await client.ask("."))[:3], "250")
        client.say("QUIT")
        await client.rest()

    async def test_xclient(self) -> None:
        """
        The inner server sees the client itself, each message's own, though one
        connection is used for all.
        """
        inside = self.start(INSIDE)
        outside = self.outside(inside, xclient=True)
        for address in ("198.51.100.7", "198.51.100.8", "198.51.100.8"):
            await self._send(outside, address)
            await self.emptied(outside)
        await until(lambda: len(inside.delivered()) == 3)
        seen = [
            message.partition(b"\tby inside.example")[0]
            for message in inside.delivered()
        ]
        for last, count in ((7, 1), (8, 2)):
            client = b"(mx.client.example [198.51.100.%d])" % last
            self.assertEqual(sum(client in trace for trace in seen), count, seen)

    async def test_xforward(self) -> None:
        """The inner server writes to its log whose mail it is."""
        inside = self.start(INSIDE)
        outside = self.outside(inside, xforward=True)
        await self._send(outside, "198.51.100.7")
        await self.emptied(outside)
        line = await self.log.wait_for("xclient: forwarded for")
        self.assertIn("name=mx.client.example addr=198.51.100.7 ", line)
        self.assertIn(" helo=a.example ident=", line)
        (message,) = inside.delivered()
        self.assertIn(b"[127.0.0.1]", message.partition(b"\tby")[0])
