"""Sample configuration, written from the option classes so that it cannot go stale."""

import textwrap
import typing
from collections.abc import Iterable, Iterator
from typing import Literal

from harakatw.config import coerce, ranges
from harakatw.config.schema import (
    Option,
    OptionClass,
    item_type,
    options,
    shown,
    sorted_items,
)

_WIDTH = 78


def render_samples(cls: OptionClass, name: str) -> dict[str, str]:
    """
    Every option of a class with its default, so that a sample as it is changes nothing:
    commented out, but for lists in files of their own.

    @param name: of the owner.
    @return: text by file name. Files taken as they are, and JSON, have no room for
        comments, hence no sample.
    """
    files: dict[str, list[Option]] = {}
    for option in options(cls, name):
        if option.source.kind not in ("data", "json"):
            files.setdefault(option.source.file, []).append(option)
    return {file: _file(inside) for file, inside in files.items()}


def facts(option: Option) -> str:
    """What may be written for an option: C{seconds, at least 1}; C{""} for any text."""
    wanted, _ = coerce.without_none(option.wanted)
    known = [option.source.unit, ranges.describe(option.field.validator)]
    if wanted is bool:
        known.insert(0, "true or false")
    elif typing.get_origin(wanted) is Literal:
        known.insert(0, " or ".join(map(str, typing.get_args(wanted))))
    elif coerce.is_collection(wanted) and option.source.kind == "key":
        known.insert(0, "a list" if option.source.split else "one [] line for each")
    return ", ".join(filter(None, known))


def _file(inside: list[Option]) -> str:
    if inside[0].source.kind in ("list", "value"):
        lines = [line for option in inside for line in _flat(option)]
    else:
        lines = list(_ini(inside))
    return "\n".join(lines).strip() + "\n"


def _flat(option: Option) -> Iterator[str]:
    yield from _comment("#", option)
    default = option.default
    if coerce.is_collection(option.wanted):
        # Not commented out: a list that is there and empty empties the option.
        yield from map(shown, sorted_items(default))
    elif shown(default):
        yield f"#{shown(default)}"


def _ini(inside: list[Option]) -> Iterator[str]:
    sections = dict.fromkeys(option.source.section for option in inside)
    for section in sections:
        here = [option for option in inside if option.source.section == section]
        if any(option.source.kind == "key" for option in here):
            yield from (f"[{section}]", "")
        for option in here:
            yield from _entry(option)
            yield ""


def _entry(option: Option) -> Iterator[str]:
    yield from _comment(";", option)
    source = option.source
    if source.kind == "section":
        yield f";[{source.section}]"
        yield from _pairs(option.default)
    elif source.kind == "sections":
        yield f";[{source.section}]"
        for inner in options(item_type(option), ""):
            yield from _entry(inner)
    elif isinstance(option.default, tuple) and not source.split:
        yield from (f";{source.key}[]={shown(i)}" for i in option.default or ("",))
    else:
        yield f";{source.key}={shown(option.default)}"


def _pairs(default: object) -> Iterator[str]:
    if isinstance(default, dict):
        yield from (f";{key}={shown(value)}" for key, value in default.items())


def _comment(mark: str, option: Option) -> Iterable[str]:
    known = facts(option)
    text = f"{option.source.text} ({known})" if known else option.source.text
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=f"{mark} ",
        subsequent_indent=f"{mark} ",
        break_long_words=False,
        break_on_hyphens=False,
    )
