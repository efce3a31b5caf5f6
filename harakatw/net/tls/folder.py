"""
C{config/tls/}: keys and certificates in any files, which are put together by what is
in them.

@see: Haraka row CF80
"""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from harakatw.config.files import read_octets
from harakatw.config.problems import BadFile, Problem
from harakatw.net.tls.certificates import (
    Content,
    KeyPair,
    by_public,
    certificate_names,
    pair_of,
    read_pem,
)

_MAX_FILES: Final = 20000
_MAX_OCTETS: Final = 1 << 20  # no certificate is a megabyte


@attrs.define(eq=False)
class FolderReader:
    """
    Reads a folder once.

    @ivar shown: how a problem names the folder, such as C{config/tls}.
    @ivar before: the pairs that were found the last time, by their place. What cannot
        be used today keeps what it said then.
    @ivar problems: what was wrong.
    """

    folder: Path
    shown: str
    passphrase: str = ""
    before: Mapping[str, KeyPair] = attrs.field(factory=dict)
    problems: list[Problem] = attrs.field(factory=list, init=False)

    def pairs(self) -> tuple[KeyPair, ...]:
        """
        Find every certificate whose key is somewhere in the folder. Of several chains
        for one certificate the longest counts.
        """
        contents = {place: self._content(path) for place, path in self._files()}
        keys = by_public(key for each in contents.values() if each for key in each.keys)
        best: dict[bytes, KeyPair] = {}
        for place, content in contents.items():
            found = content and pair_of(place, keys, content.certificates)
            pair = found or self._instead(place, content)
            if found:
                pair = unchanged(found, self.before)
            if pair is not None:
                own = pair.certificate.public_bytes(Encoding.DER)
                rival = best.get(own)
                if rival is None or len(rival.chain) < len(pair.chain):
                    best[own] = pair
        return tuple(best.values())

    def _files(self) -> Iterator[tuple[str, Path]]:
        for number, path in enumerate(files_below(self.folder)):
            if number >= _MAX_FILES:
                self._tell(self.shown, f"has more than {_MAX_FILES} files")
                return
            name = path.relative_to(self.folder).as_posix()
            yield f"{self.shown}/{name}", path

    def _content(self, path: Path) -> Content | None:
        place = f"{self.shown}/{path.relative_to(self.folder).as_posix()}"
        try:
            if path.stat().st_size > _MAX_OCTETS:
                return Content()
            octets = read_octets(path)
            return Content() if octets is None else read_pem(octets, self.passphrase)
        except BadFile as error:
            self.problems.append(error.problem(place))
        except OSError as error:
            self._tell(place, f"cannot be read: {error.strerror}")
        return None

    def _instead(self, place: str, content: Content | None) -> KeyPair | None:
        """What stands in for a file from which no pair could be made."""
        old = self.before.get(place)
        if content is None:
            return old
        if old is not None:
            why = "its key is missing" if content.certificates else "is empty now"
            self._tell(place, f"{why}: the certificate of before stays")
            return old
        self._without_key(place, content)
        return None

    def _without_key(self, place: str, content: Content) -> None:
        for certificate in content.certificates:
            if not _is_authority(certificate):
                names = ", ".join(sorted(set(certificate_names(certificate))))
                why = f"the key for the certificate of {names or 'nobody'} is missing"
                self._tell(place, why)
                return

    def _tell(self, place: str, why: str) -> None:
        self.problems.append(Problem(place, 0, "", "", why))


def unchanged(pair: KeyPair, before: Mapping[str, KeyPair]) -> KeyPair:
    """A pair as it was before if it is the same: so its context need not be made."""
    old = before.get(pair.place)
    return old if old is not None and old.is_same(pair) else pair


def files_below(folder: Path) -> Iterator[Path]:
    """
    Every file in a folder and the folders in it, in order. Links are followed, as
    C{certbot} needs it, and no folder is seen twice.
    """
    seen: set[str] = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            if not name.startswith((".", "#")) and _is_file(path):
                yield path


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False  # gone, or a link to nowhere


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except (x509.ExtensionNotFound, ValueError):
        return False
    return found.value.ca
