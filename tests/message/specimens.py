"""Messages to feed, and ways to cut them up."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, execute

from harakatw.message.store import Message, StoreSettings

SIMPLE = b"From: a@e.example\r\nSubject: hello\r\n\r\nThe body.\r\n.\r\nmore\r\n"
"""A message with a dot alone on a line."""

DOTTED = b"\r\n.\r\n..\r\n.a\r\n\r\n.\r\n"
"""No header, and every line of the body begins with a dot."""

HEADER, BODY = b"A: b\r\nReceived: x\r\n", b"body\r\n"
SMALL = HEADER + b"\r\n" + BODY


def testdata() -> Path:
    """Where messages of other projects may be; not part of this one."""
    beside = Path(__file__).parents[3] / "shared" / "testdata"
    return Path(os.environ.get("HARAKATW_TESTDATA", beside))


def foreign_messages() -> dict[str, bytes]:
    """The sample messages of other projects by name, with CRLF for line ends."""
    return {
        path.name: path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        for folder in ("mime-cpython-test_email", "mime-haraka-specimen")
        for path in sorted((testdata() / folder).glob("*.txt"))
        if path.name != "LICENSE.txt"
    }


def cuts(octets: bytes) -> Iterator[list[bytes]]:
    """The octets in two pieces, cut at every offset, and in pieces of one octet."""
    for at in range(len(octets) + 1):
        yield [octets[:at], octets[at:]]
    yield [octets[at : at + 1] for at in range(len(octets))]


def at_once(call: Callable[..., Any], *args: object) -> Deferred[Any]:
    """A pool of no threads: calls at once and returns what a thread would."""
    return execute(call, *args)


class Later:
    """A pool whose threads get on only when told."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, call: Callable[..., Any], *args: object) -> Deferred[Any]:
        """Note a call."""
        done: Deferred[Any] = Deferred()

        def go_on() -> None:
            execute(call, *args).chainDeferred(done)

        self.waiting.append(go_on)
        return done

    def run(self) -> None:
        """Let the oldest call happen."""
        self.waiting.pop(0)()


def make_message(
    *chunks: bytes, spool_dir: str = "/nonexistent", spool_after: int = -1, **more: Any
) -> Message:
    """
    A message that received chunks and was spooled when it asked for it, unfinished.
    """
    more.setdefault("in_thread", at_once)
    message = Message(
        StoreSettings(spool_dir=spool_dir, spool_after=spool_after, **more)
    )
    for chunk in chunks:
        message.append(chunk)
        if message.needs_spool:
            message.spool()
    return message


def whole_message(*chunks: bytes, **settings: Any) -> Message:
    """The same, finished."""
    message = make_message(*chunks, **settings)
    message.finish()
    return message


def octets_of(message: Message) -> bytes:
    """The whole message as it now stands."""
    return b"".join(message.chunks())
