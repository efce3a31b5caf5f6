"""What C{attachment} finds in archives, and what that may cost (row PN04)."""

import gzip
import io
import lzma
import time
import tracemalloc
import zipfile
from shutil import which

from twisted.trial.unittest import SynchronousTestCase

from harakatw.plugins._archive_budget import Budget, Trouble
from harakatw.plugins._archives import Findings, extension_of, look_into
from tests.plugins.archives import (
    COMPRESSED,
    NO_TOOL,
    locked,
    rar,
    tarred,
    with_tool,
    zipped,
)
from tests.properties import given, st

EXTENSIONS = frozenset(
    ("zip", "tar", "tgz", "taz", "z", "gz", "bz2", "xz", "lzma", "rar", "7z")
)
MEBIOCTET = 1024 * 1024


def look(
    octets: bytes,
    name: str = "a.zip",
    *,
    files: int = 1000,
    most: int = 4 * MEBIOCTET,
    seconds: float = 20,
    depth: int = 5,
    tool: str | None = None,
) -> Findings:
    """Look into an archive."""
    path = (which("bsdtar") or "") if tool is None else tool
    budget = Budget(files, most, time.monotonic() + seconds, path)
    return look_into(io.BytesIO(octets), name, budget, EXTENSIONS, depth)


class NameTests(SynchronousTestCase):
    """What counts as a file's extension."""

    def test_extensions(self) -> None:
        """The last one, in lower case; what Windows drops does not hide it."""
        for name, expected in (
            ("a.exe", "exe"),
            ("a.TXT.Exe", "exe"),
            ("a.exe. . ", "exe"),
            ("a.exe\0", "exe"),
            ("dir.exe/a", ""),
            ("dir\\.exe", "exe"),
            ("a.", ""),
            ("", ""),
            (".", ""),
            ("a.b c", ""),
            ('a.exe"', "exe"),
        ):
            self.assertEqual(extension_of(name), expected, repr(name))


class FormatTests(SynchronousTestCase):
    """Each format, alone and with others in it."""

    def assert_names(self, found: Findings, *names: str) -> None:
        """These files were found, and no trouble."""
        self.assertEqual((found.names, found.troubles), (names, frozenset()))

    def test_zip(self) -> None:
        """Zip, stored and deflated."""
        for method in zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED:
            octets = zipped("b.txt", "d/c.exe", method=method)
            self.assert_names(look(octets), "a.zip/b.txt", "a.zip/d/c.exe")

    def test_zip_behind_other_content(self) -> None:
        """A zip archive that unpacks itself has a program in front."""
        octets = b"MZ" + b"\0" * 1000 + zipped("c.exe")
        self.assert_names(look(octets), "a.zip/c.exe")

    def test_tar(self) -> None:
        """Tar, plain and compressed in each way."""
        plain = tarred("b.txt", "c.exe")
        self.assert_names(look(plain, "a.tar"), "a.tar/b.txt", "a.tar/c.exe")
        for extension, compress in COMPRESSED:
            name = f"a.tar.{extension}"
            expected = (f"{name}/b.txt", f"{name}/c.exe")
            self.assert_names(look(compress(plain), name), *expected)
        self.assert_names(look(gzip.compress(tarred("c")), "a.tgz"), "a.tgz/c")

    def test_compressed(self) -> None:
        """A compressed file has the name of the whole, without the last extension."""
        for extension, compress in COMPRESSED:
            name = f"b.exe.{extension}"
            self.assert_names(look(compress(b"MZ"), name), f"{name}/b.exe")

    def test_nested(self) -> None:
        """Archives in archives, of whatever formats."""
        inner = gzip.compress(tarred("d.exe"))
        octets = zipped("b.zip", content=zipped("c.tgz", content=inner))
        expected = ("a.zip/b.zip", "a.zip/b.zip/c.tgz", "a.zip/b.zip/c.tgz/d.exe")
        self.assert_names(look(octets), *expected)

    def test_wrong_name(self) -> None:
        """What an archive is shows in its octets; its name may lie."""
        self.assert_names(look(zipped("c.exe"), "a.rar"), "a.rar/c.exe")
        self.assert_names(look(tarred("c.exe"), "a.zip"), "a.zip/c.exe")
        self.assert_names(look(gzip.compress(b"x"), "a.exe.zip"), "a.exe.zip/a.exe")

    def test_7z(self) -> None:
        """7z, and what is in it."""
        octets = with_tool("7zip", "b.zip", "c.exe", content=zipped("d.exe"))
        found = look(octets, "a.7z")
        self.assertEqual(found.troubles, frozenset())
        names = {"a.7z/b.zip", "a.7z/c.exe", "a.7z/b.zip/d.exe"}
        self.assertEqual(set(found.names), names)

    def test_rar(self) -> None:
        """Rar, and what is in it."""
        found = look(rar("b.zip", zipped("d.exe")), "a.rar")
        self.assert_names(found, "a.rar/b.zip", "a.rar/b.zip/d.exe")

    def test_locked_rar(self) -> None:
        """A rar archive with a password is found to be encrypted."""
        found = look(rar("b.exe", is_locked=True), "a.rar")
        self.assertIn(Trouble.ENCRYPTED, found.troubles)

    if NO_TOOL:
        test_7z.skip = NO_TOOL  # type: ignore[attr-defined]
        test_rar.skip = NO_TOOL  # type: ignore[attr-defined]
        test_locked_rar.skip = NO_TOOL  # type: ignore[attr-defined]

    def test_no_tool(self) -> None:
        """Without bsdtar, what needs it cannot be read."""
        found = look(rar("b.exe"), "a.rar", tool="")
        self.assertEqual(found, Findings((), frozenset((Trouble.UNREADABLE,))))


class TroubleTests(SynchronousTestCase):
    """Archives that cannot be looked into, or should not be."""

    def test_encrypted(self) -> None:
        """Names in an encrypted zip archive are read; that it is encrypted, told."""
        found = look(locked("b.exe", "c.zip"))
        self.assertEqual(found.names, ("a.zip/b.exe", "a.zip/c.zip"))
        self.assertIn(Trouble.ENCRYPTED, found.troubles)

    def test_depth(self) -> None:
        """Archives deeper than allowed are not opened, and that is told."""
        octets = zipped("x.exe")
        for _ in range(5):
            octets = zipped("b.zip", content=octets)
        self.assertEqual(look(octets, depth=6).troubles, frozenset())
        found = look(octets, depth=5)
        self.assertEqual(found.troubles, frozenset((Trouble.DEPTH,)))
        self.assertEqual(len(found.names), 5)

    def test_quine(self) -> None:
        """An archive that holds one like itself, without end, comes to an end."""
        octets = b"x"
        for _ in range(300):
            octets = zipped("b.zip", content=octets)
        self.assertIn(Trouble.DEPTH, look(octets).troubles)

    def test_bombs(self) -> None:
        """
        What unpacks to more than allowed is given up, in little memory, whatever
        packed it.
        """
        zeros = bytes(64 * MEBIOCTET)
        bombs = [(f"b.{name}", pack(zeros)) for name, pack in COMPRESSED]
        bombs.append(("a.zip", zipped("b.zip", content=zeros)))
        bombs.append(("a.tar", tarred("b.zip", content=zeros)))
        del zeros
        for name, octets in bombs:
            tracemalloc.start()
            found = look(octets, name)
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            self.assertEqual(found.troubles, frozenset((Trouble.TOO_BIG,)), name)
            self.assertLess(most, 16 * MEBIOCTET, name)

    def test_tool_bomb(self) -> None:
        """Likewise with the tool's help."""
        octets = with_tool("7zip", "b.txt", content=bytes(32 * MEBIOCTET))
        self.assertIn(Trouble.TOO_BIG, look(octets, "a.7z").troubles)

    if NO_TOOL:
        test_tool_bomb.skip = NO_TOOL  # type: ignore[attr-defined]

    def test_many_files(self) -> None:
        """More files than allowed are not counted to the end."""
        names = [str(number) for number in range(200)]
        for octets, name in (zipped(*names), "a.zip"), (tarred(*names), "a.tar"):
            self.assertEqual(look(octets, name, files=200).troubles, frozenset())
            found = look(octets, name, files=100)
            self.assertEqual(found.troubles, frozenset((Trouble.TOO_BIG,)))
            self.assertLessEqual(len(found.names), 100)

    def test_time(self) -> None:
        """When the time is over, so is the search."""
        found = look(zipped("b.zip", content=zipped("c")), seconds=-1)
        self.assertEqual(found.troubles, frozenset((Trouble.TOO_SLOW,)))

    def test_memory_of_xz(self) -> None:
        """A file that asks for a gigabyte of memory to be unpacked is not read."""
        octets = bytearray(lzma.compress(b"x", lzma.FORMAT_ALONE))
        self.assertEqual(look(bytes(octets), "b.lzma").troubles, frozenset())
        octets[1:5] = (1 << 30).to_bytes(4, "little")  # the size of its dictionary
        found = look(bytes(octets), "b.lzma")
        self.assertIn(Trouble.UNREADABLE, found.troubles)

    def test_broken(self) -> None:
        """A damaged archive is told to be one; what could be read counts."""
        for octets, name in (
            (b"", "a.zip"),
            (b"PK\x03\x04 and no more", "a.zip"),
            (zipped("b", "c")[:-10], "a.zip"),
            (gzip.compress(tarred("c.exe"))[:-20], "a.tgz"),
            (lzma.compress(b"x")[:-5], "a.xz"),
            (zipped("b.zip", content=b"no archive"), "a.zip"),
            (b"7z\xbc\xaf\x27\x1c garbage", "a.7z"),
            (b"\0" * 2000, "a.rar"),
        ):
            found = look(octets, name)
            self.assertIn(Trouble.UNREADABLE, found.troubles, (octets[:9], name))

    def test_something_behind(self) -> None:
        """Garbage behind compressed data hides nothing of it."""
        found = look(gzip.compress(tarred("c.exe")) + b"garbage", "a.tgz")
        self.assertEqual(found.names, ("a.tgz/c.exe",))

    def test_method(self) -> None:
        """Of what Python cannot unpack within limits, the names are read."""
        octets = zipped("b.exe", "c.zip", method=zipfile.ZIP_BZIP2)
        found = look(octets)
        self.assertEqual(found.names, ("a.zip/b.exe", "a.zip/c.zip"))
        self.assertEqual(found.troubles, frozenset((Trouble.UNREADABLE,)))

    def test_odd_names(self) -> None:
        """Control characters do not get into logs; long names are cut in front."""
        found = look(zipped("b\r\nc.exe", "x" * 5000 + ".exe"))
        self.assertEqual(found.names[0], "a.zip/b\ufffd\ufffdc.exe")
        self.assertEqual(len(found.names[1]), 1000)
        self.assertEqual(extension_of(found.names[1]), "exe")

    @given(st.sampled_from(("zip", "tar", "tgz", "xz")), st.data())
    def test_any_damage(self, kind: str, data: st.DataObject) -> None:
        """Whatever is wrong with an archive, it is no failure of ours."""
        octets = bytearray(
            {
                "zip": zipped("b.zip", "c", content=zipped("d")),
                "tar": tarred("b.zip", "c", content=zipped("d")),
                "tgz": gzip.compress(tarred("b", "c")),
                "xz": lzma.compress(b"x" * 100),
            }[kind]
        )
        for _ in range(data.draw(st.integers(1, 6))):
            at = data.draw(st.integers(0, len(octets) - 1))
            octets[at] = data.draw(st.integers(0, 255))
        end = data.draw(st.integers(len(octets) // 2, len(octets)))
        look(bytes(octets[:end]), f"a.{kind}", tool="")
