"""
What our own code costs for a message: a session in memory, without sockets or a
reactor.
"""

import time
from typing import Any

from zope.interface import implementer

from harakatw.interfaces.hooks import IQueueHook, IRcptHook
from harakatw.testing.server import MemoryServer
from harakatw.verdict import OK, Verdict

MESSAGES = 20_000


@implementer(IRcptHook, IQueueHook)
class TakeAll:
    """Accepts every recipient and every message."""

    def hook_rcpt(self, connection: Any, recipient: Any, params: Any) -> Verdict:
        """Accept."""
        return OK

    def hook_queue(self, connection: Any) -> Verdict:
        """Accept, and drop."""
        return OK


class NoTransport:
    """Takes what is written, and forgets it."""

    def write(self, data: bytes) -> None:
        """Forget it."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


def main() -> None:
    """Measure microseconds of CPU for a message of 5,000 octets."""
    memory = MemoryServer([TakeAll()])
    memory.context.log.info = False
    session = memory.connect().protocol
    session.transport = NoTransport()
    body = b"Subject: hot path\r\n\r\n" + (b"X" * 78 + b"\r\n") * 62 + b".\r\n"
    dialogue = (
        b"MAIL FROM:<sender@bench.example>\r\n",
        b"RCPT TO:<rcpt@bench.example>\r\n",
        b"DATA\r\n",
        body,
    )
    session.dataReceived(b"EHLO client.example\r\n")
    for count in (MESSAGES // 10, MESSAGES):
        began = time.process_time()
        for _ in range(count):
            for octets in dialogue:
                session.dataReceived(octets)
        seconds = time.process_time() - began
    print(f"{seconds * 1e6 / MESSAGES:.1f} us for a message of {len(body)} octets")


if __name__ == "__main__":
    main()
