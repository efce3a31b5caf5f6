"""
Lines that are safe to write: nothing that a stranger chose begins a field or a line.

@see: RFC 5322 section 2.1.1 (lengths of lines), section 2.2.3 (folding)
"""

import re
from collections.abc import Iterator
from typing import Final

from harakatw.message.encoded_words import encode_text

MAX_LINE_OCTETS: Final = 998
"""Of a line without its CRLF."""

MAX_WORD_OCTETS: Final = 800
"""Of what has no blank in it, so that it fits a line with the name of its field."""

FOLD_CHARACTERS: Final = 78

_BLANKS = re.compile(r"\s+")


def clean_line(text: str, max_characters: int = 320) -> str:
    """
    Make one printable line of what anybody may have written.

    Control characters, and such as change the direction of writing, become C{?}.

    @param max_characters: what is longer is cut off and ends in three dots.
    """
    # Cut first: what is thrown away costs no time, however much it is.
    text = _BLANKS.sub(" ", text[: 2 * max_characters]).strip()
    if not text.isprintable():
        text = "".join(each if each.isprintable() else "?" for each in text)
    if len(text) > max_characters:
        text = f"{text[: max_characters - 3]}..."
    return text


def plain_field(name: str, value: str) -> bytes:
    """
    Write a field on one line, for programs that read no further.

    @param value: ASCII without line ends, short enough for a line.
    """
    return f"{name}: {value}\r\n".encode("ascii")


def folded_field(name: str, value: str, *, utf8: bool = False) -> bytes:
    """
    Write a field.

    @param value: printable, without line ends. Words that are too long are cut.
    @param utf8: write UTF-8 as it is (RFC 6532), no encoded words.
    """
    value = value if utf8 else encode_text(value)
    lines = [f"{name}:"]
    for number, word in enumerate(_words(value)):
        if number and len(lines[-1]) + 1 + len(word) > FOLD_CHARACTERS:
            lines.append("")
        lines[-1] += f" {word}"
    return "".join(f"{line}\r\n" for line in lines).encode()


def _words(value: str) -> Iterator[str]:
    for word in value.split(" "):
        if len(word.encode()) <= MAX_WORD_OCTETS:
            if word:
                yield word
            continue
        room = MAX_WORD_OCTETS // 4  # characters, whatever they are
        yield from (word[at : at + room] for at in range(0, len(word), room))
