"""Row 7 over the wire: a login belongs to its connection."""

from tests.auth.sites import plain
from tests.functional.server import INSTANCE, ServerTestCase

USERS = {
    "config/plugins": f"auth/flat_file\n{INSTANCE['config/plugins']}",
    "config/auth_flat_file.ini": "[users]\nann={PLAIN}pw\n",
}


class AuthStateTests(ServerTestCase):
    """Two connections from one address."""

    async def test_other_connection(self) -> None:
        """One has logged in and may relay; the other may not, before or after."""
        server = self.start(USERS)
        one, other = await self.greeted(server), await self.greeted(server)
        self.assertEqual((await one.ask(plain("ann", "pw")))[:3], "235")
        late = await self.greeted(server)
        for client, code in ((one, 250), (other, 550), (late, 550)):
            client.say("MAIL FROM:<a@b.example>", "RCPT TO:<c@far.example>")
            self.assertEqual(await client.codes(2), [250, code])
        one.leave()
        after = await self.greeted(server)
        after.say("MAIL FROM:<a@b.example>", "RCPT TO:<c@far.example>")
        self.assertEqual(await after.codes(2), [250, 550])
