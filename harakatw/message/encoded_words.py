"""
Encoded words: text other than ASCII in a header.

@see: RFC 2047 (the form), RFC 2231 section 5 (a language after the charset)
"""

import binascii
import re
from base64 import b64encode
from typing import Final

from harakatw.message.charset import decode_octets

MAX_WORD_CHARACTERS: Final = 60
"""
Of an encoded word that we write. RFC 2047 section 2 allows 75, but also wants no more
than 76 on a line, where the field's name has to stand too.
"""

# Each part stops at the next question mark, so that matching takes linear time.
_WORD = re.compile(r"=\?([^?*\s]+)(?:\*[^?\s]*)?\?([bBqQ])\?([^?\s]*)\?=")
_BLANKS = re.compile(r"([ \t]+)")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
_PAYLOAD = MAX_WORD_CHARACTERS - len("=?utf-8?q??=")
_PLAIN = frozenset(
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!*+-/"
)


def decode_words(text: str) -> str:
    """
    Put what encoded words stand for in their place.

    Words that follow each other with only blanks between them are joined; where both
    have the same charset, before their octets are decoded, since many mailers cut
    characters in two. Control characters that come out become U+FFFD: a decoded text
    has no line ends.

    @param text: the value of a field, unfolded.
    """
    pieces: list[str] = []
    octets, charset, position = b"", "", 0
    parts: list[bytes] = []
    for word in _WORD.finditer(text):
        between = text[position : word.start()]
        joined = charset and not between.strip(" \t")
        if not (joined and charset == word[1].lower()):
            pieces.append(_decoded(parts, charset))
            parts = []
        if not joined:
            pieces.append(between)
        charset, position = word[1].lower(), word.end()
        octets = word[3].encode("utf-8", "replace")
        parts.append(_from_q(octets) if word[2] in "qQ" else _from_base64(octets))
    pieces.append(_decoded(parts, charset))
    pieces.append(text[position:])
    return "".join(pieces)


def clean(text: str) -> str:
    """Replace control characters other than the tab by U+FFFD."""
    return _CONTROL.sub("\ufffd", text)


def _decoded(parts: list[bytes], charset: str) -> str:
    return clean(decode_octets(b"".join(parts), charset)) if parts else ""


def _from_base64(octets: bytes) -> bytes:
    """Decode base64, forgiving missing padding and foreign characters."""
    octets = _NOT_BASE64.sub(b"", octets)
    if len(octets) % 4 == 1:
        octets = octets[:-1]
    return binascii.a2b_base64(octets + b"=" * (-len(octets) % 4))


def _from_q(octets: bytes) -> bytes:
    return binascii.a2b_qp(octets, header=True)


def encode_text(text: str) -> str:
    """
    Make text fit for a header: words of ASCII stay, runs of others become encoded
    words.

    @param text: without line ends and control characters.
    @return: printable ASCII; its encoded words are separated by single blanks.
    """
    if text.isascii():
        return text
    pieces = _BLANKS.split(text)  # a word, blanks, a word, ...
    done: list[str] = []
    run: list[str] = []  # of words to encode, with the blanks between them
    for word, blanks in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        if not word.isascii():
            run += (word, blanks)
            continue
        done += (*_finish_run(run), word, blanks)
        run = []
    return "".join((*done, *_finish_run(run)))


def encode_words(text: str) -> str:
    """
    Make encoded words of all of a text, also of what is ASCII: for display names and
    comments, where a comma would mean something.

    @param text: as for L{encode_text}.
    """
    return text if text.isascii() else _encode_run(text)


def _finish_run(run: list[str]) -> tuple[str, ...]:
    """The encoded words of a run, and the blanks that follow it."""
    return (_encode_run("".join(run[:-1])), run[-1]) if run else ()


def _encode_run(text: str) -> str:
    octets = text.encode("utf-8")
    plain = sum(octet in _PLAIN or octet == 0x20 for octet in octets)
    as_q = 2 * plain >= len(octets)  # then people can guess what it says
    whole_room = _PAYLOAD if as_q else _PAYLOAD // 4 * 3  # base64 makes four of three
    words: list[list[str]] = []
    room = 0
    for character in text:  # never cut one in two: RFC 2047 section 5
        encoded = _to_q(character) if as_q else character
        octets_needed = len(encoded.encode("utf-8"))
        if octets_needed > room:
            words.append([])
            room = whole_room
        words[-1].append(encoded)
        room -= octets_needed
    return " ".join(_wrap("".join(word), as_q) for word in words)


def _to_q(character: str) -> str:
    if character == " ":
        return "_"
    return "".join(
        chr(octet) if octet in _PLAIN else f"={octet:02X}"
        for octet in character.encode("utf-8")
    )


def _wrap(payload: str, as_q: bool) -> str:
    if as_q:
        return f"=?utf-8?q?{payload}?="
    return f"=?utf-8?b?{b64encode(payload.encode('utf-8')).decode('ascii')}?="
