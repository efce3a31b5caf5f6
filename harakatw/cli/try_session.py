"""
C{haraka -t}: a session in memory through the plugins of an instance.

The session, its hooks, its limits and the time are those of a server; only the client's
connection is not there, and unless asked for the message is not queued.

@see: Haraka rows CI16 to CI19
"""

import sys
import time
from collections.abc import Iterable
from typing import Any, Final, TextIO
from uuid import uuid4

import attrs
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogBeginner
from twisted.python.failure import Failure
from zope.interface import implementer

from harakatw.cli.instance import OpenInstance
from harakatw.cli.memory_client import MemoryClient, MemoryTransport
from harakatw.cli.services import ReactorThreads, make_server, make_services
from harakatw.cli.try_mime import mime_tree
from harakatw.cli.try_plugins import Recorder, StandIn, chains_for_trial
from harakatw.cli.try_wanted import Wanted
from harakatw.config.core import SMTP_PORT, LogOptions
from harakatw.config.options import load_options
from harakatw.hooks.loader import LoadedPlugin, PluginLoader
from harakatw.hooks.registry import load_plugins
from harakatw.message.mime.limits import limits_of
from harakatw.message.writer import stuffed_chunks
from harakatw.observe.levels import LogSwitch
from harakatw.observe.writer import LogWriter, safe_text
from harakatw.process.server import Server
from harakatw.process.session_context import make_context
from harakatw.smtp.connection import NOT_KNOWN, Connection, Local, Remote
from harakatw.smtp.context import SessionContext
from harakatw.smtp.protocol import SMTPProtocol
from harakatw.verdict import Verdict

REPLY_SECONDS: Final = 600.0  # RFC 5321 section 4.5.3.2.6, the longest of a client


def try_session(
    instance: OpenInstance, wanted: Wanted, reactor: Any, out: TextIO
) -> int:
    """
    Run the session, and print all that is said.

    @param reactor: is run until the session is over.
    @return: 1 if anything was refused, else 0.
    @raise HarakaError: if a plugin cannot be loaded, or does not come to an end.
    """
    _begin_log(instance)
    outcome: list[int | Failure] = []

    def finish(result: int | Failure) -> None:
        outcome.append(result)
        reactor.stop()

    def begin() -> None:
        session = run_session(instance, wanted, reactor, out)
        Deferred.fromCoroutine(session).addBoth(finish)

    reactor.callWhenRunning(begin)
    reactor.run()
    if not outcome:
        raise KeyboardInterrupt
    result = outcome[0]
    if isinstance(result, Failure):
        result.raiseException()
    return result


def _begin_log(instance: OpenInstance) -> None:
    """What plugins and the server log goes beside what is printed."""
    writer = LogWriter(sys.stderr, time.time)
    writer.obey(load_options(LogOptions, instance.files, "log").options)
    globalLogBeginner.beginLoggingTo([_OurLog(writer)], redirectStandardIO=False)


@implementer(ILogObserver)
@attrs.frozen
class _OurLog:
    """Leaves out what Twisted tells of sockets and of its main loop."""

    _writer: ILogObserver

    def __call__(self, event: LogEvent) -> None:
        namespace = str(event.get("log_namespace", ""))
        is_grave = event.get("log_level", LogLevel.info) > LogLevel.info
        if is_grave or not namespace.startswith(("twisted.", "log_legacy")):
            self._writer(event)


async def run_session(
    instance: OpenInstance, wanted: Wanted, reactor: Any, out: TextIO
) -> int:
    """
    As L{try_session}, in a reactor that runs already.
    """
    server = make_server(instance)
    services = make_services(instance, reactor, server)
    loader = PluginLoader(
        instance.search, instance.files, services, instance.server.plugin_timeout
    )
    names = wanted.plugins or instance.server.plugins
    registry = load_plugins(names, loader, reactor)
    trial = _Trial(instance, wanted, reactor, out)
    try:
        return await trial.run(registry.plugins, server)
    finally:
        registry.shut_down()


@attrs.define(eq=False)
class _Trial:
    """
    One session on its way.

    @ivar refusal: the first line with which the server refused something.
    """

    instance: OpenInstance
    wanted: Wanted
    reactor: Any
    out: TextIO
    refusal: str = ""

    async def run(self, plugins: Iterable[LoadedPlugin], server: Server) -> int:
        """Begin the session, hold it, and wait for its last hooks."""
        stand_in = StandIn(
            accepts=bool(self.wanted.plugins),
            overrides=self.wanted.skip_deny,
            queues=self.wanted.queue,
            dump=self._dump if self.wanted.dump or self.wanted.dump_mime else None,
        )
        chains = chains_for_trial(plugins, stand_in, self.reactor)
        context = make_context(
            self.instance.settings,
            server.name,
            chains,
            reactor=self.reactor,
            threads=ReactorThreads(self.reactor),
            log=LogSwitch(info=False),
        )
        connection = self._connection()
        over: Deferred[None] = Deferred()
        server.watch = connection.watch
        begun = chains["init_master"].run(server)
        verdict = begun if isinstance(begun, Verdict) else await begun
        if verdict.denies:
            self._refused(f"init_master: {verdict.kind.name} {verdict.text}".rstrip())
        else:
            client = self._connect(connection, context, over)
            await self._talk(client)
            await over
        print(f"refused: {self.refusal}" if self.refusal else "accepted", file=self.out)
        return 1 if self.refusal else 0

    def _connection(self) -> Connection:
        connection = Connection(
            uuid=str(uuid4()).upper(),
            remote=Remote(self.wanted.ip, 0),
            local=NOT_KNOWN,
            started=self.reactor.seconds(),
            watch=Recorder(self.out),
        )
        connection.relaying = self.wanted.relaying
        return connection

    def _connect(
        self, connection: Connection, context: SessionContext, over: "Deferred[None]"
    ) -> MemoryClient:
        protocol = SMTPProtocol(
            connection,
            context,
            lambda ip, port: Local(ip, port, context.name),
            lambda _: over.callback(None),
        )
        address = next((a for a in self.instance.server.addresses if not a.path), None)
        port = SMTP_PORT if address is None else address.port
        here = IPv4Address("TCP", "127.0.0.1", port)
        transport = MemoryTransport(self.reactor, here, protocol)
        protocol.makeConnection(transport)  # type: ignore[no-untyped-call]
        return MemoryClient(transport, REPLY_SECONDS)

    async def _talk(self, client: MemoryClient) -> None:
        """The client's part, as far as the server goes along."""
        wanted = self.wanted
        if not self._heard(await client.hear()):
            return
        going = await self._say(client, f"{wanted.verb} {wanted.host}")
        if going and wanted.sender is not None:
            going = await self._say(client, f"MAIL FROM:<{wanted.sender}>")
            if going and await self._recipients(client) and wanted.message is not None:
                await self._message(client, wanted.message)
        if client.transport.is_open:
            await self._say(client, "QUIT")

    async def _recipients(self, client: MemoryClient) -> bool:
        """Was one of them accepted?"""
        replies = [
            await self._say(client, f"RCPT TO:<{recipient}>")
            for recipient in self.wanted.recipients
        ]
        return any(replies)

    async def _message(self, client: MemoryClient, message: bytes) -> None:
        if await self._say(client, "DATA"):
            octets = b"".join(stuffed_chunks((message,)))
            print(f"C: ({len(octets)} octets) .", file=self.out)
            self._heard(await client.ask(octets + b".\r\n"))

    async def _say(self, client: MemoryClient, line: str) -> bool:
        """Send a command; did the server do it?"""
        print(f"C: {line}", file=self.out)
        return self._heard(await client.ask(f"{line}\r\n".encode()))

    def _heard(self, lines: list[str]) -> bool:
        for line in lines:
            print(f"S: {line}", file=self.out)
        if not lines:
            self._refused("the server closed the connection")
        elif lines[-1][:1] in ("4", "5"):
            self._refused(lines[-1])
        return bool(lines) and lines[-1][:1] in ("2", "3")

    def _refused(self, why: str) -> None:
        self.refusal = self.refusal or why

    def _dump(self, message: bytes) -> None:
        lines: list[str] = []
        if self.wanted.dump:
            lines += message.decode("utf-8", "backslashreplace").split("\r\n")
        if self.wanted.dump_mime:
            lines += mime_tree(message, limits_of(self.instance.settings.connection))
        for line in lines:
            print(f"|  {safe_text(line)}", file=self.out)
