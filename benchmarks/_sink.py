"""
A host that takes all mail and forgets it: C{python -m benchmarks._sink}.

Prints its port. Each number that it reads is how many messages it shall wait for; it
prints when the last of them has come, in seconds of the monotonic clock, which is the
same for all processes of a machine.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import attrs

from tests.functional.sink import GREETING, SinkSession, Taken


@attrs.frozen(eq=False)
class Sink:
    """
    A running sink, seen from the benchmark.

    @ivar port: where it listens.
    """

    port: int
    _asks: IO[str]
    _answers: IO[str]

    def expect(self, count: int) -> None:
        """Count from here."""
        self._asks.write(f"{count}\n")
        self._asks.flush()
        if self._answers.readline() != "counting\n":
            raise SystemExit("the sink has ended")

    def when(self) -> float:
        """Wait until all have come: when was that, by C{time.monotonic()}?"""
        return float(self._answers.readline())


@contextmanager
def sink() -> Iterator[Sink]:
    """Run a sink in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks._sink"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        yield Sink(int(process.stdout.readline()), process.stdin, process.stdout)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


class Counter:
    """Counts messages, and tells when enough have come."""

    def __init__(self) -> None:
        self._left = 0

    def expect(self, count: int) -> None:
        """Begin to count."""
        self._left = count
        print("counting", flush=True)

    def take(self, taken: Taken) -> bytes:
        """A message came."""
        self._left -= 1
        if self._left == 0:
            print(time.monotonic(), flush=True)
        return b"250 2.0.0 OK"


class _Connection(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, counter: Counter) -> None:
        self._session = SinkSession(counter.take)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(GREETING)

    def data_received(self, data: bytes) -> None:
        self.transport.write(self._session.feed(data))
        if self._session.is_over:
            self.transport.close()


async def main() -> None:
    """Take mail, and counts to wait for, until the input ends."""
    loop, counter = asyncio.get_running_loop(), Counter()
    server = await loop.create_server(
        lambda: _Connection(counter), "127.0.0.1", 0, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        counter.expect(int(line))


if __name__ == "__main__":
    asyncio.run(main())
