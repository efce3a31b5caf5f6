"""
Text in SASL messages: base64, UTF-8, and the one form of names and passwords.

@see: RFC 4954 section 4 (base64), RFC 4013 (SASLprep)
"""

import base64
import binascii
import stringprep
import unicodedata
from typing import Final

from harakatw.errors import HarakaError


class SASLError(HarakaError):
    """
    What the other side says makes no sense, or it has not proved what it should; the
    message holds no secret.
    """


def decode_base64(octets: bytes) -> bytes:
    """
    Read a message as it stands in a line: in base64 without anything else.

    @raise SASLError: if it is anything else.
    """
    try:
        decoded = binascii.a2b_base64(octets, strict_mode=True)
    except ValueError:
        raise SASLError("not valid base64") from None
    if len(octets) != 4 * ((len(decoded) + 2) // 3):  # Python takes QUJD= for QUJD
        raise SASLError("not valid base64")
    return decoded


def encode_base64(octets: bytes) -> str:
    """Write a message so that it can stand in a line."""
    return base64.b64encode(octets).decode("ascii")


def decode_text(octets: bytes) -> str:
    """
    Read a name or a password.

    @raise SASLError: if it is not UTF-8.
    """
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        raise SASLError("not valid UTF-8") from None


def saslprep(text: str) -> str:
    """
    The one form of a user name or password.

    @raise SASLError: for a control or unassigned character, or mixed directions.
    @see: RFC 4013
    """
    if text.isascii() and text.isprintable():
        return text
    mapped = (
        " " if stringprep.in_table_c12(character) else character
        for character in text
        if not stringprep.in_table_b1(character)
    )
    prepared = unicodedata.normalize("NFKC", "".join(mapped))
    if any(forbidden(each) for each in prepared for forbidden in _FORBIDDEN):
        raise SASLError("the user or password has a character that is not allowed")
    _check_direction(prepared)
    return prepared


_FORBIDDEN: Final = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def _check_direction(text: str) -> None:
    """Text from right to left is so from end to end (RFC 3454 section 6)."""
    if not any(map(stringprep.in_table_d1, text)):
        return
    ends = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    if not ends or any(map(stringprep.in_table_d2, text)):
        raise SASLError("the user or password mixes directions of writing")
