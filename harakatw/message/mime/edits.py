"""
What plugins want changed in the content of parts.

@see: Haraka rows TX10 and TX11
"""

import re
from typing import Final

import attrs
from twisted.logger import Logger

from harakatw.interfaces.mime import FilterFunction
from harakatw.message.charset import codec_for
from harakatw.message.mime.banner import Banner, BannerEditor
from harakatw.message.mime.part import Kind, Part

MAX_MATCHED_CHARACTERS: Final = 1000
"""Of a Content-Type that a plugin's pattern is tried on."""

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'+.^_`{|}~-]++")
_DEFAULT_CHARSET: Final = "us-ascii"  # RFC 2045 section 5.2


@attrs.frozen(eq=False)
class BodyFilter:
    """
    A plugin's function, and which parts it gets.

    @ivar match: what a Content-Type in lower case begins with, or a pattern that is
        found in it.
    """

    _log = Logger()

    match: str | re.Pattern[str]
    function: FilterFunction

    def concerns(self, part: Part) -> bool:
        """Is this part to be changed?"""
        if part.kind is not Kind.LEAF:
            return False
        ct = content_type_of(part).lower()[:MAX_MATCHED_CHARACTERS]
        if isinstance(self.match, str):
            return ct.startswith(self.match.lower())
        return self.match.search(ct) is not None

    def apply(self, part: Part, octets: bytes) -> bytes:
        """Change the content of a part; it stays as it is if the plugin fails."""
        charset = part.charset or _DEFAULT_CHARSET
        try:
            made = self.function(content_type_of(part), charset, octets)
        except Exception:
            self._log.failure("body filter {function} failed", function=self.function)
            return octets
        if made is None:
            return octets
        if isinstance(made, (bytes, bytearray, memoryview)):
            return bytes(made)
        self._log.error(
            "body filter {function} returned {made!r:.40}, not octets",
            function=self.function,
            made=type(made),
        )
        return octets


@attrs.frozen(eq=False)
class Edits:
    """
    All that is to be changed.

    @ivar filters: applied in this order, before the banner is added.
    """

    filters: tuple[BodyFilter, ...] = ()
    banner: Banner | None = None

    def filters_for(self, part: Part) -> tuple[BodyFilter, ...]:
        """Those that a part is given to."""
        return tuple(each for each in self.filters if each.concerns(part))

    def banner_for(self, part: Part) -> str:
        """
        What is added to a part: only to text that people read as this very mail, and
        not where it would break a signature of the sender.
        """
        if self.banner is None or not part.is_text or part.filename:
            return ""
        if part.is_in_message or part.is_sealed:
            return ""
        return self.banner.of(part.content_type)


def content_type_of(part: Part) -> str:
    """The Content-Type field, or what is meant where there is none."""
    return part.header.get("Content-Type") or part.content_type


def banner_editor(part: Part, text: str) -> BannerEditor:
    """
    What adds a banner to a part.

    A part in ASCII becomes one in UTF-8 if the banner needs that: its octets are the
    same.
    """
    is_html = part.content_type == "text/html"
    charset = part.charset or _DEFAULT_CHARSET
    is_ascii = codec_for(charset) == "ascii"
    is_sure = bool(part.charset) or part.encoding == "7bit"
    if is_ascii and is_sure and not text.isascii() and not is_html:
        charset = set_charset(part, "utf-8")
    return BannerEditor(text, charset, is_html=is_html)


def set_charset(part: Part, charset: str) -> str:
    """
    Say in a part's header that its text is written in another charset.

    @return: the charset that it says now.
    """
    parameters = part.parameters | {"charset": charset}
    written = "".join(f"; {key}={_quoted(text)}" for key, text in parameters.items())
    try:
        _set(part, "Content-Type", part.content_type + written)
    except ValueError:  # what the sender put there cannot be written again
        return part.charset
    part.parameters = parameters
    return charset


def set_encoding(part: Part, encoding: str) -> None:
    """Say in a part's header that its content has another transfer encoding."""
    part.encoding = encoding
    _set(part, "Content-Transfer-Encoding", encoding)


def _set(part: Part, name: str, value: str) -> None:
    part.header.replace(name, value)
    if part.parent is None and not part.header.get("MIME-Version"):
        part.header.add_end("MIME-Version", "1.0")


def _quoted(value: str) -> str:
    if _TOKEN.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
