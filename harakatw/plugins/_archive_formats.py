"""
What archives of one format hold: names, and content that can be read.

All of this blocks, and belongs in a thread. What is read is the work of strangers:
every step is counted, and stops at the budget's limits.

@see: Haraka row PN04, survey row 13
"""

import bz2
import gzip
import lzma
import os
import subprocess
import tarfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from tempfile import SpooledTemporaryFile, TemporaryFile
from typing import IO, Any, Final, NamedTuple, Protocol

from harakatw.plugins._archive_budget import ArchiveError, Budget, Trouble

IN_MEMORY_OCTETS: Final = 1 << 18
"""Of a file that is unpacked, before it goes to the disk."""

_PIECE: Final = 1 << 16
_MOST_AT_ONCE: Final = 1 << 20
_LZMA_OCTETS: Final = 1 << 27
_TOOL_KIB: Final = 1 << 19
_ZIP_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ZIP_ENTRY: Final = b"PK\x01\x02"

_RAR_4: Final = b"Rar!\x1a\x07\x00"
_AFTER_OCTETS: Final = 1 << 17

# Limits of memory, of time on the processor and of what is complained; then the tool.
# It would go on asking for a password for ever: the limit of its complaints ends it.
_LIMITED: Final = (
    'ulimit -v "$1" && ulimit -t "$2" && ulimit -f 64 && exec "$3" -cf - @-'
)

BROKEN: Final = (
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What Python's readers of archives raise at archives with mistakes."""


class Entry(NamedTuple):
    """
    A file in an archive.

    @ivar name: with its folders.
    @ivar open: opens its content, until the next entry is asked for; L{None} for what
        has none, or none that can be read.
    """

    name: str
    open: Callable[[], IO[bytes]] | None


class Opener(Protocol):
    """Reads an archive: yields its entries, raises L{ArchiveError} or of L{BROKEN}."""

    def __call__(self, file: IO[bytes], name: str, budget: Budget) -> Iterator[Entry]:
        """
        @param file: at its beginning.
        @param name: of the archive.
        """


def open_zip(file: IO[bytes], name: str, budget: Budget) -> Iterator[Entry]:
    """
    Read a zip archive.

    Of what is not deflated only the names are read: Python would unpack the rest
    without a limit.
    """
    _count_zip_entries(file, budget)
    encrypted = False
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            is_encrypted = bool(info.flag_bits & 0x1)
            encrypted |= is_encrypted
            is_readable = info.compress_type in _ZIP_METHODS and not is_encrypted
            open_it = partial(archive.open, info) if is_readable else None
            yield Entry(info.filename, open_it)
    if encrypted:
        raise ArchiveError(Trouble.ENCRYPTED)


def _count_zip_entries(file: IO[bytes], budget: Budget) -> None:
    """Python makes an object for each entry at once: see that they are not too many."""
    count, tail = 0, b""
    while piece := file.read(_PIECE):
        count += (tail + piece).count(_ZIP_ENTRY)
        tail = piece[-len(_ZIP_ENTRY) + 1 :]
        budget.check_time()
    if count > budget.entries_left:
        raise ArchiveError(Trouble.TOO_BIG)
    file.seek(0)


class _Careful:
    """A file of which nothing big is read at once: tar believes what headers say."""

    def __init__(self, file: IO[bytes], budget: Budget) -> None:
        self._file = file
        self._budget = budget
        self.tell = file.tell
        self.seek = file.seek

    def read(self, octets: int = -1) -> bytes:
        """At most so many octets."""
        if not 0 <= octets <= _MOST_AT_ONCE:
            raise ArchiveError(Trouble.TOO_BIG)
        self._budget.check_time()
        return self._file.read(octets)


def open_tar(file: IO[bytes], name: str, budget: Budget) -> Iterator[Entry]:
    """Read a tar archive that is not compressed."""
    careful: Any = _Careful(file, budget)
    with tarfile.open(fileobj=careful, mode="r:") as archive:
        while member := archive.next():
            vars(archive)["members"] = []  # it would keep them all
            yield Entry(
                member.name,
                partial(_tar_content, archive, member) if member.isreg() else None,
            )


def _tar_content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(member)
    if content is None:
        raise tarfile.ReadError("a member without content")
    return content


class _Readable(Protocol):
    def read(self, octets: int, /) -> bytes: ...


class _Lenient:
    """
    Reads as far as can be read: what stands behind the end of gzip data, as other
    programs ignore it, must not hide what is in front.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self.has_failed = False

    def read(self, octets: int, /) -> bytes:
        """Some octets; none at the end, good or bad."""
        try:
            return self._read(octets)
        except BROKEN:
            self.has_failed = True
            return b""


class _XZ:
    """Reads xz and lzma; a header that asks for a lot of memory is refused."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._one = lzma.LZMADecompressor(memlimit=_LZMA_OCTETS)

    def read(self, octets: int, /) -> bytes:
        """Some octets; none at the end."""
        while not self._one.eof:
            raw = self._file.read(_PIECE) if self._one.needs_input else b""
            if self._one.needs_input and not raw:
                raise EOFError("xz data without an end")
            made = self._one.decompress(raw, octets)
            if made:
                return made
        return b""


def open_compressed(file: IO[bytes], name: str, budget: Budget) -> Iterator[Entry]:
    """Read what gzip, bzip2 or xz made of a file: a tar archive, or any other."""
    start = file.read(6)
    file.seek(0)
    read: Callable[[int], bytes]
    if start.startswith(b"\x1f\x8b"):
        read = gzip.GzipFile(fileobj=file, mode="rb").read1  # no more than is there
    elif start.startswith(b"BZh"):
        read = bz2.BZ2File(file).read1
    else:
        read = _XZ(file).read
    lenient = _Lenient(read)
    with unpacked(lenient, budget) as content:
        try:
            yield from open_tar(content, name, budget)
        except tarfile.ReadError:
            content.seek(0)
            yield Entry(_name_within(name), lambda: content)
    if lenient.has_failed:
        raise ArchiveError(Trouble.UNREADABLE)


def _name_within(name: str) -> str:
    """What a compressed file was called: x.exe of x.exe.gz, x.tar of x.tgz."""
    stem, dot, extension = os.path.basename(name).rpartition(".")
    if dot and extension.lower() in ("tgz", "taz", "tbz", "tbz2", "txz"):
        return f"{stem}.tar"
    return stem if dot else f"{name} unpacked"


def unpacked(reader: _Readable, budget: Budget) -> "SpooledTemporaryFile[bytes]":
    """
    Copy content into a file of ours, counting.

    @raise ArchiveError: if it is too much, or takes too long.
    """
    with ExitStack() as stack:
        copy = stack.enter_context(SpooledTemporaryFile(IN_MEMORY_OCTETS))
        while piece := reader.read(_PIECE):
            budget.spend(len(piece))
            copy.write(piece)
        copy.seek(0)
        stack.pop_all()
    return copy


def open_with_tool(file: IO[bytes], name: str, budget: Budget) -> Iterator[Entry]:
    """
    Read any format that C{bsdtar} knows, such as 7z and rar, by having it made a tar
    archive, in a process with little memory and time.
    """
    if not budget.tool:
        raise ArchiveError(Trouble.UNREADABLE)
    with ExitStack() as stack:
        complaints = stack.enter_context(TemporaryFile())
        source = stack.enter_context(_on_disk(file, budget))
        archive = stack.enter_context(_converted(source, complaints, budget))
        complaints.seek(0)
        said = complaints.read(1 << 15).lower()
        is_empty = True
        with suppress(tarfile.ReadError):  # if the tool made nothing of it
            for entry in open_tar(archive, name, budget):
                is_empty = False
                yield entry
        is_locked = _is_locked_rar(source)
    if is_locked or b"passphrase" in said or b"crypt" in said:
        raise ArchiveError(Trouble.ENCRYPTED)
    if said or is_empty:
        raise ArchiveError(Trouble.UNREADABLE)


def _is_locked_rar(file: IO[bytes]) -> bool:
    """
    Is a file in this rar archive of version 4 encrypted? The tool says so only of
    later versions.
    """
    file.seek(0)
    if file.read(len(_RAR_4)) != _RAR_4:
        return False
    while len(head := file.read(11)) == 11:
        kind, flags = head[2], int.from_bytes(head[3:5], "little")
        size = int.from_bytes(head[5:7], "little")
        added = int.from_bytes(head[7:11], "little") if flags & 0x8000 else 0
        if (kind == 0x74 and flags & 0x04) or (kind == 0x73 and flags & 0x80):
            return True
        if size < 7 or kind == 0x7B:
            return False
        file.seek(size + added - 11, os.SEEK_CUR)
    return False


def _on_disk(file: IO[bytes], budget: Budget) -> IO[bytes]:
    """
    The content in a file with a number, for another process.

    Something is put behind it: the tool takes whatever ends in a zip archive, such as a
    rar archive of one, for nothing else.
    """
    with ExitStack() as stack:
        copy = stack.enter_context(TemporaryFile())
        while piece := file.read(_PIECE):
            budget.check_time()
            copy.write(piece)
        copy.write(bytes(_AFTER_OCTETS))
        copy.flush()
        copy.seek(0)
        stack.pop_all()
    return copy


def _converted(
    source: IO[bytes], complaints: IO[bytes], budget: Budget
) -> "SpooledTemporaryFile[bytes]":
    seconds = max(1, int(budget.seconds_left))
    command = ("/bin/sh", "-c", _LIMITED, "sh", str(_TOOL_KIB), str(seconds))
    with subprocess.Popen(
        (*command, budget.tool),
        stdin=source,
        stdout=subprocess.PIPE,
        stderr=complaints,
        cwd="/",
        env={"LC_ALL": "C.UTF-8", "PATH": os.defpath},
        start_new_session=True,  # without a terminal to ask at
    ) as process:
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        try:
            assert process.stdout is not None  # a pipe was asked for
            archive = unpacked(process.stdout, budget)
        finally:
            timer.cancel()
            process.kill()  # if it is not done, nobody wants the rest
    if budget.seconds_left <= 0:
        archive.close()
        raise ArchiveError(Trouble.TOO_SLOW)
    return archive
