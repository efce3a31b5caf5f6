"""
The words that say which items are meant: C{sender=*@example.org older=2d}.

One grammar for all who ask: the command, the socket of a running server.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from harakatw.errors import HarakaError
from harakatw.interfaces.queue import Filter, ItemState

_MAX_ID: Final = (1 << 63) - 1
_IDS = re.compile(r"[0-9]{1,19}(?:,[0-9]{1,19})*")
_AGE = re.compile(r"(?:[0-9]{1,9}[smhdw])+")
_AGE_PART = re.compile(r"([0-9]+)([smhdw])")
_SECONDS: Final = MappingProxyType(
    {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
)


class FilterError(HarakaError):
    """Words do not say which items are meant; the text says why not."""


def parse_filter(words: Iterable[str]) -> Filter:
    """
    Read a filter. All words must hold for an item to be meant; without any, all are.

    @param words: each C{key=value} with a key of L{KEYS}, or just the numbers of items.
        C{id} may be given several times.
    @raise FilterError: for an unknown key, a value that cannot be, a key given twice.
    """
    ids: set[int] = set()
    fields: dict[str, Any] = {}
    for word in words:
        key, value = _split(word)
        name, read = _KEYS[key]
        meant = read(key, value)
        if name == "ids":
            ids |= meant
        elif name in fields:
            raise FilterError(f"{key} is given twice")
        else:
            fields[name] = meant
    return Filter(ids=frozenset(ids), **fields)


def parse_seconds(text: str) -> float:
    """
    Read a span of time.

    @param text: such as C{90s}, C{5m}, C{12h}, C{2d}, C{1w} or C{1d12h}.
    @raise FilterError: if it is none.
    """
    if not _AGE.fullmatch(text):
        raise FilterError(f"{text[:80]!r} is no time such as 90s, 5m, 12h, 2d or 1d12h")
    parts = _AGE_PART.findall(text)
    return float(sum(int(number) * _SECONDS[unit] for number, unit in parts))


def _split(word: str) -> tuple[str, str]:
    """
    A key of the table, and a value that a store can look for.

    @raise FilterError: if one of them is none.
    """
    if not word.isprintable():
        raise FilterError(f"{word[:80]!a} has characters that nobody can print")
    key, is_pair, value = word.partition("=")
    if not is_pair:
        if _IDS.fullmatch(word):
            return "id", word
        raise FilterError(f"{word[:80]!r} is neither key=value nor a number; {_hint()}")
    if key not in _KEYS:
        raise FilterError(f"there is no {key[:80]!r}{_nearest(key)}; {_hint()}")
    if not value:
        why = "the null path is sender=<>" if _KEYS[key][0] == "sender" else "say what"
        raise FilterError(f"{key}= would mean any: {why}, or leave it out")
    return key, value


def _nearest(key: str) -> str:
    near = difflib.get_close_matches(key[:80].lower(), _KEYS, 1)
    return f": did you mean {near[0]}?" if near else ""


def _hint() -> str:
    return f"the keys are {', '.join(KEYS)}"


def _text(key: str, value: str) -> str:
    return value


def _ids(key: str, value: str) -> frozenset[int]:
    numbers = map(int, value.split(",")) if _IDS.fullmatch(value) else (-1,)
    found = frozenset(numbers)
    if not all(0 <= number <= _MAX_ID for number in found):
        raise FilterError(f"{key}={value[:80]}: expected numbers such as 17 or 17,18")
    return found


def _age(key: str, value: str) -> float:
    return parse_seconds(value)


def _state(key: str, value: str) -> ItemState:
    try:
        return ItemState(value.lower())
    except ValueError:
        known = ", ".join(state.value for state in ItemState)
        raise FilterError(f"{key}={value[:80]}: expected one of {known}") from None


_KEYS: Final[Mapping[str, tuple[str, Callable[[str, str], Any]]]] = MappingProxyType(
    {
        "id": ("ids", _ids),
        "uuid": ("uuid", _text),
        "sender": ("sender", _text),
        "recipient": ("recipient", _text),
        "domain": ("domain", _text),
        "site": ("site", _text),
        "state": ("state", _state),
        "error": ("error", _text),
        "older": ("older_seconds", _age),
        "younger": ("younger_seconds", _age),
    }
)

KEYS: Final = tuple(_KEYS)
"""What may stand before an equals sign."""
