"""
The tree of a message's parts, as plugins see it.

@see: Haraka rows HB02 and TX03
"""

import attrs
from zope.interface import implementer

from harakatw.interfaces.mime import IBody
from harakatw.message.charset import decode_octets
from harakatw.message.header import Header
from harakatw.message.mime.part import Kind, Part

DEFAULT_CHARSET = "utf-8"
"""Of text that names none: a superset of ASCII, and mostly what it is."""


@implementer(IBody)
@attrs.define(eq=False)
class Body:
    """
    One part; see L{IBody}.

    @ivar part: what the walk knows of it.
    """

    part: Part
    state: str
    children: "list[Body]" = attrs.field(factory=list)
    bodytext: str = ""
    is_truncated: bool = False
    size: int = 0
    _text: list[bytes] = attrs.field(factory=list)

    @property
    def header(self) -> Header:
        """The part's header."""
        return self.part.header

    @property
    def ct(self) -> str:
        """The Content-Type field as it stands."""
        return self.header.get("Content-Type")

    @property
    def content_type(self) -> str:
        """Type and subtype."""
        return self.part.content_type

    @property
    def parameters(self) -> dict[str, str]:
        """Of the content type."""
        return self.part.parameters

    @property
    def filename(self) -> str:
        """What the sender calls it."""
        return self.part.filename

    @property
    def is_html(self) -> bool:
        """Is it HTML?"""
        return self.part.content_type == "text/html"

    @property
    def is_attachment(self) -> bool:
        """Is it an attachment?"""
        return self.part.is_attachment

    @property
    def body_encoding(self) -> str:
        """The charset of the text."""
        return self.part.charset or DEFAULT_CHARSET

    def walk(self) -> "list[Body]":
        """This part and all within it, in the order of the message."""
        found: list[Body] = []
        waiting = [self]
        while waiting:
            body = waiting.pop()
            found.append(body)
            waiting += reversed(body.children)
        return found

    def add_text(self, octets: bytes) -> None:
        """Keep octets of the text, until it L{ended}."""
        self._text.append(octets)

    def ended(self) -> None:
        """All has come: make text of it."""
        self.state = "end"
        if self._text:
            self.bodytext = decode_octets(b"".join(self._text), self.body_encoding)
            self._text = []


def make_body(part: Part) -> Body:
    """The tree's node for a part that begins."""
    if part.kind is Kind.MULTIPART:
        return Body(part, "multipart_preamble")
    return Body(part, "attachment" if part.is_attachment else "body")
