"""What is paused, on disk."""

import stat
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from harakatw.errors import StoreError
from harakatw.outbound.control.pauses import MAX_PAUSES, PAUSES, PauseBook
from harakatw.outbound.control.requests import EVERYTHING
from harakatw.outbound.scheduler.core import Target
from harakatw.outbound.store.disk import Disk

SITE, SENDER = Target(site="mx.example"), Target(sender="<>")


class PauseBookTests(SynchronousTestCase):
    """A pause outlives the server."""

    def setUp(self) -> None:
        """There is a directory."""
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        self.path = self.directory / PAUSES

    def again(self) -> PauseBook:
        """As the next server reads it."""
        book = PauseBook(self.directory)
        book.read()
        return book

    def test_nothing(self) -> None:
        """At first nothing is paused, and there is no file."""
        self.assertEqual(self.again().targets, frozenset())

    def test_kept(self) -> None:
        """What is paused and resumed is so for the next server, too."""
        book = self.again()
        for target in (SITE, SENDER, EVERYTHING):
            self.assertTrue(book.add(target))
        self.assertFalse(book.add(SITE))
        self.assertEqual(self.again().targets, {SITE, SENDER, EVERYTHING})
        self.assertTrue(book.remove(EVERYTHING))
        self.assertFalse(book.remove(EVERYTHING))
        self.assertEqual(self.again().targets, {SITE, SENDER})
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)

    def test_crash(self) -> None:
        """What a crash has left of an earlier attempt is in nobody's way."""
        (self.directory / f"{PAUSES}.new").write_text("half of")
        self.again().add(SITE)
        self.assertEqual(self.again().targets, {SITE})
        self.assertEqual([path.name for path in self.directory.iterdir()], [PAUSES])

    def test_bad_disk(self) -> None:
        """What the disk does not take is not done, and all stays as it was."""

        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        self.again().add(SITE)
        book = PauseBook(self.directory, disk=Disk(fsync=full))
        book.read()
        self.assertRaises(StoreError, book.add, SENDER)
        self.assertRaises(StoreError, book.remove, SITE)
        self.assertEqual((book.targets, self.again().targets), ({SITE}, {SITE}))

    def test_damaged(self) -> None:
        """
        If nobody can tell what was paused, everything is until somebody resumes it:
        mail that went out cannot be called back.
        """
        for text in ("", "[", "[]", "{}", '{"all":0,"sites":[7],"senders":[]}', "1"):
            self.path.write_text(text)
            book = PauseBook(self.directory)
            error = self.assertRaises(StoreError, book.read)
            self.assertIn("haraka queue resume --all", str(error))
            self.assertEqual(book.targets, {EVERYTHING})
            self.assertTrue(book.remove(EVERYTHING))
            self.assertEqual(self.again().targets, frozenset())

    def test_many(self) -> None:
        """Each pause is looked at often: there may not be any number of them."""
        every = frozenset(Target(site=f"s{each}") for each in range(MAX_PAUSES))
        book = PauseBook(None, every)
        self.assertRaises(StoreError, book.add, SITE)
        self.assertEqual(len(book.targets), MAX_PAUSES)
