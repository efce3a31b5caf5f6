"""
Row 6 over the wire: somebody puts replies behind the one to STARTTLS, in clear, hoping
that they are heard as if they had come encrypted.

@see: RFC 3207 section 6
"""

from typing import Any

from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.ssl import PrivateCertificate

from tests.functional.relaying import RelayTestCase, Sink
from tests.functional.server import RunningServer
from tests.functional.sink import GREETING, SinkSession
from tests.outbound.client.certificates import make_authority

MESSAGE = b"Subject: x\r\n\r\nHello, Bob.\r\n"
INJECTED = b"220 go\r\n250-x\r\n250 AUTH PLAIN\r\n"


class _FakeMX(Protocol):
    """One connection; what is said in clear and what under TLS is kept apart."""

    factory: "FakeMX"
    transport: Any

    def connectionMade(self) -> None:
        """Greet."""
        self._session = self._begin((b"PIPELINING", b"STARTTLS"))
        self._heard = self.factory.in_clear
        self.transport.write(GREETING)

    def dataReceived(self, data: bytes) -> None:
        """Answer, or begin TLS with something more than the answer."""
        self._heard.append(data)
        if data == b"STARTTLS\r\n":
            self._heard = self.factory.in_secret
            self._session = self._begin((b"PIPELINING",))
            self.transport.write(self.factory.answer)
            self.transport.startTLS(self.factory.context)
            return
        self.transport.write(self._session.feed(data))

    def _begin(self, offers: tuple[bytes, ...]) -> SinkSession:
        return SinkSession(self.factory.sink.note, offers=offers)


class FakeMX(ServerFactory):
    """
    A host that can encrypt.

    @ivar answer: what it says to STARTTLS.
    @ivar in_clear: what it has heard before TLS.
    @ivar in_secret: what it has heard after it has answered STARTTLS.
    @ivar sink: has the messages.
    """

    protocol: Any = _FakeMX
    noisy = False

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.in_clear: list[bytes] = []
        self.in_secret: list[bytes] = []
        self.sink = Sink()
        signed = make_authority().sign("localhost", "127.0.0.1")
        pem = signed.key + signed.certificate
        self.context = PrivateCertificate.loadPEM(pem).options()


class InjectionTests(RelayTestCase):
    """What was said in clear counts for nothing after STARTTLS."""

    async def relay_to(self, answer: bytes, **more: str) -> RunningServer:
        """A server, and the host that it relays to."""
        self.host = FakeMX(answer)
        sink: Any = self.host
        sink.port = 0
        await self.listen(sink)
        login = more.pop("login", "")
        hop = f"smtp://{login}127.0.0.1:{sink.port}"
        files = {f"config/{name}.ini": text for name, text in more.items()}
        return self.relay({"any": hop}, files)

    async def test_honest(self) -> None:
        """A host that says what it should gets the message, under TLS."""
        server = await self.relay_to(b"220 go\r\n")
        await self.submit(server, ("bob@far.example",), MESSAGE)
        await self.emptied(server)
        self.assertEqual(self.host.sink.recipients(), ["bob@far.example"])
        self.assertIn(b"MAIL FROM", b"".join(self.host.in_secret))
        self.assertNotIn(b"MAIL FROM", b"".join(self.host.in_clear))

    async def test_required(self) -> None:
        """
        Where TLS is required nothing is sent after such an answer, neither there nor
        over another connection in clear; the message waits.
        """
        ini = "[outbound]\nforce_tls_hosts[]=127.0.0.1\n"
        server = await self.relay_to(INJECTED, tls=ini)
        await self.submit(server, ("bob@far.example",), MESSAGE)
        await self.leaves(server, 1)
        self.assertEqual(self.host.in_secret, [])
        self.assertNotIn(b"MAIL FROM", b"".join(self.host.in_clear))

    async def test_login(self) -> None:
        """Nobody learns a password by pretending that the host asks for it."""
        server = await self.relay_to(INJECTED, login="user:secret@")
        await self.submit(server, ("bob@far.example",), MESSAGE)
        await self.leaves(server, 1)
        self.assertEqual(self.host.in_secret, [])
        heard = b"".join(self.host.in_clear)
        self.assertNotIn(b"AUTH", heard)
        self.assertNotIn(b"MAIL FROM", heard)

    async def test_opportunistic(self) -> None:
        """
        Where TLS is only wished for that connection is dropped; the message is sent in
        clear over another, as to a host without TLS, and once.
        """
        server = await self.relay_to(INJECTED)
        await self.submit(server, ("bob@far.example",), MESSAGE)
        await self.emptied(server)
        self.assertEqual(self.host.in_secret, [])
        self.assertEqual(self.host.sink.recipients(), ["bob@far.example"])
        first, rest = self.host.in_clear[:2], self.host.in_clear[2:]
        self.assertEqual(first[1], b"STARTTLS\r\n")
        self.assertNotIn(b"STARTTLS\r\n", rest)
