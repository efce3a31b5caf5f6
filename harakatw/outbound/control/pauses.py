"""
What a postmaster has paused, kept on disk beside the queue.

@see: survey section 4 row 7; L{Scheduler.pause
    <harakatw.outbound.scheduler.core.Scheduler.pause>}
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import attrs

from harakatw.errors import StoreError
from harakatw.outbound.control.requests import EVERYTHING
from harakatw.outbound.scheduler.core import Target
from harakatw.outbound.store.disk import Disk

PAUSES: Final = "paused.json"
"""The name of the file, in the directory of the queue."""

MAX_PAUSES: Final = 1000
"""Sites and senders together; each is looked at for each item."""


@attrs.define(eq=False)
class PauseBook:
    """
    Sites and senders whose mail waits until somebody resumes it.

    @ivar directory: of the queue; L{None} to keep them in memory only.
    @ivar targets: what is paused.
    """

    directory: Path | None = None
    targets: frozenset[Target] = frozenset()
    _disk: Disk = attrs.field(factory=Disk, kw_only=True)

    def read(self) -> None:
        """
        Read what is on disk. Blocks.

        @raise StoreError: it cannot be read or understood. Then everything is paused,
            since what must not go out would otherwise do so.
        """
        if self.directory is None:
            return
        path = self.directory / PAUSES
        self.targets = frozenset((EVERYTHING,))
        try:
            found = _targets(json.loads(path.read_bytes()))
        except FileNotFoundError:
            found = ()
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            hint = "all mail is paused; haraka queue resume --all ends that"
            raise StoreError(f"{path} cannot be read ({error}): {hint}") from error
        self.targets = frozenset(found)

    def add(self, target: Target) -> bool:
        """
        Pause something. Blocks, until that is on disk.

        @return: false if it was paused already.
        @raise StoreError: the disk does not take it, or there are too many; nothing is
            changed then.
        """
        if target in self.targets:
            return False
        if len(self.targets) >= MAX_PAUSES:
            raise StoreError(f"more than {MAX_PAUSES} sites and senders are paused")
        self._write(self.targets | {target})
        return True

    def remove(self, target: Target) -> bool:
        """End a pause; otherwise as L{add}. False if it was not paused."""
        if target not in self.targets:
            return False
        self._write(self.targets - {target})
        return True

    def _write(self, targets: frozenset[Target]) -> None:
        if self.directory is not None:
            path = str(self.directory / PAUSES)
            try:
                self._write_file(path, json.dumps(_plain(targets)).encode("ascii"))
            except OSError as error:
                why = error.strerror or str(error)
                raise StoreError(f"{path} cannot be written: {why}") from error
        self.targets = targets

    def _write_file(self, path: str, octets: bytes) -> None:
        """Whoever reads it finds the old one or the new one, whole."""
        self._disk.remove(f"{path}.new")
        self._disk.write_new(f"{path}.new", (octets,))
        self._disk.rename(f"{path}.new", path)
        self._disk.sync_folder(os.path.dirname(path))


def paused_object(targets: Iterable[Target]) -> dict[str, Any]:
    """What is paused, for people and programs."""
    return _plain(frozenset(targets))


def _plain(targets: frozenset[Target]) -> dict[str, Any]:
    return {
        "all": EVERYTHING in targets,
        "sites": sorted(each.site for each in targets if each.site),
        "senders": sorted(each.sender for each in targets if each.sender),
    }


def _targets(written: Any) -> tuple[Target, ...]:
    """
    @raise ValueError: or what else comes of a file that is not what we wrote.
    """
    sites, senders = written["sites"], written["senders"]
    if not all(isinstance(each, str) and each for each in (*sites, *senders)):
        raise ValueError("sites and senders must be texts")
    return (
        *((EVERYTHING,) if written["all"] is True else ()),
        *(Target(site=each) for each in sites),
        *(Target(sender=each) for each in senders),
    )
