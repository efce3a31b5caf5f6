"""
Who sent a message that somebody forwarded: its C{From} line, found in the body.

Mail programs forward as text, as HTML or as an attachment, and encode any of these. So
the body is not taken apart by its MIME structure, which costs time without end on a
crafted message; it is searched as a whole, with its encodings undone.
"""

import binascii
import quopri
import re
from collections.abc import Iterator
from typing import Final

from harakatw.address import plain_address
from harakatw.address_grammar import PLAIN_MAILBOX

MAX_OCTETS: Final = 1 << 20
"""Of a message that are searched."""

MAX_LINE_CHARACTERS: Final = 1000
"""Of a C{From} line that are looked at."""

MAX_LINES: Final = 50
"""Lines that look like C{From} lines and are looked at."""

# A field may go on in lines that begin with a blank; quoting puts signs in front.
_FROM = re.compile(r"\bFrom:(?P<rest>[^\r\n]*+(?:\r?\n[>|]{0,3}[ \t][^\r\n]*+)?)")
_NEXT_FIELD = re.compile(r"\b(?:To|Cc|Sent|Date|Subject|Reply-To):")
_BRACKETED = re.compile(
    rf"(?:<|&lt;)(?:mailto:)?{PLAIN_MAILBOX}(?:>|&gt;|\")", re.ASCII
)
_BARE = re.compile(PLAIN_MAILBOX, re.ASCII)
_BASE64_PART = re.compile(
    rb"^content-transfer-encoding:[ \t]*+base64\b[^\r\n]*+\r?\n"
    rb"(?:[^\r\n]++\r?\n){0,20}\r?\n"  # a limit, or many such lines take long
    rb"([A-Za-z0-9+/=\r\n]++)",
    re.IGNORECASE | re.MULTILINE,
)
_QUOTED_PRINTABLE = re.compile(
    rb"^content-transfer-encoding:[ \t]*+quoted-printable", re.IGNORECASE | re.MULTILINE
)


def forwarded_sender(header: bytes, body: bytes) -> str:
    """
    Find the first C{From} line with an address in a message's body.

    @param header: of the outer message, without the blank line. Its own C{From} is not
        looked at.
    @param body: as received; at most L{MAX_OCTETS} are searched.
    @return: the address, ASCII, in lower case, without quotes; C{""} if there is none.
    @see: RFC 2045 section 6 (encodings)
    """
    for text in readable_texts(header, body[:MAX_OCTETS]):
        for number, found in enumerate(_FROM.finditer(text)):
            if number == MAX_LINES:
                break
            address = _address(found["rest"][:MAX_LINE_CHARACTERS])
            if address:
                return address
    return ""


def readable_texts(header: bytes, body: bytes) -> Iterator[str]:
    """
    The body, then each part of it that is base64, as text: a character for each octet.

    @param header: of the outer message, without the blank line.
    """
    whole = header.rstrip(b"\r\n") + b"\r\n\r\n" + body
    if _QUOTED_PRINTABLE.search(whole):
        body = quopri.decodestring(body)
    yield body.decode("latin-1")
    for part in _BASE64_PART.finditer(whole):
        encoded = b"".join(part[1].split())
        try:
            yield binascii.a2b_base64(encoded[: len(encoded) & ~3]).decode("latin-1")
        except binascii.Error:
            continue


def _address(line: str) -> str:
    """
    The address on a C{From} line. The last one in angle brackets counts: a display name
    may hold another to mislead.
    """
    line = _NEXT_FIELD.split(line, maxsplit=1)[0]
    bracketed = list(_BRACKETED.finditer(line))
    found = bracketed[-1] if bracketed else _BARE.search(line)
    if not found or found[1].startswith("#"):  # which would begin a comment in a list
        return ""
    address = plain_address(f"{found[1]}@{found[2]}", found[1], found[2])
    return address.address.lower() if address else ""
