"""
A server that is killed again and again while it relays, and what becomes of its mail.

Clients note which recipients of which messages were answered 250, a sink notes what it
has taken, and both are compared at the end. The server is a process of its own; all
else runs in an asyncio loop.
"""

import asyncio
import itertools
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

from tests.functional.processes import TWISTD, free_port
from tests.functional.relaying import relay_files
from tests.functional.sink import GREETING, SinkSession, Taken
from tests.rules.source import CHECKOUT

IN_FLIGHT_SECONDS: Final = 2.0
"""
How long before a kill a delivery may have ended so that it was still in flight: that it
is over was known to the sink, and not yet on the server's disk.
"""

SESSIONS: Final = 8
DOMAINS: Final = ("one.example", "two.example")

_SMALL, _BIG = 3_000, 100_000  # octets; the big ones are in files
_PATIENCE_SECONDS: Final = 60.0

Owed = tuple[str, str]
"""A message's id and one of its recipients."""


@attrs.frozen
class Arrival:
    """
    A message came for a recipient.

    @ivar life: of the server, counted from 0.
    @ivar at: when, by the monotonic clock.
    @ivar is_whole: are its octets those that were sent?
    """

    life: int
    at: float
    is_whole: bool


@attrs.frozen(kw_only=True)
class Outcome:
    """
    What was found.

    @ivar kills: how often the server was killed.
    @ivar acknowledged: messages that were answered 250.
    @ivar owed: recipients of these.
    @ivar lost: those who have not got it.
    @ivar damaged: those who have got something else.
    @ivar duplicates: how many copies too many there were.
    @ivar late: duplicates of what was not in flight when the server was killed.
    @ivar unheard: messages that came although their client never read the 250.
    @ivar left: items in the queue at the end.
    @ivar slowest_start: seconds from a start until the next 250, at most.
    @ivar longest_flight: seconds from a first copy to the kill after it, at most.
    """

    kills: int
    acknowledged: int
    owed: int
    lost: tuple[Owed, ...]
    damaged: tuple[Owed, ...]
    duplicates: int
    late: tuple[Owed, ...]
    unheard: int
    left: int
    slowest_start: float
    longest_flight: float


@attrs.define(eq=False)
class Ledger:
    """
    Who was promised what, and who has got what.

    @ivar sent: bodies and recipients, by message id.
    @ivar promised: when each message was answered 250.
    @ivar arrived: copies, in order.
    @ivar killed_at: when each life ended.
    @ivar is_closing: is everything to be taken at once now?
    """

    sent: dict[str, tuple[bytes, tuple[str, ...]]] = attrs.field(factory=dict)
    promised: dict[str, float] = attrs.field(factory=dict)
    arrived: dict[Owed, list[Arrival]] = attrs.field(factory=dict)
    killed_at: list[float] = attrs.field(factory=list)
    is_closing: bool = False

    def owed(self) -> Iterator[Owed]:
        """Everybody to whom a promise was made."""
        for message_id in self.promised:
            for recipient in self.sent[message_id][1]:
                yield message_id, recipient

    def missing(self) -> tuple[Owed, ...]:
        """Who has not got what was promised."""
        return tuple(owed for owed in self.owed() if owed not in self.arrived)

    def note(self, taken: Taken) -> None:
        """A message came."""
        header, _, body = taken.octets.partition(b"\r\n\r\n")
        message_id = header.partition(b"Message-ID: <")[2].partition(b">")[0].decode()
        is_whole = body == self.sent.get(message_id, (b"",))[0]
        arrival = Arrival(len(self.killed_at), time.monotonic(), is_whole)
        for recipient in taken.recipients:
            self.arrived.setdefault((message_id, recipient), []).append(arrival)

    def late(self) -> Iterator[Owed]:
        """Who has got a copy again that nobody can have thought missing."""
        for owed, arrivals in self.arrived.items():
            for first, second in itertools.pairwise(arrivals):
                if first.life == second.life or self._flight(first) > IN_FLIGHT_SECONDS:
                    yield owed

    def flights(self) -> Iterator[float]:
        """For each duplicate: seconds from the copy before to the kill after that."""
        for arrivals in self.arrived.values():
            for first, second in itertools.pairwise(arrivals):
                if first.life != second.life:
                    yield self._flight(first)

    def _flight(self, arrival: Arrival) -> float:
        return self.killed_at[arrival.life] - arrival.at


class CrashingServer:
    """A server to kill."""

    def __init__(self, directory: Path, sink_port: int) -> None:
        """
        Make an instance.

        @param sink_port: where it relays everything to.
        """
        self.directory, self.port = directory, free_port()
        files = {
            **relay_files({"any": f"127.0.0.1:{sink_port}"}),
            "config/smtp.ini": f"listen=127.0.0.1:{self.port}\n",
            "config/log.ini": "[main]\nlevel=warn\n",
            "config/outbound.ini": "enable_tls=false\ntemp_fail_intervals=5s*1000\n",
        }
        (directory / "plugins").mkdir(parents=True)
        for name, text in files.items():
            path = directory / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        front = ("--nodaemon", "--pidfile=")
        where = ("haraka", "--config", str(self.directory))
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", TWISTD, *front, *where],
                env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def end(self, number: signal.Signals) -> None:
        """
        Send it a signal, and wait until it has ended.

        @raise AssertionError: it had ended by itself.
        """
        process, self._process = self._process, None
        assert process is not None, "it was started"
        if process.poll() is not None:
            raise AssertionError(f"it has ended:\n{self.log()}")
        process.send_signal(number)
        await asyncio.to_thread(process.wait, _PATIENCE_SECONDS)

    def kill(self) -> None:
        """Leave nothing behind."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def log(self) -> str:
        """What it has printed."""
        return (self.directory / "log").read_text("utf-8", "replace")

    def left(self) -> int:
        """How many items are in the queue; it must not run."""
        with sqlite3.connect(self.directory / "queue/queue.db") as queue:
            (items,) = queue.execute("SELECT count(*) FROM items").fetchone()
            (messages,) = queue.execute("SELECT count(*) FROM messages").fetchone()
        queue.close()
        return max(int(items), int(messages))


class _SinkConnection(asyncio.Protocol):
    """Takes mail, but now and then not at once, or not all of it."""

    transport: asyncio.Transport

    def __init__(self, ledger: Ledger, chance: random.Random) -> None:
        self._ledger, self._chance = ledger, chance
        self._session = SinkSession(self._take, self._object_to)
        self._wait = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(GREETING)

    def data_received(self, data: bytes) -> None:
        answer = self._session.feed(data)
        wait, self._wait = self._wait, 0.0
        if wait:  # the client waits too: nothing follows a message (RFC 2920, 3.1)
            asyncio.get_running_loop().call_later(wait, self.transport.write, answer)
            return
        self.transport.write(answer)
        if self._session.is_over:
            self.transport.close()

    def _take(self, taken: Taken) -> bytes:
        if self._happens(0.05):
            return b"451 4.3.0 Later"
        self._ledger.note(taken)
        if self._happens(0.25):
            self._wait = self._chance.uniform(0.001, 0.03)
        return b"250 2.0.0 OK"

    def _object_to(self, line: bytes) -> bytes | None:
        is_refused = line[:4] == b"RCPT" and self._happens(0.03)
        return b"450 4.2.1 Later" if is_refused else None

    def _happens(self, share: float) -> bool:
        return not self._ledger.is_closing and self._chance.random() < share


@attrs.define(eq=False)
class _Clients:
    """Send as much as the server takes, and note what it promises."""

    _port: int
    _ledger: Ledger
    _chance: random.Random
    _is_over: bool = False
    _numbers: Iterator[int] = attrs.field(factory=itertools.count)

    async def run(self) -> None:
        """Send until L{stop}."""
        await asyncio.gather(*(self._session() for _ in range(SESSIONS)))

    def stop(self) -> None:
        """Begin no more messages."""
        self._is_over = True

    async def _session(self) -> None:
        """Connect again whenever the server was killed."""
        while not self._is_over:
            try:
                await self._connection()
            except (OSError, EOFError):  # refused, reset, or cut within a reply
                await asyncio.sleep(0.02)

    async def _connection(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            await _reply(reader)
            writer.write(b"EHLO client.example\r\n")
            await _reply(reader)
            while not self._is_over:
                await self._message(reader, writer)
                await asyncio.sleep(self._chance.uniform(0, 0.02))
        finally:
            writer.close()

    async def _message(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        message_id = f"{next(self._numbers)}@client.example"
        octets = _BIG if self._chance.random() < 0.05 else _SMALL
        body = self._chance.randbytes(octets // 2).hex(" ", 30).replace(" ", "\r\n")
        sent = f".{body}\r\n".encode()
        recipients = tuple(
            f"{name}@{domain}"
            for domain in DOMAINS[: self._chance.randint(1, 2)]
            for name in "abc"[: self._chance.randint(1, 3)]
        )
        self._ledger.sent[message_id] = sent, recipients
        envelope = ["MAIL FROM:<alice@client.example>", *map(_rcpt, recipients), "DATA"]
        writer.write("".join(f"{line}\r\n" for line in envelope).encode())
        codes = [await _reply(reader) for _ in envelope]
        if codes[-1] != 354:
            raise AssertionError(f"refused: {codes}")
        writer.write(f"Message-ID: <{message_id}>\r\n\r\n.".encode() + sent + b".\r\n")
        if await _reply(reader) == 250:
            self._ledger.promised[message_id] = time.monotonic()


def _rcpt(recipient: str) -> str:
    return f"RCPT TO:<{recipient}>"


async def _reply(reader: asyncio.StreamReader) -> int:
    """
    The code of the next reply.

    @raise EOFError: the connection ends before.
    """
    line = await reader.readuntil(b"\n")
    while line[3:4] == b"-":
        line = await reader.readuntil(b"\n")
    return int(line[:3])


async def crash(directory: Path, kills: int, seed: int) -> Outcome:
    """
    Kill a server under load at random moments, and see what becomes of its mail.

    @param directory: for the instance; it must not exist.
    @param seed: makes the moments.
    """
    ledger, chance = Ledger(), random.Random(seed)
    loop = asyncio.get_running_loop()
    sink = await loop.create_server(
        lambda: _SinkConnection(ledger, chance), "127.0.0.1", 0, backlog=256
    )
    server = CrashingServer(directory, sink.sockets[0].getsockname()[1])
    clients = _Clients(server.port, ledger, chance)
    sending = asyncio.create_task(clients.run())
    try:
        starts = [await _life(server, ledger, chance) for _ in range(kills)]
        server.start()
        starts.append(await _first_promise(ledger))
        clients.stop()
        await sending
        ledger.is_closing = True
        await _all_arrived(ledger)
        await server.end(signal.SIGTERM)
    finally:
        sending.cancel()
        server.kill()
        sink.close()
    return _outcome(ledger, kills, server.left(), max(filter(None, starts)))


async def _life(
    server: CrashingServer, ledger: Ledger, chance: random.Random
) -> float | None:
    """
    Start a server, and kill it: mostly while it works, sometimes while it starts.

    @return: seconds until it worked, if it did.
    """
    server.start()
    seconds = None
    if chance.random() < 0.1:
        await asyncio.sleep(chance.uniform(0.1, 1.5))
    else:
        seconds = await _first_promise(ledger)
        await asyncio.sleep(chance.uniform(0.0, 1.0))
    await server.end(signal.SIGKILL)
    await asyncio.sleep(0.05)  # what was on its way to the sink
    ledger.killed_at.append(time.monotonic())
    return seconds


async def _first_promise(ledger: Ledger) -> float:
    began, before = time.monotonic(), len(ledger.promised)
    while len(ledger.promised) == before:
        if time.monotonic() - began > _PATIENCE_SECONDS:
            raise AssertionError("nothing was accepted after a start")
        await asyncio.sleep(0.01)
    return time.monotonic() - began


async def _all_arrived(ledger: Ledger) -> None:
    """Wait for the last; who is missing after that is lost."""
    began = time.monotonic()
    while ledger.missing() and time.monotonic() - began < _PATIENCE_SECONDS:
        await asyncio.sleep(0.2)


def _outcome(ledger: Ledger, kills: int, left: int, slowest: float) -> Outcome:
    owed = set(ledger.owed())
    arrived = {message_id for message_id, _ in ledger.arrived}
    return Outcome(
        kills=kills,
        acknowledged=len(ledger.promised),
        owed=len(owed),
        lost=ledger.missing(),
        damaged=tuple(
            each
            for each, arrivals in ledger.arrived.items()
            if not all(arrival.is_whole for arrival in arrivals)
        ),
        duplicates=sum(len(arrivals) - 1 for arrivals in ledger.arrived.values()),
        late=tuple(ledger.late()),
        unheard=len(arrived.difference(ledger.promised)),
        left=left,
        slowest_start=slowest,
        longest_flight=max(ledger.flights(), default=0.0),
    )
