"""Changes of the configuration, noticed."""

import sys
from pathlib import Path

from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock

from harakatw.config import watch
from harakatw.config.watch import MAX_SETTLES, POLL_SECONDS, ConfigWatcher, snapshot
from tests.config.folders import ConfigTestCase


class WatchTests(ConfigTestCase):
    """
    What is told of a change, and when.

    @ivar told: the names of each call, in order.
    """

    told: list[list[str]]

    def setUp(self) -> None:
        """Watch a folder with two files."""
        super().setUp()
        self.told = []
        self.clock = Clock()
        self.write("smtp.ini", "nodes=0\n")
        self.write("tls/key.pem", "k\n")
        self.watcher = ConfigWatcher(self.clock, self.directory, self._changed)
        self.watcher.start()
        self.addCleanup(self.watcher.stop)

    def _changed(self, names: frozenset[str]) -> None:
        self.told.append(sorted(names))

    def test_changed(self) -> None:
        """A changed file is told once it is quiet for a second."""
        self.write("smtp.ini", "nodes=12\n")
        self.watcher.hint()
        self.clock.advance(0.9)
        self.assertEqual(self.told, [])
        self.clock.advance(0.1)
        self.assertEqual(self.told, [["smtp.ini"]])

    def test_came_and_went(self) -> None:
        """Files that come and go are told, those of folders with their folder."""
        self.write("tls/cert.pem", "c\n")
        (self.directory / "smtp.ini").unlink()
        self.watcher.hint()
        self.clock.advance(1)
        self.assertEqual(self.told, [["smtp.ini", "tls/cert.pem"]])

    def test_renamed_over(self) -> None:
        """An editor that writes another file and renames it changes one name only."""
        self.write("smtp.ini.tmp", "nodes=0\n")
        (self.directory / "smtp.ini.tmp").rename(self.directory / "smtp.ini")
        self.watcher.hint()
        self.clock.advance(1)
        self.assertEqual(self.told, [["smtp.ini"]])

    def test_turned_link(self) -> None:
        """A link that is turned to another folder changes what is seen through it."""
        self.write("one/x", "1", self.directory.parent)
        self.write("two/x", "2", self.directory.parent)
        link = self.directory / "data"
        link.symlink_to("../one")
        (self.directory / "x").symlink_to("data/x")
        self.watcher.hint()
        self.clock.advance(1)
        self.told.clear()
        link.unlink()
        link.symlink_to("../two")
        self.watcher.hint()
        self.clock.advance(1)
        self.assertEqual(self.told, [["data/x", "x"]])

    def test_nothing_changed(self) -> None:
        """A file that came and went within the second is not worth a word."""
        self.write("x", "")
        self.watcher.hint()
        (self.directory / "x").unlink()
        self.watcher.hint()
        self.clock.advance(1)
        self.assertEqual(self.told, [])

    def test_burst(self) -> None:
        """While files keep changing nothing is told, but not for ever."""
        for _ in range(MAX_SETTLES * 2 - 1):
            self.write("smtp.ini", "nodes=12\n")
            self.watcher.hint()
            self.clock.advance(0.5)
        self.assertEqual(self.told, [])
        self.watcher.hint()
        self.clock.advance(0.5)
        self.assertEqual(self.told, [["smtp.ini"]])

    def test_failed_reload(self) -> None:
        """What goes wrong with a reload is logged, and the next change is told."""
        self.watcher.changed = lambda names: 1 / 0  # type: ignore[assignment]
        self.write("smtp.ini", "nodes=12\n")
        self.watcher.hint()
        self.clock.advance(1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.watcher.changed = self._changed
        self.write("smtp.ini", "nodes=123\n")
        self.watcher.hint()
        self.clock.advance(1)
        self.assertEqual(self.told, [["smtp.ini"]])

    def test_poll(self) -> None:
        """Without hints of the kernel the files are looked at every minute."""
        self.write("smtp.ini", "nodes=12\n")
        self.clock.advance(POLL_SECONDS)
        self.assertEqual(self.told, [["smtp.ini"]])
        self.write("smtp.ini", "nodes=1\n")
        self.clock.advance(POLL_SECONDS)
        self.assertEqual(len(self.told), 2)

    def test_no_directory(self) -> None:
        """A directory that comes later is noticed."""
        folder = self.directory / "later"
        watcher = ConfigWatcher(self.clock, folder, self._changed)
        self.addCleanup(watcher.stop)
        watcher.start()
        self.write("me", "x", folder)
        self.clock.advance(POLL_SECONDS)
        self.assertIn(["me"], self.told)

    def test_stop(self) -> None:
        """A stopped watcher leaves nothing behind, whatever it was about to do."""
        self.watcher.hint()
        self.assertEqual(len(self.clock.getDelayedCalls()), 2)
        self.watcher.stop()
        self.watcher.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_links_in_a_circle(self) -> None:
        """A link to the folder that it is in is not followed for ever."""
        (self.directory / "tls" / "again").symlink_to("..")
        self.assertEqual(set(snapshot(self.directory)), {"smtp.ini", "tls/key.pem"})
        self.assertEqual(snapshot(Path("none")), {})


class HintTests(ConfigTestCase):
    """The kernel's hints, where there are any."""

    def _watcher(self, reactor: MemoryReactorClock) -> ConfigWatcher:
        watcher = ConfigWatcher(reactor, self.directory, lambda names: None)
        self.addCleanup(watcher.stop)
        return watcher

    def test_reader(self) -> None:
        """A watcher waits for the kernel alone, and stops at once."""
        if sys.platform != "linux":
            self.skipTest("no inotify")
        reactor = MemoryReactorClock()
        watcher = self._watcher(reactor)
        watcher.start()
        self.assertEqual(len(reactor.getReaders()), 1)
        self.assertEqual(reactor.getDelayedCalls(), [])
        watcher.stop()
        self.assertEqual(reactor.getReaders(), [])
        self.assertEqual(reactor.getDelayedCalls(), [])

    def test_without_inotify(self) -> None:
        """A system without inotify is looked at from time to time."""
        self.patch(watch, "kernel", None)
        reactor = MemoryReactorClock()
        self._watcher(reactor).start()
        self.assertEqual(reactor.getReaders(), [])
        (poll,) = reactor.getDelayedCalls()
        self.assertEqual(poll.getTime(), POLL_SECONDS)
