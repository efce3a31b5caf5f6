"""
A message as 7bit: part by part, what is ASCII staying as it is.

@see: RFC 6152 section 3, RFC 2045 section 6.2; survey row 36
"""

from typing import Final

from harakatw.message.mime.limits import MIMELimits
from harakatw.message.mime.part import Kind, Part
from harakatw.message.mime.walker import Walker
from harakatw.message.seven_bit.encode import encoded, is_lines
from harakatw.message.seven_bit.errors import UnconvertibleError
from harakatw.message.seven_bit.heads import PartHead

LIMITS: Final = MIMELimits(max_depth=50)
"""A message with more may be an attack, and is not converted."""

_CRLF: Final = b"\r\n"
_FOREIGN: Final = bytes(range(128, 256))
_QUESTION_MARKS: Final = bytes.maketrans(_FOREIGN, b"?" * len(_FOREIGN))
_SEALED: Final = frozenset(("multipart/signed", "multipart/encrypted"))
_GLOBAL: Final = "message/global"


def to_seven_bit(octets: bytes) -> bytes:
    """
    Encode what a host without 8BITMIME cannot take, in linear time. Signatures over
    what is changed do not hold any more.

    @param octets: a message with CRLF line ends, but for content that is declared as
        binary.
    @return: ASCII, in lines of CRLF, which means the same.
    @raise UnconvertibleError: if it cannot be done: something in a signed or encrypted
        part would have to be changed, say, or in a C{message/delivery-status}.
    """
    conversion = _Conversion()
    walker = Walker(conversion, LIMITS)
    walker.feed(octets)
    walker.finish()
    if walker.has_too_many_parts or walker.is_too_deep:
        raise UnconvertibleError("the message has too many parts")
    converted = b"".join(conversion.done)
    return converted if converted.endswith(_CRLF) else converted + _CRLF


class _Conversion:
    """
    One message on its way through: hears of its parts.

    @ivar done: what it consists of then.
    """

    def __init__(self) -> None:
        self.done: list[bytes] = []
        self._head = b""  # of what began last and is not one of the parts of another
        self._content: list[bytes] = []  # of the leaf, or in front of the parts
        self._has_preamble = False
        self._as_one: Part | None = None  # what is encoded together with its parts
        self._sealed = 0  # how many open parts are

    def begin(self, part: Part, head: bytes) -> None:
        """See L{harakatw.message.mime.walker.PartSink}."""
        if part.is_cut:
            raise UnconvertibleError("a header is too long")
        if self._as_one is not None:
            self._content.append(head)
            return
        self._end_preamble(has_parts=True)
        self._head = head
        if part.kind is Kind.LEAF:
            return
        if part.content_type == _GLOBAL and not self._sealed:
            self._as_one = part  # RFC 6532 section 3.5: it may be encoded
            return
        self._composed(part)
        self._sealed += part.content_type in _SEALED
        self._has_preamble = part.kind is Kind.MULTIPART

    def content(self, part: Part, octets: bytes) -> None:
        """See L{harakatw.message.mime.walker.PartSink}."""
        self._content.append(octets)

    def between(self, octets: bytes) -> None:
        """See L{harakatw.message.mime.walker.PartSink}."""
        if self._as_one is not None:
            self._content.append(octets)
            return
        self._end_preamble(has_parts=True)
        self._passed_over(octets)

    def end(self, part: Part) -> None:
        """See L{harakatw.message.mime.walker.PartSink}."""
        if self._as_one is not None:
            if part is self._as_one:
                self._as_one = None
                self._leaf(part)
        elif part.kind is Kind.LEAF:
            self._leaf(part)
        else:
            self._end_preamble(has_parts=False)
            self._sealed -= part.content_type in _SEALED

    # ---- parts -----------------------------------------------------------------------

    def _composed(self, part: Part) -> None:
        """What follows are parts, or the header of a message."""
        head = PartHead(part, self._head)
        if not part.boundary.isascii():
            raise UnconvertibleError("a boundary is not ASCII")
        if self._sealed:
            self._keep(self._head)
        else:
            self.done += (head.as_composed(), head.gap or _CRLF)

    def _end_preamble(self, *, has_parts: bool) -> None:
        """
        What stands before the parts is read by nobody. Where there are none it may be
        all that there is.
        """
        if self._has_preamble:
            self._has_preamble = False
            take = self._passed_over if has_parts else self._keep
            take(self._gathered())

    def _leaf(self, part: Part) -> None:
        head, content = PartHead(part, self._head), self._gathered()
        if self._sealed:
            self._keep(self._head + content)
            return
        is_plain = content.isascii()
        if is_plain and part.encoding == "binary":
            is_plain = is_lines(content)
        if is_plain:
            gap = head.gap or (content and _CRLF)
            self.done += (head.as_plain(), gap, content)
            return
        is_text = part.content_type.startswith("text/") and part.encoding != "binary"
        encoding, lines = encoded(content, is_text=is_text)
        self.done += (head.as_encoded(encoding, content), head.gap or _CRLF, lines)

    def _gathered(self) -> bytes:
        content, self._content = b"".join(self._content), []
        return content

    def _passed_over(self, octets: bytes) -> None:
        """What stands before, between and after parts, and is read by nobody."""
        if self._sealed:
            self._keep(octets)
        else:
            self.done.append(octets.translate(_QUESTION_MARKS))

    def _keep(self, octets: bytes) -> None:
        """What is signed, or cannot be understood, must stay as it is."""
        if not octets.isascii():
            raise UnconvertibleError("a part that may not be changed is not ASCII")
        self.done.append(octets)
