"""A server of its own for each test, in the test's process, on a port of its own."""

import io
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from harakatw.observe.writer import LogWriter
from harakatw.service import HarakaService
from tests.functional.client import DEADLINE_SECONDS, Client
from tests.functional.hurry import reactor

ENVELOPE = ("MAIL FROM:<a@client.example>", "RCPT TO:<b@here.example>")
"""Of a message that the L{INSTANCE} takes."""

INSTANCE: Mapping[str, str] = MappingProxyType(
    {
        "config/me": "mx.here.example\n",
        "config/host_list": "here.example\n",
        "config/plugins": "rcpt_to.in_host_list\nqueue/maildir\n",
        "config/smtp.ini": "listen=127.0.0.1:0\n",
    }
)
"""A server that takes mail for one domain, into one Maildir."""


@implementer(ILogObserver)
class Log:
    """
    What is logged.

    @ivar events: in order.
    """

    def __init__(self) -> None:
        self.events: list[LogEvent] = []
        self._event: Deferred[None] | None = None

    def __call__(self, event: LogEvent) -> None:
        self.events.append(event)
        waiting, self._event = self._event, None
        if waiting is not None:
            waiting.callback(None)

    @property
    def lines(self) -> list[str]:
        """The events as text."""
        return [formatEvent(event) for event in self.events]

    async def wait_for(self, text: str) -> str:
        """Wait for a line with this in it, if there is none yet, and return it."""
        while True:
            for line in self.lines:
                if text in line:
                    return line
            self._event = Deferred()
            await self._event.addTimeout(DEADLINE_SECONDS, reactor)


@attrs.define(eq=False)
class Reads:
    """
    How much a server has read of its newest session.

    @ivar sizes: octets of each read.
    """

    sizes: list[int] = attrs.field(factory=list)
    _event: "Deferred[None] | None" = None

    def tap(self, service: HarakaService) -> None:
        """Look on while a service makes its sessions."""
        (factory,) = service.doors.factories.values()
        build = factory.buildProtocol

        def build_tapped(address: Any) -> Any:
            protocol: Any = build(address)
            receive = protocol.dataReceived
            self.sizes.clear()

            def receive_tapped(octets: bytes) -> None:
                self.sizes.append(len(octets))
                receive(octets)
                event, self._event = self._event, None
                if event is not None:
                    event.callback(None)

            protocol.dataReceived = receive_tapped
            return protocol

        factory.buildProtocol = build_tapped  # type: ignore[assignment,method-assign]

    async def reach(self, octets: int) -> None:
        """Wait until so much was read in all."""
        while sum(self.sizes) < octets:
            self._event = Deferred()
            await self._event.addTimeout(DEADLINE_SECONDS, reactor)


@attrs.define(eq=False)
class RunningServer:
    """
    A server and its instance.

    @ivar directory: of the instance.
    @ivar output: the log as the server writes it.
    """

    service: HarakaService
    directory: Path
    output: io.StringIO

    @property
    def port(self) -> int:
        """The port that it listens on; it has one."""
        (port,) = self.service.listeners.ports.values()
        number: int = port.getHost().port  # type: ignore[attr-defined]  # of TCP
        return number

    def write(self, name: str, text: str) -> None:
        """Write a file of the instance, whole or not at all."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.directory / "draft"
        draft.write_text(text, "utf-8")
        draft.replace(path)

    def delivered(self, maildir: str = "maildir") -> list[bytes]:
        """The messages in a Maildir."""
        return [path.read_bytes() for path in self.directory.glob(f"{maildir}/new/*")]

    async def stop(self) -> None:
        """Stop it, unless it is stopped already."""
        if self.service.running:
            await self.service.stopService()


class ServerTestCase(TestCase):
    """
    Has servers and clients, and leaves none of them behind.

    @ivar log: what is logged while the test runs.
    """

    timeout = 30

    def setUp(self) -> None:
        """Collect the log."""
        self.log = Log()
        self.observe(self.log)

    def observe(self, observer: ILogObserver) -> None:
        """Show an observer what is logged until the test ends."""
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def start(
        self, files: Mapping[str, str] | None = None, clock: Any = reactor
    ) -> RunningServer:
        """
        Start a server.

        @param files: of the instance, besides or instead of those of L{INSTANCE}.
        @param clock: the reactor, or a L{tests.functional.hurry.HurriedReactor}.
        """
        directory = Path(self.mktemp()).absolute()
        for name, text in {**INSTANCE, **(files or {})}.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        (directory / "plugins").mkdir(exist_ok=True)  # to be watched
        return self.begin(directory, clock)

    def begin(self, directory: Path, clock: Any = reactor) -> RunningServer:
        """
        Start a server on an instance that is there.

        @param clock: see L{start}.
        """
        output = io.StringIO()
        writer = LogWriter(output, time.time)
        service = HarakaService(directory, clock, writer)
        self.observe(writer)
        service.privilegedStartService()
        service.startService()
        server = RunningServer(service, directory, output)
        self.addCleanup(server.stop)
        return server

    async def connect(
        self, server: RunningServer, port: int = 0, host: str = "127.0.0.1"
    ) -> Client:
        """
        Connect to a server.

        @param port: which one, if it is not the only one.
        """
        endpoint = TCP4ClientEndpoint(reactor, host, port or server.port)
        client: Client = await connectProtocol(endpoint, Client())
        self.addCleanup(client.leave)
        return client

    async def greeted(self, server: RunningServer) -> Client:
        """A client that has said EHLO."""
        client = await self.connect(server)
        self.assertEqual(await client.codes(1), [220])
        self.assertEqual((await client.ask("EHLO client.example"))[:3], "250")
        return client

    async def in_data(self, server: RunningServer, *envelope: str) -> Client:
        """
        A client that has been told to send its message.

        @param envelope: other commands than those of L{ENVELOPE}.
        """
        client = await self.greeted(server)
        lines = (*(envelope or ENVELOPE), "DATA")
        client.say(*lines)
        codes = await client.codes(len(lines))
        self.assertEqual(codes, [250] * (len(lines) - 1) + [354])
        return client

    async def send_message(self, server: RunningServer, *lines: str) -> str:
        """Send a message in a session of its own, and return what is answered."""
        client = await self.in_data(server)
        answer = await client.ask(*(lines or ("Subject: hello", "", "hello")), ".")
        client.say("QUIT")
        self.assertEqual(await client.rest(), [221])
        return answer
