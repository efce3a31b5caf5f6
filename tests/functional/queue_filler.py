"""
Fills a queue until it is killed: C{python -m tests.functional.queue_filler DIRECTORY}.

It prints C{+ID DOMAIN} when an item was acknowledged, C{-ID} before one is settled, and
C{=ID} when the settlement was acknowledged. Each body begins with the message's number
in C{uuid}; every seventh is big.
"""

import os
import sys
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from harakatw.interfaces.queue import (
    NewItem,
    QueuedMessage,
    QueuedRecipient,
    QueueItem,
)
from harakatw.outbound.store.sqlite import SQLiteStore
from harakatw.process.threads import PooledThreads

IN_FLIGHT = 20


def body_of(number: int) -> bytes:
    """The body of a message."""
    return b"%d\r\n" % number * (20_000 if number % 7 == 0 else 300)


def items_of(number: int) -> list[NewItem]:
    """The items of a message: one or two."""
    to = QueuedRecipient(f"r{number}@a.example")
    items = [NewItem(domain="a.example", recipients=(to,))]
    if number % 5 == 0:
        items.append(NewItem(domain="b.example", recipients=(to,)))
    return items


def tell(text: str) -> None:
    """Print a line at once, so that a kill does not lose it."""
    os.write(1, text.encode() + b"\n")


async def fill(store: SQLiteStore, first: int) -> None:
    """Queue messages one after the other for ever, and settle some."""
    number = first
    while True:
        about = QueuedMessage(
            uuid=str(number),
            sender="s@ours.example",
            size=len(body_of(number)),
            queued_at=1.7e9,
        )
        added = await store.add(about, items_of(number), (body_of(number),))
        for item in added:
            tell(f"+{item.id} {item.domain}")
        if number % 3 == 0:
            await settle(store, added[0])
        number += IN_FLIGHT


async def settle(store: SQLiteStore, item: QueueItem) -> None:
    """An item is delivered."""
    tell(f"-{item.id}")
    await store.settle((item.id,), ())
    tell(f"={item.id}")


def main(reactor: Any, directory: str) -> "Deferred[None]":
    """Fill the queue in a directory."""
    threads = PooledThreads(reactor, 4)
    threads.start()
    store = SQLiteStore(Path(directory), reactor, threads)
    store.open()
    tell("open")
    for first in range(IN_FLIGHT):
        Deferred.fromCoroutine(fill(store, first))
    return Deferred()


if __name__ == "__main__":
    react(main, sys.argv[1:])
