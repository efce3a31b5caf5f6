"""
The header of a message or of a part, as far as its encoding is concerned.

@see: RFC 2045 section 6, RFC 2046 sections 5.1 and 5.2
"""

import re
from typing import Final

from harakatw.message.header import Header
from harakatw.message.parameters import parse_parameters
from harakatw.message.seven_bit.delimiters import Multipart
from harakatw.message.seven_bit.errors import UnconvertibleError
from harakatw.message.seven_bit.fields import seven_bit_head

_ENCODING: Final = re.compile(
    rb"(?im)^Content-Transfer-Encoding[ \t]*+:[^\n]*+\n(?:[ \t][^\n]*+\n)*+"
)
_SEALED: Final = frozenset(("multipart/signed", "multipart/encrypted"))
_MESSAGES: Final = frozenset(("message/rfc822", "message/news"))
_WIDE: Final = frozenset(("8bit", "binary"))
_PLAIN: Final = _WIDE | {"", "7bit"}
"""Encodings that leave content as it is."""


class PartHead:
    """
    The header of one part.

    @ivar raw: its fields, each with its CRLF.
    @ivar gap: the blank line, or nothing if there is none.
    @ivar kind: its type, such as C{text/plain}; what it is by default if nothing is
        said.
    @ivar encoding: as it is declared, in lower case; C{""} if it is not.
    """

    def __init__(
        self, raw: bytes, gap: bytes, *, is_message: bool, is_in_digest: bool
    ) -> None:
        """
        @param is_message: is it that of a message, as opposed to a part?
        @param is_in_digest: is it that of a part of a digest?
        """
        header = Header(raw)
        self.raw, self.gap = raw, gap
        if raw and not raw.endswith(b"\n"):  # the message ends amid its header
            self.raw += b"\r\n"
        self._is_message = is_message
        self._has_version = bool(header.get("MIME-Version"))
        self._has_type = bool(header.get("Content-Type"))
        written = header.get_all("Content-Type")
        kind, self._parameters = parse_parameters(written[0] if written else "")
        default = "message/rfc822" if is_in_digest else "text/plain"
        self.kind = kind or default
        encodings = header.get_all("Content-Transfer-Encoding")
        self.encoding, _ = parse_parameters(encodings[0] if encodings else "")

    @property
    def multipart(self) -> Multipart | None:
        """What its content is parted by; L{None} if it is one piece."""
        boundary = self._parameters.get("boundary", "")
        if not (self.kind.startswith("multipart/") and boundary):
            return None
        return Multipart(
            boundary.encode("utf-8"),
            self.kind == "multipart/digest",
            self.kind in _SEALED,
        )

    @property
    def is_message(self) -> bool:
        """Is its content a message, with a header of its own?"""
        return self.kind in _MESSAGES and self.encoding in _PLAIN

    @property
    def is_text(self) -> bool:
        """Is its content for people to read?"""
        return self.kind.startswith("text/")

    @property
    def may_be_encoded(self) -> bool:
        """
        May its content have another encoding? What is composed of parts may not (RFC
        2046 section 5), C{message/global} may (RFC 6532 section 3.5).
        """
        if self.kind.startswith("message/"):
            return self.kind.startswith("message/global")
        return not self.kind.startswith("multipart/")

    def as_plain(self) -> bytes:
        """
        The header of content that is ASCII.

        @raise UnconvertibleError: if it is not ASCII itself, and cannot be.
        """
        return self._with_encoding("7bit" if self.encoding in _WIDE else "")

    def as_composed(self) -> bytes:
        """The header of what has parts, or is a message; otherwise as L{as_plain}."""
        head = self.as_plain()
        return head if self._has_version else head + self._version

    def as_encoded(self, encoding: str, content: bytes) -> bytes:
        """
        The header of content that is encoded now.

        @param content: as it was; what it is has to be said, if nobody has.
        @raise UnconvertibleError: as L{as_plain}; or it is encoded already.
        """
        if self.encoding not in _PLAIN:
            raise UnconvertibleError("a part is not what its encoding says")
        head = self._with_encoding(encoding)
        if not self._has_type:
            head += b"Content-Type: text/plain; charset=%b\r\n" % _charset(content)
        return head if self._has_version else head + self._version

    @property
    def _version(self) -> bytes:
        """Without this line nobody has to read the others (RFC 2045 section 4)."""
        return b"MIME-Version: 1.0\r\n" if self._is_message else b""

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
