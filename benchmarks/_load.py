"""
Sends mail as fast as a server takes it: C{python benchmarks/_load.py PORT COUNT SIZE
SESSIONS}.

To the loopback address only, and it stops by itself. Postfix's C{smtp-source} does the
same and costs less CPU, so it is used where it is installed.
"""

import asyncio
import shutil
import subprocess
import sys
import time

SENDER, RECIPIENT = "sender@bench.example", "rcpt@bench.example"


def send(port: int, count: int, size: int, sessions: int) -> float:
    """
    Send C{count} messages of C{size} octets over C{sessions} connections.

    @return: seconds that it took.
    """
    command = [
        sys.executable,
        __file__,
        str(port),
        str(count),
        str(size),
        str(sessions),
    ]
    if shutil.which("smtp-source"):
        command = ["smtp-source", "-d", "-s", str(sessions), "-m", str(count)]
        command += ["-l", str(size), "-f", SENDER, "-t", RECIPIENT]
        command += [f"127.0.0.1:{port}"]
    began = time.monotonic()
    subprocess.run(command, check=True, timeout=600)
    return time.monotonic() - began


def message(size: int) -> bytes:
    """A message of about this size, with its end."""
    head = (
        f"From: <{SENDER}>\r\nTo: <{RECIPIENT}>\r\nSubject: benchmark\r\n\r\n".encode()
    )
    line = b"X" * 78 + b"\r\n"
    return head + line * max(1, (size - len(head)) // len(line)) + b".\r\n"


async def session(port: int, share: int, octets: bytes) -> None:
    """One connection's share of the messages."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def command(line: bytes) -> None:
        if line:
            writer.write(line)
        reply = await reader.readline()
        while reply[3:4] == b"-":
            reply = await reader.readline()
        if reply[:1] not in b"23":
            raise SystemExit(f"{line[:40]!r} was answered {reply!r}")

    await command(b"")
    await command(b"EHLO client.example\r\n")
    for _ in range(share):
        await command(f"MAIL FROM:<{SENDER}>\r\n".encode())
        await command(f"RCPT TO:<{RECIPIENT}>\r\n".encode())
        await command(b"DATA\r\n")
        await command(octets)
    await command(b"QUIT\r\n")
    writer.close()


async def main() -> None:
    """Share the messages out among the sessions."""
    port, count, size, sessions = map(int, sys.argv[1:5])
    octets, share = message(size), count // sessions
    await asyncio.gather(*(session(port, share, octets) for _ in range(sessions)))


if __name__ == "__main__":
    asyncio.run(main())
