"""
The parameters after the path of C{MAIL FROM} and C{RCPT TO}.

@see: RFC 5321 section 4.1.2 (esmtp-param)
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from harakatw.errors import ProtocolError
from harakatw.reply import Reply, reply

Params = Mapping[str, str | None]
"""Names in upper case; a value as received, or L{None} if there was no C{=}."""

BodyType = Literal["7BIT", "8BITMIME", "BINARYMIME"]

EMPTY_PARAMS: Final[Params] = MappingProxyType({})
"""What every command without parameters shares."""

MAX_PARAMS: Final = 32
"""More than all extensions together define."""

BAD_SYNTAX: Final = reply(501, "5.5.4", "Syntax error in parameters")
TOO_MANY: Final = reply(501, "5.5.4", f"More than {MAX_PARAMS} parameters")
BAD_SIZE: Final = reply(501, "5.5.4", "SIZE must be a number of 1 to 20 digits")
TOO_BIG: Final = reply(552, "5.3.4", "Message size exceeds the maximum message size")
BAD_BODY: Final = reply(501, "5.5.4", "BODY must be 7BIT or 8BITMIME")
BAD_BINARY_BODY: Final = reply(
    501, "5.5.4", "BODY must be 7BIT, 8BITMIME or BINARYMIME"
)
BAD_XTEXT: Final = reply(501, "5.5.4", "Parameter value is not valid xtext")

_KEYWORD = r"[A-Za-z0-9][A-Za-z0-9-]{0,63}+"  # no extension has a longer one
_PARAM = re.compile(rf"({_KEYWORD})(?:=([!-<>-~]++))?", re.ASCII)
_FOREIGN_PARAM = re.compile(rf"({_KEYWORD})(?:=([!-<>-~\x80-\U0010ffff]++))?")
_SIZE = re.compile(r"[0-9]{1,20}+")
_XTEXT = re.compile(r"[!-*,-<>-~]*+(?:\+[0-9A-Fa-f]{2}[!-*,-<>-~]*+)*")
_HEX_CHAR = re.compile(rb"\+([0-9A-Fa-f]{2})")
_TO_ENCODE = re.compile(rb"[^!-*,-<>-~]")
_MAX_DETAIL = 80  # characters of a refused value that the log gets


def parse_params(text: bytes, *, utf8: bool = False) -> Params:
    """
    Read parameters that stand apart by blanks.

    @param text: what follows the path and its blank; may have blanks at both ends.
    @param utf8: take UTF-8 in values, as SMTPUTF8 allows.
    @return: never to be changed.
    @raise ProtocolError: 501 5.5.4 if a name or value is malformed or empty, a name
        comes twice, or there are more than L{MAX_PARAMS}.
    @see: RFC 5321 section 4.1.2 (esmtp-param), RFC 6531 section 3.3 (esmtp-value)
    """
    words = _decode(text, utf8).replace("\t", " ").split(" ")
    pattern = _FOREIGN_PARAM if utf8 else _PARAM
    params: dict[str, str | None] = {}
    for word in words:
        if not word:
            continue
        found = pattern.fullmatch(word)
        if not found:
            raise ProtocolError(BAD_SYNTAX, parameter=word[:_MAX_DETAIL])
        name = found[1].upper()
        if name in params:
            raise ProtocolError(reply(501, "5.5.4", f"{name} is given twice"))
        if len(params) == MAX_PARAMS:
            raise ProtocolError(TOO_MANY)
        params[name] = found[2]
    return MappingProxyType(params) if params else EMPTY_PARAMS


def parse_size(value: str | None, max_bytes: int) -> int:
    """
    Read the SIZE parameter of C{MAIL FROM}.

    @param value: what stood after C{SIZE=}.
    @param max_bytes: largest message taken, in octets, CRLF being two; 0 is no limit.
    @return: the declared size in octets: a hint, never a promise.
    @raise ProtocolError: 501 if C{value} is not 1 to 20 digits, 552 if too big.
    @see: RFC 1870 section 3 (grammar), section 6.1 (replies)
    """
    if value is None or not _SIZE.fullmatch(value):
        raise ProtocolError(BAD_SIZE, value=_shortened(value))
    size = int(value)
    if 0 < max_bytes < size:
        raise ProtocolError(TOO_BIG, declared=size)
    return size


def parse_body(value: str | None, *, binary: bool) -> BodyType:
    """
    Read the BODY parameter of C{MAIL FROM}.

    @param value: what stood after C{BODY=}, in any case.
    @param binary: is BINARYMIME on offer?
    @raise ProtocolError: 501 if it is another type.
    @see: RFC 6152 section 2, RFC 3030 section 3
    """
    match (value or "").upper():
        case "8BITMIME":
            return "8BITMIME"
        case "7BIT":
            return "7BIT"
        case "BINARYMIME" if binary:
            return "BINARYMIME"
    answer = BAD_BINARY_BODY if binary else BAD_BODY
    raise ProtocolError(answer, value=_shortened(value))


def is_binary(params: Params) -> bool:
    """
    Do the parameters of a C{MAIL}, checked, announce a message of any octets?

    @see: RFC 3030 section 3
    """
    return (params.get("BODY") or "").upper() == "BINARYMIME"


def decode_xtext(value: str | None, *, utf8: bool = False) -> str:
    """
    Read a value in which C{+} and two hexadecimal digits stand for an octet.

    Lower-case digits are taken too, which can be read in one way only.

    @param value: such as C{bob+2Bsales@d.example}.
    @param utf8: take octets that make up UTF-8; otherwise ASCII only.
    @return: printable text; blanks may be in it.
    @raise ProtocolError: 501 if it is no xtext, or hides a control character.
    @see: RFC 3461 section 4
    """
    if not value or not _XTEXT.fullmatch(value):
        raise ProtocolError(BAD_XTEXT, value=_shortened(value))
    octets = _HEX_CHAR.sub(
        lambda found: bytes.fromhex(found[1].decode("ascii")), value.encode("ascii")
    )
    text = _decode(octets, utf8, BAD_XTEXT)
    if not text.isprintable():
        raise ProtocolError(BAD_XTEXT, value=_shortened(value))
    return text


def encode_xtext(text: str) -> str:
    """
    Write text so that it can be a parameter's value: the inverse of L{decode_xtext}.

    @param text: anything; what is not ASCII is written as the octets of its UTF-8.
    @see: RFC 3461 section 4
    """
    return _TO_ENCODE.sub(
        lambda found: b"+%02X" % found[0][0], text.encode("utf-8")
    ).decode("ascii")


def _decode(octets: bytes, utf8: bool, answer: Reply = BAD_SYNTAX) -> str:
    try:
        return octets.decode("utf-8" if utf8 else "ascii")
    except UnicodeDecodeError:
        raise ProtocolError(answer, value=octets[:_MAX_DETAIL]) from None


def _shortened(value: str | None) -> str:
    return (value or "")[:_MAX_DETAIL]
