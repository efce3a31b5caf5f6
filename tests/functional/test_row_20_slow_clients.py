"""
Row 20 over the wire: clients that keep a session busy with an octet now and then.

The server's time passes faster than ours, since its limits are minutes.
"""

from collections.abc import Iterator
from itertools import cycle

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import LoopingCall

from tests.functional.client import Client
from tests.functional.hurry import HurriedReactor, reactor
from tests.functional.server import ENVELOPE, RunningServer, ServerTestCase

FACTOR = 250.0
PAUSE_SECONDS = 20.0
"""Of the server's time, between two octets."""


class SlowClientTests(ServerTestCase):
    """However it is done, the time of each session is bounded, and others go on."""

    def site(self, factor: float = FACTOR, **limits: int) -> RunningServer:
        """A server in a hurry, with these limits in C{connection.ini}."""
        lines = [f"{name}={value}" for name, value in limits.items()]
        return self.start(
            {
                "config/smtp.ini": "listen=127.0.0.1:0\ninactivity_timeout=100\n",
                "config/connection.ini": "\n".join(("[max]", *lines)),
            },
            HurriedReactor(factor),
        )

    async def trickle(self, client: Client, octets: Iterator[bytes]) -> list[int]:
        """
        Send octets one by one until the server closes.

        @return: the codes of what it has said.
        """
        sending = LoopingCall(lambda: client.send(next(octets)))
        done = sending.start(PAUSE_SECONDS / FACTOR)
        try:
            return await client.rest()
        finally:
            sending.stop()
            await done

    async def check(
        self, client: Client, octets: bytes, least: float, most: float
    ) -> str:
        """
        Trickle; the session must last so many of the server's seconds.

        @return: the last reply.
        """
        began = reactor.seconds()
        pieces = cycle([octets[at : at + 1] for at in range(len(octets))])
        codes = await self.trickle(client, pieces)
        lasted = (reactor.seconds() - began) * FACTOR
        self.assertEqual(codes[-1], 421)
        self.assertTrue(least <= lasted <= most, lasted)
        return await self.log.wait_for("lr=421")

    async def test_in_a_command(self) -> None:
        """Octets of a command that never ends: closed after the time of inactivity."""
        client = await self.greeted(self.site())
        said = await self.check(client, b"X", 99, 200)
        self.assertIn("Timeout", said)

    async def test_in_data(self) -> None:
        """Octets of a message: closed after its first five minutes, for its rate."""
        client = await self.in_data(self.site(data_rate=64))
        said = await self.check(client, b"X", 299, 400)
        self.assertIn("too slowly", said)

    async def test_between_commands(self) -> None:
        """NOOP for ever within a transaction: closed when its time is up."""
        client = await self.greeted(self.site(transaction_seconds=60))
        client.say(*ENVELOPE)
        await client.codes(2)
        said = await self.check(client, b"NOOP\r\n", 59, 150)
        self.assertIn("too long", said)

    async def test_others(self) -> None:
        """
        With a hundred of them connected, in commands and in messages, a good client is
        served at once, and later they are all gone.
        """
        server = self.site(50.0)
        slow = [await self.greeted(server) for _ in range(50)]
        for client in slow:
            client.send(b"MAIL FROM:<")
        for _ in range(50):
            client = await self.in_data(server)
            client.send(b"Subject: ")
            slow.append(client)
        began = reactor.seconds()
        answer = await self.send_message(server)
        self.assertEqual(answer[:3], "250")
        self.assertLess(reactor.seconds() - began, 0.3)
        self.assertEqual([client for client in slow if client.lost], [])
        ends = [Deferred.fromCoroutine(client.rest()) for client in slow]
        for codes in await gatherResults(ends):
            self.assertEqual(codes, [421])
        self.assertEqual(len(server.delivered()), 1)
