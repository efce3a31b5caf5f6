"""
The names of all files in an archive, and in the archives within it.

@see: Haraka row PN04
"""

import re
from types import MappingProxyType
from typing import IO, Final

import attrs

from harakatw.message.encoded_words import clean
from harakatw.plugins._archive_budget import ArchiveError, Budget, Trouble
from harakatw.plugins._archive_formats import (
    BROKEN,
    Entry,
    Opener,
    open_compressed,
    open_tar,
    open_with_tool,
    open_zip,
    unpacked,
)

MAX_NAME_CHARACTERS: Final = 1000

_EXTENSION = re.compile(r"\.([^./\\\s]++)\Z")
_IGNORED_AT_END = " .\t\x00\r\n\"'"

_MAGIC: Final = (
    (b"PK\x03\x04", open_zip),
    (b"PK\x05\x06", open_zip),
    (b"\x1f\x8b", open_compressed),
    (b"BZh", open_compressed),
    (b"\xfd7zXZ\0", open_compressed),
)
_BY_EXTENSION: Final = MappingProxyType(
    {
        "zip": open_zip,
        "jar": open_zip,
        "tar": open_tar,
        "lzma": open_compressed,
    }
)


@attrs.frozen
class Findings:
    """
    What is in an archive.

    @ivar names: of all files, each with those of the archives that it is in, parted by
        slashes.
    @ivar troubles: why there may be more.
    """

    names: tuple[str, ...]
    troubles: frozenset[Trouble]


@attrs.frozen
class _Waiting:
    file: IO[bytes]
    name: str
    depth: int


def extension_of(name: str) -> str:
    """
    The extension of a file's name in lower case, C{""} without one. What Windows drops
    at the end of a name does not hide it.
    """
    found = _EXTENSION.search(name.rstrip(_IGNORED_AT_END))
    return found[1].lower() if found else ""


def look_into(
    file: IO[bytes],
    name: str,
    budget: Budget,
    extensions: frozenset[str],
    max_depth: int,
) -> Findings:
    """
    Find the files in an archive; in a thread, since it takes its time.

    @param file: its content; closed at the end.
    @param name: what it is called.
    @param extensions: of archives, in lower case.
    @param max_depth: archives within each other that are opened, the first counted.
    """
    search = _Search(budget, extensions, max_depth, [_Waiting(file, name, 1)])
    try:
        while search.waiting:
            search.take(search.waiting.pop())
    finally:
        for archive in search.waiting:
            archive.file.close()
    return Findings(tuple(search.names), frozenset(search.troubles))


@attrs.define(eq=False)
class _Search:
    budget: Budget
    extensions: frozenset[str]
    max_depth: int
    waiting: list[_Waiting]
    names: list[str] = attrs.field(factory=list)
    troubles: set[Trouble] = attrs.field(factory=set)

    def take(self, archive: _Waiting) -> None:
        """Look into one archive; whatever is wrong with it, others follow."""
        with archive.file as file:
            try:
                file.seek(0)
                for entry in _opener(file, archive.name)(
                    file, archive.name, self.budget
                ):
                    self._note(archive, entry)
            except ArchiveError as error:
                self.troubles.add(error.trouble)
            except BROKEN:
                self.troubles.add(Trouble.UNREADABLE)

    def _note(self, archive: _Waiting, entry: Entry) -> None:
        self.budget.count_entry()
        path = clean(f"{archive.name}/{entry.name}")[-MAX_NAME_CHARACTERS:]
        self.names.append(path)
        if extension_of(entry.name) not in self.extensions:
            return
        if archive.depth >= self.max_depth:
            self.troubles.add(Trouble.DEPTH)
        elif entry.open is None:
            self.troubles.add(Trouble.UNREADABLE)
        else:
            content = unpacked(entry.open(), self.budget)
            self.waiting.append(_Waiting(content, path, archive.depth + 1))


def _opener(file: IO[bytes], name: str) -> Opener:
    """What reads this archive: what it begins with counts for more than its name."""
    start = file.read(512)
    file.seek(0)
    for magic, opener in _MAGIC:
        if start.startswith(magic):
            return opener
    if start[257:262] == b"ustar":
        return open_tar
    return _BY_EXTENSION.get(extension_of(name), open_with_tool)
