"""The outbound engine of an instance, without threads, sockets or real time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from harakatw.hooks.registry import make_chains
from harakatw.interfaces.queue import Filter, QueueItem
from harakatw.message.store import StoreSettings
from harakatw.net.rounds import Round
from harakatw.observe.levels import LogSwitch
from harakatw.outbound.store.writer import RunBatch
from harakatw.process import outbound as process_outbound
from harakatw.process import session_context
from harakatw.process.outbound import Outbound
from harakatw.process.settings import Settings, read_settings
from harakatw.testing.threads import NoThreads
from tests.config.folders import ConfigTestCase
from tests.outbound.store.fakes import NowWriter

ALICE, BOB = "alice@client.example", "bob@far.example"
STOP_TICKS = 1000
RELAY = {"queue": {"next_hop": "192.0.2.9:2525"}}


class NowReactor(MemoryReactorClock):
    """A reactor in memory without threads: what they hand over is called at once."""

    def callFromThread(
        self, function: Callable[..., object], *args: object, **named: object
    ) -> None:
        """Make a call."""
        function(*args, **named)


def _now_writer(run: RunBatch, finish: Callable[[], None], ends: Round) -> NowWriter:
    """In place of the queue's thread."""
    return NowWriter(run, finish)


class NoPool(NoThreads):
    """In place of the threads of the queue."""

    def __init__(self, reactor: object, most: int) -> None:
        """Nothing is kept."""

    def start(self) -> None:
        """There is nothing to start."""

    def stop(self) -> None:
        """There is nothing to wait for."""


class OutboundTestCase(ConfigTestCase):
    """
    A test with the engine of an instance.

    @ivar reactor: all engines have the same.
    @ivar running: those that were started and not stopped.
    """

    def setUp(self) -> None:
        """There is a name server, which nobody asks."""
        super().setUp()
        self.patch(session_context, "name_servers", lambda path: (("192.0.2.53", 53),))
        self.patch(process_outbound, "PooledThreads", NoPool)
        self.patch(process_outbound, "WriterThread", _now_writer)
        self.reactor = NowReactor()
        self.running: list[Outbound] = []
        self.addCleanup(self.stop_all)
        self.queue_directory = Path(self.mktemp())

    def settings(self, before: Settings | None = None, **files: str) -> Settings:
        """
        What an instance with these files says.

        @param files: by name, C{_} being a dot.
        """
        for name, text in files.items():
            self.write(name.replace("_", "."), text)
        return read_settings(self.directory, before)

    def engine(self, settings: Settings | None = None) -> Outbound:
        """An engine that is not started."""
        threads = NoThreads()
        chains = make_chains((), self.reactor)
        return Outbound(
            settings or self.settings(),
            self.queue_directory,
            name=lambda: "me.example",
            chains=lambda: chains,
            messages=lambda: StoreSettings(
                in_thread=threads.call, spool_dir="", spool_after=-1
            ),
            reactor=self.reactor,
            threads=threads,
            log=LogSwitch(),
        )

    def start(self, settings: Settings | None = None) -> Outbound:
        """An engine that runs."""
        outbound = self.engine(settings)
        outbound.prepare()
        outbound.start()
        self.running.append(outbound)
        return outbound

    def stop(self, outbound: Outbound) -> None:
        """Stop it, and wait for that."""
        if outbound in self.running:
            self.running.remove(outbound)
        done: list[object] = []
        outbound.stop().addBoth(done.append)
        for _ in range(STOP_TICKS):
            if done:
                break
            self.reactor.advance(0.1)
        self.assertEqual(done, [None])

    def stop_all(self) -> None:
        """The test is over."""
        for outbound in tuple(self.running):
            self.stop(outbound)

    def wait(self, pending: "Deferred[Any]") -> Any:
        """The result of something that is done by now."""
        return self.successResultOf(pending)

    def send(self, outbound: Outbound, *to: str, contents: str = "Hello") -> str:
        """Queue a message."""
        sent = outbound.engine.send_email(ALICE, to or (BOB,), contents, RELAY)
        uuid = self.wait(sent)
        assert isinstance(uuid, str), uuid
        return uuid

    def items(self, outbound: Outbound) -> tuple[QueueItem, ...]:
        """What is in the queue."""
        found: tuple[QueueItem, ...] = self.wait(outbound.store.find(Filter(), 100))
        return found

    @property
    def connections(self) -> list[tuple[str, int]]:
        """Where connections were wanted to."""
        return [(host, port) for host, port, *_ in self.reactor.tcpClients]

    def host(self, number: int = -1) -> "TalkingHost":
        """The host takes a connection."""
        factory = self.reactor.tcpClients[number][2]
        return TalkingHost(self.reactor, factory.buildProtocol(None))


class Line(StringTransport):
    """
    What the engine writes to.

    @ivar aborted: has it dropped the connection?
    """

    def __init__(self, reactor: NowReactor, protocol: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self._reactor, self._protocol = reactor, protocol
        self.aborted = False

    def abortConnection(self) -> None:
        """The engine drops it."""
        self.aborted = True
        self.loseConnection()

    def loseConnection(self) -> None:
        """It is closed, of which the engine hears a little later."""
        if not self.disconnecting:
            super().loseConnection()  # type: ignore[no-untyped-call]
            why = Failure(ConnectionDone())
            self._reactor.callLater(0, self._protocol.connectionLost, why)


class TalkingHost:
    """
    One connection to a host that takes everything.

    @ivar line: what it hears.
    """

    def __init__(self, reactor: NowReactor, protocol: Any) -> None:
        self.line = Line(reactor, protocol)
        self._protocol = protocol
        protocol.makeConnection(self.line)

    def say(self, *lines: str) -> str:
        """Say something; returns what is heard then."""
        self.line.clear()
        for line in lines:
            self._protocol.dataReceived(f"{line}\r\n".encode())
        heard: bytes = self.line.value()
        return heard.decode()

    def take(self) -> str:
        """Take a message; returns what was said of it, the greeting apart."""
        self.say("220 hi")
        heard = self.say("250-hi", "250 PIPELINING")
        heard += self.say("250 ok", "250 ok", "354 go")
        self.say("250 taken")
        return heard
