"""What senders ask for with MAIL, over real sockets and through the queue on disk."""

import smtplib
import time
from typing import Any

from twisted.internet.interfaces import IReactorSSL
from twisted.internet.ssl import PrivateCertificate
from twisted.internet.threads import deferToThread

from tests.functional.hurry import reactor
from tests.functional.relaying import RelayTestCase, Sink, until
from tests.functional.server import RunningServer
from tests.outbound.client.certificates import Authority, make_authority

ALICE, BOB = "alice@client.example", "bob@far.example"
MESSAGE = b"Subject: x\r\n\r\nHello, Bob.\r\n"

PLUGIN = """
from zope.interface import implementer
from harakatw.plugin import CONT, IConnectHook, IGetMXHook, ok
from harakatw.smtp.connection import TLS

@implementer(IConnectHook, IGetMXHook)
class Encrypted:
    def hook_connect(self, connection):
        connection.tls = TLS(True, "AES")

    def hook_get_mx(self, hmail, domain):
        hop = "smtps://localhost:PORT"
        return ok(value=hop) if domain == "far.example" else CONT
"""
"""Clients count as encrypted, and mail for one domain leaves so."""


class SecretTests(RelayTestCase):
    """REQUIRETLS (RFC 8689) and hosts with and without it."""

    def setUp(self) -> None:
        """Somebody whom the relay trusts to sign certificates."""
        super().setUp()
        self.authority: Authority = make_authority()

    async def secret_sink(self, certificate_for: str, *offers: bytes) -> Sink:
        """A host that takes mail over TLS from the first octet on."""
        sink = Sink()
        sink.offers += offers
        signed = self.authority.sign(certificate_for)
        pair = PrivateCertificate.loadPEM(signed.key + signed.certificate)
        tls: Any = IReactorSSL(reactor)
        port = tls.listenSSL(0, sink, pair.options(), interface="127.0.0.1")
        sink.port = port.getHost().port
        self.addCleanup(port.stopListening)
        return sink

    async def send(self, far: Sink) -> tuple[RunningServer, Sink]:
        """Submit a message that is secret; returns the server and Alice's host."""
        home = await self.sink()
        files = {
            "config/plugins": "encrypted\nrelay\n",
            "plugins/encrypted.py": PLUGIN.replace("PORT", str(far.port)),
            "config/ca.pem": self.authority.certificate.decode(),
            "config/tls.ini": "[outbound]\nca=ca.pem\n",
        }
        server = self.relay({"any": home.where}, files)
        await self.submit(server, (BOB,), MESSAGE, parameters=" REQUIRETLS RET=FULL")
        await self.emptied(server)
        return server, home

    async def test_sent(self) -> None:
        """A host with the right certificate that is as careful gets it."""
        far = await self.secret_sink("localhost", b"REQUIRETLS")
        _, home = await self.send(far)
        self.assertEqual(far.recipients(), [BOB])
        self.assertIn(b" REQUIRETLS", bytes(far.heard))
        self.assertEqual(home.taken, [])

    async def test_careless_host(self) -> None:
        """A host without REQUIRETLS does not: it comes back, the body does not."""
        far = await self.secret_sink("localhost")
        _, home = await self.send(far)
        self.assertEqual(far.taken, [])
        (report,) = home.taken
        self.assertIn(b"\r\nStatus: 5.7.30\r\n", report.octets)
        self.assertNotIn(b"Hello, Bob.", report.octets)

    async def test_wrong_certificate(self) -> None:
        """Nor does one with another's certificate: 5.7.10."""
        far = await self.secret_sink("evil.example", b"REQUIRETLS")
        _, home = await self.send(far)
        self.assertNotIn(b"MAIL", bytes(far.heard))
        (report,) = home.taken
        self.assertIn(b"\r\nStatus: 5.7.10\r\n", report.octets)


class TimeTests(RelayTestCase):
    """Mail for later, and mail that has waited."""

    async def test_held_over_a_restart(self) -> None:
        """What is to be sent in three seconds is, though the server was restarted."""
        sink = await self.sink()
        server = self.relay({"any": sink.where})
        began = time.monotonic()
        await self.submit(server, (BOB,), MESSAGE, parameters=" HOLDFOR=3")
        (item,) = await self.queued(server)
        self.assertGreater(item.due, item.message.queued_at + 2.9)
        await server.stop()
        server = self.begin(server.directory)
        await until(lambda: sink.taken)
        self.assertGreater(time.monotonic() - began, 2.9)

    async def test_etrn(self) -> None:
        """Mail for a host that was down is sent when ETRN says that it is up."""
        sink = await self.sink()
        sink.object_to = lambda line: b"450 later" if line[:4] == b"MAIL" else None
        server = self.relay({"any": sink.where})
        await self.submit(server, (BOB,), MESSAGE)
        while not (await self.queued(server))[0].attempts:
            await until(lambda: sink.connections)
        sink.object_to = lambda line: None
        client = await self.greeted(server)
        answer = await client.ask("ETRN far.example")
        self.assertTrue(answer.startswith("253 2.0.0 1 pending"), answer)
        await until(lambda: sink.taken)
        for node, code in (("other.example", "251"), ("#x',1);--", "459")):
            self.assertEqual((await client.ask(f"ETRN {node}"))[:3], code)

    async def test_in_time(self) -> None:
        """The next host is told how much time is left, and how urgent it is."""
        sink = await self.sink()
        sink.offers += (b"DELIVERBY", b"MT-PRIORITY")
        server = self.relay({"any": sink.where})
        options = ["BY=3600;R", "MT-PRIORITY=5"]
        await deferToThread(_send, server.port, options)
        await until(lambda: sink.taken)
        (line,) = [each for each in bytes(sink.heard).split(b"\r\n") if b"MAIL" in each]
        self.assertRegex(line, rb" MT-PRIORITY=5 BY=3[56][0-9][0-9];R$")
        self.assertIn(b"MT-Priority: 5\r\n", sink.taken[0].octets)


def _send(port: int, options: list[str]) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.sendmail(ALICE, [BOB], MESSAGE, mail_options=options)
