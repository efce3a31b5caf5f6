"""
Messages of LDAP, as octets: those that logging in takes, and what answers them.

@see: RFC 4511 sections 4.2, 4.3, 4.5, 4.12 and 5.1
"""

from collections.abc import Iterator
from typing import Final

import attrs

from harakatw.errors import HarakaError

MAX_OCTETS: Final = 65_536
"""Of an answer; those that are waited for have some hundred."""

BIND_ANSWER: Final = 0x61
ENTRY: Final = 0x64
SEARCH_DONE: Final = 0x65
EXTENDED_ANSWER: Final = 0x78

_INTEGER, _OCTETS, _ENUMERATED, _SEQUENCE = 0x02, 0x04, 0x0A, 0x30
_UNBIND, _BIND, _SEARCH, _EXTENDED = 0x42, 0x60, 0x63, 0x77
_STARTTLS: Final = b"1.3.6.1.4.1.1466.20037"


class LDAPError(HarakaError):
    """A server does not answer as it should; the message holds no secret."""


@attrs.frozen
class Message:
    """
    What a server says.

    @ivar number: of the question; 0 where there was none.
    @ivar kind: such as L{BIND_ANSWER}.
    @ivar body: the rest.
    """

    number: int
    kind: int
    body: bytes = attrs.field(repr=False)

    @property
    def code(self) -> int:
        """
        Of an answer: how it went.

        @raise LDAPError: it does not tell.
        """
        tag, value, _ = read_element(self.body)
        if tag != _ENUMERATED:
            raise LDAPError("an answer without a result")
        return int.from_bytes(value)

    @property
    def name(self) -> bytes:
        """
        Of an entry: its distinguished name.

        @raise LDAPError: it has none.
        """
        tag, value, _ = read_element(self.body)
        if tag != _OCTETS:
            raise LDAPError("an entry without a name")
        return value


# ---- what is asked -------------------------------------------------------------------


def element(tag: int, *parts: bytes) -> bytes:
    """A value with its tag and its length (the definite form of BER)."""
    value = b"".join(parts)
    size = len(value)
    if size < 0x80:
        return bytes((tag, size)) + value
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + value


def octets(value: str | bytes) -> bytes:
    """A text."""
    return element(_OCTETS, value.encode() if isinstance(value, str) else value)


def bind(number: int, name: str | bytes, password: str) -> bytes:
    """Log in as an entry, by its password (section 4.2)."""
    version = _integer(3)
    simple = element(0x80, password.encode())
    return _message(number, element(_BIND, version, octets(name), simple))


def search(number: int, base: str, wanted: bytes, seconds: int) -> bytes:
    """
    Find entries below a base, but two at the most, and nothing but their names.

    @param wanted: a filter, from L{harakatw.plugins._ldap_filters.parse_filter}.
    @param seconds: that the server may take.
    """
    return _message(
        number,
        element(
            _SEARCH,
            octets(base),
            element(_ENUMERATED, b"\x02"),  # the whole subtree
            element(_ENUMERATED, b"\x00"),  # aliases stay what they are
            _integer(2),
            _integer(seconds),
            element(0x01, b"\xff"),
            wanted,
            element(_SEQUENCE, octets("1.1")),  # no attributes (section 4.5.1.8)
        ),
    )


def starttls(number: int) -> bytes:
    """Begin TLS (section 4.14)."""
    return _message(number, element(_EXTENDED, element(0x80, _STARTTLS)))


def unbind(number: int) -> bytes:
    """Leave (section 4.3)."""
    return _message(number, element(_UNBIND))


def _message(number: int, request: bytes) -> bytes:
    return element(_SEQUENCE, _integer(number), request)


def _integer(value: int) -> bytes:
    """Not negative, and as short as can be."""
    return element(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


# ---- what is answered ----------------------------------------------------------------


@attrs.define(eq=False)
class Messages:
    """Cuts what a server says into messages."""

    _data: bytes = attrs.field(default=b"", init=False, repr=False)

    def feed(self, data: bytes) -> Iterator[Message]:
        """
        Take what has come.

        @raise LDAPError: it is no message, or too long.
        """
        self._data += data
        while True:
            size = _size(self._data)
            if size is None or size > len(self._data):
                return
            message, self._data = self._data[:size], self._data[size:]
            yield _read(message)

    @property
    def is_empty(self) -> bool:
        """Is nothing left of what has come?"""
        return not self._data


def _size(data: bytes) -> int | None:
    """
    Of the message at the beginning; L{None} as long as that cannot be told.

    @raise LDAPError: there is none, or it is too long.
    """
    if not data:
        return None
    if data[0] != _SEQUENCE:
        raise LDAPError("it does not speak LDAP")
    if len(data) < 2:
        return None
    size, start = data[1], 2
    if size >= 0x80:
        start += size & 0x7F
        if size == 0x80 or start > 6:
            raise LDAPError("a length that LDAP does not allow")
        if len(data) < start:
            return None
        size = int.from_bytes(data[2:start])
    if size > MAX_OCTETS:
        raise LDAPError(f"an answer of more than {MAX_OCTETS} octets")
    return start + size


def _read(message: bytes) -> Message:
    _, content, _ = read_element(message)
    tag, number, rest = read_element(content)
    if tag != _INTEGER:
        raise LDAPError("a message without a number")
    kind, body, _ = read_element(rest)
    return Message(int.from_bytes(number), kind, body)


def read_element(data: bytes) -> tuple[int, bytes, bytes]:
    """
    Read the first element: its tag, its value, and what is behind it.

    @raise LDAPError: it is cut off.
    """
    if len(data) < 2:
        raise LDAPError("a message that is cut off")
    size, start = data[1], 2
    if size >= 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[2:start])
    if len(data) < start + size:
        raise LDAPError("a message that is cut off")
    return data[0], data[start : start + size], data[start + size :]
