"""
The content of one part, encoded.

@see: RFC 2045 section 6.7 (quoted-printable), section 6.8 (base64)
"""

from base64 import encodebytes
from binascii import b2a_qp
from typing import Final

from harakatw.wire.data import has_bare_newline

MAX_LINE_OCTETS: Final = 998
"""Of a line without its CRLF, where content is not encoded (RFC 2045 section 2.7)."""

_CRLF: Final = b"\r\n"
_QP_SHARE: Final = 6
_EIGHT_BIT: Final = bytes(range(128, 256))


def is_lines(content: bytes) -> bool:
    """Can this be sent with DATA: is it lines that are not too long, without NUL?"""
    if b"\0" in content or has_bare_newline(content):
        return False
    return max(map(len, content.split(_CRLF))) <= MAX_LINE_OCTETS


def encoded(content: bytes, *, is_text: bool) -> tuple[str, bytes]:
    """
    Encode content: text so that people can still read most of it.

    @return: the name of the encoding, and lines of ASCII, the last without its CRLF
        unless C{content} has one there and it is text.
    """
    foreign = len(content) - len(content.translate(None, _EIGHT_BIT))
    is_readable = is_text and foreign * _QP_SHARE <= len(content)
    if is_readable and not has_bare_newline(content):
        return "quoted-printable", _quoted_printable(content)
    lines = encodebytes(content).replace(b"\n", _CRLF)
    return "base64", lines.removesuffix(_CRLF)


def _quoted_printable(content: bytes) -> bytes:
    # b2a_qp takes its line ends from the first that it sees: there must be one. So is a
    # blank at the very end encoded.
    return b2a_qp(content + _CRLF, istext=True).removesuffix(_CRLF)
