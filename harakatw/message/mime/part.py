"""
What one part of a message says about itself.

@see: RFC 2045 sections 5 and 6, RFC 2046, RFC 2183; Haraka row HB02
"""

import enum
import re
from collections.abc import Callable
from typing import Final

import attrs

from harakatw.message.header import Header
from harakatw.message.mime.limits import MAX_BOUNDARY_OCTETS
from harakatw.message.parameters import parse_parameters, plain_parameter

MESSAGE: Final = "message/rfc822"
TEXT: Final = "text/plain"

# RFC 6532 section 3.7 gives message/global the same shape.
_MESSAGES: Final = frozenset((MESSAGE, "message/global"))
_ENCODED: Final = frozenset(("base64", "quoted-printable"))
_TYPE = re.compile(
    r"[^\x00-\x20()<>@,;:\\\"/\[\]?=]++/[^\x00-\x20()<>@,;:\\\"/\[\]?=]++"
)
_FOLDS = re.compile(rb"\r?\n")


class Kind(enum.Enum):
    """What the content of a part is to the walk."""

    LEAF = "leaf"
    MULTIPART = "multipart"
    MESSAGE = "message"


@attrs.define(eq=False)
class Part:
    """
    A part of a message; the first one is the message itself.

    @ivar header: its fields.
    @ivar parent: what it is in; L{None} for the message.
    @ivar depth: how many containers it is in.
    @ivar number: its place in the order of the message, from 0.
    @ivar content_type: type and subtype in lower case; C{text/plain} or, in a digest,
        C{message/rfc822} if none is given that can be read.
    @ivar parameters: of the content type.
    @ivar encoding: the transfer encoding in lower case, C{7bit} if none is given.
    @ivar disposition: C{inline}, C{attachment}, ..., or C{""}.
    @ivar filename: what the sender calls it; C{""} if nothing. It may hold anything,
        slashes and dots too: it is no name for a file of ours.
    @ivar boundary: of a multipart.
    @ivar is_closed: did a multipart have its last boundary?
    @ivar is_too_deep: is it a container that is not looked into, for its depth?
    @ivar is_cut: was the header longer than allowed, so that content begins amid it?
    """

    header: Header
    parent: "Part | None"
    depth: int
    number: int
    content_type: str
    parameters: dict[str, str]
    encoding: str
    disposition: str
    filename: str
    boundary: bytes
    kind: Kind
    is_closed: bool = False
    is_too_deep: bool = False
    is_cut: bool = False

    @property
    def charset(self) -> str:
        """What the sender says its text is written in; C{""} if nothing."""
        return self.parameters.get("charset", "")

    @property
    def is_text(self) -> bool:
        """Is it text, and not an attachment, so that people read it as the mail?"""
        return (
            self.kind is Kind.LEAF
            and self.content_type.startswith(("text/", "message/"))
            and self.disposition != "attachment"
            and not self.is_encoded_message
        )

    @property
    def is_attachment(self) -> bool:
        """
        Is it neither a container nor text that people read as the mail?
        """
        return self.kind is Kind.LEAF and not self.is_text

    @property
    def is_encoded_message(self) -> bool:
        """
        Is it a message in base64 or quoted-printable? RFC 2046 section 5.2.1 forbids
        that; it is taken for an attachment.
        """
        return self.content_type in _MESSAGES and self.encoding in _ENCODED

    @property
    def is_in_message(self) -> bool:
        """Does it belong to a message within the message?"""
        return self._is_within(lambda part: part.kind is Kind.MESSAGE)

    @property
    def is_sealed(self) -> bool:
        """Would a change break a signature of the sender (RFC 1847)?"""
        sealed = ("multipart/signed", "multipart/encrypted")
        return self._is_within(lambda part: part.content_type in sealed)

    def _is_within(self, what: "Callable[[Part], bool]") -> bool:
        part = self.parent
        while part is not None:
            if what(part):
                return True
            part = part.parent
        return False


def make_part(header: Header, parent: Part | None, number: int, max_depth: int) -> Part:
    """
    Read what a header says of its part; never fails.

    @param number: see L{Part}.
    @param max_depth: from what depth on a container is not looked into.
    """
    default = TEXT
    if parent is not None and parent.content_type == "multipart/digest":
        default = MESSAGE  # RFC 2046 section 5.1.5
    named = _first(header, "Content-Type")
    content_type, parameters = parse_parameters(named) if named else (default, {})
    if not _TYPE.fullmatch(content_type):
        content_type = default  # RFC 2045 section 5.2
    placed = _first(header, "Content-Disposition")
    disposition, about = parse_parameters(placed) if placed else ("", {})
    part = Part(
        header,
        parent,
        0 if parent is None else parent.depth + 1,
        number,
        content_type,
        parameters,
        _encoding(header),
        disposition,
        about.get("filename") or parameters.get("name", ""),
        _boundary(header) if content_type.startswith("multipart/") else b"",
        Kind.LEAF,
    )
    kind = _kind(part)
    if part.depth < max_depth:
        part.kind = kind
    else:
        part.is_too_deep = kind is not Kind.LEAF
    return part


def _kind(part: Part) -> Kind:
    if part.boundary:
        return Kind.MULTIPART
    if part.content_type in _MESSAGES and part.encoding not in _ENCODED:
        return Kind.MESSAGE
    return Kind.LEAF


def _first(header: Header, name: str) -> str:
    """The value of the first field of a name, as most programs take it."""
    found = header.get_all(name)
    return found[0] if found else ""


def _encoding(header: Header) -> str:
    named = _first(header, "Content-Transfer-Encoding")
    return named.partition("(")[0].strip(" \t\";'").lower() or "7bit"


def _boundary(header: Header) -> bytes:
    """
    The boundary as octets; C{b""} if it is missing, empty or of no use.

    Latin-1 maps octets to characters one to one: a boundary is not text.
    """
    field = _FOLDS.sub(b"", header.fields("Content-Type")[0]).partition(b":")[2]
    found = plain_parameter(field.decode("latin-1"), "boundary")
    boundary = found.encode("latin-1", "replace").rstrip(b" \t")
    return boundary if len(boundary) <= MAX_BOUNDARY_OCTETS else b""
