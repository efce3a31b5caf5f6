"""Messages of any octets, from one server to the next (RFC 3030)."""

from tests.functional.relaying import RelayTestCase, until
from tests.functional.server import RunningServer
from tests.functional.test_relay import without_trace

HEADER = b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: binary\r\nDate: now\r\n\r\n"
OCTETS = HEADER + bytes(range(256)) * 40 + b"\r\n.\r\n\r\r\n\n."


class BinaryTests(RelayTestCase):
    """What came as BINARYMIME arrives as it was."""

    async def send(self, server: RunningServer, recipient: str, octets: bytes) -> None:
        """Submit a message in two chunks, all in one go."""
        client = await self.greeted(server)
        client.say(
            "MAIL FROM:<a@here.example> BODY=BINARYMIME", f"RCPT TO:<{recipient}>"
        )
        client.send(b"BDAT 500\r\n" + octets[:500])
        rest = octets[500:]
        client.send(b"BDAT %d LAST\r\n%s" % (len(rest), rest))
        client.say("QUIT")
        self.assertEqual(await client.rest(), [250, 250, 250, 250, 221])

    async def test_relayed(self) -> None:
        """A next hop that offers BINARYMIME gets it octet by octet, small and big."""
        last = self.start()
        relay = self.relay({"any": f"127.0.0.1:{last.port}"})
        for octets in (OCTETS, OCTETS * 60):
            await self.send(relay, "b@here.example", octets)
            await self.emptied(relay)
            bodies = [without_trace(each, fields=2) for each in last.delivered()]
            self.assertIn(octets, bodies)

    async def test_spooled(self) -> None:
        """So does one that was too big for the memory of the relay."""
        last = self.start()
        files = {"config/connection.ini": "spool_after=1000\n"}
        relay = self.relay({"any": f"127.0.0.1:{last.port}"}, files)
        await self.send(relay, "b@here.example", OCTETS)
        await until(last.delivered)
        (message,) = last.delivered()
        self.assertEqual(without_trace(message, fields=2), OCTETS)

    async def test_not_raw(self) -> None:
        """A next hop without BINARYMIME never sees the octets as they are."""
        sink = await self.sink()
        relay = self.relay({"any": sink.where})
        await self.send(relay, "b@far.example", OCTETS)
        await until(lambda: sink.taken)
        for taken in sink.taken:  # the report to the sender, or a message converted
            self.assertNotIn(OCTETS[len(HEADER) :], taken.octets)
            self.assertNotIn(b"\r\r", taken.octets)
