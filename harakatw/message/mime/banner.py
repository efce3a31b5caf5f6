"""
A text that is put at the end of what people read.

@see: Haraka row TX10
"""

import html
import re
import unicodedata
from typing import Final

import attrs

from harakatw.message.charset import codec_for

MAX_LINE_OCTETS: Final = 900
"""Of a banner's line; 998 is the most that a message may have."""

HELD_OCTETS: Final = 1 << 16
"""Of HTML, in which the end of the body is looked for."""

_NEWLINE = re.compile(r"\r\n|\r|\n")
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_ENDS = (re.compile(rb"</body[\s>]", re.I), re.compile(rb"</html[\s>]", re.I))
_WIDE: Final = frozenset(("utf_16", "utf_32"))


@attrs.frozen
class Banner:
    """
    What is added.

    @ivar text: to text, with CRLF for line ends.
    @ivar html: to HTML, likewise.
    """

    text: str
    html: str

    def of(self, content_type: str) -> str:
        """What is added to a part of this type; C{""} for nothing."""
        if content_type == "text/html":
            return self.html
        return self.text if content_type == "text/plain" else ""


def make_banner(text: str, markup: str | None = None) -> Banner:
    """
    Check a banner.

    @param markup: HTML; if left out, C{text} with a C{<br/>} for each line end.
    @raise ValueError: for a control character, or a line too long for a message.
    """
    plain = _NEWLINE.sub("\n", text).replace("\n", "\r\n")
    if markup is None:
        markup = html.escape(plain, quote=False).replace("\r\n", "<br/>\r\n")
    markup = _NEWLINE.sub("\n", markup).replace("\n", "\r\n")
    for value in (plain, markup):
        bad = _FORBIDDEN.search(value.replace("\r\n", ""))
        if bad:
            raise ValueError(f"{bad[0]!a} cannot stand in a banner")
        if any(len(line.encode()) > MAX_LINE_OCTETS for line in value.split("\r\n")):
            raise ValueError(
                f"a line of a banner is over {MAX_LINE_OCTETS} octets long"
            )
    return Banner(plain, markup)


def encode_banner(text: str, charset: str, *, is_html: bool) -> bytes:
    """
    Write a banner's text in the charset of a part.

    @param charset: as the part names it.
    @return: octets; where the charset lacks a character there is a reference to it in
        HTML, else what comes nearest to it.
    """
    codec = codec_for(charset)
    try:
        return text.encode(codec)
    except UnicodeEncodeError:
        if is_html:
            return text.encode(codec, "xmlcharrefreplace")
        return "".join(_nearest(each, codec) for each in text).encode(codec, "replace")


def _nearest(character: str, codec: str) -> str:
    """A character, or its letter without marks if the charset does not have it."""
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        plain = unicodedata.normalize("NFKD", character)
        return "".join(each for each in plain if not unicodedata.combining(each))
    return character


class BannerEditor:
    """
    Adds a banner to one part: at the end of text, in HTML before the end of the body.
    Fed with the content, transfer encoding undone.
    """

    __slots__ = ("_charset", "_held", "_is_html", "_text")

    def __init__(self, text: str, charset: str, *, is_html: bool) -> None:
        """
        @param text: with CRLF for line ends, not empty.
        """
        self._text = f"\r\n{text}\r\n"
        self._charset = charset
        self._is_html = is_html
        self._held = b""

    @property
    def is_ascii(self) -> bool:
        """Does the banner add nothing but ASCII?"""
        return self._banner().isascii()

    def feed(self, octets: bytes) -> bytes:
        """What is not near the end any more."""
        if not octets:
            return b""
        if codec_for(self._charset) in _WIDE:
            self._charset = _with_order(self._charset, octets)
        if not self._is_html:
            return octets
        data = self._held + octets
        cut = max(0, len(data) - HELD_OCTETS)
        self._held = data[cut:]
        return data[:cut]

    def finish(self) -> bytes:
        """The rest, and the banner."""
        held, self._held = self._held, b""
        at = _end_of_body(held)
        return held[:at] + self._banner() + held[at:]

    def _banner(self) -> bytes:
        return encode_banner(self._text, self._charset, is_html=self._is_html)


def _end_of_body(markup: bytes) -> int:
    """Where the last end tag of the body, or else of the document, begins."""
    for pattern in _ENDS:
        found = [each.start() for each in pattern.finditer(markup)]
        if found:
            return found[-1]
    return len(markup)


def _with_order(charset: str, octets: bytes) -> str:
    """The charset with the order of octets in which text begins."""
    little = octets.startswith(b"\xff\xfe")
    return f"{codec_for(charset)}_{'le' if little else 'be'}"
