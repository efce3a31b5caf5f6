"""
The files of one configuration directory, read and put together.

Two folders may hold a file: the instance's C{config/} and, for a plugin that was
installed with a configuration of its own, that plugin's. Ini, JSON and YAML files are
laid over one another key by key; any other file of the instance replaces the plugin's
whole.

C{smtp.json}, or C{smtp.yaml}, can hold every other file of the instance: what it says
under C{!name} replaces that file.

Nothing here raises for what stands on the disk: what cannot be read is a L{Problem}.
"""

import os
import posixpath
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import attrs

from harakatw.config import ini
from harakatw.config.problems import BadFile, Problem
from harakatw.config.readers import (
    decode,
    merge_objects,
    parse_data,
    parse_json,
    parse_list,
    parse_value,
    parse_yaml,
)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

ONE_FILE = "smtp.json"
"""The file that may hold all others; C{.yaml} and C{.yml} are looked for after it."""


@attrs.frozen
class Read(Generic[T_co]):
    """
    What reading one file gave.

    @ivar value: what it says; the empty value of its format if absent or unreadable.
    @ivar is_present: does one of the folders have it, and can it be used?
    @ivar file: what a L{Problem} about it should name.
    @ivar problems: why it, or a part of it, cannot be used.
    @ivar names: every file looked for, within the configuration directory: a change of
        one of these makes this value old.
    """

    value: T_co
    is_present: bool
    file: str
    problems: tuple[Problem, ...]
    names: frozenset[str]


@attrs.frozen
class _Format(Generic[T]):
    """
    How one kind of file is read.

    @ivar parse: from the name, the content, and the name for problems.
    @ivar convert: from what C{smtp.json} says in the file's place.
    @ivar merge: the instance's value over a plugin's.
    """

    name: str
    empty: T
    parse: Callable[[str, bytes, str], T]
    convert: Callable[[object, str], T]
    merge: Callable[[T, T], T]


def _over(below: T, over: T) -> T:
    return over


def _texts(content: object, file: str) -> tuple[str, ...]:
    items = content if isinstance(content, list) else [content]
    texts = [ini.scalar_text(item) for item in items]
    if None in texts:
        raise BadFile("expected a list of texts")
    return tuple(text for text in texts if text is not None)


def _text(content: object, file: str) -> str:
    texts = _texts(content, file)
    if len(texts) > 1:
        raise BadFile("expected one text")
    return "".join(texts)


def _octets(content: object, file: str) -> bytes:
    return _text(content, file).encode()


def _same(content: object, file: str) -> object:
    return content


def _parse_object(name: str, content: bytes, file: str) -> object:
    if name.endswith(".hjson"):
        raise BadFile("Hjson is not supported: write it as .json or .yaml")
    parse = parse_yaml if name.endswith((".yaml", ".yml")) else parse_json
    return parse(decode(content))


_INI = _Format[ini.Ini](
    "ini",
    ini.Ini(),
    lambda _, content, file: ini.parse(decode(content), file),
    ini.from_object,
    ini.merge,
)
_LIST = _Format[tuple[str, ...]](
    "list", (), lambda _, content, __: parse_list(decode(content)), _texts, _over
)
_VALUE = _Format[str](
    "value", "", lambda _, content, __: parse_value(decode(content)), _text, _over
)
_DATA = _Format[tuple[str, ...]](
    "data", (), lambda _, content, __: parse_data(decode(content)), _texts, _over
)
_OBJECT = _Format[object]("object", None, _parse_object, _same, merge_objects)
_BINARY = _Format[bytes]("binary", b"", lambda _, content, __: content, _octets, _over)


def normal_name(name: str) -> str:
    """
    The one spelling of a file's name.

    @param name: within the configuration directory, or absolute if a postmaster wrote
        it.
    @raise BadFile: if it leads out of the directory by C{..}, or holds a NUL.
    """
    if not name or "\0" in name:
        raise BadFile("is no name of a file")
    normal = posixpath.normpath(name)
    if normal in (".", "..") or normal.startswith("../"):
        raise BadFile("is outside of the configuration directory")
    return normal


def _candidates(name: str) -> tuple[str, ...]:
    """Where a JSON or YAML file may be, in order: C{.yaml} stands in for C{.json}."""
    stem, dot, suffix = name.rpartition(".")
    if dot and suffix == "json":
        return name, f"{stem}.yaml", f"{stem}.yml", f"{stem}.hjson"
    if dot and suffix == "yaml":
        return name, f"{stem}.yml"
    return (name,)


def read_octets(path: Path) -> bytes | None:
    """
    A file's content, or L{None} if there is no such file.

    @raise BadFile: if it is there and cannot be read.
    """
    try:
        # Before opening: to open a pipe would wait for somebody to write to it.
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a directory" if stat.S_ISDIR(mode) else "a pipe, socket or device"
            raise BadFile(f"is {kind}, not a file")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise BadFile(f"cannot be read: {error.strerror}") from None


@attrs.frozen
class _Overrides:
    """What C{smtp.json} says, by the names of the files that it stands for."""

    file: str
    contents: Mapping[str, object]
    problems: tuple[Problem, ...]
    names: frozenset[str]


@attrs.define
class ConfigFiles:
    """
    The files as they were when first read: make another by L{fresh} after a change.

    @ivar directory: C{config/} of the instance; it need not exist.
    @ivar defaults: the folder that a plugin was installed with, if any.
    """

    directory: Path = attrs.field(converter=Path)
    defaults: Path | None = attrs.field(default=None)
    _cache: dict[tuple[str, str], Read[Any]] = attrs.field(
        factory=dict, init=False, repr=False
    )
    _replaced: _Overrides | None = attrs.field(default=None, init=False, repr=False)

    def fresh(self) -> "ConfigFiles":
        """The same directories, nothing read yet."""
        return ConfigFiles(self.directory, self.defaults)

    def with_defaults(self, defaults: Path) -> "ConfigFiles":
        """The same instance over the folder C{defaults} of a plugin."""
        return ConfigFiles(self.directory, defaults)

    def path(self, name: str) -> Path:
        """
        Where a file of the instance is or would be.

        @raise BadFile: as L{normal_name}.
        """
        return self.directory / normal_name(name)

    def shown(self, name: str) -> str:
        """How a problem names a file of the instance: C{config/smtp.ini}."""
        return name if name.startswith("/") else f"{self.directory.name}/{name}"

    def names(self) -> tuple[str, ...]:
        """Every file of the instance's directory and the folders in it, sorted."""
        return tuple(sorted(self._walk()))

    def read_ini(self, name: str) -> Read[ini.Ini]:
        """Read sections of keys."""
        return self._read(name, _INI)

    def read_list(self, name: str) -> Read[tuple[str, ...]]:
        """Read the lines that say something."""
        return self._read(name, _LIST)

    def read_value(self, name: str) -> Read[str]:
        """Read the first line that says something."""
        return self._read(name, _VALUE)

    def read_data(self, name: str) -> Read[tuple[str, ...]]:
        """Read all lines as they are."""
        return self._read(name, _DATA)

    def read_json(self, name: str) -> Read[object]:
        """Read JSON or, by its suffix or in the absence of C{.json}, YAML."""
        return self._read(name, _OBJECT)

    def read_binary(self, name: str) -> Read[bytes]:
        """Read octets: a key, a certificate, an image."""
        return self._read(name, _BINARY)

    def _walk(self) -> Iterator[str]:
        for folder, _, names in os.walk(self.directory):
            for name in names:
                yield Path(folder, name).relative_to(self.directory).as_posix()

    def _read(self, name: str, form: _Format[T]) -> Read[T]:
        key = (form.name, name)
        if key not in self._cache:
            self._cache[key] = self._load(name, form)
        return self._cache[key]

    def _load(self, name: str, form: _Format[T]) -> Read[T]:
        try:
            normal = normal_name(name)
        except BadFile as error:
            return Read(form.empty, False, name, (error.problem(name),), frozenset())
        below = self._from_defaults(normal, form)
        over = self._from_one_file(normal, form) or self._from_disk(normal, form)
        problems = below.problems + self._overrides().problems + over.problems
        names = over.names | self._overrides().names
        if not over.is_present:
            return attrs.evolve(below, file=over.file, problems=problems, names=names)
        value = form.merge(below.value, over.value) if below.is_present else over.value
        return Read(value, True, over.file, problems, names)

    def _from_defaults(self, name: str, form: _Format[T]) -> Read[T]:
        if self.defaults is None or name.startswith("/"):
            return Read(form.empty, False, "", (), frozenset())
        return _read_first(self.defaults, name, form, lambda n: f"{self.defaults}/{n}")

    def _from_disk(self, name: str, form: _Format[T]) -> Read[T]:
        return _read_first(self.directory, name, form, self.shown)

    def _from_one_file(self, name: str, form: _Format[T]) -> Read[T] | None:
        overrides = self._overrides()
        if name not in overrides.contents:
            return None
        file = f"{overrides.file} (!{name})"
        try:
            value = form.convert(overrides.contents[name], file)
        except BadFile as error:
            return Read(form.empty, False, file, (error.problem(file),), frozenset())
        return Read(value, True, file, (), frozenset())

    def _overrides(self) -> _Overrides:
        if self._replaced is None:
            read = self._from_disk(ONE_FILE, _OBJECT)
            self._replaced = _overrides(read)
        return self._replaced


def _read_first(
    folder: Path, name: str, form: _Format[T], shown: Callable[[str], str]
) -> Read[T]:
    """Read the first of a file's possible names that is there."""
    names = _candidates(name) if form.name == _OBJECT.name else (name,)
    for candidate in names:
        file = shown(candidate)
        try:
            content = read_octets(folder / candidate)
            if content is None:
                continue
            value = form.parse(candidate, content, file)
        except BadFile as error:
            problems = (error.problem(file),)
            return Read(form.empty, False, file, problems, frozenset(names))
        found = value.problems if isinstance(value, ini.Ini) else ()
        return Read(value, True, file, found, frozenset(names))
    return Read(form.empty, False, shown(name), (), frozenset(names))


def _overrides(read: Read[object]) -> _Overrides:
    """Find the files that C{smtp.json} stands for."""
    contents: dict[str, object] = {}
    problems = list(read.problems)
    content = read.value
    if content is not None and not isinstance(content, Mapping):
        problems.append(BadFile("expected an object").problem(read.file))
        content = None
    for key, value in (content or {}).items():
        try:
            if not key.startswith("!"):
                raise BadFile(f"write !{key} to replace the file {key}")
            contents[normal_name(key[1:])] = value
        except BadFile as error:
            problems.append(Problem(read.file, 0, "", key, error.message))
    return _Overrides(read.file, contents, tuple(problems), read.names)
