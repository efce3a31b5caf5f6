"""
Row 5 over the wire: commands that somebody wrote into a connection before it was
encrypted (CVE-2011-0411 and many since).
"""

import smtplib
import socket

from twisted.internet.threads import deferToThread

from tests.functional.tls_server import TLSTestCase, any_certificate


class _Injected(smtplib.SMTP):
    """A client into whose connection another one writes."""

    extra = b""

    def putcmd(self, cmd: str, args: str = "") -> None:
        """Send a command, and behind STARTTLS what the other one wants."""
        if cmd.upper() == "STARTTLS":
            assert isinstance(self.sock, socket.socket)
            self.sock.sendall(b"STARTTLS\r\n" + self.extra)
        else:
            super().putcmd(cmd, args)


class InjectionTests(TLSTestCase):
    """Nothing that was said in clear counts."""

    async def check(self, extra: bytes) -> None:
        """The client's session is as if nothing else had been said."""
        server = self.start_tls_server()

        def talk() -> None:
            client = _Injected("127.0.0.1", server.port, timeout=20)
            client.extra = extra
            client.ehlo("client.example")
            client.starttls(context=any_certificate())
            self.assertEqual(client.docmd("MAIL FROM:<a@client.example>")[0], 503)
            self.assertEqual(client.ehlo("client.example")[0], 250)
            self.assertEqual(client.docmd("RCPT TO:<b@here.example>")[0], 503)
            client.sendmail("a@client.example", ["b@here.example"], b"x\r\n")
            client.quit()

        await deferToThread(talk)
        self.assertEqual(len(server.delivered()), 1)
        await self.log.wait_for("octets behind STARTTLS dropped")

    async def test_mail(self) -> None:
        """A sender of somebody else's is forgotten, and its reply never comes."""
        await self.check(b"MAIL FROM:<evil@b.example>\r\n")

    async def test_many(self) -> None:
        """So are many commands, and the half of one."""
        await self.check(b"RSET\r\n" * 20 + b"EHLO evil.example\r\nMAIL FR")

    async def test_state(self) -> None:
        """Name and transaction of before TLS are gone."""
        server = self.start_tls_server()

        def talk() -> None:
            with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as client:
                client.ehlo("client.example")
                client.mail("a@client.example")
                client.rcpt("b@here.example")
                self.assertEqual(client.docmd("STARTTLS")[0], 220)
                assert client.sock is not None
                client.sock = any_certificate().wrap_socket(client.sock)
                client.file = None
                self.assertEqual(client.docmd("DATA")[0], 503)
                self.assertEqual(client.docmd("RCPT TO:<b@here.example>")[0], 503)

        await deferToThread(talk)
        self.assertEqual(server.delivered(), [])
