"""What plugins of a test are given: a server in a folder of its own, a faulty disk."""

import os
from pathlib import Path

import attrs
from twisted.python.monkey import MonkeyPatcher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from harakatw.interfaces.services import IServer
from harakatw.notes import Notes

STRANGER = "9.9.9.9"
"""An address that is neither private nor set aside for documentation."""


@implementer(IServer)
@attrs.define(eq=False)
class FakeServer:
    """A server as plugins know it."""

    name: str
    directory: str
    notes: Notes = attrs.field(factory=Notes)


class FolderTestCase(SynchronousTestCase):
    """
    A test of a plugin that writes files.

    @ivar folder: the instance directory.
    @ivar server: what the plugin is told of the server.
    """

    folder: Path
    server: FakeServer

    def setUp(self) -> None:
        """Make an empty instance directory."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.server = FakeServer("mail.example", str(self.folder))

    def files(self) -> dict[str, bytes]:
        """All files in the instance directory, by their paths in it."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }

    def break_disk(
        self, number: int, function: str = "fsync", *, after: int = 0
    ) -> MonkeyPatcher:
        """
        Make a function of C{os} fail.

        @param number: of the error, as in C{errno}.
        @param after: calls that still succeed.
        @return: mends it by C{restore()}; the end of the test does so anyway.
        """
        real = getattr(os, function)
        left = [after]

        def failing(*args: object, **kwargs: object) -> object:
            if left[0] > 0:
                left[0] -= 1
                return real(*args, **kwargs)
            raise OSError(number, os.strerror(number))

        broken: MonkeyPatcher = self.patch(os, function, failing)
        return broken
