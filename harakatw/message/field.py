"""
One field of a header, made from a name and a text.

@see: RFC 5322 section 2.2.3 (folding), section 2.1.1 (78 and 998 characters), section
    3.6.8
"""

import re
from collections.abc import Iterator
from typing import Final

from harakatw.message.encoded_words import encode_text

MAX_NAME_CHARACTERS: Final = 500
"""Of names that are looked for or made; the longest in real mail have sixty or so."""

FOLD_CHARACTERS: Final = 78
MAX_LINE_CHARACTERS: Final = 998
"""Longest line without its CRLF."""

_NAME = re.compile("[!-9;-~]+")
_FOLD = re.compile(r"\r?\n(?=[ \t])")
_PIECE = re.compile(r"[ \t]*[^ \t]+")
# Some program or other takes each of these for the end of a line, so that what follows
# would be a field of its own (CVE-2024-6923). str.splitlines knows them all: never use
# it on mail.
_FORBIDDEN = re.compile("[\x00-\x08\n-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def is_field_name(name: str) -> bool:
    """Can this name a header field?"""
    return len(name) <= MAX_NAME_CHARACTERS and _NAME.fullmatch(name) is not None


def make_field(name: str, value: str) -> bytes:
    """
    Write a field.

    Text other than ASCII becomes encoded words (RFC 2047), long values are folded. A
    value that is folded already stays as it is, for signatures that depend on it.

    @param name: printable ASCII without a colon.
    @param value: the text; blanks at both ends are dropped.
    @return: the field with its CRLF.
    @raise ValueError: if the name or a character of the value cannot stand in a header,
        or a word is too long for a line.
    """
    if not is_field_name(name):
        raise ValueError(f"{name[:80]!r} cannot name a header field")
    first, *others = _FOLD.split(value.strip(" \t"))
    limit = MAX_LINE_CHARACTERS if others else FOLD_CHARACTERS
    lines = [*_fold(f"{name}:", " " + first, name, limit)]
    for line in others:
        if not line.strip(" \t"):
            raise ValueError(f"header field {name}: a line of its value is blank")
        lines += _fold("", line, name, limit)
    for line in lines:
        if len(line) > MAX_LINE_CHARACTERS:
            raise ValueError(f"header field {name}: a word is too long for a line")
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _fold(start: str, text: str, name: str, limit: int) -> Iterator[str]:
    """Encode one line of a value, and cut it before blanks where it is too long."""
    bad = _FORBIDDEN.search(text)
    if bad:
        raise ValueError(f"header field {name}: {bad[0]!a} cannot stand in its value")
    line = start + encode_text(text)
    if len(line) <= limit:
        yield line.rstrip(" \t")
        return
    first, *pieces = _PIECE.findall(line, len(start)) or ("",)
    line = start + first
    for piece in pieces:
        if len(line) + len(piece) > limit:
            yield line
            line = ""
        line += piece
    yield line
