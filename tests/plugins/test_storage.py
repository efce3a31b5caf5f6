"""Files of mail that are whole, or not there."""

import errno
import os
import stat
from collections.abc import Iterator

from harakatw.errors import StoreError
from harakatw.plugins._storage import (
    MAX_NAME_OCTETS,
    NO_ROOM,
    NOT_STORED,
    make_folder,
    refusal,
    remove_all,
    safe_name,
    write_new,
)
from tests.plugins.servers import FolderTestCase
from tests.properties import given, st


class SafeNameTests(FolderTestCase):
    """Names of files made of what strangers say (survey row 29)."""

    def test_plain(self) -> None:
        """Usual names stay as they are, so that a postmaster finds them."""
        for name in "bob", "b.o-b+x", "here.example", "D2C0FA00.1":
            self.assertEqual(safe_name(name), name)

    def test_hostile(self) -> None:
        """No name leads elsewhere, hides, or ends early."""
        for text, name in (
            ("..", "%2E."),
            (".", "%2E"),
            (".ssh", "%2Essh"),
            ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"),
            ("/", "%2F"),
            ("", "%"),
            ("a\0b", "a%00b"),
            ("a%2Fb", "a%252Fb"),
            ("[ipv6:::1]", "%5Bipv6%3A%3A%3A1%5D"),
            ("\u00e9", "%C3%A9"),
            ("\ud800", "%ED%A0%80"),
        ):
            self.assertEqual(safe_name(text), name)

    def test_long(self) -> None:
        """A name that no file system takes is cut, and is still a name of its own."""
        first, second = safe_name("/" * 300), safe_name("/" * 301)
        self.assertNotEqual(first, second)
        self.assertEqual(len(first), MAX_NAME_OCTETS)

    @given(st.lists(st.text(max_size=60), min_size=2, max_size=2, unique=True))
    def test_any(self, texts: list[str]) -> None:
        """Whatever the text: one component, not hidden, and nobody else's."""
        first, second = map(safe_name, texts)
        self.assertRegex(first, r"\A[A-Za-z0-9_~%=+@,-][A-Za-z0-9_.~%=+@,-]*\Z")
        self.assertLessEqual(len(first), MAX_NAME_OCTETS)
        self.assertNotEqual(first, second)


class WriteTests(FolderTestCase):
    """A file is there as a whole, or not at all."""

    def test_whole(self) -> None:
        """What was written is there, for its owner only, and is counted."""
        path = self.folder / "f"
        self.assertEqual(write_new(str(path), [b"ab", b"", b"c"]), 3)
        self.assertEqual(path.read_bytes(), b"abc")
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)

    def test_mode(self) -> None:
        """The mode asked for is the mode had, also where the umask is stricter."""
        before = os.umask(0o077)
        self.addCleanup(os.umask, before)
        path = self.folder / "f"
        write_new(str(path), [], 0o640)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o640)

    def test_taken(self) -> None:
        """A file or link that is there already is left alone."""
        (self.folder / "f").symlink_to(self.folder / "elsewhere")
        with self.assertRaises(FileExistsError):
            write_new(str(self.folder / "f"), [b"x"])
        self.assertFalse((self.folder / "elsewhere").exists())
        self.assertTrue((self.folder / "f").is_symlink())

    def test_disk_fault(self) -> None:
        """A disk that cannot keep the octets keeps no part of them."""
        self.break_disk(errno.EIO)
        with self.assertRaises(OSError):
            write_new(str(self.folder / "f"), [b"x"])
        self.assertEqual(self.files(), {})

    def test_source_fault(self) -> None:
        """A message that ends amid leaves nothing."""

        def chunks() -> Iterator[bytes]:
            yield b"x"
            raise StoreError("the message is gone")

        with self.assertRaises(StoreError):
            write_new(str(self.folder / "f"), chunks())
        self.assertEqual(self.files(), {})

    def test_remove(self) -> None:
        """What is gone already is no problem when leftovers are removed."""
        (self.folder / "f").touch()
        remove_all([str(self.folder / "gone"), str(self.folder / "f")])
        self.assertEqual(self.files(), {})


class FolderTests(FolderTestCase):
    """Folders are made when they are needed."""

    def test_all_levels(self) -> None:
        """All that is missing is made, for the same readers."""
        make_folder(str(self.folder / "a/b/c"), 0o750)
        for path in "a", "a/b", "a/b/c":
            mode = (self.folder / path).stat().st_mode
            self.assertEqual(stat.S_IMODE(mode), 0o750)

    def test_there(self) -> None:
        """A folder that is there keeps its mode."""
        (self.folder / "a").mkdir(0o755)
        before = (self.folder / "a").stat().st_mode
        make_folder(str(self.folder / "a"), 0o700)
        self.assertEqual((self.folder / "a").stat().st_mode, before)

    def test_synced(self) -> None:
        """
        Each level above is on disk before the next is made, from the one that another
        thread may just have made.
        """
        (self.folder / "a").mkdir()
        synced: list[str] = []
        real = os.open

        def noting(path: str, flags: int, *more: int) -> int:
            synced.append(os.path.relpath(path, self.folder))
            return real(path, flags, *more)

        self.patch(os, "open", noting)
        make_folder(str(self.folder / "a/b/c"))
        self.assertEqual(synced, [".", "a", "a/b"])

    def test_parent_not_readable(self) -> None:
        """A folder may stand in one that we cannot read, as in /home."""
        (self.folder / "a").mkdir()
        self.break_disk(errno.EACCES, "open")
        make_folder(str(self.folder / "a"))

    def test_file_in_the_way(self) -> None:
        """A file where a folder should be is an error, not an endless search."""
        (self.folder / "a").touch()
        with self.assertRaises(OSError):
            make_folder(str(self.folder / "a/b"))


class RefusalTests(FolderTestCase):
    """What a client is told; never more than that it should come again."""

    def test_disk(self) -> None:
        """A full or broken disk is 452 4.3.1."""
        for number in errno.ENOSPC, errno.EDQUOT, errno.EIO:
            self.assertIs(refusal(OSError(number, "x")), NO_ROOM)
        self.assertEqual((NO_ROOM.code, NO_ROOM.enhanced), (452, "4.3.1"))

    def test_other(self) -> None:
        """Anything else is 451."""
        for problem in PermissionError(errno.EACCES, "x"), StoreError("x"):
            self.assertIs(refusal(problem), NOT_STORED)
        self.assertEqual((NOT_STORED.code, NOT_STORED.enhanced), (451, "4.3.0"))
