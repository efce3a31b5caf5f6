"""Users whom another mail server knows: two servers, and a client of one of them."""

import smtplib

from twisted.internet.threads import deferToThread

from harakatw.auth.passwords import hash_password
from tests.functional.test_clients import ClientTestCase


class BridgeTests(ClientTestCase):
    """One server asks the other."""

    async def test_login(self) -> None:
        """The password that the other knows is right, by each plugin; no other."""
        knows = self.start(
            {
                "config/plugins": "auth/flat_file\n",
                "config/auth_flat_file.ini": "[users]\n"
                f"ann@a.example={hash_password('p w', 'scram-sha-256')}\n",
            }
        )
        there = f"127.0.0.1:{knows.port}"
        for plugin, files in (
            ("auth/auth_bridge", {"config/smtp_bridge.ini": f"host={there}\n"}),
            (
                "auth/auth_proxy",
                {"config/auth_proxy.ini": f"[domains]\na.example={there}\n"},
            ),
        ):
            files |= {"config/plugins": plugin, "config/auth.ini": "require_tls=false"}
            asks = self.start(files)
            codes = await deferToThread(self.log_in, asks.port)
            self.assertEqual(codes, [535, 235], plugin)
            await asks.stop()
        await knows.stop()

    def log_in(self, port: int) -> list[int]:
        """The codes for a wrong password and the right one."""
        codes = []
        for password in "wrong", "p w":
            with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
                try:
                    codes.append(client.login("ann@a.example", password)[0])
                except smtplib.SMTPAuthenticationError as error:
                    codes.append(error.smtp_code)
        return codes
