"""
Deliver into Maildirs on this machine.

A message is written to C{tmp/}, synced, renamed into C{new/}, and the folder is synced,
before the client is told 250. Of several recipients all get their copy, or none does.

@see: https://cr.yp.to/proto/maildir.html; RFC 5321 section 4.4 (Return-Path), section
    6.1 (what a 250 promises); survey rows 29 and 39
"""

import glob
import itertools
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from itertools import chain
from types import MappingProxyType
from typing import ClassVar, Final, Literal

import attrs
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from harakatw.errors import StoreError
from harakatw.message.store import Message
from harakatw.plugin import (
    OK,
    Address,
    Answer,
    IConnection,
    IInitMasterHook,
    IQueueHook,
    IServer,
    IThreads,
    ITransaction,
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

LEFTOVER_SECONDS: Final = 36 * 3600.0
"""From what age on a file in C{tmp/} belongs to nobody, by the Maildir page."""

_PLACEHOLDER = re.compile(r"\{(user|domain)\}")
_LINE_ENDS: Final = MappingProxyType({"crlf": b"\r\n", "lf": b"\n"})


def _is_path(instance: object, attribute: "attrs.Attribute[str]", value: str) -> None:
    if not value.strip():
        raise ValueError("needs a folder")
    if re.search(r"[{}\x00]", _PLACEHOLDER.sub("", value)):
        raise ValueError(f"{value!r} has a brace that is not of {{user}} or {{domain}}")


def _is_mode(instance: object, attribute: "attrs.Attribute[str]", value: str) -> None:
    if not re.fullmatch(r"0?6[0246][0246]", value):
        raise ValueError(f"{value!r} is not an octal mode from 0600 to 0666")


@attrs.frozen(kw_only=True)
class MaildirOptions:
    """Where a recipient's Maildir is, and what its files look like."""

    config_file: ClassVar[str] = "maildir.ini"

    path: str = attrs.field(
        default="maildir",
        validator=_is_path,
        metadata=doc(
            "The Maildir, below the instance directory unless it begins with a slash. "
            "{user} and {domain} in it stand for the recipient's, in lower case."
        ),
    )
    file_mode: str = attrs.field(
        default="0600",
        validator=_is_mode,
        metadata=doc(
            "Who may read and write the files, in octal; folders can be searched by "
            "those who may read."
        ),
    )
    line_end: Literal["crlf", "lf"] = attrs.field(
        default="crlf",
        metadata=doc(
            "crlf keeps the message byte for byte, lf is what some programs on Unix "
            "want."
        ),
    )
    return_path: bool = attrs.field(
        default=True,
        metadata=doc(
            "Put the sender in front of the message, as a Return-Path header? RFC 5321 "
            "section 4.4 wants that."
        ),
    )
    delivered_to: bool = attrs.field(
        default=False,
        metadata=doc("Put each recipient of a copy in front, as Delivered-To?"),
    )

    @property
    def mode(self) -> int:
        """C{file_mode} as a number."""
        return int(self.file_mode, 8)

    @property
    def folder_mode(self) -> int:
        """C{file_mode} with the right to search where there is one to read."""
        return self.mode | (self.mode & 0o444) >> 2


@attrs.frozen
class _Copy:
    """
    What one Maildir gets.

    @ivar folder: the Maildir.
    @ivar name: in it, unique.
    @ivar head: octets in front of the message.
    """

    folder: str
    name: str
    head: bytes


@attrs.define(eq=False)
class _Delivery:
    """
    One message on its way into its Maildirs; L{run} belongs in a thread.

    @ivar abandoned: has nobody waited for this to end? Then the client will send the
        message again, and no copy is placed any more.
    """

    message: Message
    copies: tuple[_Copy, ...]
    line_end: bytes
    mode: int
    folder_mode: int
    abandoned: bool = False

    def run(self) -> None:
        """
        Place every copy, or none.

        @raise OSError: if a disk did not take its copy.
        @raise StoreError: if the message cannot be read, or nobody waits for it.
        """
        moves: list[tuple[str, str]] = []
        try:
            for copy in self.copies:
                moves.append(self._write(copy))
            if self.abandoned:
                raise StoreError("the delivery took too long")
            for temporary, final in moves:
                os.rename(temporary, final)
            for folder in dict.fromkeys(os.path.dirname(final) for _, final in moves):
                sync_folder(folder)
        except (OSError, StoreError):
            remove_all(chain.from_iterable(moves))
            raise

    def _write(self, copy: _Copy) -> tuple[str, str]:
        """Write one copy to C{tmp/}; where is it, and where will it be?"""
        temporary = os.path.join(copy.folder, "tmp", copy.name)
        try:
            octets = write_new(temporary, self._chunks(copy), self.mode)
        except FileNotFoundError:
            self._make(copy.folder)
            octets = write_new(temporary, self._chunks(copy), self.mode)
        return temporary, os.path.join(copy.folder, "new", f"{copy.name},S={octets}")

    def _make(self, folder: str) -> None:
        """
        Make a Maildir. C{tmp} comes last: once it is there, so is all else, on disk.
        """
        for name in ("new", "cur", "tmp"):
            make_folder(os.path.join(folder, name), self.folder_mode)

    def _chunks(self, copy: _Copy) -> Iterator[bytes]:
        body = self.message.file_chunks(self.line_end)
        return chain((copy.head,), body)


@implementer(IInitMasterHook, IQueueHook)
@attrs.frozen
class Maildir:
    """Delivers what comes for this host's own recipients."""

    options: MaildirOptions
    name: str
    server: IServer
    threads: IThreads
    now: Callable[[], float]
    _numbers: Iterator[int] = attrs.field(factory=itertools.count, init=False)
    _log = Logger()

    def hook_init_master(self, server: IServer) -> None:
        sweeping = self.threads.call(self._sweep)
        sweeping.addErrback(self._not_swept)  # the server need not wait for it

    def hook_queue(self, connection: IConnection) -> "Deferred[Answer] | None":
        transaction = transaction_of(connection)
        wants = transaction.notes.get("queue.wants")
        if wants and wants not in ("maildir", self.name):
            return None
        delivery = _Delivery(
            message_of(connection),
            tuple(self._copies(transaction)),
            _LINE_ENDS[self.options.line_end],
            self.options.mode,
            self.options.folder_mode,
        )
        return self.threads.call(delivery.run).addCallbacks(
            self._delivered, self._failed, errbackArgs=(delivery, transaction.uuid)
        )

    def folder_of(self, recipient: Address) -> str:
        """The Maildir of a recipient. One without a domain is of this very server."""
        values = {"user": recipient.user, "domain": recipient.host or self.server.name}
        path = _PLACEHOLDER.sub(
            lambda found: safe_name(values[found[1]].lower()), self.options.path
        )
        return os.path.join(self.server.directory, path)

    def _copies(self, transaction: ITransaction) -> Iterator[_Copy]:
        """One for each Maildir, though several recipients may share it."""
        shared: dict[str, list[Address]] = {}
        for recipient in transaction.rcpt_to:
            shared.setdefault(self.folder_of(recipient), []).append(recipient)
        for folder, recipients in shared.items():
            head = self._head(transaction.mail_from, recipients)
            yield _Copy(folder, self._unique_name(), head)

    def _head(self, sender: Address, recipients: list[Address]) -> bytes:
        lines = [f"Return-Path: {sender.format()}"] if self.options.return_path else []
        if self.options.delivered_to:
            lines += (f"Delivered-To: {recipient.address}" for recipient in recipients)
        line_end = _LINE_ENDS[self.options.line_end]
        return b"".join(line.encode() + line_end for line in lines)

    def _unique_name(self) -> str:
        seconds, fraction = divmod(self.now(), 1)
        host = self.server.name.replace("/", r"\057").replace(":", r"\072")
        middle = f"M{int(fraction * 1e6):06d}P{os.getpid()}Q{next(self._numbers)}"
        return f"{int(seconds)}.{middle}R{secrets.token_hex(4)}.{host}"

    def _delivered(self, _: None) -> Answer:
        return OK

    def _failed(
        self, failure: Failure, delivery: _Delivery, uuid: str
    ) -> "Answer | Failure":
        delivery.abandoned = True
        if failure.check(CancelledError):
            return failure
        failure.trap(OSError, StoreError)
        self._log.error(
            "{uuid} not delivered: {problem}",
            uuid=uuid,
            problem=failure.value,
            plugin=self.name,
        )
        return refusal(failure.value)

    def _sweep(self) -> None:
        """Remove what a crash left in C{tmp/}, long ago."""
        fixed = map(glob.escape, re.split(r"\{(?:user|domain)\}", self.options.path))
        below = os.path.join(glob.escape(self.server.directory), "*".join(fixed))
        for path in glob.iglob(os.path.join(below, "tmp", "*")):
            try:
                status = os.lstat(path)
            except FileNotFoundError:
                continue
            is_old = status.st_mtime < self.now() - LEFTOVER_SECONDS
            if stat.S_ISREG(status.st_mode) and is_old:
                remove_all((path,))

    def _not_swept(self, failure: Failure) -> None:
        self._log.failure(
            "leftovers in Maildirs were not removed", failure, plugin=self.name
        )
