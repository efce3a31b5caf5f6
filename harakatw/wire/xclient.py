"""
The attributes of C{XCLIENT} and C{XFORWARD}: what one mail server tells another of a
client.

@see: Postfix's C{XCLIENT_README} and C{XFORWARD_README}; RFC 3461 section 4 (xtext)
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from harakatw.errors import ProtocolError
from harakatw.reply import reply
from harakatw.wire.helo import MAX_HOST_OCTETS
from harakatw.wire.params import decode_xtext, encode_xtext

Attributes = Mapping[str, str]
"""
Names in upper case; values decoded, C{""} for what the sender does not know either, and
L{TEMPUNAVAIL} for a name that it may know later. What was not told is not there.
"""

TEMPUNAVAIL: Final = "[TEMPUNAVAIL]"
"""In place of a name: the look-up failed, and may work another time."""

UNAVAILABLE: Final = "[UNAVAILABLE]"
"""In place of a value, on the wire: there is none."""

NO_ATTRIBUTES: Final = reply(501, "5.5.4", "Attributes are missing: NAME=value ...")

_MAX_VALUE = 255  # characters of a decoded value, as Postfix takes
_MAX_DETAIL = 80
_MAX_COMMAND = 510  # octets, without CRLF

_HOST = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,4}")
_IPV6 = "IPV6:"


def _name(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise ValueError
    return value.rstrip(".").lower()


def _address(value: str) -> str:
    """With or without the prefix: clients that forget it can be understood."""
    tagged = value.upper().startswith(_IPV6)
    address = ipaddress.ip_address(value[len(_IPV6) :] if tagged else value)
    if "%" in value or (tagged and address.version == 4):
        raise ValueError
    return str(getattr(address, "ipv4_mapped", None) or address)


def _port(value: str) -> str:
    if not _NUMBER.fullmatch(value) or int(value) > 65535:
        raise ValueError
    return value


def _one_of(*words: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value.upper() not in words:
            raise ValueError
        return value.upper()

    return check


def _text(value: str) -> str:
    return value


XCLIENT: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {
        "NAME": _name,
        "ADDR": _address,
        "PORT": _port,
        "PROTO": _one_of("SMTP", "ESMTP"),
        "HELO": _text,
        "LOGIN": _text,
        "DESTADDR": _address,
        "DESTPORT": _port,
    }
)
"""What XCLIENT may tell, in the order in which EHLO announces it."""

XFORWARD: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {
        "NAME": _name,
        "ADDR": _address,
        "PORT": _port,
        "PROTO": _text,
        "HELO": _text,
        "IDENT": _text,
        "SOURCE": _one_of("LOCAL", "REMOTE"),
    }
)
"""What XFORWARD may tell, likewise."""


def parse_attributes(
    text: str, known: Mapping[str, Callable[[str], str]]
) -> Attributes:
    """
    Read the argument of one of the two commands.

    @param text: what followed the verb.
    @param known: L{XCLIENT} or L{XFORWARD}.
    @raise ProtocolError: 501 5.5.4 if there is nothing, an attribute is unknown or
        given twice, or a value is malformed, too long, or hides a control character.
    """
    attributes: dict[str, str] = {}
    for word in text.split():
        name, equals, value = word.partition("=")
        name = name.upper()
        check = known.get(name)
        if check is None or not equals:
            raise ProtocolError(
                reply(501, "5.5.4", f"No such attribute: {name[:20] or '='}")
            )
        if name in attributes:
            raise ProtocolError(reply(501, "5.5.4", f"{name} is given twice"))
        attributes[name] = _read(name, value, check)
    if not attributes:
        raise ProtocolError(NO_ATTRIBUTES)
    return MappingProxyType(attributes)


def _read(name: str, value: str, check: Callable[[str], str]) -> str:
    bad = reply(501, "5.5.4", f"The value of {name} is malformed")
    word = value.upper()
    if word == UNAVAILABLE:
        return ""
    if word == TEMPUNAVAIL and name == "NAME":
        return TEMPUNAVAIL
    try:
        decoded = decode_xtext(value, utf8=name in ("LOGIN", "HELO", "IDENT"))
        if len(decoded) > (MAX_HOST_OCTETS if name == "HELO" else _MAX_VALUE):
            raise ValueError
        return check(decoded)
    except (ProtocolError, ValueError):
        raise ProtocolError(bad, value=value[:_MAX_DETAIL]) from None


def attribute_lines(
    verb: str, attributes: Attributes, announced: frozenset[str]
) -> tuple[bytes, ...]:
    """
    Write attributes as commands, each short enough for any server.

    @param verb: C{XCLIENT} or C{XFORWARD}.
    @param announced: what the peer takes; the rest is left out.
    @return: commands without CRLF; none if nothing is left.
    @see: RFC 5321 section 4.5.3.1.4
    """
    lines: list[str] = []
    for name, value in attributes.items():
        word = f" {name}={_write(name, value)}"
        if name not in announced or len(verb) + len(word) > _MAX_COMMAND:
            continue
        if lines and len(lines[-1]) + len(word) <= _MAX_COMMAND:
            lines[-1] += word
        else:
            lines.append(verb + word)
    return tuple(line.encode("ascii") for line in lines)


def _write(name: str, value: str) -> str:
    if not value:
        return UNAVAILABLE
    if value == TEMPUNAVAIL:
        return value
    if name in ("ADDR", "DESTADDR") and ":" in value:
        return f"{_IPV6}{value}"
    return encode_xtext(value[:_MAX_VALUE])
