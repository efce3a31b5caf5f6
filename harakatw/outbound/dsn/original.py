"""
What comes back to the sender: the message or its header.

@see: RFC 3461 section 4.3 (RET), RFC 6522 section 3 and section 4, RFC 6533 section 6
"""

import re
from collections.abc import Iterable
from typing import Final

import attrs

from harakatw.message.header import Header
from harakatw.message.section import find_section
from harakatw.message.writer import crlf_chunks
from harakatw.outbound.dsn.mime import Part, encoded_part, message_part

MAX_HEADER_OCTETS: Final = 1 << 16
"""Of a header that comes back alone; fields beyond that are left out."""

_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")


@attrs.frozen
class Original:
    """
    The message that is reported on.

    @ivar header: its fields, each with its CRLF, or the first of them.
    @ivar whole: all of it, L{None} if it shall not come back or is too large.
    """

    header: bytes
    whole: bytes | None

    @property
    def subject(self) -> str:
        """What its header says, as anybody may have written it."""
        return next(iter(Header(self.header).get_decoded("Subject").split("\n")), "")

    @property
    def message_id(self) -> str:
        """In angle brackets; C{""} if there is none, or it is malformed."""
        found = _MESSAGE_ID.search(Header(self.header).get("Message-ID"))
        return found[0] if found else ""

    def part(self, *, is_utf8: bool) -> Part | None:
        """
        The part of the report.

        @param is_utf8: did the message need SMTPUTF8?
        @return: L{None} if there is nothing to return.
        """
        if self.whole:
            return message_part(f"message/{_subtype(is_utf8)}", self.whole)
        if not self.header:
            return None
        is_foreign = is_utf8 and not self.header.isascii()
        content_type = f"message/{_subtype(True)}-headers"
        return encoded_part(
            content_type if is_foreign else "text/rfc822-headers", self.header
        )


def read_original(chunks: Iterable[bytes], *, max_octets: int) -> Original:
    """
    Read as much of a message as may come back.

    @param chunks: the message; no more of them is taken than needed.
    @param max_octets: of a whole message; 0 if its header is enough.
    """
    limit = max(max_octets, MAX_HEADER_OCTETS)
    taken: list[bytes] = []
    count = 0
    for chunk in crlf_chunks(chunks):
        taken.append(chunk[: limit + 1])
        count += len(chunk)
        if count > limit:
            break
    octets = b"".join(taken)
    start = octets[:MAX_HEADER_OCTETS]
    is_all = len(octets) <= MAX_HEADER_OCTETS
    section = find_section(start, MAX_HEADER_OCTETS, is_whole=is_all)
    header = start[: section.end] if section else b""
    return Original(header, octets if count <= max_octets else None)


def _subtype(is_utf8: bool) -> str:
    return "global" if is_utf8 else "rfc822"
