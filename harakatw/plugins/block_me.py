"""
Block the senders of mail that users forward to a certain address.

@see: Haraka row PB06
"""

import errno
import fcntl
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import attrs
from twisted.logger import Logger
from twisted.python.failure import Failure

from harakatw.plugin import (
    CONT,
    OK,
    IConnection,
    IDataPostHook,
    IQueueHook,
    IQueueOutboundHook,
    IServer,
    IThreads,
    Ruling,
    Verdict,
    deny,
    deny_soft,
    implementer,
    list_file,
    value_file,
)
from harakatw.plugins._forwarded import MAX_OCTETS, forwarded_sender
from harakatw.plugins._transaction import message_of, transaction_of

BLOCKLIST: Final = "mail_from.blocklist"
"""In the instance's C{config/}; the C{access} plugin reads it."""

MAX_LIST_OCTETS: Final = 1 << 20
"""How long the list may grow: 30,000 addresses or so."""

NOTE: Final = "block_me"
"""The note that this message is a request to block somebody."""

NOT_WRITTEN: Final = deny_soft(
    "The sender could not be blocked, try again later", code=451, enhanced="4.3.0"
)


@attrs.frozen(kw_only=True)
class BlockMeOptions:
    """Who may block whom."""

    recipient: str = attrs.field(
        default="",
        metadata=value_file(
            "block_me.recipient", "The address that unwanted mail is forwarded to."
        ),
    )
    senders: frozenset[str] = attrs.field(
        default=frozenset(),
        metadata=list_file(
            "block_me.senders", "Addresses that may forward unwanted mail to it."
        ),
    )


@implementer(IDataPostHook, IQueueHook, IQueueOutboundHook)
@attrs.frozen
class BlockMe:
    """Takes forwarded mail from users who may relay, and lists whom it came from."""

    _log = Logger()

    options: BlockMeOptions
    name: str
    server: IServer
    threads: IThreads
    recipient: str = attrs.field(init=False)
    senders: frozenset[str] = attrs.field(init=False)

    @recipient.default
    def _lower_recipient(self) -> str:
        return self.options.recipient.lower()

    @senders.default
    def _lower_senders(self) -> frozenset[str]:
        return frozenset(map(str.lower, self.options.senders))

    def hook_data_post(self, connection: IConnection) -> Verdict:
        transaction = transaction_of(connection)
        if not connection.relaying or len(transaction.rcpt_to) != 1:
            return CONT
        if transaction.rcpt_to[0].address.lower() != self.recipient:
            return CONT
        sender = transaction.mail_from.address
        if sender.lower() not in self.senders:
            why = f"You are not allowed to block mail, {sender or '<>'}"
            return deny(why, code=550, enhanced="5.7.1")
        transaction.notes.set(NOTE, True)
        return CONT

    def hook_queue(self, connection: IConnection) -> Ruling:
        if not transaction_of(connection).notes.get(NOTE):
            return CONT
        return self._block(connection)

    def hook_queue_outbound(self, connection: IConnection) -> Ruling:
        return self.hook_queue(connection)

    def _block(self, connection: IConnection) -> Ruling:
        message = message_of(connection)
        uuid = transaction_of(connection).uuid
        finding = self.threads.call(
            _find_and_list,
            Path(self.server.directory, "config", BLOCKLIST),
            message.raw_header,
            message.body_chunks(),
            self.senders | {self.recipient},
        )
        return finding.addCallbacks(
            self._listed, self._not_listed, callbackArgs=(uuid,), errbackArgs=(uuid,)
        )

    def _listed(self, address: str, uuid: str) -> Verdict:
        """Swallow the message, unless there is nobody in it to block."""
        if not address:
            self._log.error("{uuid} no sender to block in the message", uuid=uuid)
            return CONT
        self._log.info("{uuid} blocked {sender}", uuid=uuid, sender=address)
        return OK

    def _not_listed(self, failure: Failure, uuid: str) -> Verdict:
        failure.trap(OSError)
        self._log.error(
            "{uuid} cannot add to {file}: {why}",
            uuid=uuid,
            file=BLOCKLIST,
            why=failure.getErrorMessage(),
        )
        return NOT_WRITTEN


def _find_and_list(
    path: Path, header: bytes, body: Iterable[bytes], never: frozenset[str]
) -> str:
    """
    Find whom to block, and add the address to the list. Runs in a thread.

    @param never: addresses that are not to be blocked.
    @return: the address; C{""} if there is none to block.
    @raise OSError: if the list cannot be written.
    @raise StoreError: if the message cannot be read.
    """
    start = bytearray()
    for chunk in body:
        start += chunk
        if len(start) >= MAX_OCTETS:
            break
    address = forwarded_sender(header, bytes(start))
    if not address or address in never:
        return ""
    add_line(path, address)
    return address


def add_line(path: Path, line: str) -> None:
    """
    Add a line to a list, durably, unless it is there. Blocks.

    Other threads and processes that do the same wait for each other, and whoever reads
    meanwhile sees the line as a whole or not at all.

    @param line: ASCII, without a line end.
    @raise OSError: if the file cannot be written, is no plain file, is a symbolic link,
        which might lead out of the instance, or has L{MAX_LIST_OCTETS}.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    with open(os.open(path, flags, 0o644), "r+b", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "not a plain file")
        fcntl.flock(file, fcntl.LOCK_EX)
        known = file.read(MAX_LIST_OCTETS + 1)
        entry = line.encode("ascii")
        if entry in map(bytes.strip, known.lower().split(b"\n")):
            return
        if len(known) + len(entry) + 2 > MAX_LIST_OCTETS:
            raise OSError(errno.EFBIG, "the list is full")
        start = b"" if not known or known.endswith(b"\n") else b"\n"
        file.write(start + entry + b"\n")
        os.fsync(file.fileno())
