"""
Refuse messages for the types and names of their attachments, in archives too.

@see: Haraka row PN04
"""

import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterable
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import IO, Final
from weakref import WeakKeyDictionary

import attrs
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.logger import Logger

from harakatw.message.parameters import all_values
from harakatw.plugin import (
    CONT,
    IAttachmentStream,
    IBody,
    IConnection,
    IDataHook,
    IDataPostHook,
    IInitMasterHook,
    IServer,
    IThreads,
    ITransaction,
    Verdict,
    deny,
    deny_soft,
    implementer,
)
from harakatw.plugins._archive_budget import Budget, Trouble
from harakatw.plugins._archives import Findings, extension_of, look_into
from harakatw.plugins._attachment_options import AttachmentOptions
from harakatw.plugins._patterns import Patterns, compile_pattern
from harakatw.plugins._transaction import transaction_of

__all__ = ["Attachment", "AttachmentOptions"]

TOOL: Final = "bsdtar"
IN_MEMORY_OCTETS: Final = 1 << 18
"""Of an archive, before it goes to the disk."""

AT_A_TIME: Final = 4
"""Archives that are looked into; threads are left for those who store messages."""

MAX_NOTED: Final = 100
"""Names that are kept in the notes, which are queued with the message."""

_NAMES: Final = (("Content-Disposition", "filename"), ("Content-Type", "name"))
_NEEDS_TOOL: Final = frozenset(("7z", "rar", "z"))
_NOT_SHOWN = re.compile(r"[^ -~]")


@attrs.define(eq=False)
class _Seen:
    """
    What one message has.

    @ivar files: names of attachments.
    @ivar packed: names of files in archives.
    @ivar troubles: why there may be more.
    """

    files: list[str] = attrs.field(factory=list)
    packed: list[str] = attrs.field(factory=list)
    troubles: set[Trouble] = attrs.field(factory=set)


@implementer(IInitMasterHook, IDataHook, IDataPostHook)
@attrs.frozen(eq=False)
class Attachment:
    """Looks at every attachment while it comes, and into archives at their end."""

    _log = Logger()

    options: AttachmentOptions
    name: str
    threads: IThreads
    _tool: str = attrs.field(init=False)
    _bad: frozenset[str] = attrs.field(init=False)
    _archives: frozenset[str] = attrs.field(init=False)
    _file_patterns: Patterns = attrs.field(init=False)
    _packed_patterns: Patterns = attrs.field(init=False)
    _type_patterns: Patterns = attrs.field(init=False)
    _turns: DeferredSemaphore = attrs.field(
        factory=lambda: DeferredSemaphore(AT_A_TIME), init=False
    )
    _seen: "WeakKeyDictionary[ITransaction, _Seen]" = attrs.field(
        factory=WeakKeyDictionary, init=False
    )

    @_tool.default
    def _find_tool(self) -> str:
        return shutil.which(TOOL, path=f"{os.defpath}:/usr/local/bin") or ""

    @_bad.default
    def _bad_extensions(self) -> frozenset[str]:
        return _extensions(self.options.disallowed_extensions)

    @_archives.default
    def _archive_extensions(self) -> frozenset[str]:
        return _extensions(self.options.archive_extensions)

    @_file_patterns.default
    def _compile_for_files(self) -> Patterns:
        return self._compiled(self.options.filename_regex)

    @_packed_patterns.default
    def _compile_for_packed(self) -> Patterns:
        return self._compiled(self.options.archive_regex)

    @_type_patterns.default
    def _compile_for_types(self) -> Patterns:
        return self._compiled(self.options.ctype_regex)

    def _compiled(self, entries: Iterable[str]) -> Patterns:
        """One bad pattern does not take the others along."""
        patterns = []
        for entry in entries:
            try:
                patterns.append(compile_pattern(entry))
            except ValueError as error:
                self._log.error("{plugin}: {error}", plugin=self.name, error=error)
        return tuple(patterns)

    def hook_init_master(self, server: IServer) -> None:
        blind = sorted(_NEEDS_TOOL & self._archives)
        if blind and not self._tool:
            self._log.warn(
                "{plugin}: without {tool}, {extensions} files are not looked into",
                plugin=self.name,
                tool=TOOL,
                extensions=", ".join(blind),
            )

    # ---- while the message comes -----------------------------------------------------

    def hook_data(self, connection: IConnection) -> Verdict:
        transaction = transaction_of(connection)
        self._seen[transaction] = seen = _Seen()
        for note in ("attachments", "attachment_files", "attachment_archive_files"):
            transaction.notes.set(note, [])
        transaction.attachment_hooks(partial(self._begin, transaction, seen))
        return CONT

    def _begin(
        self,
        transaction: ITransaction,
        seen: _Seen,
        ct: str,
        filename: str,
        body: IBody,
        stream: IAttachmentStream,
    ) -> None:
        digest = hashlib.md5(usedforsecurity=False)
        archives = [n for n in _names(body) if extension_of(n) in self._archives]
        if not archives:
            stream.on_data(digest.update)
            stream.on_end(lambda: self._report(transaction, body, digest.hexdigest()))
            return
        file = SpooledTemporaryFile(IN_MEMORY_OCTETS)  # noqa: SIM115  # look_into closes

        def take(octets: bytes) -> "Deferred[int] | None":
            digest.update(octets)
            if file.tell() + len(octets) > IN_MEMORY_OCTETS:
                return self.threads.call(file.write, octets)
            file.write(octets)
            return None

        def done() -> "Deferred[None]":
            self._report(transaction, body, digest.hexdigest())
            looking = self._turns.run(self._look, file, archives[0])
            return looking.addCallback(self._found, transaction, seen)

        stream.on_data(take)
        stream.on_end(done)

    def _report(self, transaction: ITransaction, body: IBody, md5: str) -> None:
        """Say in log, results and notes what came, as others can look it up."""
        what = {
            "file": body.filename,
            "ctype": body.content_type,
            "md5": md5,
            "bytes": body.size,
        }
        transaction.results.push(self, attach=what)
        noted = transaction.notes.get("attachments")
        if len(noted) < MAX_NOTED:
            noted.append(
                {
                    "ctype": body.content_type,
                    "filename": body.filename,
                    "extension": extension_of(body.filename),
                    "md5": md5,
                }
            )
        self._log.info(
            "{uuid} attachment file={file} ctype={ctype} md5={md5} bytes={bytes}",
            uuid=transaction.uuid,
            **what,
        )

    def _look(self, file: IO[bytes], filename: str) -> "Deferred[Findings]":
        options = self.options
        budget = Budget(
            options.max_files,
            options.max_bytes,
            time.monotonic() + options.timeout,
            self._tool,
        )
        return self.threads.call(
            look_into, file, filename, budget, self._archives, options.max_depth
        )

    def _found(
        self, findings: Findings, transaction: ITransaction, seen: _Seen
    ) -> None:
        seen.packed += findings.names
        seen.troubles |= findings.troubles
        noted = transaction.notes.get("attachment_archive_files")
        noted += findings.names[: MAX_NOTED - len(noted)]

    # ---- when it has come ------------------------------------------------------------

    def hook_data_post(self, connection: IConnection) -> Verdict:
        transaction = transaction_of(connection)
        seen = self._seen.pop(transaction, None)
        if seen is None or transaction.body is None:
            return CONT
        types = []
        for body in transaction.body.walk():
            types.append(body.ct or body.content_type)
            seen.files += _names(body)
        transaction.notes.set("attachment_files", seen.files[:MAX_NOTED])
        transaction.notes.set("attachment_ctypes", types[:MAX_NOTED])
        verdict = self._rule(seen, types, connection.relaying)
        if verdict is not CONT:
            transaction.results.add(self, fail=verdict.text)
        return verdict

    def _rule(self, seen: _Seen, types: list[str], relaying: bool) -> Verdict:
        """What becomes of a message; the first reason is the one that is told."""
        verdicts = (
            self._rule_on_troubles(seen.troubles, relaying),
            self._rule_on_extensions((*seen.files, *seen.packed)),
            _rule_on(types, self._type_patterns, "content type"),
            _rule_on(seen.files, self._file_patterns, "attachment"),
            _rule_on(seen.packed, self._packed_patterns, "attachment"),
        )
        return next((each for each in verdicts if each is not CONT), CONT)

    def _rule_on_troubles(self, troubles: set[Trouble], relaying: bool) -> Verdict:
        options = self.options
        if Trouble.DEPTH in troubles:
            return _refuse(
                "Message contains nested archives exceeding the maximum depth"
            )
        if Trouble.TOO_BIG in troubles:
            return _refuse("Message contains an archive too big to be looked into")
        if Trouble.ENCRYPTED in troubles and not options.allow_encrypted:
            return _refuse("Message contains encrypted archive")
        if Trouble.UNREADABLE in troubles and not options.allow_unreadable:
            return _refuse("Message contains an archive that cannot be read")
        if Trouble.TOO_SLOW in troubles and not relaying:
            return deny_soft("Error unpacking archive", code=451, enhanced="4.7.1")
        return CONT

    def _rule_on_extensions(self, names: Iterable[str]) -> Verdict:
        for name in names:
            extension = extension_of(name)
            if extension in self._bad:
                return _refuse(
                    f"Message contains disallowed file extension ({_shown(extension)})"
                )
        return CONT


def _names(body: IBody) -> list[str]:
    """All names that a part gives itself: programs do not agree on which one counts."""
    names = [body.filename]
    for field, parameter in _NAMES:
        for value in body.header.get_all(field):
            names += all_values(value, parameter)
    return list(dict.fromkeys(name for name in names if name))


def _rule_on(texts: Iterable[str], patterns: Patterns, what: str) -> Verdict:
    for text in texts if patterns else ():
        if any(pattern.search(text[:1000]) for pattern in patterns):
            return _refuse(f"Message contains unacceptable {what} ({_shown(text)})")
    return CONT


def _refuse(why: str) -> Verdict:
    return deny(why, code=550, enhanced="5.7.1")


def _shown(text: str) -> str:
    """A text of the sender's, fit for a reply."""
    return _NOT_SHOWN.sub("?", text)[:100]


def _extensions(entries: Iterable[str]) -> frozenset[str]:
    """As they are compared: in lower case, without the dot that some write."""
    return frozenset(entry.strip().lower().lstrip(".") for entry in entries)
