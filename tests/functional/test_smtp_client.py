"""The client and real sockets: our own server, STARTTLS, a Unix socket."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from OpenSSL import SSL
from twisted.internet import reactor
from twisted.internet.interfaces import IReactorTCP, IReactorTime, IReactorUNIX
from twisted.internet.protocol import ServerFactory
from twisted.internet.ssl import PrivateCertificate
from twisted.internet.threads import deferToThread
from twisted.protocols.basic import LineOnlyReceiver
from twisted.trial.unittest import TestCase

from harakatw.config.listeners import Listener
from harakatw.outbound.client import connect as connect_module
from harakatw.outbound.client.failures import HostFailure
from harakatw.outbound.client.protocol import SMTPClient
from harakatw.outbound.client.settings import ClientSettings
from harakatw.outbound.client.tls import ClientTLS
from harakatw.outbound.client.tls_rules import (
    NO_TLS,
    OPPORTUNISTIC,
    OutboundTLSOptions,
    TLSPolicy,
)
from harakatw.outbound.hop import Hop
from harakatw.testing.server import MemoryServer
from harakatw.verdict import OK, deny_soft, ok
from tests.fake_plugins import fake_plugin
from tests.outbound.client.certificates import Signed, make_authority
from tests.outbound.client.peers import MESSAGE, envelope, fates
from tests.sessions import Mailbox

LOCAL = "127.0.0.1"
HEADER = b"Subject: x\r\n\r\n"
LINE = b"." + b"x" * 97 + b"\r\n"


class Sink(LineOnlyReceiver):
    """A server that takes everything, and shows what it heard."""

    factory: "SinkFactory"
    transport: Any

    def connectionMade(self) -> None:
        """Greet."""
        self.in_message = False
        self.sendLine(b"220 hi")

    def lineReceived(self, line: bytes) -> None:
        """Answer a command, or note a line of the message."""
        self.factory.lines.append(line)
        if self.in_message:
            if line == b".":
                self.in_message = False
                self.sendLine(b"250 taken")
            return
        verb = line[:4].upper()
        if verb in (b"EHLO", b"LHLO"):
            tls = b"" if self.factory.is_encrypted(self) else b"250-STARTTLS\r\n"
            self.sendLine(b"250-mx\r\n250-PIPELINING\r\n" + tls + b"250 AUTH PLAIN")
        elif verb == b"STAR":
            self.sendLine(b"220 go")
            self.transport.startTLS(self.factory.certificate)
        elif verb == b"QUIT":
            self.sendLine(b"221 bye")
            self.transport.loseConnection()
        elif verb == b"AUTH":
            self.sendLine(b"235 welcome")
        else:
            self.in_message = verb == b"DATA"
            self.sendLine(b"354 go" if self.in_message else b"250 ok")


class SinkFactory(ServerFactory):
    """
    Makes sinks.

    @ivar lines: all that was heard.
    """

    def __init__(self, signed: Signed | None = None) -> None:
        self.lines: list[bytes] = []
        self.certificate: Any = None
        if signed is not None:
            pair = PrivateCertificate.loadPEM(signed.key + signed.certificate)
            self.certificate = pair.options()

    def buildProtocol(self, _: object) -> Sink:  # type: ignore[override]
        """One connection."""
        sink = Sink()
        sink.factory = self
        return sink

    def is_encrypted(self, sink: Sink) -> bool:
        """Does it need no STARTTLS?"""
        return self.certificate is None or bool(sink.transport.TLS)


class ClientTestCase(TestCase):
    """A test with a client."""

    timeout = 20

    def settings(self, **fields: Any) -> ClientSettings:
        """What a client has; the reactor is its clock."""
        fields.setdefault("tls", ClientTLS(OutboundTLSOptions(), Path()))
        return ClientSettings(
            clock=IReactorTime(reactor),
            name="me.example",
            in_thread=deferToThread,
            **fields,
        )

    def listen(self, factory: ServerFactory) -> int:
        """Open a port; the number of it."""
        port: Any = IReactorTCP(reactor).listenTCP(0, factory, interface=LOCAL)
        self.addCleanup(port.stopListening)
        number: int = port.getHost().port
        return number

    async def connect(
        self, hop: Hop, policy: TLSPolicy = NO_TLS, **fields: Any
    ) -> SMTPClient:
        """A client; the test ends when it has closed its connection."""

        def make(*given: Any) -> SMTPClient:
            client = SMTPClient(*given)
            self.addCleanup(lambda: client.quit() if client.connected else None)
            return client

        self.patch(connect_module, "SMTPClient", make)
        settings = self.settings(**fields)
        return await connect_module.connect(hop, reactor, settings, policy)


class OwnServerTests(ClientTestCase):
    """From our client to our server."""

    def setUp(self) -> None:
        """Start a server."""
        self.mailbox = Mailbox()
        self.server = MemoryServer([self.mailbox])
        self.port = self.listen(self.server.factory)

    async def test_messages(self) -> None:
        """Several messages over one connection arrive as they were sent."""
        client = await self.connect(Hop(host=LOCAL, port=self.port))
        self.assertTrue(client.capabilities.pipelining)
        bodies = [MESSAGE, HEADER + LINE * 50, HEADER + b"\xc3\xa4\r\n"]
        for body in bodies:
            message = envelope("b@here.example", "x@elsewhere.example", body=body)
            result = await client.deliver(message)
            codes = [each.answer.code for each in result.outcomes]
            self.assertEqual(codes, [250, 550])
        self.assertEqual([each.received for each in self.mailbox.messages], bodies)
        self.assertEqual(client.messages, 3)
        self.assertEqual((client.peer.ip, client.peer.port), (LOCAL, self.port))

    async def test_large(self) -> None:
        """A large message from a file arrives whole, and a small one after it."""

        def chunks() -> Iterator[bytes]:
            yield HEADER
            for _ in range(30):
                yield LINE * 1000

        client = await self.connect(Hop(host=LOCAL, port=self.port))
        size = len(HEADER) + 30_000 * len(LINE)
        large = envelope("b@here.example", body=chunks(), size=size)
        self.assertTrue((await client.deliver(large)).delivered)
        self.assertTrue((await client.deliver(envelope("b@here.example"))).delivered)
        first, second = self.mailbox.messages
        self.assertEqual(first.received, HEADER + LINE * 30_000)
        self.assertEqual(second.received, MESSAGE)

    async def test_reset(self) -> None:
        """After a refused message the next one is taken."""
        client = await self.connect(Hop(host=LOCAL, port=self.port))
        refused = await client.deliver(envelope("x@elsewhere.example"))
        self.assertFalse(refused.delivered)
        taken = await client.deliver(envelope("b@here.example"))
        self.assertTrue(taken.delivered)
        self.assertEqual(len(self.mailbox.messages), 1)

    async def test_name(self) -> None:
        """A host that has but a name is looked up."""
        client = await self.connect(Hop(host="localhost", port=self.port))
        self.assertTrue((await client.deliver(envelope("b@here.example"))).delivered)

    async def test_quit(self) -> None:
        """A connection is closed when both have said so."""
        client = await self.connect(Hop(host=LOCAL, port=self.port))
        await client.quit()
        self.assertFalse(client.is_free)

    async def test_nobody_listens(self) -> None:
        """A port where nobody listens is an error of the host's."""
        port: Any = IReactorTCP(reactor).listenTCP(0, ServerFactory(), interface=LOCAL)
        number = port.getHost().port
        await port.stopListening()
        try:
            await self.connect(Hop(host=LOCAL, port=number))
        except HostFailure as error:
            self.assertIn("refuses the connection", error.reply.text)
        else:
            self.fail("it was connected")


class UnixTests(ClientTestCase):
    """LMTP to a local delivery agent."""

    async def test_lmtp(self) -> None:
        """A Unix socket takes mail."""
        path = self.mktemp()[-60:].replace("/", "_")
        path = str(Path(path).absolute())
        sink = SinkFactory()
        port: Any = IReactorUNIX(reactor).listenUNIX(path, sink)
        self.addCleanup(port.stopListening)
        client = await self.connect(Hop(path=path, using_lmtp=True))
        result = await client.deliver(envelope())
        self.assertTrue(result.delivered)
        self.assertEqual((result.peer.mode, result.peer.ip), ("LMTP", ""))
        self.assertEqual(sink.lines[0], b"LHLO me.example")

    async def test_own_server(self) -> None:
        """
        Our own LMTP server at a Unix socket: each recipient has its own fate, of one
        message.
        """
        path = str(Path(self.mktemp()[-60:].replace("/", "_")).absolute())
        each = {"c@here.example": deny_soft("over quota", code=452, enhanced="4.2.2")}
        queue = fake_plugin(rcpt=OK, queue=ok(value=each))
        server = MemoryServer((queue,), listener=Listener(protocol="lmtp"))
        port: Any = IReactorUNIX(reactor).listenUNIX(path, server.door)
        self.addCleanup(port.stopListening)
        client = await self.connect(Hop(path=path, using_lmtp=True))
        result = await client.deliver(envelope("b@here.example", "c@here.example"))
        self.assertEqual(fates(result), "250 delivered 452 delayed")
        self.assertEqual(result.peer.mode, "LMTP")
        client.quit()


class TLSTests(ClientTestCase):
    """STARTTLS over real sockets."""

    def setUp(self) -> None:
        """Start a server whose certificate is for C{localhost}."""
        self.authority = make_authority()
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        (self.folder / "ca.pem").write_bytes(self.authority.certificate)
        self.tls = ClientTLS(OutboundTLSOptions(ca="ca.pem"), self.folder)

    def hop(self, certificate_for: str, **fields: Any) -> Hop:
        """A server with a certificate for a name."""
        self.sink = SinkFactory(self.authority.sign(certificate_for))
        port = self.listen(self.sink)
        return Hop(host="mx.example", ip=LOCAL, port=port, **fields)

    async def test_verified(self) -> None:
        """A host with the right certificate gets mail, and a password."""
        policy = TLSPolicy(required=True, verified=True)
        hop = self.hop("mx.example", auth_user="joe", auth_pass="s3cret")
        client = await self.connect(hop, policy, tls=self.tls)
        result = await client.deliver(envelope())
        self.assertTrue(result.delivered)
        assert result.peer.tls is not None
        self.assertTrue(result.peer.tls.verified)
        self.assertEqual(result.peer.authenticated, "PLAIN")
        verbs = [line[:8] for line in self.sink.lines[:4]]
        self.assertEqual(verbs, [b"EHLO me.", b"STARTTLS", b"EHLO me.", b"AUTH PLA"])
        self.assertIn(b"Hello", self.sink.lines)

    async def test_large(self) -> None:
        """A large message goes over TLS, too, no faster than the host reads."""
        client = await self.connect(self.hop("mx.example"), OPPORTUNISTIC, tls=self.tls)
        body = LINE * 20_000
        result = await client.deliver(envelope(body=body, size=len(body)))
        self.assertTrue(result.delivered)
        self.assertEqual(self.sink.lines.count(b"." + LINE[:-2]), 20_000)

    async def test_wrong_name(self) -> None:
        """A host with another's certificate gets nothing where it is forced (OB36)."""
        policy = TLSPolicy(required=True, verified=True)
        hop = self.hop("evil.example")
        try:
            await self.connect(hop, policy, tls=self.tls)
        except HostFailure as error:
            self.assertIn("not for mx.example", error.reply.text)
            self.assertFalse(error.retry_in_clear)
        else:
            self.fail("it was connected")
        verbs = [line[:4] for line in self.sink.lines]
        self.assertNotIn(b"MAIL", verbs)

    async def test_any_certificate(self) -> None:
        """Elsewhere it gets mail, and the certificate is noted (OB35)."""
        hop = self.hop("evil.example")
        client = await self.connect(hop, OPPORTUNISTIC, tls=self.tls)
        result = await client.deliver(envelope())
        assert result.peer.tls is not None
        self.assertFalse(result.peer.tls.verified)
        self.assertTrue(result.delivered)

    async def test_broken(self) -> None:
        """
        A host that offers TLS and cannot do it: the caller is told that it may try in
        clear, and then that works.
        """
        hop = self.hop("mx.example")
        context = self.sink.certificate.getContext()
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        context.set_cipher_list(b"ECDHE-RSA-AES128-GCM-SHA256")  # it has no RSA key
        try:
            await self.connect(hop, OPPORTUNISTIC, tls=self.tls)
        except HostFailure as error:
            self.assertTrue(error.retry_in_clear)
            self.assertIn("TLS failed", error.reply.text)
        else:
            self.fail("it was connected")
        client = await self.connect(hop, NO_TLS, tls=self.tls)
        self.assertTrue((await client.deliver(envelope())).delivered)
