"""
Whom a message may be taken to come from, by any mail program.

@see: RFC 5322 section 3.6.2, survey row 35
"""

from collections.abc import Iterator
from typing import Final

from harakatw.message.encoded_words import decode_words
from harakatw.message.header import Header
from harakatw.plugins._from_field import MAX_CHARACTERS, author_addresses

MAX_FIELDS: Final = 10
"""C{From} fields that are looked at; there should be one."""


def from_texts(header: Header) -> tuple[str, ...]:
    """
    What stands in C{From}, once as it is and once as it reads, where that is another
    text. A mail program may read an address out of either.
    """
    return tuple(dict.fromkeys(_texts(header)))


def authors(header: Header) -> tuple[tuple[str, str], ...]:
    """
    All addresses in C{From}: those of each field, of groups, and those in encoded
    words.

    @return: address and domain of each, in lower case with A-labels.
    """
    found = (each for text in from_texts(header) for each in author_addresses(text))
    return tuple(dict.fromkeys(found))


def _texts(header: Header) -> Iterator[str]:
    for value in header.get_all("From")[:MAX_FIELDS]:
        text = value[:MAX_CHARACTERS]
        yield text
        if "=?" in text:
            yield decode_words(text)
