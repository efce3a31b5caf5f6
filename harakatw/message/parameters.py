"""
Fields with parameters, such as C{Content-Type: text/plain; charset=utf-8}.

@see: RFC 2045 section 5.1 (form), RFC 2231 sections 3 and 4 (long and foreign values)
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final
from urllib.parse import unquote_to_bytes

from harakatw.message.charset import decode_octets
from harakatw.message.encoded_words import clean, decode_words

MAX_SECTIONS: Final = 100
"""Of one value that RFC 2231 cuts into pieces; later ones are not read."""

# Every character is taken once, by a repetition that gives nothing back: linear time.
_SEGMENT = re.compile(r'(?:"(?:[^"\\]|\\.)*+"?+|[^;"]++)*+', re.DOTALL)
_PARAMETER = re.compile(r'\s*+([^\s=";]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)|([^\s;(]*+))')
_EXTENDED = re.compile(r"([^*]++)(?:\*(\d{1,4}))?+(\*)?+")
_USES_RFC_2231 = re.compile(r"\*\d*\*?\s*=")
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


def parse_parameters(value: str) -> tuple[str, dict[str, str]]:
    """
    Take a value with parameters apart; never fails.

    @param value: the value of a field, unfolded.
    @return: what stood before the first semicolon, in lower case and without a comment;
        and the parameters by name in lower case, unquoted, decoded, the first of each
        name.
    """
    segments = list(_segments(value))
    main = segments[0].partition("(")[0].strip().lower()
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for segment in segments[1:]:
        found = _PARAMETER.match(segment)
        name = found and _EXTENDED.fullmatch(found[1].lower())
        if not (found and name):
            continue
        text = found[3] if found[2] is None else _QUOTED_PAIR.sub(r"\1", found[2])
        if name[2] is None and name[3] is None:
            plain.setdefault(name[1], clean(decode_words(text)))
        else:
            pieces = sections.setdefault(name[1], {})
            pieces.setdefault(int(name[2] or 0), (text, name[3] is not None))
    return main, plain | {name: _join(pieces) for name, pieces in sections.items()}


def plain_parameter(value: str, name: str) -> str:
    """
    One parameter as it stands, for what is compared with octets and never shown.

    @param value: as for L{parse_parameters}.
    @param name: in lower case.
    @return: unquoted and not decoded, unless RFC 2231 was made use of; C{""} if it is
        missing.
    """
    for segment in islice(_segments(value), 1, None):
        found = _PARAMETER.match(segment)
        if found and found[1].lower() == name:
            return found[3] if found[2] is None else _QUOTED_PAIR.sub(r"\1", found[2])
    if not _USES_RFC_2231.search(value):
        return ""
    return parse_parameters(value)[1].get(name, "")


def all_values(value: str, name: str) -> list[str]:
    """
    Every value that a parameter is given, in whatever way: programs do not agree on
    which of several counts.

    @param value: as for L{parse_parameters}.
    @param name: in lower case.
    @return: decoded; none twice.
    """
    found = []
    for segment in islice(_segments(value), 1, None):
        match = _PARAMETER.match(segment)
        if match and match[1].lower() == name:
            text = match[3] if match[2] is None else _QUOTED_PAIR.sub(r"\1", match[2])
            found.append(clean(decode_words(text)))
    if _USES_RFC_2231.search(value):
        found.append(parse_parameters(value)[1].get(name, ""))
    return list(dict.fromkeys(found))


def decode_parameters(value: str) -> str:
    """
    Write a value with parameters so that people and patterns can read it.

    @return: C{value} itself, unless RFC 2231 was made use of; then the same with each
        parameter whole, decoded and in quotes.
    """
    if not _USES_RFC_2231.search(value):
        return decode_words(value)
    main, parameters = parse_parameters(value)
    quoted = (f'; {name}="{_escape(text)}"' for name, text in parameters.items())
    return main + "".join(quoted)


def _segments(value: str) -> Iterator[str]:
    """Cut at the semicolons that stand outside quotes."""
    position = 0
    while position <= len(value):
        found = _SEGMENT.match(value, position)
        assert found is not None  # it matches the empty string too
        yield found[0]
        position = found.end() + 1


def _join(pieces: dict[int, tuple[str, bool]]) -> str:
    """Put the sections of one value together, up to the first that is missing."""
    charset, octets = "utf-8", []
    for number in range(MAX_SECTIONS):
        if number not in pieces:
            break
        text, is_encoded = pieces[number]
        if number == 0 and is_encoded and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        octets.append(
            unquote_to_bytes(text) if is_encoded else text.encode("utf-8", "replace")
        )
    return clean(decode_octets(b"".join(octets), charset))


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
