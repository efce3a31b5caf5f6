"""
Where the header of a message ends.

Only a line that can be a field, or go on with one, belongs to the header. A line that
cannot ends it, with or without a blank line: what a sender forgot to separate is body
(row TX16).

@see: RFC 5322 section 2.2 (fields), section 4.5 (blanks before the colon), RFC 6532
    section 3.2
"""

import re
from typing import NamedTuple

_FIELD_START = rb"[!-9;-~\x80-\xff]++[ \t]*+:"
_MORE_LINES = rb"(?:[ \t][^\n]*+\n)*+"
# A first line "From somebody Mon Jan  1 ..." comes from a mailbox file; Postfix takes
# it for a part of the header too, and what we skip here nobody behind us may read as
# one.
_FIELDS = re.compile(
    rb"(?:>*+From [^\n]*+\n" + _MORE_LINES + rb")?+"
    rb"(?:" + _FIELD_START + rb"[^\n]*+\n" + _MORE_LINES + rb")*+"
)
_PARTIAL_FIELD = re.compile(rb"[ \t]|" + _FIELD_START)
_PARTIAL_NAME = re.compile(rb"[!-9;-~\x80-\xff]{0,998}+[ \t]*+\r?+\Z")
_UP_TO_LAST_FIELD = re.compile(rb"(?s:.*)\n[^ \t]")

_CR = 0x0D


class Section(NamedTuple):
    """
    The header of a message, as offsets into its octets.

    @ivar end: where the last field ends.
    @ivar body: where the body begins; C{end}, or past the blank line.
    @ivar is_cut: is the header longer than allowed? Then C{end} is the end of some
        field, and the rest of the header is counted to the body.
    """

    end: int
    body: int
    is_cut: bool


def find_section(octets: bytes, max_octets: int, *, is_whole: bool) -> Section | None:
    """
    Find the header at the beginning of a message, in linear time.

    What is found does not depend on how much of the message is there yet.

    @param octets: the beginning of the message.
    @param max_octets: longest header.
    @param is_whole: is this the whole message?
    @return: the header, or L{None} while more octets are needed to tell.
    """
    found = _FIELDS.match(octets, 0, max_octets)
    assert found is not None  # it matches the empty string too
    end = found.end()
    newline = octets.find(b"\n", end, max_octets)
    if newline == end or (newline == end + 1 and octets[end] == _CR):
        return Section(end, newline + 1, False)
    if newline >= 0:
        return Section(end, end, False)
    if len(octets) >= max_octets:
        return _at_limit(octets, end, max_octets)
    if not is_whole:
        return None
    if _is_partial_field(octets, end, len(octets)):
        end = len(octets)
    return Section(end, end, False)


def _is_partial_field(octets: bytes, start: int, limit: int) -> bool:
    """Does the last, unended line belong to the header?"""
    found = _PARTIAL_FIELD.match(octets, start, limit)
    return found is not None and (start > 0 or octets[0] not in b" \t")


def _at_limit(octets: bytes, end: int, limit: int) -> Section:
    """
    Tell a header that goes on past the limit from a body that begins with a long line.
    """
    line = octets[end:limit]
    may_be_field = _is_partial_field(octets, end, limit)
    if not (may_be_field or _PARTIAL_NAME.match(line)):
        return Section(end, end, False)
    if line[:1] in (b"", b" ", b"\t"):  # the last field goes on, or may do so
        last = _UP_TO_LAST_FIELD.match(octets, 0, end)
        end = last.end() - 1 if last else 0
    return Section(end, end, True)
