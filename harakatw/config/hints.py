"""
The kernel's hints that something happened in a folder. Linux only: the import fails
elsewhere.
"""

from collections.abc import Callable, Iterable

from twisted.internet import inotify
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from twisted.python.filepath import FilePath

EVENTS = (
    inotify.IN_CLOSE_WRITE
    | inotify.IN_MODIFY
    | inotify.IN_ATTRIB
    | inotify.IN_CREATE
    | inotify.IN_DELETE
    | inotify.IN_MOVED
)
_OF_FOLDERS = inotify.IN_ISDIR | inotify.IN_DELETE_SELF | inotify.IN_MOVE_SELF


class Hints(inotify.INotify):
    """Watches folders for as long as it is not closed by L{close_hints}."""

    def loseConnection(self) -> None:
        """
        Stay: Twisted (as of 26.10) calls this as soon as one watched folder is deleted,
        and the others still matter.
        """


def open_hints(
    reactor: IReactorTime, folders: Iterable[str], hinted: Callable[[bool], None]
) -> inotify.INotify | None:
    """
    Watch some folders, not what is below them.

    @param reactor: one that can also wait for file descriptors.
    @param hinted: called for every event, with whether it concerns a folder itself.
    @return: L{None} if the kernel has no more instances or watches for this user, or a
        folder is gone again.
    """

    def event(watch: object, path: object, mask: int) -> None:
        hinted(bool(mask & _OF_FOLDERS))

    try:
        hints: inotify.INotify = Hints(reactor)  # type: ignore[no-untyped-call]
    except (inotify.INotifyError, OSError):
        return None
    try:
        for folder in folders:
            hints.watch(FilePath(folder), EVENTS, callbacks=[event])
    except inotify.INotifyError:
        close_hints(hints)
        return None
    hints.startReading()
    return hints


def close_hints(hints: inotify.INotify) -> None:
    """End now, not in a later turn of the reactor."""
    if hints.connected:
        hints.connectionLost(Failure(ConnectionDone()))
