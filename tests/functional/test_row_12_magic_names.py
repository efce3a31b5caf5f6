"""Row 12 over the wire: header fields with magic names (CVE-2026-34752), or many."""

from tests.abuse.inputs import MAGIC_FIELDS
from tests.functional.memory import NO_MEASURE, Growth
from tests.functional.server import RunningServer, ServerTestCase

LOOKING = '''
"""Reads and edits every field of a header."""

from harakatw.plugin import CONT, IDataPostHook, implementer


@implementer(IDataPostHook)
class Looking:
    def hook_data_post(self, connection):
        header = connection.transaction.header
        for name in (*set(header.names()), "__class__", "__proto__", "items", "", " "):
            header.get(name)
            header.get_decoded(name)
            header.get_all(name)
        header.remove("X-Not-There")
        connection.transaction.add_header("__dict__", "x")
        return CONT
'''


class MagicNameTests(ServerTestCase):
    """Headers that kill other servers, in front of a plugin that looks at them all."""

    def site(self) -> RunningServer:
        """A server with that plugin."""
        return self.start(
            {
                "plugins/looking.py": LOOKING,
                "config/plugins": "looking\nrcpt_to.in_host_list\nqueue/maildir\n",
            }
        )

    async def test_names(self) -> None:
        """
        Each is a field like any other, or the body begins with it: the message is taken
        and every octet of it is delivered.
        """
        server = self.site()
        for field in MAGIC_FIELDS:
            client = await self.in_data(server)
            client.send(field + b"\r\nbody\r\n.\r\n")
            self.assertEqual(await client.codes(1), [250], field)
            self.assertTrue(
                any(field in message for message in server.delivered()), field
            )
        self.assertEqual(len(server.delivered()), len(MAGIC_FIELDS))

    async def test_all_in_one(self) -> None:
        """The same with all of them in one header."""
        server = self.site()
        client = await self.in_data(server)
        client.send(b"".join(MAGIC_FIELDS) + b"\r\nbody\r\n.\r\n")
        self.assertEqual(await client.codes(1), [250])
        (message,) = server.delivered()
        for field in MAGIC_FIELDS:
            self.assertIn(field, message)

    async def test_many(self) -> None:
        """A hundred thousand fields: taken or refused, not an error of ours."""
        server = self.site()
        client = await self.in_data(server)
        await client.pour([b"x: y\r\n" * 10_000] * 10)
        client.say("", "body", ".", "NOOP")
        answer, noop = await client.codes(2)
        self.assertIn(answer, (250, 552))
        self.assertEqual(noop, 250)
        self.assertEqual(len(server.delivered()), answer == 250)

    async def test_long(self) -> None:
        """A header of ten megaoctets, in one field or in many lines, is refused."""
        server = self.site()
        for piece in (b"a" * 100_000, b"X: a\r\n b\r\n" * 10_000):
            client = await self.in_data(server)
            growth = Growth()
            client.send(b"X: ")
            await client.pour(growth.pieces(piece, 100))
            client.say("", "", "body", ".", "NOOP")
            self.assertEqual(await client.codes(2), [552, 250])
            if not NO_MEASURE:
                self.assertLess(growth.most, 30_000_000)
        self.assertEqual(server.delivered(), [])
