"""
Accept durably and deliver to a sink. Prints the rate end to end, the rate at which
clients are answered, and CPU for a message.
"""

import statistics
import time
from collections.abc import Mapping

import attrs

from benchmarks._load import send
from benchmarks._server import Server, machine, server
from benchmarks._sink import Sink, sink

ROUNDS = 3


def relaying(port: int) -> Mapping[str, str]:
    """
    An instance that relays for this machine.

    @param port: of this machine, where everything goes.
    """
    return {
        "me": "bench.example\n",
        "log.ini": "[main]\nlevel=error\n",
        "plugins": "relay\n",
        "outbound.ini": "enable_tls=false\nconcurrency_max=100\n",
        "relay.ini": "[relay]\nacl=true\nforce_routing=true\n",
        "relay_acl_allow": "127.0.0.0/8\n",
        "relay_dest_domains.ini": (
            '[domains]\nany = {"action": "continue", '
            f'"nexthop": "127.0.0.1:{port}"}}\n'
        ),
    }


@attrs.frozen
class Rates:
    """
    One round.

    @ivar relayed: messages a second, from the first command until the last has come.
    @ivar accepted: messages a second that clients were answered.
    @ivar cpu: the server's, in milliseconds for a message.
    """

    relayed: float
    accepted: float
    cpu: float


def measure(target: Server, end: Sink, count: int, size: int, sessions: int) -> Rates:
    """Send messages, and wait until they have come."""
    end.expect(count)
    before, began = target.cpu_seconds(), time.monotonic()
    accepted = send(target.port, count, size, sessions)
    relayed = end.when() - began
    cpu = target.cpu_seconds() - before
    return Rates(count / relayed, count / accepted, cpu * 1000 / count)


def median(rounds: list[Rates]) -> Rates:
    """What is usual."""
    columns = zip(*map(attrs.astuple, rounds), strict=True)
    return Rates(*map(statistics.median, columns))


def main() -> None:
    """Measure small messages, then some that are kept in files."""
    print(machine())
    for count, size, sessions in ((10_000, 5_000, 50), (500, 200_000, 10)):
        with sink() as end, server(relaying(end.port)) as target:
            measure(target, end, max(count // 10, sessions), size, sessions)  # warm-up
            rounds = [
                measure(target, end, count, size, sessions) for _ in range(ROUNDS)
            ]
            usual = median(rounds)
            print(
                f"{count} x {size} octets, {sessions} sessions:"
                f" {usual.relayed:.0f} messages/s relayed, {usual.accepted:.0f}"
                f" accepted, {usual.cpu:.3f} ms CPU/message,"
                f" {target.rss_kib() / 1024:.0f} MiB resident"
            )


if __name__ == "__main__":
    main()
