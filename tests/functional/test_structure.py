"""Big messages through filters, banner and attachment hooks, over the wire."""

import hashlib
from base64 import b64encode

from tests.functional.memory import NO_MEASURE, Growth
from tests.functional.server import ServerTestCase
from tests.functional.structure import LOOKING

LINES = b64encode(bytes(range(57))) + b"\r\n"
PIECE = LINES * 800
PIECES = 1000
MOST_GROWTH = 24 * 1024 * 1024

HEAD = (
    b"Subject: big\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<body>Hi</body>\r\n"
    b"--b\r\nContent-Type: image/x; name=a.bin\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n"
)
TAIL = b"--b--\r\n"


class BigMessageTests(ServerTestCase):
    """No message is in memory as a whole, whatever plugins do with it."""

    timeout = 120

    if NO_MEASURE:
        skip = NO_MEASURE

    async def test_big(self) -> None:
        """
        A message of 60 MB has its parts looked at, its attachment read and a banner
        added, in the memory of a few pieces; the attachment keeps its octets.
        """
        files = {
            **LOOKING,
            "config/connection.ini": "spool_after=1M\n[max]\nbytes=100M\n",
        }
        server = self.start(files)
        await self.send_message(server)
        client = await self.in_data(server)
        growth = Growth()
        client.send(HEAD)
        await client.pour(growth.pieces(PIECE, PIECES))
        client.send(TAIL + b".\r\n")
        self.assertEqual(await client.codes(1), [250])
        growth.look()
        self.assertLess(growth.most, MOST_GROWTH)
        (path,) = [
            each
            for each in server.directory.glob("maildir/new/*")
            if each.stat().st_size > 1_000_000
        ]
        expected = hashlib.sha256()
        expected.update(HEAD.replace(b"</body>", b"\r\nThe banner\r\n</body>"))
        for _ in range(PIECES):
            expected.update(PIECE)
        expected.update(TAIL)
        found = hashlib.sha256()
        with path.open("rb") as file:
            start = file.read(2000)
            found.update(start[start.index(b"Subject: big") :])
            while piece := file.read(1 << 20):
                found.update(piece)
        self.assertEqual(found.hexdigest(), expected.hexdigest())
