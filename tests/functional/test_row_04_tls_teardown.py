"""
Row 4 over the wire: TLS that ends in the midst of a session (CVE-2026-45185), after
which the client goes on in clear.
"""

from OpenSSL import SSL

from tests.functional.client import Client
from tests.functional.server import ENVELOPE, RunningServer
from tests.functional.tls_server import TLSTestCase
from tests.tls_clients import client_connection, pending


class TeardownTests(TLSTestCase):
    """The connection ends, and nothing in clear is ever parsed."""

    async def encrypted(self, server: RunningServer) -> tuple[Client, SSL.Connection]:
        """A client after STARTTLS, whose octets are encrypted by hand."""
        client = await self.greeted(server)
        self.assertEqual((await client.ask("STARTTLS"))[:3], "220")
        tls = client_connection("mx.here.example")
        octets = client.divert()
        while True:
            try:
                tls.do_handshake()
                break
            except SSL.WantReadError:
                client.send(pending(tls))
                tls.bio_write(await octets.get())
        client.send(pending(tls))
        return client, tls

    async def check(self, *commands: str, body: bytes = b"") -> None:
        """
        Say something encrypted, end TLS, and go on in clear: that is not heard.
        """
        server = self.start_tls_server()
        client, tls = await self.encrypted(server)
        lines = "".join(f"{line}\r\n" for line in ("EHLO client.example", *commands))
        tls.sendall(lines.encode() + body)
        client.send(pending(tls))
        await self.log.wait_for("secured:")
        tls.shutdown()
        client.send(pending(tls) + b"x" * 50 + b"\r\nMAIL FROM:<evil@b.example>\r\n")
        await client.lost_connection()
        await self.log.wait_for("disconnect ip=")
        self.assertEqual(server.delivered(), [])
        self.assertFalse([line for line in self.log.lines if "evil" in line])
        self.assertFalse([line for line in self.log.lines if "Traceback" in line])
        self.assertEqual((await self.send_message(server))[:3], "250")

    async def test_in_a_chunk(self) -> None:
        """In the midst of a BDAT, as in Exim."""
        await self.check(*ENVELOPE, "BDAT 100 LAST", body=b"y" * 50)

    async def test_in_data(self) -> None:
        """In the midst of a message: no part of it is delivered."""
        await self.check(*ENVELOPE, "DATA", "Subject: half", "", "a line")

    async def test_between_commands(self) -> None:
        """Between two commands."""
        await self.check("NOOP")

    async def test_without_end(self) -> None:
        """Octets in clear without an end of TLS end the connection as well."""
        server = self.start_tls_server()
        client, _ = await self.encrypted(server)
        await self.log.wait_for("secured:")
        client.send(b"MAIL FROM:<evil@b.example>\r\n")
        await client.lost_connection()
        await self.log.wait_for("TLS broke with")
