"""
A server that is killed again and again while it relays, and what becomes of its mail.

Clients note which recipients of which messages were answered 250, a sink notes what it
has taken, and both are compared at the end. The server is a process of its own; all
else runs in an asyncio loop.
"""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from tests.functional.crash_ledger import Ledger, Outcome, outcome_of
from tests.functional.crash_load import Clients, SinkConnection
from tests.functional.processes import TWISTD, free_port
from tests.functional.relaying import relay_files
from tests.rules.source import CHECKOUT

_PATIENCE_SECONDS: Final = 60.0


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
        """How many items are in the queue."""
        with sqlite3.connect(self.directory / "queue/queue.db") as queue:
            (items,) = queue.execute("SELECT count(*) FROM items").fetchone()
            (messages,) = queue.execute("SELECT count(*) FROM messages").fetchone()
        queue.close()
        return max(int(items), int(messages))


async def crash(directory: Path, kills: int, seed: int) -> Outcome:
    """
    Kill a server under load at random moments, and see what becomes of its mail.

    @param directory: for the instance; it must not exist.
    @param seed: makes the moments.
    """
    ledger, chance = Ledger(), random.Random(seed)
    loop = asyncio.get_running_loop()
    sink = await loop.create_server(
        lambda: SinkConnection(ledger, chance), "127.0.0.1", 0, backlog=256
    )
    server = CrashingServer(directory, sink.sockets[0].getsockname()[1])
    clients = Clients(server.port, ledger, chance)
    sending = asyncio.create_task(clients.run())
    try:
        starts = [await _life(server, ledger, chance) for _ in range(kills)]
        server.start()
        starts.append(await _first_promise(ledger))
        clients.stop()
        await sending
        ledger.is_closing = True
        await _all_arrived(ledger, server)
        await server.end(signal.SIGTERM)
    finally:
        sending.cancel()
        server.kill()
        sink.close()
    return outcome_of(ledger, kills, server.left(), max(filter(None, starts)))


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


async def _all_arrived(ledger: Ledger, server: CrashingServer) -> None:
    """
    Wait for the last; who is missing after that is lost.

    What has arrived may be in the queue still: the server was killed before it knew, or
    the sink has put a second copy off since.
    """
    began = time.monotonic()
    while ledger.missing() or server.left():
        if time.monotonic() - began > _PATIENCE_SECONDS:
            return
        await asyncio.sleep(0.2)
