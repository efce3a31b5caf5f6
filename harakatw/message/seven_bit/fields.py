"""
Header fields with octets above 127, in ASCII.

@see: RFC 2047 section 5 (where encoded words may stand), RFC 2231 section 4
"""

import re
from typing import Final
from urllib.parse import quote

from harakatw.message.encoded_words import encode_words
from harakatw.message.field import make_field
from harakatw.message.header import Header
from harakatw.message.parameters import parse_parameters
from harakatw.message.seven_bit.errors import UnconvertibleError

_ADDRESSES: Final = frozenset(
    (
        "from",
        "sender",
        "reply-to",
        "to",
        "cc",
        "bcc",
        "resent-from",
        "resent-sender",
        "resent-reply-to",
        "resent-to",
        "resent-cc",
        "resent-bcc",
        "disposition-notification-to",
    )
)
_WITH_PARAMETERS: Final = frozenset(("content-type", "content-disposition"))
_NO_TEXT: Final = frozenset(
    (
        "arc-authentication-results",
        "arc-message-signature",
        "arc-seal",
        "authentication-results",
        "content-id",
        "content-transfer-encoding",
        "date",
        "dkim-signature",
        "in-reply-to",
        "message-id",
        "mime-version",
        "received",
        "references",
        "resent-date",
        "resent-message-id",
        "return-path",
    )
)
"""Fields in which an encoded word means nothing."""

_QUOTED: Final = r'"(?:[^"\\]|\\.)*+"(?:@[^\s<,;]*+)?+'
_COMMENT: Final = r"\((?:[^()\\]|\\.)*+\)"
_TOKEN: Final = re.compile(rf'{_QUOTED}|{_COMMENT}|<[^>]*+>|[^\s"(<,;:]++|.', re.DOTALL)
_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)
_SAFE: Final = "!#$&+-.^_`{}~"


def seven_bit_head(head: bytes) -> bytes:
    """
    Encode what is not ASCII in a header; fields in ASCII keep their octets.

    @param head: the fields, without the blank line.
    @raise UnconvertibleError: if a field is not UTF-8, or cannot say in ASCII what it
        says.
    """
    if head.isascii():
        return head
    lines = Header(head).lines()
    return b"".join(line if line.isascii() else _field(line) for line in lines)


def _field(line: bytes) -> bytes:
    octets, _, rest = line.partition(b":")
    try:
        name, value = octets.decode("ascii").strip(" \t"), rest.decode("utf-8")
    except UnicodeDecodeError:
        raise UnconvertibleError("a header field is in no known charset") from None
    unfolded = value.replace("\r", "").replace("\n", "").strip(" \t")
    try:
        return make_field(name, _in_ascii(name.lower(), unfolded))
    except ValueError:
        raise UnconvertibleError("a header field cannot be encoded") from None


def _in_ascii(key: str, value: str) -> str:
    if key in _NO_TEXT:
        raise UnconvertibleError("a header field that is no text is not ASCII")
    if key in _ADDRESSES:
        return "".join(map(_address_token, _TOKEN.findall(value)))
    if key in _WITH_PARAMETERS:
        return _with_parameters(value)
    return value  # make_field() encodes text


def _address_token(token: str) -> str:
    """A word of a display name, a comment; anything else must be ASCII already."""
    if token.isascii():
        return token
    if token.startswith("<") or "@" in token.rpartition('"')[2]:
        raise UnconvertibleError("an address in the header is not ASCII")
    inner = _PAIR.sub(r"\1", token[1:-1])
    if token[0] == token[-1] == '"':
        return encode_words(inner)
    return f"({encode_words(inner)})" if token[0] == "(" else encode_words(token)


def _with_parameters(value: str) -> str:
    main, parameters = parse_parameters(value)
    return "; ".join((main, *(_parameter(*each) for each in parameters.items())))


def _parameter(name: str, value: str) -> str:
    if value.isascii():
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{name}="{escaped}"'
    return f"{name}*=utf-8''{quote(value, safe=_SAFE)}"
