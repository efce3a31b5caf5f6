"""The load on a server that is killed: who sends through it, and who receives."""

import asyncio
import itertools
import random
import time
from collections.abc import Iterator
from typing import Final

import attrs

from tests.functional.crash_ledger import Ledger
from tests.functional.sink import GREETING, SinkSession, Taken

SESSIONS: Final = 8
DOMAINS: Final = ("one.example", "two.example")

_SMALL, _BIG = 3_000, 100_000  # octets; the big ones are in files


class SinkConnection(asyncio.Protocol):
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
class Clients:
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
