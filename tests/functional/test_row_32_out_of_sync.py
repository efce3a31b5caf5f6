"""Row 32 over the wire: clients that do not wait for their turn."""

from tests.functional.server import ENVELOPE, INSTANCE, RunningServer, ServerTestCase

PATIENT = '''
"""Lets clients wait, and refuses those that do not."""

from twisted.internet.task import deferLater

from harakatw.plugin import CONT, IConnectHook, deny, implementer


@implementer(IConnectHook)
class Patient:
    def __init__(self, clock):
        self.clock = clock

    async def hook_connect(self, connection):
        await deferLater(self.clock, 0.2)
        return deny("You talk too soon") if connection.early_talker else CONT
'''


class OutOfSyncTests(ServerTestCase):
    """Talk out of turn is refused or put right, never misunderstood."""

    def site(self) -> RunningServer:
        """A server that waits a moment before it greets."""
        return self.start(
            {
                "plugins/patient.py": PATIENT,
                "config/plugins": f"patient\n{INSTANCE['config/plugins']}",
            }
        )

    async def test_before_the_greeting(self) -> None:
        """
        Who talks before the greeting is refused, reads why, and what it said is not
        obeyed; who waits is greeted.
        """
        server = self.site()
        early = await self.connect(server)
        early.say("EHLO client.example", *ENVELOPE, "DATA", "QUIT")
        codes = await early.rest()
        self.assertEqual(codes, [554] * 5 + [221])
        self.assertEqual((await self.send_message(server))[:3], "250")

    async def test_body_with_data(self) -> None:
        """
        DATA and the message in one go: 554, which the client gets to read though there
        is more that nobody has read, and no message.
        """
        server = self.start()
        client = await self.greeted(server)
        client.say(*ENVELOPE, "DATA", "Subject: x", "", *["x"] * 200_000, ".", "QUIT")
        self.assertEqual(await client.rest(), [250, 250, 554])
        self.assertEqual(server.delivered(), [])

    async def test_after_quit(self) -> None:
        """Commands after QUIT, a second QUIT too, are not answered."""
        server = self.start()
        client = await self.greeted(server)
        client.say("QUIT", "QUIT", *ENVELOPE)
        self.assertEqual(await client.rest(), [221])

    async def test_ehlo_in_a_transaction(self) -> None:
        """EHLO in the middle of a transaction starts from the beginning."""
        client = await self.greeted(self.start())
        client.say(*ENVELOPE, "EHLO client.example", ENVELOPE[1], "NOOP")
        self.assertEqual(await client.codes(5), [250, 250, 250, 503, 250])

    async def test_leaves_in_data(self) -> None:
        """A client that leaves within its message leaves no message behind."""
        server = self.start()
        client = await self.in_data(server)
        client.say("Subject: x", "", "not the whole of it")
        await client.leave()
        await self.log.wait_for(" disconnect ip=127.0.0.1")
        self.assertEqual(server.delivered(), [])

    async def test_leaves_before_the_reply(self) -> None:
        """
        A client that leaves after the final dot, without waiting for the reply, has
        handed its message over; the server is none the worse.
        """
        server = self.start()
        client = await self.in_data(server)
        client.say("Subject: x", "", "x", ".")
        client.transport.loseConnection()
        await self.log.wait_for(" disconnect ip=127.0.0.1")
        self.assertEqual(len(server.delivered()), 1)
        self.assertEqual((await self.send_message(server))[:3], "250")
