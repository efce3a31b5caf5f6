"""
Keep a copy of messages that another plugin finds suspicious.

@see: Haraka row PB16; survey row 29
"""

import os
import time
from collections.abc import Callable
from typing import ClassVar, Final

import attrs
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from harakatw.errors import StoreError
from harakatw.message.store import Message
from harakatw.plugin import (
    OK,
    Answer,
    IConnection,
    IInitMasterHook,
    IQueueHook,
    IQueueOutboundHook,
    IServer,
    IThreads,
    Kind,
    Verdict,
    doc,
    implementer,
)
from harakatw.plugins._storage import (
    make_folder,
    refusal,
    remove_all,
    safe_name,
    sync_folder,
    write_new,
)
from harakatw.plugins._transaction import message_of, transaction_of

LEFTOVER_SECONDS: Final = 3600.0
"""From what age on a file in C{tmp/} is none that is just being written."""

_WANTED: Final = "quarantine"
_ACTION: Final = "quarantine_action"


def _is_path(instance: object, attribute: "attrs.Attribute[str]", value: str) -> None:
    if not value.strip() or "\0" in value:
        raise ValueError("needs a folder")


@attrs.frozen(kw_only=True)
class QuarantineOptions:
    """Where the quarantine is."""

    config_file: ClassVar[str] = "quarantine.ini"

    quarantine_path: str = attrs.field(
        default="/var/spool/haraka/quarantine",
        validator=_is_path,
        metadata=doc(
            "The folder for copies, below the instance directory unless it begins with "
            "a slash. It is made when it is needed."
        ),
    )


@implementer(IInitMasterHook, IQueueHook, IQueueOutboundHook)
@attrs.frozen
class Quarantine:
    """
    Copies a message to a folder of the day, where a note asks for that.

    The note C{quarantine}, of the connection or the transaction, is true or names the
    folders that the day's is to be in; C{queue.wants} may be C{quarantine} as well. The
    note C{quarantine_action} is what then becomes of the message.
    """

    options: QuarantineOptions
    name: str
    server: IServer
    threads: IThreads
    now: Callable[[], float]
    _log = Logger()

    @property
    def folder(self) -> str:
        """The quarantine, an absolute path."""
        return os.path.join(self.server.directory, self.options.quarantine_path)

    def hook_init_master(self, server: IServer) -> "Deferred[Answer]":
        preparing = self.threads.call(self._prepare)
        return preparing.addErrback(self._not_prepared)

    def hook_queue(self, connection: IConnection) -> "Deferred[Answer] | None":
        transaction = transaction_of(connection)
        wanted = connection.notes.get(_WANTED) or transaction.notes.get(_WANTED)
        is_its_queue = transaction.notes.get("queue.wants") == "quarantine"
        if not (wanted or is_its_queue):
            return None
        keeping = self.threads.call(
            self._keep,
            message_of(connection),
            os.path.join(*_folders(wanted), self._day()),
            safe_name(transaction.uuid),
        )
        return keeping.addCallbacks(
            self._kept,
            self._not_kept,
            callbackArgs=(connection, is_its_queue),
            errbackArgs=(transaction.uuid,),
        )

    def hook_queue_outbound(self, connection: IConnection) -> "Deferred[Answer] | None":
        return self.hook_queue(connection)

    def _day(self) -> str:
        return time.strftime("%Y%m%d", time.localtime(self.now()))

    def _keep(self, message: Message, subfolder: str, name: str) -> str:
        """
        Store a copy, in a thread.

        @return: where it is.
        @raise OSError: if the disk does not take it.
        @raise StoreError: if the message cannot be read.
        """
        tmp, folder = (os.path.join(self.folder, each) for each in ("tmp", subfolder))
        make_folder(tmp)
        make_folder(folder)
        temporary, final = os.path.join(tmp, name), os.path.join(folder, name)
        write_new(temporary, message.file_chunks(b"\n"))
        try:
            os.link(temporary, final)  # unlike a renaming it replaces nothing
            sync_folder(folder)
        finally:
            remove_all((temporary,))
        return final

    def _kept(self, path: str, connection: IConnection, is_its_queue: bool) -> Answer:
        transaction = transaction_of(connection)
        transaction.notes.set("quarantined", path)
        transaction.results.add(self, passed=path, emit=True)
        self._log.info("{uuid} kept in {path}", uuid=transaction.uuid, path=path)
        action = connection.notes.get(_ACTION) or transaction.notes.get(_ACTION)
        if action:
            return to_verdict(action)
        return OK if is_its_queue else None

    def _not_kept(self, failure: Failure, uuid: str) -> Answer:
        """What was to be kept back must not slip through: it has to come again."""
        failure.trap(OSError, StoreError)
        self._log.error(
            "{uuid} not quarantined: {problem}", uuid=uuid, problem=failure.value
        )
        return refusal(failure.value)

    def _prepare(self) -> None:
        """Make the quarantine, and remove what a crash left half written."""
        tmp = os.path.join(self.folder, "tmp")
        make_folder(tmp)
        oldest = self.now() - LEFTOVER_SECONDS
        with os.scandir(tmp) as entries:
            files = [each for each in entries if each.is_file(follow_symlinks=False)]
        remove_all(
            each.path
            for each in files
            if each.stat(follow_symlinks=False).st_mtime < oldest
        )

    def _not_prepared(self, failure: Failure) -> Answer:
        failure.trap(OSError)
        self._log.error(
            "{folder} cannot be used: {problem}",
            folder=self.folder,
            problem=failure.value,
        )
        return None


def _folders(wanted: object) -> tuple[str, ...]:
    """
    Names of folders between the quarantine and the day's.

    @param wanted: the note: a path, each part of which is made safe, or true.
    """
    if not isinstance(wanted, str):
        return ("",)
    return ("", *(safe_name(part) for part in wanted.split("/") if part))


def to_verdict(action: object) -> Verdict:
    """
    Read the note C{quarantine_action}.

    @param action: a verdict; its L{Kind}, name or number; or one of these in a list
        with a text for the client.
    @raise ValueError: if it is nothing of the kind.
    """
    said, text = action, ""
    if isinstance(action, list | tuple) and len(action) == 2:
        said, text = action[0], str(action[1])
    verdict = said if isinstance(said, Verdict) else Verdict(_kind(said))
    return attrs.evolve(verdict, lines=(text,)) if text else verdict


def _kind(said: object) -> Kind:
    try:
        return Kind[said.upper()] if isinstance(said, str) else Kind(said)
    except (KeyError, ValueError):
        raise ValueError(f"{_ACTION} cannot be {said!r}") from None
