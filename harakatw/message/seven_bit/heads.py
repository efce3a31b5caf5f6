"""
The header of a message or of a part whose content gets another encoding.

@see: RFC 2045 section 6, RFC 2046 sections 5.1 and 5.2
"""

import re
from typing import Final

from harakatw.message.mime.part import Kind, Part
from harakatw.message.seven_bit.errors import UnconvertibleError
from harakatw.message.seven_bit.fields import seven_bit_head

_ENCODING: Final = re.compile(
    rb"(?im)^Content-Transfer-Encoding[ \t]*+:[^\n]*+\n(?:[ \t][^\n]*+\n)*+"
)
_WIDE: Final = frozenset(("8bit", "binary"))
_PLAIN: Final = _WIDE | {"7bit"}
"""Encodings that leave content as it is."""


class PartHead:
    """
    The header of one part.

    @ivar raw: its fields, each with its CRLF.
    @ivar gap: the blank line, or C{b""} if there is none.
    """

    def __init__(self, part: Part, head: bytes) -> None:
        """
        @param head: with the blank line, as it came.
        """
        self.raw = bytes(part.header)
        self.gap = head[len(self.raw) :]
        self._part = part
        parent = part.parent
        is_message = parent is None or parent.kind is Kind.MESSAGE
        self._lacks_version = is_message and not part.header.get("MIME-Version")

    def as_plain(self) -> bytes:
        """
        The header of content that is ASCII.

        @raise UnconvertibleError: if it is not ASCII itself, and cannot be.
        """
        return self._with_encoding("7bit" if self._part.encoding in _WIDE else "")

    def as_composed(self) -> bytes:
        """The header of what has parts, or is a message; otherwise as L{as_plain}."""
        return self.as_plain() + self._version

    def as_encoded(self, encoding: str, content: bytes) -> bytes:
        """
        The header of content that is encoded now.

        @param content: as it was; what it is has to be said, if nobody has.
        @raise UnconvertibleError: as L{as_plain}; or it is encoded already, or may not
            be. What is composed of parts may not (RFC 2046 section 5),
            C{message/global} and its like may (RFC 6532 section 3.5).
        """
        part = self._part
        if part.encoding not in _PLAIN:
            raise UnconvertibleError("a part is not what its encoding says")
        kind, _, name = part.content_type.partition("/")
        if kind == "multipart" or (kind == "message" and not name.startswith("global")):
            raise UnconvertibleError("a part is not ASCII and may not be encoded")
        head = self._with_encoding(encoding)
        if not part.header.get("Content-Type"):
            head += b"Content-Type: text/plain; charset=%b\r\n" % _charset(content)
        return head + self._version

    @property
    def _version(self) -> bytes:
        """Without this line nobody has to read the others (RFC 2045 section 4)."""
        return b"MIME-Version: 1.0\r\n" if self._lacks_version else b""

    def _with_encoding(self, encoding: str) -> bytes:
        head = seven_bit_head(self.raw)
        if not encoding:
            return head
        line = f"Content-Transfer-Encoding: {encoding}\r\n".encode("ascii")
        head, count = _ENCODING.subn(line, head, 1)
        return head if count else head + line


def _charset(content: bytes) -> bytes:
    """What text is in of which nobody says it (RFC 1428 section 3)."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return b"unknown-8bit"
    return b"utf-8"
