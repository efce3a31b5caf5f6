"""
The header of a message: its fields, read on demand and edited without touching the
others.

A field that nobody edits keeps its very octets, so that a signature over it stays good.

@see: RFC 5322 section 2.2, Haraka rows HB01, TX02 and TX07
"""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from zope.interface import implementer

from harakatw.interfaces.header import IHeader
from harakatw.message.encoded_words import decode_words
from harakatw.message.field import is_field_name, make_field
from harakatw.message.parameters import decode_parameters

MAX_FIELDS: Final = 1000
"""Fields that are indexed. Later ones are found too, but each time by a search."""

_FIELD = re.compile(rb"[^\n]*+\n?+(?:[ \t][^\n]*+\n?+)*+")
_REST_OF_FIELD = rb"[ \t]*+:[^\n]*+\n?+(?:[ \t][^\n]*+\n?+)*+"
_WITH_PARAMETERS = frozenset(("content-type", "content-disposition"))


@implementer(IHeader)
class Header:
    """
    The fields of a header. Nothing is parsed until a field is asked for or removed.

    Names are compared without regard to case; C{__class__} is a name like any other.
    """

    __slots__ = (
        "_after",
        "_before",
        "_index",
        "_indexed_octets",
        "_max_fields",
        "_raw",
    )

    def __init__(self, raw: bytes = b"", *, max_fields: int = MAX_FIELDS) -> None:
        """
        @param raw: the fields as received, without the blank line.
        @param max_fields: see L{MAX_FIELDS}.
        """
        self._before: list[bytes] = []  # what was added in front, the last first
        self._raw = _ended(raw)
        self._after: list[bytes] = []
        self._max_fields = max_fields
        self._index: dict[bytes, list[bytes]] | None = None  # of _raw
        self._indexed_octets = 0

    def receive(self, raw: bytes) -> None:
        """
        Take what came from the network, between what plugins added before it came.

        @raise ValueError: if there is something already.
        """
        if self._raw:
            raise ValueError("this header was received already")
        self._raw, self._index = _ended(raw), None

    def get(self, name: str) -> str:
        """
        The value of a field, unfolded; C{""} if there is none.

        Several of one name come with line feeds between them, as in Haraka; a single
        value never holds one. Octets that are not UTF-8 become U+FFFD.
        """
        return "\n".join(self.get_all(name))

    def get_all(self, name: str) -> list[str]:
        """The values of all fields of this name, from the top, unfolded."""
        return [_value(field) for field in self.fields(name)]

    def get_decoded(self, name: str) -> str:
        """
        As L{get}, with encoded words and extended parameters as the text that they
        mean.

        @see: RFC 2047, RFC 2231
        """
        has_parameters = name.lower() in _WITH_PARAMETERS
        decode: Callable[[str], str] = (
            decode_parameters if has_parameters else decode_words
        )
        return "\n".join(map(decode, self.get_all(name)))

    def fields(self, name: str) -> list[bytes]:
        """The fields of this name as they stand, from the top, folds and all."""
        if not is_field_name(name):
            return []
        key = name.lower().encode("ascii")
        found = [field for field in reversed(self._before) if _key(field) == key]
        found += self._indexed().get(key, ())
        if self.has_too_many_fields:
            found += _pattern(key).findall(self._raw, self._indexed_octets)
        found += [field for field in self._after if _key(field) == key]
        return found

    def names(self) -> list[str]:
        """The names of all fields as they are spelt, from the top."""
        pieces = (field.partition(b":") for field in self.lines())
        names = (
            name.rstrip(b" \t").decode("utf-8", "replace") for name, _, _ in pieces
        )
        return [name for name in names if is_field_name(name)]

    def lines(self) -> list[bytes]:
        """All fields as they stand, from the top, each with its CRLF."""
        return [*reversed(self._before), *_split(self._raw), *self._after]

    @property
    def has_too_many_fields(self) -> bool:
        """
        Did more fields come than are indexed? Mail of honest people has no hundred.
        """
        self._indexed()
        return self._indexed_octets < len(self._raw)

    def add(self, name: str, value: str) -> None:
        """
        Put a field in front of the others.

        @param value: the text; see L{make_field} for what is encoded and folded.
        @raise ValueError: if the name or the value cannot stand in a header.
        """
        self._before.append(make_field(name, value))

    def add_end(self, name: str, value: str) -> None:
        """Put a field behind the others; otherwise as L{add}."""
        self._after.append(make_field(name, value))

    def add_raw_leading(self, field: bytes) -> None:
        """
        Put a ready field in front of the others, such as the trace field of each
        message.

        @param field: whole, with its CRLF, made by ourselves: it is not looked at.
        """
        self._before.append(field)

    def remove(self, name: str) -> None:
        """Remove all fields of this name, if there are any."""
        if not is_field_name(name):
            return
        key = name.lower().encode("ascii")
        self._before = [field for field in self._before if _key(field) != key]
        self._after = [field for field in self._after if _key(field) != key]
        known = self._indexed().pop(key, ())
        if known or self.has_too_many_fields:
            self._raw = _pattern(key).sub(b"", self._raw)
            self._indexed_octets -= sum(map(len, known))

    def replace(self, name: str, value: str, number: int = 0) -> None:
        """
        Put a field in the place of one; if there is none, behind the others.

        @param number: which of those with this name, from the top; the first is 0.
        @raise ValueError: as L{add}.
        @raise IndexError: if there are some, but not that many.
        """
        field = make_field(name, value)
        if number == 0 and not self.fields(name):
            self._after.append(field)
        else:
            self._exchange(name, number, field)

    def remove_one(self, name: str, number: int) -> None:
        """
        Remove one field and leave the others of its name.

        @param number: as for L{replace}.
        @raise IndexError: if there are not that many.
        """
        self._exchange(name, number, b"")

    def _exchange(self, name: str, number: int, field: bytes) -> None:
        """Put octets in the place of one field; those of no other change."""
        key = name.lower().encode("utf-8", "replace")
        left = number
        for fields in (self._before[::-1], None, self._after):
            if fields is None:
                left = self._exchange_received(key, left, field)
            else:
                left = _exchange_in(fields, key, left, field)
                if fields is not self._after:
                    self._before = fields[::-1]
            if left < 0:
                return
        raise IndexError(f"the header has no {name} number {number}")

    def _exchange_received(self, key: bytes, left: int, field: bytes) -> int:
        """As L{_exchange_in}, among what came from the network."""
        for found in _FIELD.finditer(self._raw):
            if found[0] and _key(found[0]) == key:
                if left == 0:
                    raw = self._raw
                    self._raw = raw[: found.start()] + field + raw[found.end() :]
                    self._index = None
                    return -1
                left -= 1
        return left

    def __bytes__(self) -> bytes:
        """The fields as they go out, without the blank line that follows them."""
        if not (self._before or self._after):
            return self._raw
        return b"".join((*reversed(self._before), self._raw, *self._after))

    def _indexed(self) -> dict[bytes, list[bytes]]:
        if self._index is None:
            self._index = {}
            self._indexed_octets = 0
            for field in islice(_split(self._raw), self._max_fields):
                self._index.setdefault(_key(field), []).append(field)
                self._indexed_octets += len(field)
        return self._index


def _exchange_in(fields: list[bytes], key: bytes, left: int, field: bytes) -> int:
    """
    Exchange one field of a list.

    @param left: how many of this name are passed by.
    @return: how many are still to be passed by; -1 if it is done.
    """
    for place, each in enumerate(fields):
        if _key(each) == key:
            if left == 0:
                fields[place : place + 1] = [field] if field else []
                return -1
            left -= 1
    return left


def _ended(raw: bytes) -> bytes:
    """The last line of a message may lack its end; a field may not."""
    if not raw or raw.endswith(b"\n"):
        return raw
    return raw + (b"\n" if raw.endswith(b"\r") else b"\r\n")


def _split(raw: bytes) -> Iterator[bytes]:
    """
    Cut at each line that does not begin with a blank; every octet is in some field.
    """
    return (found[0] for found in _FIELD.finditer(raw) if found[0])


def _key(field: bytes) -> bytes:
    return field.partition(b":")[0].rstrip(b" \t").lower()


def _value(field: bytes) -> str:
    value = field.partition(b":")[2].replace(b"\r", b"").replace(b"\n", b"")
    return value.strip(b" \t").decode("utf-8", "replace")


def _pattern(key: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"(?im)^" + re.escape(key) + _REST_OF_FIELD)
