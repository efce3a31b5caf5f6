"""
A mark on mail that leaves, by which a report about it is known when it comes back.

@see: Haraka row PN05; RFC 3464 (reports)
"""

import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

import attrs

from harakatw.message.encoded_words import decode_words
from harakatw.message.header import Header
from harakatw.plugins._dates import parse_date
from harakatw.plugins._forwarded import MAX_OCTETS, readable_texts

FIELD: Final = "X-Haraka-Bounce-Validation"

MAX_PARAGRAPHS: Final = 500
"""That may be the header looked for; a report has a handful."""

MIN_SECRET_CHARACTERS: Final = 32

_NAMES: Final = ("From", "Date", "Message-ID", FIELD)
_BLANK_LINES = re.compile(r"(?:\r?\n[ \t]*+){2,}+")
_BLANKS = re.compile(rb"[ \t\r\n]+")
_ANY_OF_THEM = re.compile(rf"^(?:{'|'.join(_NAMES)})[ \t]*:", re.IGNORECASE | re.M)
_DOMAIN_OF_ID = re.compile(r"@([^@>\s]+)>?\s*$")


@attrs.frozen
class Original:
    """
    What is known of the message that a report is about. Values are unfolded, C{b""} for
    what is not there.

    @ivar author: of C{From}.
    @ivar mark: of L{FIELD}.
    """

    author: bytes = b""
    date: bytes = b""
    message_id: bytes = b""
    mark: bytes = b""

    @property
    def is_whole(self) -> bool:
        """Is all there that a mark is made of?"""
        return bool(self.author and self.date and self.message_id)

    @property
    def sent_at(self) -> float | None:
        """C{date} in seconds since 1970; L{None} if it is none."""
        return parse_date(self.date.decode("latin-1"))

    @property
    def id_domain(self) -> str:
        """What stands behind the @ of C{message_id}."""
        found = _DOMAIN_OF_ID.search(self.message_id.decode("latin-1"))
        return found[1].lower() if found else ""


@attrs.frozen
class Marker:
    """
    Makes and knows marks.

    @ivar secret: the same on all servers of a site.
    @ivar algorithm: a hash of C{hashlib}.
    """

    secret: bytes = attrs.field(repr=False)
    algorithm: str = "sha256"

    def mark(self, original: Original) -> str:
        """The mark for a message, in hexadecimal."""
        parts = (original.author, original.date, original.message_id)
        return hmac.new(self.secret, b":".join(parts), self.algorithm).hexdigest()

    def knows(self, original: Original) -> bool:
        """
        Is a message's mark ours? Haraka marks the From as it reads, with encoded words
        decoded.
        """
        read = decode_words(original.author.decode("utf-8", "replace"))
        for author in original.author, read.encode():
            ours = self.mark(attrs.evolve(original, author=author))
            if hmac.compare_digest(ours.encode(), original.mark.lower()):
                return True
        return False


def original_of(header: Header) -> Original:
    """What a header says of its message; the first of several fields counts."""
    fields = (header.fields(name)[:1] for name in _NAMES)
    return Original(*(_value(*found) if found else b"" for found in fields))


def find_original(header: bytes, body: Iterable[bytes]) -> Original:
    """
    Find the header of the message that a report is about, in the first mebioctet.

    @param header: of the report, without the blank line.
    @param body: its chunks; may block.
    @return: a header with a mark if there is one, or else the most complete.
    """
    start = bytearray()
    for chunk in body:
        start += chunk
        if len(start) >= MAX_OCTETS:
            break
    best = Original()
    for original in _originals(header, bytes(start)):
        if original.mark:
            return original
        if (original.is_whole and not best.is_whole) or best == Original():
            best = original
    return best


def _originals(header: bytes, body: bytes) -> Iterator[Original]:
    """Of the first paragraphs that have such a field."""
    found = (
        paragraph
        for text in readable_texts(header, body)
        for paragraph in _BLANK_LINES.split(text)
        if _ANY_OF_THEM.search(paragraph)
    )
    for paragraph in islice(found, MAX_PARAGRAPHS):
        yield original_of(Header(paragraph.lstrip("\r\n").encode("latin-1")))


def _value(field: bytes) -> bytes:
    return _BLANKS.sub(b" ", field.partition(b":")[2]).strip()


def is_listed(
    entries: Mapping[str, Iterable[str]], recipient: str, author: str
) -> bool:
    """
    May an author send without a mark, as from the null path?

    @param entries: by recipient, addresses and C{*@domain}; all in lower case.
    """
    for entry in entries.get(recipient, ()):
        is_domain = entry.startswith("*@") and author.endswith(entry[1:])
        if entry == author or is_domain:
            return True
    return False
