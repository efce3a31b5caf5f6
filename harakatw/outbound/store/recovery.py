"""
Puts the database and the folder of bodies in agreement after a crash.

It looks at all big messages, so it runs in a thread beside the queue's work.
"""

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import attrs

from harakatw.outbound.store.bodies import UNFINISHED_SUFFIX, Bodies
from harakatw.outbound.store.disk import Disk
from harakatw.outbound.store.reader import QueueReader

ORPHAN_SECONDS: Final = 86_400.0
"""How old a body without a message must be to be removed: a day, in case that somebody
is restoring a backup."""

UNCLAIMED: Final = "unclaimed"
"""The folder, beside that of bodies, for those whose rows a damaged database lost."""

_PAGE = 500


@attrs.frozen
class Recovered:
    """
    What was found.

    @ivar removed: files that were unfinished, or belonged to no message.
    @ivar kept: files put into L{UNCLAIMED}.
    @ivar bodiless: ids of messages whose files are missing or too short.
    """

    removed: int
    kept: int
    bodiless: tuple[int, ...]


@attrs.frozen(kw_only=True)
class Recovery:
    """
    One look at the folder of bodies. Files made since the queue was opened are left
    alone: they may be about to get a row.

    @ivar now: in seconds since 1970.
    @ivar keeps_orphans: were rows lost, so that what is in files may be all there is?
    @ivar is_over: should it stop, because the queue is being closed?
    """

    bodies: Bodies
    reader: QueueReader
    disk: Disk
    now: float
    keeps_orphans: bool
    is_over: Callable[[], bool]

    def run(self) -> Recovered:
        """
        Look at all files, then at all messages that have one.

        @raise OSError: the disk fails.
        @raise StoreError: the database cannot be read.
        """
        removed = kept = 0
        for page in _pages(self._old_names()):
            unfinished = [name for name in page if name.endswith(UNFINISHED_SUFFIX)]
            removed += sum(map(self.bodies.remove, unfinished))
            orphans = self.reader.unknown_files(set(page).difference(unfinished))
            if self.keeps_orphans:
                kept += sum(map(self._keep, orphans))
            else:
                removed += sum(map(self.bodies.remove, filter(self._is_old, orphans)))
        return Recovered(removed, kept, tuple(self._bodiless()))

    def _old_names(self) -> Iterator[str]:
        with os.scandir(self.bodies.folder) as entries:
            for entry in entries:
                if self.is_over():
                    return
                is_file = entry.is_file(follow_symlinks=False)
                if is_file and not self.bodies.is_ours(entry.name):
                    yield entry.name

    def _is_old(self, name: str) -> bool:
        try:
            changed = os.stat(self.bodies.path(name)).st_mtime
        except FileNotFoundError:
            return False
        return self.now - changed >= ORPHAN_SECONDS

    def _keep(self, name: str) -> bool:
        folder = os.path.join(os.path.dirname(self.bodies.folder), UNCLAIMED)
        self.disk.make_folder(folder)
        self.disk.rename(self.bodies.path(name), os.path.join(folder, name))
        return True

    def _bodiless(self) -> Iterator[int]:
        for name, octets, message_id in self.reader.files(_PAGE):
            if self.is_over():
                return
            if not self.bodies.is_whole(name, octets):
                yield message_id


def _pages(names: Iterable[str]) -> Iterator[list[str]]:
    names = iter(names)
    while page := list(itertools.islice(names, _PAGE)):
        yield page
