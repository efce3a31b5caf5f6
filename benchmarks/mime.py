"""
Messages whose structure is made to exhaust the server: time and memory for each.

A process of its own reads each as a session would that has C{parse_body} and attachment
hooks, and changes it as one with a banner.
"""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from benchmarks._server import machine
from harakatw.message.header import Header
from harakatw.message.mime.banner import make_banner
from harakatw.message.mime.edits import Edits
from harakatw.message.mime.limits import MIMELimits
from harakatw.message.mime.reader import Reader
from harakatw.message.mime.rewriter import Rewriter

PIECE: Final = 1 << 16
HEAD: Final = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'


SMALL: Final = HEAD + b"--b\r\n\r\nx\r\n--b--\r\n"


def deep() -> bytes:
    """Multiparts within each other."""
    each = b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n"
    return b"".join(each % (at, at) for at in range(10_000))


MESSAGES: Mapping[str, Callable[[], bytes]] = MappingProxyType(
    {
        "10,000 messages in messages": lambda: (
            b"Content-Type: message/rfc822\r\n\r\n" * 10_000
        ),
        "10,000 multiparts in multiparts": deep,
        "100,000 parts": lambda: HEAD + b"--b\r\n\r\nx\r\n" * 100_000,
        "1,000,000 lines like boundaries": lambda: HEAD + b"--\r\n" * 1_000_000,
        "25 MB of base64": lambda: (
            b"Content-Type: image/x\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            + (b"QUJD" * 19 + b"\r\n") * 320_000
        ),
        "25 MB of quoted-printable": lambda: (
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
            + (b"=C3=BC gr=C3=BCn und vieles mehr, das hier steht bis zum Ende =\r\n")
            * 400_000
        ),
        "a common message of 5 kB": lambda: (
            HEAD
            + b"--b\r\n\r\n"
            + b"Hello, world, this is mail.\r\n" * 160
            + b"--b--\r\n"
        ),
    }
)


def read(octets: bytes) -> None:
    """As with C{parse_body} and attachment hooks."""
    reader = Reader(MIMELimits(), [lambda *_: None])
    for at in range(0, len(octets), PIECE):
        reader.walker.feed(octets[at : at + PIECE])
    reader.walker.finish()


def change(octets: bytes) -> None:
    """As with a banner."""
    head, _, body = octets.partition(b"\r\n\r\n")
    edits = Edits((), make_banner("The banner"))
    rewriter = Rewriter(edits, MIMELimits(), Header(head))
    for at in range(0, len(body), PIECE):
        rewriter.walker.feed(body[at : at + PIECE])
        rewriter.take()
    rewriter.walker.finish()
    rewriter.take()


def most_kib() -> int:
    """The most memory that this process has had."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def measured(name: str, work: Callable[[bytes], None]) -> None:
    """Print time and memory of one work on one message, in a process of its own."""
    child = os.fork()
    if not child:
        octets = MESSAGES[name]()
        work(SMALL)  # so that nothing is made for the first time
        Path("/proc/self/clear_refs").write_text("5")  # forget the most so far
        before = most_kib()
        began = time.process_time()
        work(octets)
        seconds = time.process_time() - began
        grown = most_kib() - before
        print(
            f"{name}, {work.__name__}: {seconds * 1000:.1f} ms,"
            f" {grown / 1024:.1f} MiB more",
            flush=True,
        )
        os._exit(0)
    os.waitpid(child, 0)


def main() -> None:
    """Measure all."""
    print(machine(), flush=True)
    for name in MESSAGES:
        for work in read, change:
            measured(name, work)


if __name__ == "__main__":
    main()
