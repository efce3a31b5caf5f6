"""
Notice that files of a configuration directory changed.

The kernel's hints (inotify) only say that it is time to look: what changed is found by
comparing with how the files were before. So an editor that writes a new file and
renames it, a folder that comes or goes, a symbolic link that is turned to another
folder, and hints that were lost all end in the same right answer.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
from twisted.internet.interfaces import IDelayedCall, IReactorFDSet, IReactorTime
from twisted.logger import Logger

try:
    from harakatw.config import hints as kernel
except ImportError:  # not Linux
    kernel = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from twisted.internet.inotify import INotify

POLL_SECONDS = 60.0
"""How often the directory is looked at where there are no hints."""

MAX_SETTLES = 10
"""After this many times C{settle_seconds} a change is told though hints still come."""

Stamp = tuple[int, int, int, int]


def snapshot(directory: Path) -> dict[str, Stamp]:
    """
    How each file is now, by its name within the directory.

    @return: times of last change of content and of status in nanoseconds, size in
        octets, and inode; nothing for an absent directory. Links are followed.
    """
    return dict(_stamps(directory))


def _stamps(directory: Path) -> Iterator[tuple[str, Stamp]]:
    for folder, names in _walk(directory):
        for name in names:
            path = Path(folder, name)
            try:
                found = path.stat()
            except OSError:
                continue  # gone since, or a link that leads nowhere
            stamp = (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)
            yield path.relative_to(directory).as_posix(), stamp


def _walk(directory: Path) -> Iterator[tuple[str, list[str]]]:
    """Each folder once, with its files, also where links go in a circle."""
    seen = set()
    for folder, folders, names in os.walk(directory, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        yield folder, names


@attrs.define(eq=False)
class ConfigWatcher:
    """
    Calls C{changed} with the names of files that changed, came or went.

    @ivar changed: given names within the directory, once for changes that lie close
        together; what it raises is logged.
    @ivar settle_seconds: how long nothing must happen before it is called.
    """

    reactor: IReactorTime
    directory: Path = attrs.field(converter=Path)
    changed: Callable[[frozenset[str]], None]
    settle_seconds: float = 1.0
    _known: dict[str, Stamp] = attrs.field(factory=dict, init=False)
    _hints: "INotify | None" = attrs.field(default=None, init=False)
    _watched: frozenset[str] = attrs.field(default=frozenset(), init=False)
    _settling: IDelayedCall | None = attrs.field(default=None, init=False)
    _settle_by: float = attrs.field(default=0.0, init=False)
    _poll: IDelayedCall | None = attrs.field(default=None, init=False)
    _log = Logger()

    def start(self) -> None:
        """
        Take how the files are now as known, and watch from here on.

        To miss nothing, start before reading the files.
        """
        self._watch_folders()
        self._known = snapshot(self.directory)
        if self._hints is None:
            self._log.warn(
                "cannot watch {directory}, so it is looked at every {seconds} s",
                directory=str(self.directory),
                seconds=POLL_SECONDS,
            )

    def stop(self) -> None:
        """Forget it all; no delayed call and no reader is left."""
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None
        self._cancel_poll()
        self._drop_hints()

    def hint(self, of_folder: bool = False) -> None:
        """
        Something happened in the directory: look once it is quiet.

        Called for every hint of the kernel, which come in bursts.

        @param of_folder: did a folder come, go or move?
        """
        if of_folder:
            self._watched = frozenset()
        now = self.reactor.seconds()
        if self._settling is None:
            self._settle_by = now + MAX_SETTLES * self.settle_seconds
            self._settling = self.reactor.callLater(self.settle_seconds, self._look)
        else:
            rest = max(0.0, self._settle_by - now)
            self._settling.reset(min(self.settle_seconds, rest))

    def _look(self) -> None:
        """Find what changed since the last look, and tell."""
        self._settling = None
        self._watch_folders()  # before the look, so that nothing falls between the two
        before, self._known = self._known, snapshot(self.directory)
        names = {*before, *self._known}
        different = frozenset(
            name for name in names if before.get(name) != self._known.get(name)
        )
        if different:
            self._tell(different)

    def _tell(self, names: frozenset[str]) -> None:
        try:
            self.changed(names)
        except Exception:
            self._log.failure(
                "could not reload after a change of {names}", names=sorted(names)
            )

    def _watch_folders(self) -> None:
        """Watch every folder; if that cannot be done, look from time to time."""
        folders = frozenset(folder for folder, _ in _walk(self.directory))
        if self._hints is None or folders != self._watched:
            self._drop_hints()
            self._hints = self._open_hints(folders)
            self._watched = folders
        self._cancel_poll()
        if self._hints is None:
            self._poll = self.reactor.callLater(POLL_SECONDS, self._look)

    def _open_hints(self, folders: frozenset[str]) -> "INotify | None":
        if kernel is None or not folders or not IReactorFDSet.providedBy(self.reactor):
            return None
        return kernel.open_hints(self.reactor, folders, self.hint)

    def _cancel_poll(self) -> None:
        if self._poll is not None and self._poll.active():
            self._poll.cancel()
        self._poll = None

    def _drop_hints(self) -> None:
        if self._hints is not None:
            kernel.close_hints(self._hints)
            self._hints = None
