"""
PLAIN and LOGIN: the password as it is, so for encrypted connections.

@see: RFC 4616 (PLAIN). LOGIN has no specification that is in force.
"""

from typing import Final

import attrs

from harakatw.wire.sasl.text import SASLError, decode_text

ASK_USER: Final = b"Username:"
ASK_PASSWORD: Final = b"Password:"


@attrs.frozen
class PlainMessage:
    """
    What a client says of itself.

    @ivar authzid: who it wants to act as, C{""} for C{user}.
    @ivar user: who it is.
    @ivar password: as typed; in no log.
    """

    authzid: str
    user: str
    password: str = attrs.field(repr=False)


def parse_plain(message: bytes) -> PlainMessage:
    """
    Read the message of PLAIN.

    @raise SASLError: if it is not three texts parted by NUL.
    @see: RFC 4616 section 2
    """
    parts = message.split(b"\0")
    if len(parts) != 3:
        raise SASLError("PLAIN is three texts parted by NUL")
    return PlainMessage(*map(decode_text, parts))


def is_sane(text: str) -> bool:
    """
    Can this be a name or password at all? Nobody types nothing, or a control character:
    what sends one means to get at something behind us, as an empty password does with
    LDAP.
    """
    return bool(text) and not any(c < " " or c == "\x7f" for c in text)
