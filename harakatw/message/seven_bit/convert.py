"""
A message as 7bit: part by part, what is ASCII staying as it is.

@see: RFC 6152 section 3, RFC 2045 section 6.2; survey row 36
"""

from typing import Final

from harakatw.message.section import find_section
from harakatw.message.seven_bit.delimiters import Delimiters
from harakatw.message.seven_bit.encode import encoded, is_lines
from harakatw.message.seven_bit.errors import UnconvertibleError
from harakatw.message.seven_bit.part import PartHead

MAX_PARTS: Final = 1000
"""Parts and messages in one message; more may be an attack."""

MAX_HEAD_OCTETS: Final = 1 << 20
"""Of one part."""

_CRLF: Final = b"\r\n"
_FOREIGN: Final = bytes(range(128, 256))
_QUESTION_MARKS: Final = bytes.maketrans(_FOREIGN, b"?" * len(_FOREIGN))


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
    converted = _Conversion(octets).run()
    return converted if converted.endswith(_CRLF) else converted + _CRLF


class _Conversion:
    """One message on its way through."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._delimiters = Delimiters(octets)
        self._done: list[bytes] = []

    def run(self) -> bytes:
        """Convert it all."""
        position, is_message = 0, True
        for _ in range(MAX_PARTS):
            head, body = self._head(position, is_message)
            is_message = head.is_message
            if is_message:  # it begins right where the content does
                self._composed(head)
                position = body
                continue
            end = self._content(head, body)
            next_part = self._next_part(end)
            if next_part is None:
                return b"".join(self._done)
            position = next_part
        raise UnconvertibleError("the message has too many parts")

    def _head(self, start: int, is_message: bool) -> tuple[PartHead, int]:
        """
        The header that begins somewhere, and where its content does.

        @param is_message: is it that of a message, as opposed to a part?
        """
        octets = self._octets
        blank = octets.find(b"\r\n\r\n", start, start + MAX_HEAD_OCTETS)
        end = start + MAX_HEAD_OCTETS if blank < 0 else blank + 4
        delimiter = self._delimiters.find(start, end)
        if delimiter is not None:  # there is no content, nor a blank line
            end = delimiter.start
        section = find_section(octets[start:end], MAX_HEAD_OCTETS, is_whole=True)
        if section is None or section.is_cut:
            raise UnconvertibleError("a header is too long")
        is_in_digest = self._delimiters.is_in_digest and not is_message
        body = start + section.body
        head = PartHead(
            octets[start : start + section.end],
            octets[start + section.end : body],
            is_message=is_message,
            is_in_digest=is_in_digest,
        )
        return head, body

    # ---- content ---------------------------------------------------------------------

    def _composed(self, head: PartHead) -> None:
        """What follows has a header of its own: a message, or parts."""
        if self._delimiters.is_sealed:
            self._keep(head.raw + head.gap)
        else:
            self._done += (head.as_composed(), head.gap or _CRLF)

    def _content(self, head: PartHead, body: int) -> int:
        """
        Convert the content of one part, or the preamble if it has parts itself.

        @return: where it ends.
        """
        multipart = head.multipart
        if multipart is not None:
            self._composed(head)
            self._delimiters.begin(multipart)
        found = self._delimiters.find(body, len(self._octets))
        end = len(self._octets) if found is None else found.start
        # The line end before a delimiter belongs to it: RFC 2046 section 5.1.1.
        until = end if found is None else max(body, end - len(_CRLF))
        content = self._octets[body:until]
        if multipart is not None:
            if found is None or found.depth < self._delimiters.depth:
                self._keep(content)  # no preamble: there are no parts
            else:
                self._passed_over(content)
        elif self._delimiters.is_sealed:
            self._keep(head.raw + head.gap + content)
        else:
            self._leaf(head, content)
        self._done.append(self._octets[until:end])
        return end

    def _leaf(self, head: PartHead, content: bytes) -> None:
        is_plain = content.isascii()
        if is_plain and head.encoding == "binary":
            is_plain = is_lines(content)
        if is_plain:
            self._done += (head.as_plain(), head.gap or (content and _CRLF), content)
            return
        if not head.may_be_encoded:
            raise UnconvertibleError("a part is not ASCII and may not be encoded")
        is_text = head.is_text and head.encoding != "binary"
        encoding, lines = encoded(content, is_text=is_text)
        self._done += (head.as_encoded(encoding, content), head.gap or _CRLF, lines)

    def _next_part(self, position: int) -> int | None:
        """
        Pass over what is no part.

        @param position: where a part has ended.
        @return: where the next begins; L{None} if there is none.
        """
        octets, delimiters = self._octets, self._delimiters
        while True:
            found = delimiters.find(position, len(octets))
            end = len(octets) if found is None else found.start
            self._passed_over(octets[position:end])
            if found is None:
                return None
            delimiters.passed(found)
            self._done.append(octets[found.start : found.end])
            position = found.end
            if not found.is_close:
                return position

    def _passed_over(self, octets: bytes) -> None:
        """What stands before, between and after parts, and is read by nobody."""
        if self._delimiters.is_sealed:
            self._keep(octets)
        else:
            self._done.append(octets.translate(_QUESTION_MARKS))

    def _keep(self, octets: bytes) -> None:
        """What is signed, or cannot be understood, must stay as it is."""
        if not octets.isascii():
            raise UnconvertibleError("a part that may not be changed is not ASCII")
        self._done.append(octets)
