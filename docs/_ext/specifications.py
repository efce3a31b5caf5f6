"""
What the server keeps of each RFC, as its authors say, held against what is cited.

The words stand in C{specifications.toml}; a table of it is an RFC.
"""

import enum
import tomllib
from collections.abc import Iterable, Iterator

import attrs

from docs._ext.citations import Citation

TABLE = "docs/_ext/specifications.toml"
"""Where the words stand, relative to the checkout."""

_KEYS = frozenset(("title", "kept", "note"))


class Kept(enum.Enum):
    """How much of a document is kept."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


@attrs.frozen
class Specification:
    """
    What is said of one RFC.

    @ivar number: of the RFC.
    @ivar kept: all of it that concerns a server of this kind, some, or nothing?
    @ivar note: what is missing and why; with C{YES} it may say what is kept.
    """

    number: int
    title: str
    kept: Kept
    note: str = ""


def parse_specifications(text: str) -> tuple[Specification, ...]:
    """
    Read the table.

    @param text: TOML.
    @return: by number.
    @raise ValueError: if something is missing in it, or is too much.
    """
    rows = tomllib.loads(text).items()
    return tuple(sorted((_row(*row) for row in rows), key=lambda each: each.number))


def _row(name: str, row: object) -> Specification:
    if not (name.isascii() and name.isdigit() and isinstance(row, dict)):
        raise ValueError(f"{TABLE}: [{name}] must be a table named by an RFC's number")
    if unknown := row.keys() - _KEYS:
        raise ValueError(f"{TABLE}: [{name}] has unknown keys: {sorted(unknown)}")
    if not row.get("title"):
        raise ValueError(f"{TABLE}: [{name}] has no title")
    if row.get("kept") not in ("yes", "partly", "no"):
        raise ValueError(f"{TABLE}: [{name}] kept must be yes, partly or no")
    kept = Kept(row["kept"])
    if kept is not Kept.YES and not row.get("note"):
        raise ValueError(f"{TABLE}: [{name}] must say what is missing, as its note")
    return Specification(int(name), row["title"], kept, row.get("note", ""))


def find_contradictions(
    specifications: Iterable[Specification], citations: Iterable[Citation]
) -> Iterator[str]:
    """
    Compare what is said with what is cited.

    @return: a sentence for each RFC of which the two do not agree.
    """
    known = {each.number: each for each in specifications}
    cited: dict[int, list[Citation]] = {number: [] for number in known}
    for citation in sorted(citations):
        cited.setdefault(citation.number, []).append(citation)
    for number, places in sorted(cited.items()):
        if number not in known:
            yield f"RFC {number}: cited in {places[0].path}, but not in {TABLE}"
        elif known[number].kept is not Kept.NO:
            yield from _unproved(known[number], places)


def _unproved(row: Specification, places: Iterable[Citation]) -> Iterator[str]:
    said = f"RFC {row.number}: {TABLE} says {row.kept.value!r}"
    if not any(place.is_code for place in places):
        yield f"{said}, but no file of harakatw/ cites it"
    if not any(place.is_test for place in places):
        yield f"{said}, but no test cites it"
