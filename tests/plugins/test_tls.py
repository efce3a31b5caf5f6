"""C{tls}: the command STARTTLS (Haraka row PB27)."""

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.listeners import Listener
from harakatw.plugins.tls import TLS
from harakatw.testing.server import MemoryClient, MemoryServer
from tests.tls_clients import EncryptedClient, client_connection, server_tls


class TLSTests(SynchronousTestCase):
    """Whom it is offered, and what it is answered."""

    def connect(self, listener: Listener | None = None, **options: Any) -> MemoryClient:
        """A client of a server with a certificate, greeted."""
        tls = server_tls(Path(self.mktemp()), **options)
        server = MemoryServer([TLS()], tls=tls, listener=listener or Listener())
        client = server.connect()
        client.hear()
        return client

    def test_offered(self) -> None:
        """EHLO offers it, HELO does not."""
        client = self.connect()
        self.assertIn("STARTTLS\r\n", client.ask("EHLO client.example"))
        self.assertNotIn("STARTTLS", client.ask("HELO client.example"))

    def test_begins(self) -> None:
        """The client is told to go ahead, and the handshake begins."""
        client = self.connect()
        client.ask("EHLO client.example")
        self.assertEqual(client.ask("starttls"), "220 2.0.0 Ready to start TLS\r\n")
        peer = EncryptedClient(client, client_connection())
        peer.shake_hands()
        self.assertNotIn("STARTTLS", peer.ask("EHLO client.example"))

    def test_again(self) -> None:
        """Once is enough."""
        client = self.connect()
        client.say("EHLO client.example", "STARTTLS")
        client.hear()
        peer = EncryptedClient(client, client_connection())
        peer.shake_hands()
        peer.say("EHLO client.example", "STARTTLS", "STARTTLS x")
        self.assertEqual(peer.codes(), [250, 503, 503])

    def test_argument(self) -> None:
        """It takes no argument (RFC 3207 section 4)."""
        client = self.connect()
        client.say("EHLO client.example", "STARTTLS now")
        self.assertEqual(client.codes(), [250, 501])

    def test_too_early(self) -> None:
        """EHLO comes first; HELO is not enough, for it offers nothing."""
        client = self.connect()
        client.say("STARTTLS", "HELO client.example", "STARTTLS")
        self.assertEqual(client.codes(), [503, 250, 503])

    def test_lmtp(self) -> None:
        """Clients of LMTP say LHLO instead, and use it likewise."""
        client = self.connect(Listener(protocol="lmtp"))
        self.assertIn("STARTTLS", client.ask("LHLO client.example"))
        self.assertIn("220", client.ask("STARTTLS"))
        peer = EncryptedClient(client, client_connection())
        peer.shake_hands()
        self.assertIn("250", peer.ask("LHLO client.example"))

    def test_no_certificate(self) -> None:
        """Without a certificate it is not offered, and who asks is told 454."""
        client = MemoryServer([TLS()]).connect()
        self.assertNotIn("STARTTLS", client.ask("EHLO client.example"))
        self.assertEqual(
            client.ask("STARTTLS"), "454 4.7.0 TLS is not available now\r\n"
        )

    def test_not_for_all(self) -> None:
        """
        Listeners, ports and clients can do without it (rows CF71 and CF76).
        """
        for client in (
            self.connect(Listener(tls="none")),
            self.connect(no_starttls_ports=frozenset((25,))),
            self.connect(no_tls_hosts={"192.0.2.0/24": ""}),
        ):
            self.assertNotIn("STARTTLS", client.ask("EHLO client.example"))
            self.assertIn("454", client.ask("STARTTLS"))

    def test_no_extension(self) -> None:
        """C{no_extensions[] = STARTTLS} of a listener takes it off the list."""
        listener = Listener(no_extensions=frozenset(("STARTTLS",)))
        client = self.connect(listener)
        self.assertNotIn("STARTTLS", client.ask("EHLO client.example"))

    def test_other_commands(self) -> None:
        """Commands that nobody knows are left to others."""
        client = self.connect()
        client.say("EHLO client.example", "XSTARTTLS")
        self.assertEqual(client.codes(), [250, 500])
