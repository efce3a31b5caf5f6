"""
The queue of a server that does not run: opened, locked and asked by the command itself.

Nothing else is going on in this process, so everything runs at once, without a reactor
and without threads.
"""

import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import attrs
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer

from harakatw.cli.instance import OpenInstance
from harakatw.cli.queue.asking import Question, Take, take_frame
from harakatw.errors import StoreError
from harakatw.hooks.registry import make_chains
from harakatw.interfaces.services import IThreads
from harakatw.message.store import StoreSettings
from harakatw.observe.levels import LogSwitch
from harakatw.outbound.control.answers import answer
from harakatw.outbound.control.pauses import PauseBook
from harakatw.outbound.control.tool import QueueTool
from harakatw.outbound.dsn.report import Reporter
from harakatw.outbound.engine import OutboundEngine
from harakatw.outbound.letter import LetterWriter
from harakatw.outbound.store.operations import Operation
from harakatw.outbound.store.sqlite import SQLiteStore
from harakatw.outbound.store.writer import RunBatch
from harakatw.outbound.teller import Teller
from harakatw.process.settings import own_name
from harakatw.process.user import become

_T = TypeVar("_T")


@implementer(IThreads)
class NoThreads:
    """Runs at once what would run in a thread."""

    def call(self, function: Callable[..., _T], *args: object) -> "Deferred[_T]":
        """See L{IThreads.call}."""
        try:
            return succeed(function(*args))
        except Exception:
            return fail(Failure())


class NoReactor:
    """As much of a reactor as a store needs where there are no threads."""

    def callFromThread(self, function: Callable[..., Any], *args: Any) -> None:
        function(*args)

    def seconds(self) -> float:
        """Now, in seconds since 1970."""
        return time.time()


class DirectWriter:
    """Runs each call of a store at once, in a transaction of its own."""

    def __init__(self, run: RunBatch, finish: Callable[[], None]) -> None:
        self._run = run
        self._finish = finish

    def start(self) -> None:
        """Nothing has to be started."""

    def submit(self, operation: Operation[Any]) -> None:
        """Run a call."""
        batch: Sequence[Operation[Any]] = (operation,)
        self._run(batch)

    def stop(self) -> None:
        """Nothing follows."""
        self._finish()


@attrs.frozen(eq=False)
class LocalQueue:
    """
    Answers as a server would.

    @ivar tool: looks at the queue, and changes it.
    """

    tool: QueueTool
    _store: SQLiteStore

    def ask(self, question: Question, take: Take) -> Mapping[str, Any]:
        """See L{Asker<harakatw.cli.queue.asking.Asker>}."""
        outcome: list[Any] = []
        Deferred.fromCoroutine(self._ask(question, take)).addBoth(outcome.append)
        if isinstance(outcome[0], Failure):
            outcome[0].raiseException()
        done: Mapping[str, Any] = outcome[0]
        return done

    async def _ask(self, question: Question, take: Take) -> Mapping[str, Any]:
        async for frame in answer(self.tool, question.line):
            done = take_frame(frame, take)
            if done is not None:
                return done
        raise AssertionError("an answer without an end")

    def close(self) -> None:
        """Let a server have the queue."""
        self._store.close()


def open_local(instance: OpenInstance, directory: Path) -> LocalQueue:
    """
    Open a queue for this process alone.

    @param directory: of the queue, which is there.
    @raise HarakaError: somebody else has it, or it cannot be opened.
    """
    become_owner(directory.stat())
    threads = NoThreads()
    store = SQLiteStore(directory, NoReactor(), threads, make_writer=DirectWriter)
    store.open()
    teller = _make_teller(instance, store, threads)
    pauses = PauseBook(directory)
    try:
        pauses.read()
    except StoreError as error:  # all the same, it can be looked at and put right
        print(error, file=sys.stderr)
    tool = QueueTool(
        store=store,
        now=time.time,
        settled=teller.settled,
        threads=threads,
        pauses=pauses,
    )
    return LocalQueue(tool, store)


def become_owner(directory: os.stat_result) -> None:
    """
    Give the rights of root up, if somebody else owns the queue: otherwise the server
    could not open what we write.

    @raise ConfigError: there is no such user.
    """
    if os.geteuid() == 0 and directory.st_uid != 0:
        become(str(directory.st_uid), str(directory.st_gid))


def _make_teller(
    instance: OpenInstance, store: SQLiteStore, threads: IThreads
) -> Teller:
    """What tells senders. Without a server no plugin is asked."""
    settings = instance.settings
    name, chains = own_name(settings), make_chains((), Clock())
    messages = StoreSettings(
        in_thread=threads.call,
        spool_dir=settings.connection.spool_dir,
        spool_after=settings.connection.spool_after,
    )
    letters = LetterWriter(messages, name, _new_id, time.time)
    reporter = Reporter(
        me=name, options=settings.bounce, new_id=_new_id, pid=os.getpid()
    )
    engine = OutboundEngine(
        store=store,
        threads=threads,
        chains=lambda: chains,
        now=time.time,
        always_split=lambda: False,  # a report has one recipient
        letters=lambda: letters,
    )
    return Teller(
        store=store,
        threads=threads,
        chains=lambda: chains,
        reporter=lambda: reporter,
        send=engine.send_report,
        now=time.time,
        log=LogSwitch(info=False),
    )


def _new_id() -> str:
    return secrets.token_hex(16)
