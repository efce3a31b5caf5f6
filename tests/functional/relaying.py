"""Servers that relay, and what they relay to."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTCP
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.task import deferLater

from harakatw.interfaces.queue import Filter, ItemState, QueueItem
from tests.functional.hurry import reactor
from tests.functional.server import RunningServer, ServerTestCase
from tests.functional.sink import (
    GREETING,
    HANG_UP,
    OFFERS,
    SinkSession,
    Taken,
    accept,
    object_to_nothing,
)

_LOOK_SECONDS = 0.02
_PATIENCE_SECONDS = 20.0


def relay_files(routes: Mapping[str, str]) -> Mapping[str, str]:
    """
    Files of an instance that relays for this machine.

    @param routes: next hops, by domain; C{any} is for all others.
    """
    entries = "".join(
        f"{domain} = {json.dumps({'action': 'continue', 'nexthop': hop})}\n"
        for domain, hop in routes.items()
    )
    return {
        "config/me": "relay.example\n",
        "config/plugins": "relay\n",
        "config/relay.ini": "[relay]\nacl=true\nforce_routing=true\n",
        "config/relay_acl_allow": "127.0.0.0/8\n",
        "config/relay_dest_domains.ini": f"[domains]\n{entries}",
    }


class _SinkProtocol(Protocol):
    """One connection to a sink."""

    factory: "Sink"
    transport: Any

    def connectionMade(self) -> None:
        """Greet."""
        sink = self.factory
        self.session = SinkSession(sink.note, self._object_to, sink.offers)
        sink.connections += 1
        self._say(sink.greeting)

    def dataReceived(self, data: bytes) -> None:
        """Answer."""
        self.factory.heard += data
        self._say(self.session.feed(data))
        if self.session.is_over:
            self.transport.loseConnection()

    def _say(self, octets: bytes) -> None:
        before, is_end, _ = octets.partition(HANG_UP)
        self.transport.write(before)
        if is_end:
            self.transport.loseConnection()

    def _object_to(self, line: bytes) -> bytes | None:
        return self.factory.object_to(line)


class Sink(ServerFactory):
    """
    A host that takes mail.

    @ivar taken: what it has answered 250 for, in order.
    @ivar take: answers messages; may be replaced, as may C{object_to}: see
        L{SinkSession}.
    @ivar port: where it listens.
    @ivar greeting: what it says first, with CRLF.
    @ivar offers: after EHLO.
    @ivar connections: how many there were.
    @ivar heard: all octets that came.
    """

    noisy = False
    take: Callable[[Taken], bytes]
    object_to: Callable[[bytes], bytes | None]

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.take, self.object_to = accept, object_to_nothing
        self.greeting = GREETING
        self.offers: tuple[bytes, ...] = OFFERS
        self.heard = bytearray()
        self.port = self.connections = 0

    def buildProtocol(self, _: object) -> _SinkProtocol:  # type: ignore[override]
        """One connection."""
        protocol = _SinkProtocol()
        protocol.factory = self
        return protocol

    def note(self, taken: Taken) -> bytes:
        """Answer a message, and remember it if that was a yes."""
        answer = self.take(taken)
        if answer.startswith(b"250"):
            self.taken.append(taken)
        return answer

    @property
    def where(self) -> str:
        """As a next hop."""
        return f"127.0.0.1:{self.port}"

    def recipients(self) -> list[str]:
        """Everybody whose mail was taken, sorted."""
        return sorted(each for taken in self.taken for each in taken.recipients)


async def until(true: Callable[[], object]) -> None:
    """
    Wait for something to be so.

    @raise AssertionError: it takes too long.
    """
    deadline = reactor.seconds() + _PATIENCE_SECONDS
    while not true():
        if reactor.seconds() > deadline:
            raise AssertionError("waited in vain")
        await deferLater(reactor, _LOOK_SECONDS)


class RelayTestCase(ServerTestCase):
    """Has servers that relay, and hosts that take it."""

    timeout = 60

    async def sink(self) -> Sink:
        """A host of its own."""
        sink = Sink()
        await self.listen(sink)
        return sink

    async def listen(self, sink: Sink) -> Callable[[], Any]:
        """
        Let a sink take connections, at the port that it had if it had one.

        @return: call it to end that.
        """
        tcp: Any = IReactorTCP(reactor)
        port = tcp.listenTCP(sink.port, sink, interface="127.0.0.1")
        sink.port = port.getHost().port
        self.addCleanup(port.stopListening)
        return port.stopListening  # type: ignore[no-any-return]  # Twisted's

    def relay(
        self,
        routes: Mapping[str, str],
        files: Mapping[str, str] | None = None,
        clock: Any = reactor,
    ) -> RunningServer:
        """
        A server that relays.

        @param routes: see L{relay_files}.
        @param files: more of its files, or others.
        @param clock: see L{ServerTestCase.start}.
        """
        return self.start({**relay_files(routes), **(files or {})}, clock)

    async def submit(
        self,
        server: RunningServer,
        recipients: tuple[str, ...],
        octets: bytes,
        sender: str = "alice@client.example",
        parameters: str = "",
    ) -> str:
        """
        Send a message in a session of its own; returns the answer.

        @param octets: with CRLF at each line's end.
        @param parameters: of MAIL.
        """
        envelope = (
            f"MAIL FROM:<{sender}>{parameters}",
            *(f"RCPT TO:<{recipient}>" for recipient in recipients),
        )
        client = await self.in_data(server, *envelope)
        stuffed = (b"\r\n" + octets).replace(b"\r\n.", b"\r\n..")[2:]
        client.send(stuffed)
        answer = await client.ask(".")
        client.say("QUIT")
        await client.rest()
        return answer

    async def queued(
        self, server: RunningServer, which: Filter | None = None
    ) -> tuple[QueueItem, ...]:
        """What is in a server's queue."""
        found: Deferred[tuple[QueueItem, ...]] = server.service.outbound.store.find(
            which or Filter(), 1000
        )
        return await found

    async def emptied(self, server: RunningServer) -> None:
        """Wait until a server has nothing left to deliver."""
        await self.leaves(server, 0)

    async def leaves(self, server: RunningServer, items: int) -> None:
        """
        Wait until so many items are in a server's queue, and none of them is being
        tried.
        """
        deadline = reactor.seconds() + _PATIENCE_SECONDS
        while True:
            counts = await server.service.outbound.store.count()
            if sum(counts.values()) == items and not counts[ItemState.LEASED]:
                return
            if reactor.seconds() > deadline:
                raise AssertionError(f"not {items} items, but {counts}")
            await deferLater(reactor, _LOOK_SECONDS)

    async def flush(self, server: RunningServer) -> int:
        """Have all that waits tried now."""
        return await server.service.outbound.scheduler.flush(Filter())
