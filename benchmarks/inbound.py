"""
Accept and drop: small messages, then big ones. Prints rate, CPU for a message, and
memory.
"""

import statistics

from benchmarks._load import send
from benchmarks._server import INBOUND, Server, machine, server

ROUNDS = 3


def measure(
    target: Server, count: int, size: int, sessions: int
) -> tuple[float, float]:
    """Messages a second, and milliseconds of the server's CPU for each."""
    before = target.cpu_seconds()
    seconds = send(target.port, count, size, sessions)
    cpu = target.cpu_seconds() - before
    return count / seconds, cpu * 1000 / count


def main() -> None:
    """Measure both sizes."""
    print(machine())
    for count, size, sessions in ((10_000, 5_000, 50), (200, 2_000_000, 10)):
        with server(INBOUND) as target:
            measure(target, max(count // 10, sessions), size, sessions)  # warm-up
            rounds = [measure(target, count, size, sessions) for _ in range(ROUNDS)]
            rate, cpu = (
                statistics.median(column) for column in zip(*rounds, strict=True)
            )
            print(
                f"{count} x {size} octets, {sessions} sessions: {rate:.0f} messages/s,"
                f" {cpu:.3f} ms CPU/message, {target.rss_kib() / 1024:.0f} MiB resident"
            )


if __name__ == "__main__":
    main()
