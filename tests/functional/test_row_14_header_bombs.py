"""Row 14 over the wire: header fields that are made to exhaust the server."""

from tests.abuse.test_row_14_header_bombs import fields
from tests.functional.server import ServerTestCase
from tests.functional.structure import LOOKING

LINE = 900


def folded(value: str) -> bytes:
    """The value in lines that a message may have."""
    lines = [value[at : at + LINE] for at in range(0, len(value), LINE)]
    return "\r\n ".join(lines).encode()


class HeaderBombTests(ServerTestCase):
    """Reading a field takes time that grows with its length only."""

    async def test_fields(self) -> None:
        """
        Comments, quotes, pieces of names and encoded words by the thousand, in the
        header of the message and of a part: taken, each within the time of a test.
        """
        server = self.start(LOOKING)
        client = await self.greeted(server)
        taken = 0
        for name, value in fields():
            field = name.encode() + b": " + folded(value) + b"\r\n"
            part = b"Content-Type: multipart/x; boundary=b\r\n\r\n--b\r\n" + field
            for octets in field, part:
                client.say(
                    "MAIL FROM:<a@b.example>", "RCPT TO:<b@here.example>", "DATA"
                )
                self.assertEqual(await client.codes(3), [250, 250, 354])
                client.send(octets + b"\r\nx\r\n.\r\n")
                self.assertEqual(await client.codes(1), [250], value[:20])
                taken += 1
        self.assertEqual(len(server.delivered()), taken)
        self.assertEqual(self.flushLoggedErrors(), [])
