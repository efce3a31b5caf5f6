"""Row 41 over the wire: the control socket of a server, and whoever uses it."""

import gzip
import json
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from harakatw.outbound.control.place import find_place
from harakatw.outbound.control.server import MAX_CONNECTIONS, MAX_LINE
from tests.functional.client import DEADLINE_SECONDS
from tests.functional.hurry import reactor
from tests.functional.relaying import RelayTestCase
from tests.functional.server import RunningServer

MESSAGE = b"Subject: x\r\n\r\nhello\r\n"
LIST = b'{"verb": "list"}\n'

HOSTILE = (
    b"\n",
    b"\0" * 1000 + b"\n",
    b"\xff\xfe{}\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"EHLO x\r\nMAIL FROM:<>\r\n",
    gzip.compress(b"0" * 1_000_000) + b"\n",
    b"[" * 60_000 + b"\n",
    b'{"verb":' * 8_000 + b"\n",
    b"9" * 60_000 + b"\n",
    b'{"verb": "drop"}\n',
    b'{"verb": "drop", "filter": []}\n',
    b'{"verb": "drop", "filter": [""]}\n',
    b'{"verb": "drop", "filter": ["id=../../x"]}\n',
    b'{"verb": "drop", "filter": ["sender=\' OR 1=1 --"]}\n',
    b'{"verb": "drop", "all": "true"}\n',
    b'{"verb": "cat", "filter": ["uuid=../../../etc/passwd"]}\n',
    b'{"verb": "pause", "filter": ["site=../../x"], "mode": "do"}\n',
    b'{"verb": "reroute", "all": true, "to": "lmtp:/\\u0000"}\n',
    b'{"verb": "bounce", "all": true, "reason": "x\\r\\ny"}\n',
    b'{"verb": "__class__"}\n',
    b'{"verb": "list", "filter": ["error=' + b"*a" * 10_000 + b'"]}\n',
)


class Asker(Protocol):
    """
    One who asks.

    @ivar heard: all that was answered.
    @ivar lost: why the connection is over, L{None} while it is not.
    """

    transport: Any

    def __init__(self) -> None:
        self.heard = b""
        self.lost: Failure | None = None
        self._event: Deferred[None] | None = None

    def dataReceived(self, data: bytes) -> None:
        """Gather."""
        self.heard += data
        self._happened()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """It is over."""
        self.lost = reason
        self._happened()

    def _happened(self) -> None:
        event, self._event = self._event, None
        if event is not None:
            event.callback(None)

    async def ends(self, count: int) -> list[Any]:
        """Wait for so many ends of answers, or the end of the connection."""
        while self.lost is None and len(self._ends()) < count:
            self._event = Deferred()
            await self._event.addTimeout(DEADLINE_SECONDS, reactor)
        return self._ends()

    def _ends(self) -> list[Any]:
        frames = [json.loads(line) for line in self.heard.split(b"\n")[:-1]]
        return [each for each in frames if "done" in each or "error" in each]


class ControlSocketTests(RelayTestCase):
    """Whatever comes in, the server goes on, and its mail stays as it was."""

    async def start_busy(self) -> RunningServer:
        """A server with something in its queue that could get lost."""
        ini = {"config/outbound.ini": "disabled=true\n"}
        server = self.relay({"any": "127.0.0.1:1"}, ini)
        await self.submit(server, ("bob@far.example",), MESSAGE)
        self.place = find_place(server.directory / "queue")
        self.addCleanup(self.place.close)
        return server

    async def asker(self) -> Asker:
        """Somebody who may ask."""
        endpoint = UNIXClientEndpoint(reactor, self.place.address)
        asker: Asker = await connectProtocol(endpoint, Asker())
        self.addCleanup(self._leave, asker)
        return asker

    def _leave(self, asker: Asker) -> None:
        if asker.lost is None:
            asker.transport.abortConnection()

    async def check(self, server: RunningServer) -> None:
        """All is as it was, and mail is still taken."""
        asker = await self.asker()
        asker.transport.write(LIST)
        (end,) = await asker.ends(1)
        self.assertEqual(end, {"done": {"items": 1}})
        asker.transport.loseConnection()
        client = await self.greeted(server)
        self.assertEqual((await client.ask("NOOP"))[:3], "250")
        self.assertEqual(self.flushLoggedErrors(), [])

    async def test_hostile(self) -> None:
        """Octets of any kind get an error each, and nothing happens."""
        server = await self.start_busy()
        for octets in HOSTILE:
            asker = await self.asker()
            asker.transport.write(octets)
            (first, *_) = await asker.ends(1)
            ok = {"done": {"items": 0}}
            no = {"done": {"changed": 0, "in_delivery": 0, "kept": 0}}
            self.assertTrue("error" in first or first in (ok, no), (octets, first))
            asker.transport.abortConnection()
        await self.check(server)

    async def test_cut(self) -> None:
        """A request that is cut anywhere is waited for, one without an end is not."""
        server = await self.start_busy()
        asker = await self.asker()
        for octet in LIST:
            asker.transport.write(bytes((octet,)))
        self.assertEqual(await asker.ends(1), [{"done": {"items": 1}}])
        endless = await self.asker()
        endless.transport.write(b"x" * (MAX_LINE + 100))
        (end,) = await endless.ends(1)
        self.assertIn("error", end)
        for asked in (b'{"verb": "dr', b'{"verb": "list"}'):
            leaves = await self.asker()
            leaves.transport.write(asked)
            leaves.transport.loseConnection()
        await self.check(server)

    async def test_many(self) -> None:
        """More than there may be are told so; when they have left others may ask."""
        server = await self.start_busy()
        askers = [await self.asker() for _ in range(MAX_CONNECTIONS + 3)]
        for each in askers[MAX_CONNECTIONS:]:
            (end,) = await each.ends(1)
            self.assertIn("too many", end["error"])
        for each in askers:
            self._leave(each)
        await self.check(server)

    async def test_never_reads(self) -> None:
        """Who asks much and reads nothing holds up nobody else."""
        server = await self.start_busy()
        rude = await self.asker()
        rude.transport.pauseProducing()
        rude.transport.write(LIST * 20_000)
        await self.check(server)
