"""
The parts of a report, and how they are put together.

Text and headers are encoded so that they are ASCII. Only a whole message that comes
back cannot be (RFC 2046 section 5.2.1): if it has octets above 127, so has the report.

@see: RFC 2045, RFC 2046, RFC 6522
"""

import binascii
import itertools
from collections.abc import Sequence
from typing import Final

import attrs

from harakatw.outbound.dsn.text import MAX_LINE_OCTETS, folded_field

_AS_IT_IS: Final = b""
_8BIT: Final = b"Content-Transfer-Encoding: 8bit\r\n"
_QUOTED_PRINTABLE: Final = b"Content-Transfer-Encoding: quoted-printable\r\n"


@attrs.frozen
class Part:
    """
    A MIME entity.

    @ivar head: its fields, each with its CRLF.
    @ivar body: its body, encoded, which ends in CRLF unless it is empty.
    """

    head: bytes
    body: bytes

    @property
    def is_8bit(self) -> bool:
        """Is there an octet above 127 in its body?"""
        return not self.body.isascii()

    def __bytes__(self) -> bytes:
        return b"%b\r\n%b" % (self.head, self.body)


def text_part(subtype: str, text: str) -> Part:
    """
    A part that people read.

    @param subtype: C{plain} or C{html}.
    @param text: with line feeds as line ends.
    """
    charset = "us-ascii" if text.isascii() else "utf-8"
    octets = text.replace("\n", "\r\n").encode()
    return encoded_part(f"text/{subtype}; charset={charset}", octets)


def encoded_part(content_type: str, octets: bytes) -> Part:
    """
    A part of ASCII: in quoted-printable, unless its octets are fit as they are.

    @param octets: with CRLF line ends, also after the last line.
    """
    fits = octets.isascii() and b"\0" not in octets
    if fits and all(len(line) <= MAX_LINE_OCTETS for line in octets.split(b"\r\n")):
        return Part(_type_field(content_type), octets)
    encoded = binascii.b2a_qp(octets, istext=True)
    return Part(_type_field(content_type) + _QUOTED_PRINTABLE, encoded)


def message_part(content_type: str, octets: bytes) -> Part:
    """A whole message, which must not be encoded."""
    encoding = _AS_IT_IS if octets.isascii() else _8BIT
    return Part(_type_field(content_type) + encoding, octets)


def multipart(content_type: str, parts: Sequence[Part], token: str) -> Part:
    """
    Put parts together.

    @param content_type: such as C{multipart/alternative}, with parameters other than
        the boundary.
    @param token: at most 50 letters and digits, other than that of any multipart
        within: the boundary is made of it.
    """
    octets = [bytes(part) for part in parts]
    boundary = _boundary(octets, token)
    encoding = _8BIT if any(part.is_8bit for part in parts) else _AS_IT_IS
    head = _type_field(f'{content_type}; boundary="{boundary}"') + encoding
    delimiter = f"--{boundary}".encode("ascii")
    # The CRLF before a delimiter belongs to it (RFC 2046 section 5.1.1).
    body = b"".join(b"%b\r\n%b\r\n" % (delimiter, each) for each in octets)
    return Part(head, b"%b%b--\r\n" % (body, delimiter))


def _boundary(octets: Sequence[bytes], token: str) -> str:
    """
    A boundary that stands in none of the parts.

    C{=_} cannot be in quoted-printable or base64 (RFC 2045 section 6.7), but what comes
    back may hold anything.
    """
    candidates = (f"=_{token}{'_' * count}" for count in itertools.count())
    return next(
        each
        for each in candidates
        if not any(each.encode("ascii") in part for part in octets)
    )


def _type_field(content_type: str) -> bytes:
    return folded_field("Content-Type", content_type)
