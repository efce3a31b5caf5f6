"""
XOAUTH2 and OAUTHBEARER: a token that somebody else gave out.

@see: RFC 7628 (OAUTHBEARER), RFC 6750 section 2.1 (tokens); XOAUTH2 is Google's, of
    which RFC 7628 was made
"""

import json
import re
from collections.abc import Mapping
from typing import Final

import attrs

from harakatw.wire.sasl.scram import split_gs2_header
from harakatw.wire.sasl.text import SASLError, decode_text

_SEPARATOR: Final = "\x01"
_PAIR = re.compile(r"([A-Za-z]+)=([^\0\x01]*)")
_BEARER = re.compile(r"[Bb]earer +([A-Za-z0-9._~+/-]+=*)")

INVALID_TOKEN: Final = "invalid_token"


@attrs.frozen
class BearerMessage:
    """
    What a client says of itself.

    @ivar user: who it is, C{""} if the token tells.
    @ivar token: as given out; in no log.
    """

    user: str
    token: str = attrs.field(repr=False)


def parse_xoauth2(message: bytes) -> BearerMessage:
    """
    Read C{user=...}, C{auth=Bearer ...}, each with an octet 1 behind it, and one more.

    @raise SASLError: if it is something else.
    """
    pairs = _pairs(decode_text(message))
    return BearerMessage(pairs.get("user", ""), _token(pairs))


def parse_oauthbearer(message: bytes) -> BearerMessage:
    """
    Read the header of GS2, then pairs as L{parse_xoauth2} has them.

    @raise SASLError: if it is something else, or asks for channel binding.
    @see: RFC 7628 section 3.1
    """
    flag, user, rest = split_gs2_header(decode_text(message))
    if flag not in ("n", "y"):
        raise SASLError("there is no channel binding with OAUTHBEARER")
    if not rest.startswith(_SEPARATOR):
        raise SASLError("the message is malformed")
    return BearerMessage(user, _token(_pairs(rest[1:])))


def _pairs(text: str) -> Mapping[str, str]:
    """
    The keys and values; a message ends in two separators.

    @raise SASLError: if there is anything else, or a key twice.
    """
    parts = text.split(_SEPARATOR)
    if parts[-2:] != ["", ""]:
        raise SASLError("the message has no end")
    pairs: dict[str, str] = {}
    for part in parts[:-2]:
        found = _PAIR.fullmatch(part)
        if not found or found[1].lower() in pairs:
            raise SASLError("the message is malformed")
        pairs[found[1].lower()] = found[2]
    return pairs


def _token(pairs: Mapping[str, str]) -> str:
    found = _BEARER.fullmatch(pairs.get("auth", ""))
    if not found:
        raise SASLError("the message has no bearer token")
    return found[1]


def bearer_error(status: str, scope: str = "", configuration: str = "") -> bytes:
    """
    Why a token is not taken, as the challenge that comes before the refusal.

    @param status: C{invalid_token}, C{insufficient_scope} or C{invalid_request}.
    @param scope: what the token should be good for.
    @param configuration: URL of the issuer's C{openid-configuration}.
    @see: RFC 7628 section 3.2.2
    """
    told = {
        "status": status,
        "scope": scope,
        "openid-configuration": configuration,
    }
    kept = {name: value for name, value in told.items() if value}
    return json.dumps(kept, separators=(",", ":")).encode("ascii")
