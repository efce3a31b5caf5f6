"""Row 20 over the wire, in the handshake of TLS."""

from itertools import cycle

from twisted.internet.task import LoopingCall

from tests.functional.hurry import HurriedReactor, reactor
from tests.functional.tls_server import IMPLICIT, TLSTestCase

FACTOR = 100.0


class SlowHandshakeTests(TLSTestCase):
    """A handshake is over in time, done or not; others go on."""

    async def check(self, listeners: str, *commands: str) -> None:
        """Trickle a handshake that never ends."""
        server = self.start_tls_server(
            listeners=listeners,
            tls_ini="handshake_timeout=60\n",
            clock=HurriedReactor(FACTOR),
        )
        client = await self.connect(server)
        for command in ("", *commands) if commands else ():
            client.say(*filter(None, [command]))
            await client.replies(1)
        began = reactor.seconds()
        octets = cycle(
            [bytes([octet]) for octet in b"\x16\x03\x01\x40\x00\x01\x00\x3f"]
        )
        sending = LoopingCall(lambda: client.send(next(octets)))
        done = sending.start(0.1)
        await client.lost_connection()
        sending.stop()
        await done
        lasted = (reactor.seconds() - began) * FACTOR
        self.assertTrue(55 <= lasted <= 400, lasted)
        self.assertIn("took too long", await self.log.wait_for("handshake failed"))

    async def test_starttls(self) -> None:
        """After STARTTLS."""
        await self.check("", "EHLO client.example", "STARTTLS")

    async def test_implicit(self) -> None:
        """On a port that begins with it."""
        await self.check(IMPLICIT)

    async def test_others(self) -> None:
        """Two hundred clients in the midst of a handshake keep nobody waiting."""
        server = self.start_tls_server()
        slow = [await self.connect(server) for _ in range(200)]
        for client in slow:
            client.say("EHLO client.example", "STARTTLS")
        for client in slow:
            await client.replies(3)
            client.send(b"\x16\x03\x01\x02\x00")
        began = reactor.seconds()
        self.assertEqual((await self.send_message(server))[:3], "250")
        self.assertLess(reactor.seconds() - began, 5)
