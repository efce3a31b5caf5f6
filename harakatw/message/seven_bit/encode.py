"""
The content of one part, encoded as fits it best.

@see: RFC 2045 section 6.7 (quoted-printable), section 6.8 (base64)
"""

from typing import Final

from harakatw.message.mime.encoding import MAX_LINE_OCTETS, encode_all
from harakatw.wire.data import has_bare_newline

_CRLF: Final = b"\r\n"
_EIGHT_BIT: Final = bytes(range(128, 256))
_QP_SHARE: Final = 6
"""One octet in so many may be foreign: with more of them base64 is shorter."""


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
        return "quoted-printable", encode_all(content, "quoted-printable")
    return "base64", encode_all(content, "base64")
