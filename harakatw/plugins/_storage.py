"""
Files of mail that are whole and on disk, or not there: for plugins that store messages.

All of it blocks and belongs in a thread.
"""

import errno
import hashlib
import os
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from harakatw.errors import StoreError
from harakatw.verdict import Verdict, deny_soft

MAX_NAME_OCTETS: Final = 120
"""Of one name; two and what stands between them still fit into a file's 255."""

NO_ROOM: Final = deny_soft("Insufficient system storage", code=452, enhanced="4.3.1")

NOT_STORED: Final = deny_soft(
    "The message could not be stored, try again later", code=451, enhanced="4.3.0"
)

_DISK_FAULTS = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EIO))
_DIGEST_OCTETS = 16


def safe_name(text: str) -> str:
    """
    Make a text from the network one component of a path.

    Letters and digits of ASCII and C{_ - . ~ = + @ ,} stand for themselves, but for a
    dot in front; all else is C{%} and hexadecimal digits. So no text leads out of its
    folder or hides, and different texts are different names; what is too long ends in a
    digest.
    """
    name = quote(text, safe="=+@,", errors="surrogatepass")
    if name.startswith("."):
        name = f"%2E{name[1:]}"
    if len(name) > MAX_NAME_OCTETS:
        octets = text.encode("utf-8", "surrogatepass")
        ending = "%-" + hashlib.sha256(octets).hexdigest()[: 2 * _DIGEST_OCTETS]
        name = name[: MAX_NAME_OCTETS - len(ending)] + ending
    return name or "%"


def make_folder(path: str, mode: int = 0o700) -> None:
    """
    Make a folder and what is missing above it, so that it outlives a power cut.

    The folder above the nearest that exists is synced as well: another thread may have
    made that one a moment ago.

    @param mode: of the folders made, whatever the umask.
    @raise OSError: if that cannot be done.
    """
    levels = [os.path.abspath(path)]
    while not os.path.isdir(levels[-1]):
        levels.append(os.path.dirname(levels[-1]))
    for level in reversed(levels):
        try:
            os.mkdir(level, mode)
        except FileExistsError:
            _sync_if_allowed(os.path.dirname(level))
        else:
            os.chmod(level, mode)
            sync_folder(os.path.dirname(level))


def _sync_if_allowed(folder: str) -> None:
    try:
        sync_folder(folder)
    except PermissionError:
        pass  # then it was not we who made something in it


def sync_folder(path: str) -> None:
    """
    Have the names in a folder on disk.

    @raise OSError: if that fails.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_new(path: str, chunks: Iterable[bytes], mode: int = 0o600) -> int:
    """
    Write a file that must not be there yet, and have its octets on disk.

    Its name is on disk only after L{sync_folder}.

    @param mode: of the file, whatever the umask.
    @return: octets written.
    @raise OSError: if the disk does not take it; nothing is left then.
    @raise StoreError: if C{chunks} raises it; likewise.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(path, flags, mode)
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            octets = sum(map(file.write, chunks))
            file.flush()
            os.fsync(descriptor)
    except (OSError, StoreError):
        remove_all((path,))
        raise
    return octets


def remove_all(paths: Iterable[str]) -> None:
    """Remove files as far as they are there and can be removed."""
    for path in paths:
        try:
            os.unlink(path)
        except OSError:
            pass


def refusal(problem: BaseException | None) -> Verdict:
    """
    What the client is told when its message could not be stored: to come again.

    @see: RFC 3463 section 3.4 (X.3.1: mail system full)
    """
    is_fault = isinstance(problem, OSError) and problem.errno in _DISK_FAULTS
    return NO_ROOM if is_fault else NOT_STORED
