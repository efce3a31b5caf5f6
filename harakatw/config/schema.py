"""
What an option class says of itself: for each field the file, the section and the key.

Made from attrs metadata by L{harakatw.config.options}; the loader, the samples and the
reference manual all read it here.
"""

import typing
from collections.abc import Iterable, Mapping
from typing import Literal

import attrs

from harakatw.config.ini import MAIN

METADATA_KEY = "harakatw.config"
"""Where a field's metadata holds its L{Source}."""

Kind = Literal["key", "list", "value", "data", "json", "section", "sections"]
OptionClass = type[attrs.AttrsInstance]


@attrs.frozen
class Source:
    """
    Where a field's value stands.

    @ivar kind: a key, a whole section or all other sections of an ini file, or a file
        of another format.
    @ivar text: what the option is for, a sentence or two for the postmaster.
    @ivar unit: what a number counts.
    @ivar section: of an ini file; for C{sections}, what a sample calls one.
    @ivar key: C{""} for the field's own name.
    @ivar file: C{""} for the option class's own ini file; C{{name}} is the owner's
        name.
    @ivar split: is a single text cut into words where the type is a collection?
    @ivar secret: must the value stay out of problems and logs?
    """

    kind: Kind
    text: str
    unit: str = ""
    section: str = MAIN
    key: str = ""
    file: str = ""
    split: bool = True
    secret: bool = False


@attrs.frozen
class Option:
    """
    One field, with all that its metadata leaves open filled in.

    @ivar name: of the argument to the option class.
    @ivar wanted: the field's type.
    @ivar default: what it is when no file says anything.
    @ivar field: as attrs knows it.
    """

    name: str
    wanted: object
    default: object
    source: Source
    field: "attrs.Attribute[object]"


def own_file(cls: type, name: str) -> str:
    """The ini file of a class: its C{config_file}, or C{<name>.ini}."""
    return str(getattr(cls, "config_file", "")) or f"{name}.ini"


def options(cls: OptionClass, name: str) -> tuple[Option, ...]:
    """
    The options of a class in the order of its fields.

    @param name: of the owner, such as a plugin's: the default for the file.
    @raise TypeError: if a field has no default, for what no file says must have one.
    """
    hints = typing.get_type_hints(cls)
    return tuple(
        _option(cls, field, hints[field.name], name)
        for field in attrs.fields(cls)
        if METADATA_KEY in field.metadata
    )


def _option(
    cls: OptionClass, field: "attrs.Attribute[object]", wanted: object, name: str
) -> Option:
    source: Source = field.metadata[METADATA_KEY]
    if field.default is attrs.NOTHING:
        raise TypeError(f"{cls.__name__}.{field.name} has no default")
    file = source.file.replace("{name}", name) or own_file(cls, name)
    complete = attrs.evolve(source, file=file, key=source.key or field.name)
    argument = field.alias or field.name
    return Option(argument, wanted, _default(field), complete, field)


def _default(field: "attrs.Attribute[object]") -> object:
    default = field.default
    factory = getattr(default, "factory", None)
    return factory() if factory is not None else default


def shown(value: object) -> str:
    """How a file would say a value; C{""} for L{None}."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | frozenset):
        return ", ".join(map(shown, sorted_items(value)))
    return str(value)


def sorted_items(value: object) -> tuple[object, ...]:
    """The items of a tuple in its order, those of a set in that of the alphabet."""
    if isinstance(value, frozenset):
        return tuple(sorted(value, key=str))
    return value if isinstance(value, tuple) else ()


def item_type(option: Option) -> typing.Any:
    """The C{X} of a field of type C{Mapping[str, X]}."""
    arguments = typing.get_args(option.wanted)
    if len(arguments) != 2:
        raise TypeError(f"{option.name} must be of type Mapping[str, ...]")
    return arguments[1]


def unsupported(cls: type) -> Mapping[str, str]:
    """Keys that a class knows and does nothing with, and why; C{section.*} for all."""
    found: Mapping[str, str] = getattr(cls, "unsupported", {})
    return found


@attrs.frozen
class KnownFile:
    """
    What may stand in one ini file.

    @ivar keys: by section.
    @ivar open_sections: where any key may stand.
    @ivar other_keys: what may stand in sections that are not named; L{None} if there
        may be no other sections.
    @ivar without_effect: why, by C{section.key}, C{section.*} or, for a section that is
        not named, C{*.key}.
    """

    keys: dict[str, set[str]] = attrs.field(factory=dict)
    open_sections: set[str] = attrs.field(factory=set)
    other_keys: set[str] | None = None
    without_effect: dict[str, str] = attrs.field(factory=dict)

    @property
    def sections(self) -> set[str]:
        """Every section that has a meaning of its own."""
        mute = {name.partition(".")[0] for name in self.without_effect} - {"*"}
        return {MAIN, *self.keys, *self.open_sections, *mute}


def known_files(
    classes: Iterable[tuple[str, OptionClass]],
) -> dict[str, KnownFile]:
    """
    What may stand in the ini files that these classes read, by file name.

    @param classes: each with its owner's name.
    """
    known: dict[str, KnownFile] = {}
    for name, cls in classes:
        for option in options(cls, name):
            if option.source.kind in ("key", "section", "sections"):
                file = option.source.file
                known[file] = _with_option(known.get(file) or KnownFile(), option)
        if unsupported(cls):
            own = known.setdefault(own_file(cls, name), KnownFile())
            own.without_effect.update(unsupported(cls))
    return known


def _with_option(known: KnownFile, option: Option) -> KnownFile:
    source = option.source
    if source.kind == "key":
        known.keys.setdefault(source.section, set()).add(source.key)
    elif source.kind == "section":
        known.open_sections.add(source.section)
    else:
        inner = item_type(option)
        keys = {inside.source.key for inside in options(inner, "")}
        for key, why in unsupported(inner).items():
            known.without_effect[f"*.{key}"] = why
        return attrs.evolve(known, other_keys=keys | (known.other_keys or set()))
    return known
