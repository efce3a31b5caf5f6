"""
Many idle clients: memory for each, and how soon one more is greeted and served.
"""

import resource
import socket
import time

from benchmarks._server import INBOUND, machine, server

CONNECTIONS = 5_000
LINES = (b"", b"EHLO client.example\r\n", b"MAIL FROM:<sender@bench.example>\r\n")


def connect(port: int, number: int) -> socket.socket:
    """Connect from one of 200 loopback addresses: one has not enough ports for all."""
    client = socket.socket()
    client.settimeout(30)
    client.bind((f"127.0.1.{1 + number % 200}", 0))
    client.connect(("127.0.0.1", port))
    return client


def main() -> None:
    """Open the connections, leave each after MAIL, and let one more come."""
    print(machine())
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with server(INBOUND) as target:
        before = target.rss_kib()
        clients = [connect(target.port, number) for number in range(CONNECTIONS)]
        for line in LINES:
            for client in clients:
                if line:
                    client.sendall(line)
            for client in clients:
                client.recv(4096)
        each = (target.rss_kib() - before) / CONNECTIONS
        began = time.monotonic()
        with connect(target.port, CONNECTIONS) as late:
            for line in LINES:
                if line:
                    late.sendall(line)
                late.recv(4096)
        seconds = time.monotonic() - began
        for client in clients:
            client.close()
    print(
        f"{CONNECTIONS} connections after MAIL: {each:.2f} KiB each;"
        f" one more is served in {seconds * 1000:.1f} ms"
    )


if __name__ == "__main__":
    main()
