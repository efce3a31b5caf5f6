"""
Text to typed values, and the words that say what was expected.

A length of time may be given in C{ms s m h d w}, a number of octets in C{K M G T} with
1024 to the step; a bare number counts in the unit of the option.
"""

import re
import types
from collections.abc import Callable, Mapping
from typing import Final, Literal, Union, get_args, get_origin

TRUE = frozenset({"true", "yes", "ok", "enabled", "on", "1"})
"""What Haraka takes for true, in any case."""

FALSE = frozenset({"false", "no", "disabled", "off", "0", ""})
"""What it is safe to take for false; any other word is a mistake."""

_TIME_UNITS: Final[Mapping[str, float]] = types.MappingProxyType(
    {
        "milliseconds": 0.001,
        "seconds": 1.0,
        "minutes": 60.0,
        "hours": 3600.0,
        "days": 86400.0,
    }
)
_TIME_SUFFIXES: Final[Mapping[str, float]] = types.MappingProxyType(
    {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
)
_OCTET_SUFFIX = re.compile(r"([kmgt]?)(?:i?b)?", re.IGNORECASE)
_NUMBER = re.compile(r"([+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?)\s*([A-Za-z]*)")
_SEPARATORS = re.compile(r"[\s,;]+")


class BadValue(ValueError):
    """A text is not of the type of an option; the message says what was expected."""


def to_bool(text: str) -> bool:
    """
    Read a truth value.

    @raise BadValue: for a word that is neither in L{TRUE} nor in L{FALSE}.
    """
    word = text.strip().lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise BadValue(f"{text!r} is neither true nor false")


def to_float(text: str, unit: str = "") -> float:
    """
    Read a number.

    @param unit: what the option counts; see this file's head for suffixes.
    @return: the number in C{unit}.
    @raise BadValue: if it is no number, or one in another unit.
    """
    found = _NUMBER.fullmatch(text.strip())
    factor = _factor(found[2], unit) if found else None
    if found is None or factor is None:
        raise BadValue(f"{text!r} is not {_expected(unit)}")
    return round(float(found[1]) * factor, 9)


def to_int(text: str, unit: str = "") -> int:
    """
    Read a whole number; as L{to_float} else.

    @raise BadValue: if it is none.
    """
    stripped = text.strip()
    if re.fullmatch(r"[+-]?[0-9]{1,18}", stripped):
        return int(stripped)  # a float would lose digits past 2**53
    number = to_float(text, unit)
    if not number.is_integer():
        raise BadValue(f"{text!r} is not a whole number{' of ' if unit else ''}{unit}")
    return int(number)


def _factor(suffix: str, unit: str) -> float | None:
    """How many of C{unit} one of C{suffix} is; L{None} if they do not go together."""
    if not suffix:
        return 1.0
    if unit in _TIME_UNITS and suffix in _TIME_SUFFIXES:
        return _TIME_SUFFIXES[suffix] / _TIME_UNITS[unit]
    found = _OCTET_SUFFIX.fullmatch(suffix)
    if found and unit.startswith("octets"):
        return 1024.0 ** ["", "k", "m", "g", "t"].index(found[1].lower())
    return None


def _expected(unit: str) -> str:
    if unit in _TIME_UNITS:
        return f"a number of {unit}, or one with ms, s, m, h, d or w"
    if unit.startswith("octets"):
        return f"a number of {unit}, or one with K, M, G or T"
    return f"a number{' of ' if unit else ''}{unit}"


def split_words(text: str) -> tuple[str, ...]:
    """Cut at commas, semicolons and blanks."""
    return tuple(word for word in _SEPARATORS.split(text) if word)


def without_none(wanted: object) -> tuple[object, bool]:
    """Take C{| None} off a type; the second item says whether it was there."""
    if get_origin(wanted) not in (Union, types.UnionType):
        return wanted, False
    rest = [arg for arg in get_args(wanted) if arg is not type(None)]
    if len(rest) != 1:
        raise TypeError(f"an option cannot be of type {wanted}")
    return rest[0], True


def to_scalar(text: str, wanted: object, unit: str = "") -> object:
    """
    Read a text as C{wanted}.

    @param wanted: bool, int, float, str, a Literal of texts, or one of these C{| None},
        to which an empty text is L{None}.
    @raise BadValue: if it is none.
    @raise TypeError: for any other type: a mistake in an option class.
    """
    wanted, optional = without_none(wanted)
    if optional and not text.strip():
        return None
    if get_origin(wanted) is Literal:
        return _to_choice(text, get_args(wanted))
    if wanted is str:
        return text
    if wanted is bool:
        return to_bool(text)
    number: Callable[[str, str], float] | None
    number = to_int if wanted is int else to_float if wanted is float else None
    if number is None:
        raise TypeError(f"an option cannot be of type {wanted}")
    return number(text, unit)


def _to_choice(text: str, choices: tuple[object, ...]) -> object:
    for choice in choices:
        if str(choice).lower() == text.strip().lower():
            return choice
    raise BadValue(f"{text!r} is not one of {', '.join(map(str, choices))}")


def is_collection(wanted: object) -> bool:
    """Is it C{tuple[X, ...]} or C{frozenset[X]}?"""
    return get_origin(without_none(wanted)[0]) in (tuple, frozenset)


def to_collection(texts: tuple[str, ...], wanted: object, unit: str = "") -> object:
    """
    Read texts as C{tuple[X, ...]} or C{frozenset[X]}.

    @raise BadValue: if one of them is no C{X}.
    """
    plain, _ = without_none(wanted)
    items = [to_scalar(text, get_args(plain)[0], unit) for text in texts]
    return frozenset(items) if get_origin(plain) is frozenset else tuple(items)
