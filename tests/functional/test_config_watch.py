"""Changes of files, as the kernel tells them."""

import shutil
import sys
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.trial.unittest import TestCase

from harakatw.config.watch import ConfigWatcher


class InotifyTests(TestCase):
    """A postmaster's changes take effect without a restart."""

    timeout = 20
    if sys.platform != "linux":
        skip = "no inotify on this system"

    def setUp(self) -> None:
        """Watch a folder."""
        self.directory = Path(self.mktemp())
        (self.directory / "tls").mkdir(parents=True)
        (self.directory / "smtp.ini").write_text("nodes=0\n")
        self.changes: Deferred[frozenset[str]] = Deferred()
        self.watcher = ConfigWatcher(
            IReactorTime(reactor), self.directory, self._changed, settle_seconds=0.05
        )
        self.watcher.start()
        self.addCleanup(self.watcher.stop)

    def _changed(self, names: frozenset[str]) -> None:
        told, self.changes = self.changes, Deferred()
        told.callback(names)

    async def test_edit(self) -> None:
        """A file that is written in place is told."""
        changes = self.changes
        (self.directory / "smtp.ini").write_text("nodes=12\n")
        self.assertEqual(await changes, {"smtp.ini"})

    async def test_rename(self) -> None:
        """A file that is written elsewhere and renamed is told."""
        changes = self.changes
        (self.directory / ".smtp.ini.swp").write_text("nodes=0\n")
        (self.directory / ".smtp.ini.swp").rename(self.directory / "smtp.ini")
        self.assertEqual(await changes, {"smtp.ini"})

    async def test_folders(self) -> None:
        """Folders may come and go; what is in the others is told as before."""
        changes = self.changes
        (self.directory / "dkim").mkdir()
        (self.directory / "dkim" / "one").write_text("1")
        self.assertEqual(await changes, {"dkim/one"})
        changes = self.changes
        (self.directory / "dkim" / "two").write_text("2")
        self.assertEqual(await changes, {"dkim/two"})
        changes = self.changes
        shutil.rmtree(self.directory / "dkim")
        self.assertEqual(await changes, {"dkim/one", "dkim/two"})
        changes = self.changes
        (self.directory / "tls" / "key.pem").write_text("k")
        self.assertEqual(await changes, {"tls/key.pem"})
