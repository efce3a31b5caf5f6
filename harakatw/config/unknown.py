"""Sections and keys of an ini file that nothing reads."""

from collections.abc import Iterator

from harakatw.config.ini import Entry, Ini, Section
from harakatw.config.problems import Problem, nearest
from harakatw.config.schema import KnownFile


def unknown_names(read: Ini, known: KnownFile) -> tuple[Problem, ...]:
    """
    Find what a postmaster wrote in vain.

    @return: an error for a name that has no meaning, with the nearest one that has; a
        notice for one that is known and has no effect yet. An empty section and an
        empty value say nothing and are let go.
    """
    return tuple(
        problem
        for name, section in read.sections.items()
        for problem in _in_section(name, section, known)
    )


def _in_section(name: str, section: Section, known: KnownFile) -> Iterator[Problem]:
    named = name in known.sections
    if name in known.open_sections or not section.entries:
        return
    if not named and known.other_keys is None:
        hint = nearest(name, known.sections)
        yield Problem(section.file, section.line, name, "", f"unknown section{hint}")
        return
    keys = known.keys.get(name, set()) if named else known.other_keys or set()
    for key, entry in section.entries.items():
        if key not in keys:
            yield from _unknown_key(name, key, entry, known)


def _unknown_key(
    section: str, key: str, entry: Entry, known: KnownFile
) -> Iterator[Problem]:
    why = _without_effect(section, key, known)
    if why is None:
        hint = _hint(section, key, known)
        yield Problem(entry.file, entry.line, section, key, f"unknown key{hint}")
    elif entry.text or entry.is_lone:
        message = f"has no effect: {why}"
        yield Problem(entry.file, entry.line, section, key, message, "notice")


def _without_effect(section: str, key: str, known: KnownFile) -> str | None:
    names = [f"{section}.{key}", f"{section}.*"]
    if section not in known.sections:
        names.append(f"*.{key}")
    return next(
        (known.without_effect[n] for n in names if n in known.without_effect), None
    )


def _hint(section: str, key: str, known: KnownFile) -> str:
    """Where the key would be right, or the nearest key that is right here."""
    homes = sorted(name for name, keys in known.keys.items() if key in keys)
    if homes:
        return f" here, it belongs into [{homes[0]}]"
    if section in known.sections:
        here = known.keys.get(section, set())
    else:
        here = known.other_keys or set()
    everywhere = {key for keys in known.keys.values() for key in keys}
    return nearest(key, here) or nearest(key, everywhere)
