"""Archives to look into, good and bad."""

import bz2
import gzip
import io
import lzma
import subprocess
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path
from shutil import which

NO_TOOL = "" if which("bsdtar") else "bsdtar is not installed"
"""Why 7z and rar cannot be tested here, or C{""}."""


def zipped(*names: str, content: bytes = b"x", method: int = 8) -> bytes:
    """A zip archive of files with these names."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name in names:
            archive.writestr(name, content)
    return out.getvalue()


def locked(*names: str) -> bytes:
    """The same, said to be encrypted."""
    octets = bytearray(zipped(*names, method=0))
    for mark, offset in (b"PK\x03\x04", 6), (b"PK\x01\x02", 8):
        at = octets.find(mark)
        while at >= 0:
            octets[at + offset] |= 1
            at = octets.find(mark, at + 1)
    return bytes(octets)


def tarred(*names: str, content: bytes = b"x") -> bytes:
    """A tar archive of files with these names."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def with_tool(kind: str, *names: str, content: bytes = b"x") -> bytes:
    """An archive of any kind that C{bsdtar} writes."""
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            Path(folder, name).write_bytes(content)
        done = subprocess.run(
            ["bsdtar", "-cf", "-", f"--format={kind}", *names],
            cwd=folder,
            capture_output=True,
            check=True,
            timeout=20,
        )
        return done.stdout


def rar(name: str, content: bytes = b"x", *, is_locked: bool = False) -> bytes:
    """A rar archive of version 4 with one file that is stored."""

    def block(kind: int, flags: int, rest: bytes, added: bytes = b"") -> bytes:
        head = bytes((kind,)) + flags.to_bytes(2, "little")
        head += (len(rest) + 7).to_bytes(2, "little") + rest
        return (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little") + head + added

    raw = name.encode()
    size = len(content).to_bytes(4, "little")
    about = b"".join(
        (
            size,
            size,
            b"\x03",  # made on Unix
            zlib.crc32(content).to_bytes(4, "little"),
            bytes(4),
            b"\x14\x30",  # version 2.0, stored
            len(raw).to_bytes(2, "little"),
            (0o100644).to_bytes(4, "little"),
            raw,
        )
    )
    return b"".join(
        (
            b"Rar!\x1a\x07\x00",
            block(0x73, 0, bytes(6)),
            block(0x74, 0x8000 | (4 if is_locked else 0), about, content),
            block(0x7B, 0x4000, b""),
        )
    )


COMPRESSED = (
    ("gz", gzip.compress),
    ("bz2", bz2.compress),
    ("xz", lzma.compress),
    ("lzma", lambda octets: lzma.compress(octets, lzma.FORMAT_ALONE)),
)
"""Extensions, and what makes a file of each."""
