"""
Replies of an SMTP server: a code, an enhanced status code, and clean text.

@see: RFC 5321 section 4.2 (grammar), RFC 2034 and RFC 3463 (enhanced status codes)
"""

import re
from collections.abc import Iterable

import attrs

MAX_LINE_OCTETS = 512
"""Longest reply line in octets with its CRLF (RFC 5321 section 4.5.3.1.5)."""

MAX_LINES = 100
"""Most lines of one reply; what a plugin says beyond that is cut off."""

_CONTROL = re.compile(r"[^\x20-\x7e]+")
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_LEADING_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")
_TEXT_OCTETS = MAX_LINE_OCTETS - len("250-2.10.100 \r\n")


@attrs.frozen
class Reply:
    """
    One reply, ready to be written.

    @ivar code: the three-digit reply code.
    @ivar enhanced: the enhanced status code, or C{""} where RFC 2034 section 4 forbids
        one (the greeting, HELO and EHLO, and codes that do not begin with 2, 4 or 5).
    @ivar lines: the text, a line each: printable ASCII, never empty as a whole.
    @ivar encoded: the octets on the wire.
    """

    code: int
    enhanced: str
    lines: tuple[str, ...]
    encoded: bytes = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "encoded", self._encode())

    @property
    def text(self) -> str:
        """The lines in one, without codes."""
        return " ".join(self.lines)

    @property
    def is_permanent(self) -> bool:
        """Is this a 5xx reply?"""
        return self.code >= 500

    def _encode(self) -> bytes:
        status = f"{self.enhanced} " if self.enhanced else ""
        if len(self.lines) == 1:  # nearly all, and one for each message
            return f"{self.code} {status}{self.lines[0]}\r\n".encode("ascii")
        last = len(self.lines) - 1
        return "".join(
            f"{self.code}{' ' if number == last else '-'}{status}{line}\r\n"
            for number, line in enumerate(self.lines)
        ).encode("ascii")


def reply(code: int, enhanced: str, text: str | Iterable[str]) -> Reply:
    """
    Make a reply from text that anyone may have written: a plugin, a block list, a peer.

    Control and non-ASCII characters become C{?}, long lines are folded, and an enhanced
    status code that stands in front of the text is taken as such when its class fits
    C{code}, and dropped otherwise, so that it never stands there twice or bare.

    @param code: 200 to 599.
    @param enhanced: such as C{"5.7.1"}, or C{""} for the text's own or none.
    @param text: one line or several.
    """
    if not 200 <= code <= 599:
        raise ValueError(f"{code} is not an SMTP reply code")
    lines: list[str] = []
    for line in (text,) if isinstance(text, str) else text:
        for piece in re.split(r"\r\n|\r|\n", str(line)):
            piece = piece.strip()
            while found := _LEADING_ENHANCED.match(piece):
                piece = piece[found.end() :]
                if not enhanced and found[1][0] == str(code)[0]:
                    enhanced = found[1]
            if piece:
                lines.extend(_fold(_CONTROL.sub("?", piece)))
    if not lines:
        lines = [_default_text(code)]
    if enhanced and not _ENHANCED.fullmatch(enhanced):
        raise ValueError(f"{enhanced!r} is not an enhanced status code")
    if enhanced and enhanced[0] != str(code)[0]:
        raise ValueError(f"{enhanced} does not go with {code}")
    return Reply(code, enhanced, tuple(lines[:MAX_LINES]))


def _fold(line: str) -> list[str]:
    """Cut a line into pieces that fit a reply line, at blanks where there are any."""
    pieces: list[str] = []
    while len(line) > _TEXT_OCTETS and len(pieces) < MAX_LINES:
        at = line.rfind(" ", 1, _TEXT_OCTETS)
        at = at if at > 0 else _TEXT_OCTETS
        pieces.append(line[:at])
        line = line[at:].lstrip()
    pieces.append(line[:_TEXT_OCTETS])
    return pieces


def _default_text(code: int) -> str:
    return {2: "OK", 3: "Go ahead", 4: "Try again later", 5: "Refused"}[code // 100]
