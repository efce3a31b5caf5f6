"""
A queue of a million messages for ten thousand dead domains: how soon the server is back
after a restart, what memory that takes, and whether other mail is any slower for it.

C{python -m benchmarks.backlog [MESSAGES [DOMAINS]]}. A server with an empty queue and
one with the full queue take turns, so that whatever else the machine does slows both.
"""

import random
import smtplib
import socket
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks._server import Instance, Server, instance, machine, run
from benchmarks._sink import Sink, sink
from benchmarks.relay import Rates, measure, median, relaying
from harakatw.interfaces.queue import NewItem, QueuedMessage, QueuedRecipient
from harakatw.outbound.routes.sites import site_name
from harakatw.outbound.store.database import Addition, QueueDatabase
from harakatw.outbound.store.schema import connect_database, open_database

MESSAGES, DOMAINS = 1_000_000, 10_000
ROUNDS, COUNT, SIZE, SESSIONS = 7, 5_000, 5_000, 50

_BATCH = 5_000
_BODY = b"Subject: late\r\n\r\n" + b"x" * 583
_SPREAD_SECONDS = 3600  # a half was due in the last hour, a half is in the next

# Every other of these hosts refuses connections; the others do not answer.
PLUGIN = '''
"""Where the dead domains are, and the live one."""

from harakatw.plugin import IGetMXHook, implementer, ok


@implementer(IGetMXHook)
class Dead:
    def hook_get_mx(self, hmail, domain):
        name, _, rest = domain.partition(".")
        if rest != "dead.example":
            return None
        high, low = divmod(int(name[1:]), 250)
        port = SILENT if low % 2 else 1
        return ok(value=f"127.1.{high}.{low + 1}:{port}")
'''


def host(number: int, silent: int) -> str:
    """Where a dead domain is, as the plugin says it."""
    high, low = divmod(number, 250)
    return f"127.1.{high}.{low + 1}:{silent if low % 2 else 1}"


def fill(queue: Path, messages: int, domains: int, silent: int) -> None:
    """Make a queue, as a server leaves it that has tried all of it before."""
    queue.mkdir()
    connection = open_database(str(queue / "queue.db"), connect_database)
    connection.execute("PRAGMA synchronous = OFF")
    database = QueueDatabase(connection)
    database.start()
    chance, now = random.Random(1), time.time()
    for start in range(0, messages, _BATCH):
        database.begin()
        stored = database.add(
            [
                _addition(number, domains, silent, now + _due(chance), now)
                for number in range(start, min(start + _BATCH, messages))
            ]
        )
        database.give_back(item.id for items in stored for item in items)
        database.commit()
    database.stop()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()


def _due(chance: random.Random) -> float:
    return chance.uniform(-_SPREAD_SECONDS, _SPREAD_SECONDS)


def _addition(
    number: int, domains: int, silent: int, due: float, now: float
) -> Addition:
    domain = f"d{number % domains}.dead.example"
    message = QueuedMessage(
        uuid=f"BACKLOG-{number}.1",
        sender="alice@client.example",
        size=len(_BODY),
        queued_at=now - _SPREAD_SECONDS,
    )
    item = NewItem(
        domain=domain,
        recipients=(QueuedRecipient(f"bob@{domain}"),),
        site=site_name((host(number % domains, silent),)),
        due=due,
    )
    return Addition(message, (item,), _BODY, now)


@contextmanager
def silence() -> Iterator[int]:
    """A port of all addresses of this machine that takes no connection."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = int(silent.getsockname()[1])
        silent.close()
    with socket.socket() as silent:
        silent.bind(("0.0.0.0", port))
        silent.listen(0)  # the kernel's few, which nobody greets
        yield port


@contextmanager
def started(name: str, where: Instance) -> Iterator[Server]:
    """Start a server, and print how long that takes."""
    began = time.monotonic()
    with run(where) as target:
        with smtplib.SMTP("127.0.0.1", where.port, timeout=60) as client:
            client.sendmail("a@client.example", "b@live.example", b"Subject: x\r\n")
        print(f"{name}: {time.monotonic() - began:.2f} s to the first 250", flush=True)
        yield target


def compare(empty: Instance, full: Instance, end: Sink) -> None:
    """Send mail for a domain that is alive through both."""
    with (
        started("empty queue", empty) as without,
        started("full queue", full) as backed_up,
    ):
        targets = {"empty queue": without, "full queue": backed_up}
        rounds: dict[str, list[Rates]] = {name: [] for name in targets}
        for target in targets.values():
            measure(target, end, COUNT // 10, SIZE, SESSIONS)  # warm-up
        for _ in range(ROUNDS):
            for name, target in targets.items():
                rounds[name].append(measure(target, end, COUNT, SIZE, SESSIONS))
        for name, target in targets.items():
            show(name, target, median(rounds[name]))
    usual, slowed = (median(each) for each in rounds.values())
    print(
        f"full/empty: accepted x{slowed.accepted / usual.accepted:.2f}, relayed"
        f" x{slowed.relayed / usual.relayed:.2f}, CPU x{slowed.cpu / usual.cpu:.2f}"
    )


def tried(queue: Path) -> int:
    """How many messages have been tried since L{fill}."""
    with closing(sqlite3.connect(queue / "queue.db")) as database:
        statement = "SELECT count(*) FROM items WHERE attempts > 0"
        (count,) = database.execute(statement).fetchone()
    return int(count)


def show(name: str, target: Server, rates: Rates) -> None:
    """Print one line."""
    print(
        f"{name}: {target.rss_kib() / 1024:.0f} MiB resident, {rates.accepted:.0f}"
        f" messages/s accepted, {rates.relayed:.0f} relayed, {rates.cpu:.3f} ms"
        " CPU/message",
        flush=True,
    )


def main() -> None:
    """Make the queue, and measure."""
    print(machine())
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else MESSAGES
    domains = int(sys.argv[2]) if len(sys.argv) > 2 else DOMAINS
    with sink() as end, silence() as silent:
        files = {
            **relaying(end.port),
            "plugins": "dead\nrelay\n",
            "plugins/dead.py": PLUGIN.replace("SILENT", str(silent)),
        }
        with instance(files) as empty, instance(files) as full:
            began = time.monotonic()
            fill(full.folder / "queue", messages, domains, silent)
            octets = (full.folder / "queue/queue.db").stat().st_size
            print(
                f"{messages} messages for {domains} domains, {octets >> 20} MiB, made"
                f" in {time.monotonic() - began:.0f} s",
                flush=True,
            )
            compare(empty, full, end)
            count = tried(full.folder / "queue")
            print(f"{count} messages of the full queue were tried meanwhile")


if __name__ == "__main__":
    main()
