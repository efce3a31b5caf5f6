"""Row 8 over the wire: what stands after AUTH, and what follows it."""

from tests.abuse.inputs import BAD_AUTH, BAD_NAMES
from tests.auth.sites import plain
from tests.functional.server import INSTANCE, ServerTestCase

USERS = {
    "config/plugins": f"auth/flat_file\n{INSTANCE['config/plugins']}",
    "config/auth_flat_file.ini": "[users]\nann={PLAIN}pw\n",
    "config/auth.ini": "max_delay=0\nmax_failures=0\n",
    "config/connection.ini": "[max]\nerrors=0\n",
    "config/log.ini": "level=protocol\n",
}


class AuthParsingTests(ServerTestCase):
    """Nonsense is refused, the session goes on, and no secret is logged."""

    async def test_refused(self) -> None:
        """Each with its code; then the client logs in with the right password."""
        server = self.start(USERS)
        client = await self.greeted(server)
        for octets, code in BAD_AUTH:
            client.say(octets, "NOOP")
            heard = 0
            while heard in (0, 334):
                last = heard
                (heard,) = await client.codes(1)
            self.assertIn(last, (0, 334))
            self.assertEqual(heard, code, octets[:40])
            self.assertEqual(await client.codes(1), [250], octets[:40])
        self.assertEqual((await client.ask(plain("ann", "pw")))[:3], "235")
        self.assertEqual((await client.ask(plain("ann", "pw")))[:9], "503 5.5.1")
        await self.log.wait_for("logged in")
        written = server.output.getvalue()
        self.assertIn("C: AUTH PLAIN ...", written)
        for secret in (plain("ann", "pw").split()[2], "AGE=AGI=", "A" * 100):
            self.assertNotIn(secret, written)

    async def test_names(self) -> None:
        """Row 27: names that a careless look-up takes for somebody are nobody's."""
        client = await self.greeted(self.start(USERS))
        for name in BAD_NAMES:
            self.assertEqual((await client.ask(plain(name, "pw")))[:9], "535 5.7.8")
