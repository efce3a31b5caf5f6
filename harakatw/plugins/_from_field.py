"""
The authors of a message, out of header fields that anybody may have written.

@see: RFC 5322 section 3.4 (address lists), section 3.2.2 (comments)
"""

import re
from collections.abc import Iterator
from typing import Final

from harakatw.address_grammar import GrammarError, canonical_domain

MAX_CHARACTERS: Final = 8192
"""Of one field that are looked at."""

MAX_ADDRESSES: Final = 100
"""Of one field that are given."""

_TOKEN = re.compile(r'\\.|["()]|[^\\"()]++', re.DOTALL)
_SEPARATOR = re.compile(r"[\s<>,;:\[\]\\]++")


def author_addresses(value: str) -> Iterator[tuple[str, str]]:
    """
    Find the addresses in the value of a C{From} field.

    Display names in quotes and comments are left out. What stands in a display name
    without quotes and looks like an address is given too: mail programs show it.

    @param value: as it stands in the header, encoded words included.
    @return: address and domain of each, in lower case, the domain with A-labels; the
        local part is empty if it was in quotes.
    """
    found = 0
    for word in _SEPARATOR.split(_plain(value[:MAX_CHARACTERS])):
        local, at, host = word.rpartition("@")
        try:
            domain = canonical_domain(host.rstrip(".")) if at else ""
        except GrammarError:
            continue
        if not domain:
            continue
        yield f"{local.lower()}@{domain}", domain
        found += 1
        if found == MAX_ADDRESSES:
            return


def _plain(value: str) -> str:
    """The value without quoted strings and comments, which may nest, in linear time."""
    kept: list[str] = []
    depth, quoted = 0, False
    for match in _TOKEN.finditer(value):
        token = match[0]
        if token == '"' and not depth:
            quoted = not quoted
        elif token == "(" and not quoted:
            depth += 1
        elif token == ")" and depth:
            depth -= 1
        elif not (depth or quoted):
            kept.append(token)
    # Without an end it is no quoted string or comment, and a mail program may well show
    # what is in it as the author.
    return value if quoted or depth else "".join(kept)
