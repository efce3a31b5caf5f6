"""
Regular expressions out of a postmaster's list.

A pattern stands for a whole name or address, as in Haraka: C{^} and C{$} are implied.
The patterns are the postmaster's own and are run as they are: one that repeats a
repetition, such as C{(a+)+}, takes very long on a name that a stranger makes up for it.
"""

import re
from collections.abc import Iterable

import attrs

Patterns = tuple[re.Pattern[str], ...]


def compile_pattern(entry: str) -> re.Pattern[str]:
    """
    Make one pattern, which disregards case.

    @raise ValueError: if it is no regular expression; the message quotes it.
    """
    try:
        return re.compile(entry, re.IGNORECASE)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{entry!r} is no regular expression: {error}") from None


def compile_patterns(entries: Iterable[str]) -> Patterns:
    """
    Make patterns in the order of their list.

    They are not joined into one: that would renumber their groups.

    @raise ValueError: as L{compile_pattern}.
    """
    return tuple(compile_pattern(entry) for entry in entries)


def matches_one(patterns: Patterns, text: str) -> bool:
    """Does one of the patterns stand for this whole text?"""
    return any(pattern.fullmatch(text) for pattern in patterns)


def check_patterns(
    instance: object, attribute: "attrs.Attribute[tuple[str, ...]]", value: object
) -> None:
    """
    An attrs validator for a list of patterns.

    @raise ValueError: as L{compile_pattern}.
    """
    if isinstance(value, tuple):
        compile_patterns(value)
