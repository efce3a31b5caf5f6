"""Users log in with clients that other people wrote."""

import smtplib

from twisted.internet.threads import deferToThread

from harakatw.auth.passwords import hash_api_key, hash_password
from tests.functional.server import RunningServer
from tests.functional.test_clients import ClientTestCase

KEEPER = '''
from harakatw.plugin import IQueueOutboundHook, OK, implementer

@implementer(IQueueOutboundHook)
class Keeper:
    """Keeps mail of users, with who sent it."""

    def __init__(self, server):
        self.folder = server.directory

    def hook_queue_outbound(self, connection):
        with open(f"{self.folder}/sent", "a") as file:
            notes = connection.notes
            file.write(f"{notes['auth_user']} {notes['auth_method']}\\n")
        return OK
'''

KEY = "k" * 43


class LoginTests(ClientTestCase):
    """Each sends a message to elsewhere, which only users may."""

    def site(self, users: str, methods: str = "") -> RunningServer:
        """A server with these lines in its file of users."""
        return self.start(
            {
                "config/plugins": "auth/flat_file\nkeeper\n",
                "config/auth_flat_file.ini": f"[core]\n{methods}\n{users}",
                "plugins/keeper.py": KEEPER,
            }
        )

    def sent(self, server: RunningServer) -> list[str]:
        """Who sent something, and how it logged in."""
        return (server.directory / "sent").read_text().splitlines()

    async def swaks(self, server: RunningServer, method: str) -> None:
        """Send with swaks."""
        await self.run_program(
            "swaks", "--server", "127.0.0.1", "--port", str(server.port),
            "--from", "ann@far.example", "--to", "b@far.example",
            "--auth", method, "--auth-user", "ann", "--auth-password", "p w",
        )  # fmt: skip

    async def test_swaks(self) -> None:
        """PLAIN, LOGIN and CRAM-MD5 with swaks."""
        server = self.site("[users]\nann=p w\n")
        for method in "PLAIN", "LOGIN", "CRAM-MD5":
            await self.swaks(server, method)
        self.assertEqual(self.sent(server), ["ann PLAIN", "ann LOGIN", "ann CRAM-MD5"])

    async def test_swaks_hashed(self) -> None:
        """The same with hashed passwords, which are checked in threads."""
        for scheme in "argon2", "bcrypt", "scram-sha-256":
            server = self.site(f"[users]\nann={hash_password('p w', scheme)}\n")
            await self.swaks(server, "PLAIN")
            self.assertEqual(self.sent(server), ["ann PLAIN"])
            await server.stop()

    async def test_smtplib(self) -> None:
        """Python's client takes the best that it knows."""
        server = self.site(f"[users]\nann=pw\n[api_keys]\nnews={hash_api_key(KEY)}\n")
        await deferToThread(self.smtplib_sends, server.port, "ann", "pw")
        await deferToThread(self.smtplib_sends, server.port, "news", KEY)
        self.assertEqual(self.sent(server), ["ann PLAIN", "news PLAIN"])

    def smtplib_sends(self, port: int, user: str, password: str) -> None:
        """Send with Python's client, after one wrong password."""
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
            with self.assertRaises(smtplib.SMTPAuthenticationError):
                client.login(user, "wrong", initial_response_ok=False)
            client.login(user, password)
            client.sendmail("ann@far.example", "b@far.example", b"Subject: x\r\n\r\nx")

    async def test_curl(self) -> None:
        """curl, with each mechanism that it knows of ours."""
        server = self.site("[users]\nann=pw\n")
        message = server.directory / "message"
        message.write_bytes(b"Subject: x\r\n\r\nx\r\n")
        for method in "PLAIN", "LOGIN", "CRAM-MD5":
            await self.run_program(
                "curl", "--silent", "--show-error", "--max-time", "20",
                f"smtp://127.0.0.1:{server.port}", "--user", "ann:pw",
                "--login-options", f"AUTH={method}", "--mail-from", "ann@far.example",
                "--mail-rcpt", "b@far.example", "--upload-file", str(message),
            )  # fmt: skip
        self.assertEqual(self.sent(server), ["ann PLAIN", "ann LOGIN", "ann CRAM-MD5"])

    async def test_msmtp(self) -> None:
        """msmtp, with each mechanism that it knows of ours."""
        server = self.site("[users]\nann=pw\n")
        for method in "plain", "login", "cram-md5", "scram-sha-256":
            await self.run_program(
                "sh", "-c",
                "printf 'Subject: x\\n\\nx\\n' | msmtp --host=127.0.0.1"
                f" --port={server.port} --tls=off --auth={method} --user=ann"
                " --passwordeval='echo pw' --from=ann@far.example b@far.example",
            )  # fmt: skip
        self.assertEqual(
            self.sent(server),
            ["ann PLAIN", "ann LOGIN", "ann CRAM-MD5", "ann SCRAM-SHA-256"],
        )
