"""
Names and filters of LDAP, made for a user from templates.

@see: RFC 4514 (names), RFC 4515 (filters), RFC 4511 section 4.5.1.7
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from harakatw.plugins._ldap_messages import element, octets

_SAFE: Final = re.compile(rb"[a-zA-Z0-9@._-]")
_PLACE: Final = re.compile("%([und])")
_ITEM: Final = re.compile(
    r"([A-Za-z0-9.;-]*)((?::[A-Za-z0-9.-]+)*)(:=|[~<>]=|=)([^()]*)"
)
_ESCAPE: Final = re.compile(rb"\\([0-9a-fA-F]{2})")
_MOST_DEPTH: Final = 20
_KINDS: Final[Mapping[str, int]] = MappingProxyType(
    {"=": 0xA3, ">=": 0xA5, "<=": 0xA6, "~=": 0xA8}
)
_SETS: Final[Mapping[str, int]] = MappingProxyType({"&": 0xA0, "|": 0xA1})


def escaped(text: str) -> str:
    """
    A value for a name or a filter: nothing of it has a meaning of its own there.

    @see: RFC 4514 section 2.4, RFC 4515 section 3
    """
    each = (bytes((octet,)) for octet in text.encode())
    return "".join(
        octet.decode() if _SAFE.match(octet) else f"\\{octet.hex()}" for octet in each
    )


def filled(template: str, user: str) -> str:
    """
    A template for a user: C{%u} is the name, C{%n} what stands before the last C{@} of
    it, C{%d} the domain behind.

    @return: C{""} if the template names no user, or needs what the name does not have.
    """
    local, _, domain = user.rpartition("@")
    values = {"u": user, "n": local or domain, "d": domain if local else ""}
    wanted = {found[1] for found in _PLACE.finditer(template)}
    if not wanted & {"u", "n"} or not all(values[each] for each in wanted):
        return ""
    return _PLACE.sub(lambda found: escaped(values[found[1]]), template)


def parse_filter(text: str) -> bytes:
    """
    Read a filter.

    @return: as it is sent.
    @raise ValueError: it is none.
    @see: RFC 4515 section 3
    """
    found, rest = _filter(text, 0)
    if rest:
        raise ValueError(f"expected nothing behind the filter, not {rest!r}")
    return found


def _filter(text: str, depth: int) -> tuple[bytes, str]:
    """The first filter, and what is behind it."""
    if not text.startswith("(") or depth > _MOST_DEPTH:
        raise ValueError(f"expected a filter in parentheses, not {text!r}")
    kind, rest = text[1:2], text[2:]
    if kind in _SETS:
        parts, rest = _filters(rest, depth)
        found = element(_SETS[kind], *parts)
    elif kind == "!":
        part, rest = _filter(rest, depth + 1)
        found = element(0xA2, part)
    else:
        found, rest = _item(text[1:])
    if not rest.startswith(")"):
        raise ValueError("expected ) at the end of a filter")
    return found, rest[1:]


def _filters(text: str, depth: int) -> tuple[list[bytes], str]:
    parts = []
    while text.startswith("("):
        part, text = _filter(text, depth + 1)
        parts.append(part)
    if not parts:
        raise ValueError("expected filters behind & or |")
    return parts, text


def _item(text: str) -> tuple[bytes, str]:
    found = _ITEM.match(text)
    if found is None:
        raise ValueError(f"expected an attribute and a value, not {text!r}")
    name, rules, kind, value = found.groups()
    rest = text[found.end() :]
    if kind == ":=":
        return _rule(name, rules[1:].split(":") if rules else [], value), rest
    if rules or not name:
        raise ValueError(f"expected an attribute and a value, not {text!r}")
    if kind != "=" or "*" not in value:
        return element(_KINDS[kind], octets(name), octets(_plain(value))), rest
    if value == "*":
        return element(0x87, name.encode()), rest
    return element(0xA4, octets(name), element(0x30, *_pieces(value))), rest


def _pieces(value: str) -> list[bytes]:
    """Of a value with stars: the beginning, what is between, and the end."""
    first, *between, last = value.split("*")
    pieces = [(0x80, first), *((0x81, each) for each in between), (0x82, last)]
    return [element(tag, _plain(each)) for tag, each in pieces if each]


def _rule(name: str, rules: list[str], value: str) -> bytes:
    """A comparison by a rule that is named, as Active Directory has for groups."""
    of_name = rules[:1] == ["dn"]
    rule = rules[of_name:]
    if len(rule) > 1 or not (rule or name):
        raise ValueError("expected attribute:rule:=value")
    return element(
        0xA9,
        *(element(0x81, each.encode()) for each in rule),
        *([element(0x82, name.encode())] if name else []),
        element(0x83, _plain(value)),
        *([element(0x84, b"\xff")] if of_name else []),
    )


def _plain(value: str) -> bytes:
    """A value without escapes."""
    rest = _ESCAPE.sub(b"", value.encode())
    if b"\\" in rest:
        raise ValueError("expected two hexadecimal digits behind \\")
    return _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), value.encode())
