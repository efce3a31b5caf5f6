"""
From C{tls.ini}, the files that it names and C{config/tls/} to contexts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import attrs

from harakatw.config.files import ConfigFiles, read_octets
from harakatw.config.problems import BadFile, Problem
from harakatw.net.tls.certificates import (
    KeyPair,
    make_pair,
    read_pem,
    read_pkcs12,
)
from harakatw.net.tls.context import Wanted
from harakatw.net.tls.folder import FolderReader, files_below, unchanged
from harakatw.net.tls.options import FILE, NameOptions, TLSOptions
from harakatw.net.tls.table import (
    ContextTable,
    Profile,
    Recipe,
    best_pairs,
    by_names,
    make_table,
)
from harakatw.net.tls.trust import Trusted, read_authorities, read_revoked

FOLDER: Final = "tls"

_T = TypeVar("_T")
Stamp = tuple[int, int, int]


@attrs.frozen(eq=False)
class Loaded:
    """
    What an instance's files gave.

    @ivar table: L{None} if there is no certificate.
    @ivar problems: what the postmaster should look at.
    @ivar pairs: every usable pair by its place.
    @ivar stamps: how the files were when they were read: by this one sees that they
        changed, also outside of C{config/}.
    """

    table: ContextTable | None
    problems: tuple[Problem, ...]
    pairs: Mapping[str, KeyPair]
    stamps: Mapping[Path, Stamp]


def load_tls(
    options: TLSOptions, files: ConfigFiles, me: str, before: Loaded | None = None
) -> Loaded:
    """
    Read all keys and certificates, and make contexts.

    What cannot be used is a problem, and stays as it was before.

    @param me: the server's name, whose certificate is the default unless C{key} and
        C{cert} say.
    """
    stamps = dict(stamp_files(options, files))
    reader = _Reader(options, files, before.pairs if before else {})
    recipes = reader.recipes(me)
    table, problems = make_table(recipes, before.table if before else None)
    pairs = {pair.place: pair for pair in reader.pairs}
    return Loaded(table, (*reader.problems, *problems), pairs, stamps)


def stamp_files(
    options: TLSOptions, files: ConfigFiles
) -> Iterator[tuple[Path, Stamp]]:
    """How each file is now that L{load_tls} reads; links are followed."""
    several: tuple[TLSOptions | NameOptions, ...] = (options, *options.names.values())
    named = {
        files.directory / name
        for each in several
        for name in (*each.key, *each.cert, each.pfx, each.ca, each.crl, each.dhparam)
        if name
    }
    return stamps_of({*named, *files_below(files.directory / FOLDER)})


def stamps_of(paths: Iterable[Path]) -> Iterator[tuple[Path, Stamp]]:
    """How each of these files is now; those that are not there are left out."""
    for path in sorted(paths):
        try:
            found = path.stat()
        except OSError:
            continue
        yield path, (found.st_mtime_ns, found.st_size, found.st_ino)


def pairs_by_name(
    options: TLSOptions, files: ConfigFiles
) -> Mapping[str, tuple[KeyPair, ...]]:
    """Every certificate of an instance by its names; those that are broken left out."""
    recipes = _Reader(options, files, {}).recipes("")
    return {name: pairs for name, (pairs, _) in recipes.items() if name}


@attrs.define(eq=False)
class _Reader:
    """
    One reading of all files.
    """

    _options: TLSOptions
    _files: ConfigFiles
    _before: Mapping[str, KeyPair]
    problems: list[Problem] = attrs.field(factory=list, init=False)
    pairs: list[KeyPair] = attrs.field(factory=list, init=False)

    def recipes(self, me: str) -> dict[str, Recipe]:
        """What contexts are to be made, by name."""
        options = self._options
        own = self._own_pairs(options, "main", is_default=options.key == _KEY)
        folder = FolderReader(
            self._files.directory / FOLDER,
            self._files.shown(FOLDER),
            options.passphrase,
            self._before,
        )
        others = folder.pairs()
        self.problems += folder.problems
        self.pairs += others
        profile = self._profile(NameOptions(), "main")
        known = by_names((*own, *others))
        recipes = {name: (pairs, profile) for name, pairs in known.items()}
        first = own or known.get(me.lower()) or others[:1]
        if first:
            recipes[""] = (best_pairs(first), profile)
        for name, section in options.names.items():
            self._add_section(name, section, recipes)
        return recipes

    def _add_section(
        self, name: str, section: NameOptions, recipes: dict[str, Recipe]
    ) -> None:
        lowered = name.lower().removesuffix(".")
        own = best_pairs(self._own_pairs(section, name, is_default=False))
        pairs = own or recipes.get(lowered, ((), None))[0]
        if pairs:
            recipes[lowered] = (pairs, self._profile(section, name))
        else:
            self._tell(name, "", "there is no certificate for this name")

    def _own_pairs(
        self, options: TLSOptions | NameOptions, section: str, *, is_default: bool
    ) -> list[KeyPair]:
        found: list[KeyPair] = []
        if len(options.key) != len(options.cert):
            why = "there must be as many as of cert, and in the same order"
            self._tell(section, "key", why)
            return found
        for key, cert in zip(options.key, options.cert, strict=True):
            if is_default and not self._is_there(key) and not self._is_there(cert):
                continue  # nobody set TLS up
            pair = self._kept(cert, partial(self._pair, key, cert, options))
            found += [] if pair is None else [pair]
        if options.pfx:
            pair = self._kept(options.pfx, partial(self._pkcs12, options))
            found += [] if pair is None else [pair]
        self.pairs += found
        return found

    def _is_there(self, name: str) -> bool:
        return (self._files.directory / name).exists()

    def _kept(self, name: str, read: Callable[[], KeyPair]) -> KeyPair | None:
        """What a file says, or if it cannot be used what it said before."""
        place = self._files.shown(name)
        try:
            return unchanged(read(), self._before)
        except BadFile as error:
            self.problems.append(error.problem(place))
            return self._before.get(place)

    def _pair(self, key: str, cert: str, options: TLSOptions | NameOptions) -> KeyPair:
        passphrase = options.passphrase or self._options.passphrase
        certificates = read_pem(self._octets(cert), passphrase).certificates
        if not certificates:
            raise BadFile("holds no certificate")
        try:
            keys = read_pem(self._octets(key), passphrase).keys
        except BadFile as error:
            raise BadFile(f"its key {self._files.shown(key)} {error.message}") from None
        pair = make_pair(self._files.shown(cert), keys, certificates)
        if pair is None:
            raise BadFile(f"the key in {self._files.shown(key)} is not for it")
        return pair

    def _pkcs12(self, options: TLSOptions | NameOptions) -> KeyPair:
        passphrase = options.passphrase or self._options.passphrase
        place = self._files.shown(options.pfx)
        return read_pkcs12(self._octets(options.pfx), passphrase, place)

    def _octets(self, name: str) -> bytes:
        octets = read_octets(self._files.directory / name)
        if octets is None:
            raise BadFile("is not there")
        return octets

    # ---- profiles --------------------------------------------------------------------

    def _profile(self, own: NameOptions, section: str) -> Profile:
        main = self._options
        must_verify = _or(own.reject_unauthorized, main.reject_unauthorized)
        asks = _or(own.request_cert, main.request_cert)
        trusted = self._trusted(own, section)
        return Profile(
            section=section,
            wanted=Wanted(
                ciphers=_or(own.ciphers, main.ciphers),
                min_version=_or(own.min_version, main.min_version),
                curve=_or(own.ecdh_curve, main.ecdh_curve),
                server_order=_or(own.honor_cipher_order, main.honor_cipher_order),
                more_options=_or(own.secure_options, main.secure_options),
                dhparam=self._dhparam(_or(own.dhparam, main.dhparam), section),
                asks=asks or must_verify or bool(main.require_authorized),
                named=trusted.authorities or (),
            ),
            trusted=trusted,
            must_verify=must_verify,
        )

    def _dhparam(self, name: str, section: str) -> str:
        if not name or (name == _DHPARAM and not self._is_there(name)):
            return ""
        if not self._is_there(name):
            self._tell(section, "dhparam", f"{self._files.shown(name)} is not there")
            return ""
        return str(self._files.directory / name)

    def _trusted(self, own: NameOptions, section: str) -> Trusted:
        ca, crl = _or(own.ca, self._options.ca), _or(own.crl, self._options.crl)
        authorities = self._parsed(ca, read_authorities, section, "ca") if ca else None
        revoked = self._parsed(crl, read_revoked, section, "crl") if crl else ()
        if crl and not revoked:
            return Trusted(())
        return Trusted(authorities, revoked)

    def _parsed(
        self,
        name: str,
        parse: Callable[[bytes], tuple[_T, ...]],
        section: str,
        key: str,
    ) -> tuple[_T, ...]:
        """A file that is wrong makes nobody trusted, instead of everybody."""
        try:
            return parse(self._octets(name))
        except BadFile as error:
            self._tell(section, key, f"{self._files.shown(name)} {error.message}")
            return ()

    def _tell(self, section: str, key: str, why: str) -> None:
        self.problems.append(Problem(self._files.shown(FILE), 0, section, key, why))


_KEY: Final = TLSOptions().key
_DHPARAM: Final = TLSOptions().dhparam


def _or(own: _T | None, main: _T) -> _T:
    """What a section says, or else what C{[main]} does."""
    return main if own is None else own
