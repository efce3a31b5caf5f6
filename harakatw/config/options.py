"""
Typed options: what a class says about its fields, and how files fill them.

An option class is a frozen attrs class whose fields name their place in the files::

    @attrs.frozen(kw_only=True)
    class TarpitOptions:
        config_file: ClassVar = "tarpit.ini"
        delay: float = attrs.field(
            default=1, validator=ge(0), metadata=doc("Wait before a reply.",
        unit="seconds") )

An instance is a value: after a change of one of the files that it came from, its owner
loads another and swaps.

Where one wrong entry of many must not take the others along, the class leaves it out
and has a property C{mistakes}: the L{Problem} of each such entry.
"""

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

import attrs

from harakatw.config.files import ConfigFiles
from harakatw.config.loader import Loader
from harakatw.config.problems import Problem
from harakatw.config.schema import (
    METADATA_KEY,
    KnownFile,
    OptionClass,
    Source,
    known_files,
    own_file,
)
from harakatw.config.unknown import unknown_names
from harakatw.errors import ConfigError

T = TypeVar("T", bound=attrs.AttrsInstance)
T_co = TypeVar("T_co", bound=attrs.AttrsInstance, covariant=True)
Metadata = dict[str, Source]


def doc(
    text: str,
    *,
    unit: str = "",
    section: str = "main",
    key: str = "",
    file: str = "",
    split: bool = True,
    secret: bool = False,
) -> Metadata:
    """
    A key of an ini file.

    @param text: what the option does, for the postmaster.
    @param unit: what a number counts. With a time unit (milliseconds to days) C{5m} is
        understood, with C{octets} C{25M}.
    @param key: unless it is the field's name.
    @param file: unless it is the class's own, C{config_file} or C{<name>.ini}.
    @param split: for a collection: is C{key = a, b c} three items, or one?
    @param secret: a password or token, which no problem may show.
    """
    return {METADATA_KEY: Source("key", text, unit, section, key, file, split, secret)}


def list_file(name: str, text: str) -> Metadata:
    """
    A file of one item a line, for a field of type C{tuple[X, ...]} or C{frozenset[X]}.

    @param name: of the file; C{{name}} in it is replaced by the owner's name.
    """
    return {METADATA_KEY: Source("list", text, file=name)}


def value_file(name: str, text: str, *, unit: str = "") -> Metadata:
    """A file that holds one value; C{name} as in L{list_file}."""
    return {METADATA_KEY: Source("value", text, unit, file=name)}


def data_file(name: str, text: str) -> Metadata:
    """A file taken line by line as it is, for a field of type C{tuple[str, ...]}."""
    return {METADATA_KEY: Source("data", text, file=name)}


def json_file(name: str, text: str) -> Metadata:
    """
    A JSON or YAML file, for a field of type C{object}, C{Mapping[str, object]} or a
    tuple.

    @param name: if it ends in C{.json} and is absent, C{.yaml} is looked for.
    """
    return {METADATA_KEY: Source("json", text, file=name)}


def whole_section(text: str, section: str, file: str = "") -> Metadata:
    """
    A section whose keys the postmaster makes up, for a field of type C{Mapping[str,
    X]}.

    Keys of the section that other fields name are left out.
    """
    return {METADATA_KEY: Source("section", text, section=section, file=file)}


def other_sections(text: str, file: str = "", example: str = "example.org") -> Metadata:
    """
    Sections whose names the postmaster makes up, such as one for each domain, for a
    field of type C{Mapping[str, Sub]}, where C{Sub} is an option class; its own fields
    name keys only.

    @param example: what such a section is called in the sample.
    """
    return {METADATA_KEY: Source("sections", text, section=example, file=file)}


@attrs.frozen
class Loaded(Generic[T_co]):
    """
    What files made of an option class.

    @ivar options: always usable: the default stands where a file is wrong.
    @ivar problems: what the postmaster should look at.
    @ivar files: names within the configuration directory; when one of these changes or
        comes to be, load again.
    """

    options: T_co
    problems: tuple[Problem, ...]
    files: frozenset[str]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems but notices."""
        return tuple(p for p in self.problems if p.severity == "error")

    def checked(self) -> T_co:
        """
        The options, if the files are right.

        @raise ConfigError: if there are L{errors}.
        """
        if self.errors:
            raise ConfigError(tuple(map(str, self.errors)))
        return self.options


def load_options(
    cls: type[T],
    files: ConfigFiles,
    name: str,
    *,
    also: Iterable[tuple[str, OptionClass]] = (),
) -> Loaded[T]:
    """
    Fill an option class from the files that it names.

    @param name: of the owner; C{<name>.ini} is the class's own file unless it has
        another.
    @param also: other classes, with their owners, that have keys in that file.
    """
    known = known_files([(name, cls), *also])
    loaded = load_values(cls, files, name, known)
    own = own_file(cls, name)  # keys in a file of others are for those to judge
    if own not in known:
        return loaded
    unknown = unknown_names(files.read_ini(own).value, known[own])
    problems = tuple(dict.fromkeys(loaded.problems + unknown))
    return attrs.evolve(loaded, problems=problems)


def load_values(
    cls: type[T], files: ConfigFiles, name: str, known: Mapping[str, KnownFile]
) -> Loaded[T]:
    """
    As L{load_options}, without a look for keys that nothing reads.

    @param known: what may stand in each ini file, for all classes that read it.
    """
    mine = known_files([(name, cls)])
    loader = Loader(files, {file: known[file] for file in mine})
    made = loader.load(cls, name)
    mistakes: tuple[Problem, ...] = getattr(made, "mistakes", ())
    problems = tuple(dict.fromkeys((*loader.problems, *mistakes)))
    return Loaded(made, problems, frozenset(loader.names))
