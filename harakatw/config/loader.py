"""From files to an instance of an option class, with a problem for each bad value."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

import attrs

from harakatw.config import coerce, ranges
from harakatw.config.coerce import BadValue
from harakatw.config.files import ConfigFiles, Read
from harakatw.config.ini import Entry, Ini, Section
from harakatw.config.problems import Problem
from harakatw.config.schema import KnownFile, Option, item_type, options, shown

T = TypeVar("T", bound=attrs.AttrsInstance)
R = TypeVar("R")


@attrs.frozen
class _Place:
    """Where a value was found, for problems."""

    file: str
    line: int = 0
    section: str = ""
    key: str = ""

    def problem(self, message: str) -> Problem:
        return Problem(self.file, self.line, self.section, self.key, message)


@attrs.frozen
class _Found:
    value: object
    place: _Place


@attrs.define
class Loader:
    """
    Fills one option class.

    @ivar known: the ini files that it has keys in.
    @ivar problems: what was wrong so far.
    @ivar names: of the files looked for so far.
    """

    files: ConfigFiles
    known: Mapping[str, KnownFile]
    problems: list[Problem] = attrs.field(factory=list)
    names: set[str] = attrs.field(factory=set)

    def load(self, cls: type[T], name: str) -> T:
        """
        Make an instance.

        @param name: of the owner.
        """
        wanted = options(cls, name)
        for file in self.known:
            self._seen(self.files.read_ini(file))
        found = {option.name: self._find(option, wanted) for option in wanted}
        return self._make(cls, wanted, found)

    def _find(self, option: Option, others: Iterable[Option]) -> _Found | None:
        """What the files say about an option; L{None} if nothing, or nothing usable."""
        kind, file = option.source.kind, option.source.file
        if kind == "json":
            return self._from_json(option, self._seen(self.files.read_json(file)))
        if kind in ("list", "data", "value"):
            return self._from_text_file(option)
        ini = self._seen(self.files.read_ini(file)).value
        if kind == "section":
            return self._whole_section(option, ini, others)
        if kind == "sections":
            return self._other_sections(option, ini)
        entry = ini.section(option.source.section).get(option.source.key)
        return self._convert(option, entry, option.source.section)

    def _seen(self, read: Read[R]) -> Read[R]:
        self.problems += read.problems
        self.names |= read.names
        return read

    def _from_text_file(self, option: Option) -> _Found | None:
        file, kind = option.source.file, option.source.kind
        if kind == "value":
            value = self._seen(self.files.read_value(file))
            entry = Entry((value.value,), value.file)
            return self._convert(option, entry) if value.value else None
        reader = self.files.read_list if kind == "list" else self.files.read_data
        lines = self._seen(reader(file))
        if not lines.is_present:
            return None
        if kind == "data":  # an empty line is a line of it
            return _Found(lines.value, _Place(lines.file))
        return self._convert(option, Entry(lines.value, lines.file, 0, True))

    def _from_json(self, option: Option, read: Read[object]) -> _Found | None:
        if not read.is_present or read.value is None:
            return None
        place = _Place(read.file)
        wanted, _ = coerce.without_none(option.wanted)
        value: object = read.value
        if coerce.is_collection(wanted):
            if not isinstance(value, list):
                self._refuse(place, BadValue("expected a list"), option)
                return None
            value = tuple(value)
        elif wanted is not object and not isinstance(value, Mapping):
            self._refuse(place, BadValue("expected an object"), option)
            return None
        return _Found(value, place)

    def _convert(
        self, option: Option, entry: Entry | None, section: str = ""
    ) -> _Found | None:
        if entry is None or _says_nothing(entry, option):
            return None
        key = option.source.key if section else ""
        place = _Place(entry.file, entry.line, section, key)
        try:
            return _Found(_typed(entry, option), place)
        except BadValue as error:
            self._refuse(place, error, option)
            return None

    def _refuse(self, place: _Place, error: Exception, option: Option) -> None:
        if option.source.secret:
            self.problems.append(place.problem("cannot be what it is"))
            return
        default = shown(option.default) if _is_plain(option) else ""
        instead = f"; {default} is used" if default else ""
        self.problems.append(place.problem(f"{error}{instead}"))

    def _whole_section(
        self, option: Option, ini: Ini, others: Iterable[Option]
    ) -> _Found | None:
        section, file = option.source.section, option.source.file
        if section not in ini.sections:
            return None
        taken = {
            other.source.key
            for other in others
            if other.source.kind == "key"
            and (other.source.file, other.source.section) == (file, section)
        }
        values: dict[str, object] = {}
        for key, entry in ini.section(section).items():
            one = _member(option, key)
            found = None if key in taken else self._convert(one, entry, section)
            if found is not None:
                values[key] = found.value
        return _Found(values, _Place(ini.sections[section].file, 0, section))

    def _other_sections(self, option: Option, ini: Ini) -> _Found | None:
        named = self.known[option.source.file].sections
        others = {n: s for n, s in ini.sections.items() if n not in named}
        values = {
            name: self._make_section(item_type(option), name, section)
            for name, section in others.items()
        }
        return _Found(values, _Place(option.source.file)) if values else None

    def _make_section(self, cls: type[T], name: str, section: Section) -> T:
        wanted = options(cls, "")
        found = {
            option.name: self._convert(
                option, section.entries.get(option.source.key), name
            )
            for option in wanted
        }
        return self._make(cls, wanted, found)

    def _make(
        self,
        cls: type[T],
        wanted: Iterable[Option],
        found: Mapping[str, _Found | None],
    ) -> T:
        """Make an instance; a value that a validator refuses is left out."""
        given = {name: one for name, one in found.items() if one is not None}
        values = {name: one.value for name, one in given.items()}
        try:
            return cls(**values)
        except ValueError:
            if not given:
                raise  # the class refuses its own defaults
        with attrs.validators.disabled():
            probe = cls(**values)
        for option in wanted:
            if option.name in given and not self._passes(probe, option, given):
                del values[option.name]
        try:
            return cls(**values)
        except ValueError as error:  # each is possible, and all together are not
            place = _Place(next(iter(given.values())).place.file)
            why = f"{error.args[0]}; the defaults are used"
            self.problems.append(place.problem(why))
            return cls()

    def _passes(
        self, probe: object, option: Option, given: Mapping[str, _Found]
    ) -> bool:
        """
        Does a value pass its validator?

        @param probe: an instance with all values, for a validator that compares two.
        """
        found, validator = given[option.name], option.field.validator
        try:
            if validator is not None:
                validator(probe, option.field, found.value)
        except ValueError as error:
            why = ranges.complaint(validator, found.value, error)
            self._refuse(found.place, BadValue(why), option)
            return False
        return True


def _member(option: Option, key: str) -> Option:
    """One key of a whole section as an option of its own."""
    source = attrs.evolve(option.source, key=key)
    return attrs.evolve(option, wanted=item_type(option), source=source)


def _is_plain(option: Option) -> bool:
    return option.source.kind in ("key", "value", "list")


def _says_nothing(entry: Entry, option: Option) -> bool:
    """
    Is C{key =} a number, choice or optional value that was left out?

    Haraka's own samples hold such lines; an empty text, truth value or list is one.
    """
    wanted, optional = coerce.without_none(option.wanted)
    means_something = optional or wanted in (str, bool) or coerce.is_collection(wanted)
    return not means_something and not entry.text and not entry.is_lone


def _typed(entry: Entry, option: Option) -> object:
    """
    Give an entry the type of its option.

    @raise BadValue: if it is of another.
    """
    wanted, unit = option.wanted, option.source.unit
    if coerce.is_collection(wanted):
        split = option.source.split and not entry.is_list
        texts = coerce.split_words(entry.text) if split else entry.values
        return coerce.to_collection(tuple(filter(None, texts)), wanted, unit)
    if len(entry.values) > 1:
        raise BadValue(f"takes one value, not {len(entry.values)}")
    plain, _ = coerce.without_none(wanted)
    if entry.is_lone and plain is bool:
        return True
    if entry.is_lone and plain is not str:
        raise BadValue("needs a value: write key = value")
    return coerce.to_scalar(entry.text, wanted, unit)
