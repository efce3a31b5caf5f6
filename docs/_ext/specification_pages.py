"""
Writes the manual's page of specifications, from what code and tests cite.

A Sphinx extension; the page is C{specifications.md} among the manual's sources. The
build fails if an RFC is cited of which nothing is said, or kept without code and test.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from docs._ext.citations import Citation, collect_citations
from docs._ext.pages import write_page
from docs._ext.specifications import (
    TABLE,
    Specification,
    find_contradictions,
    parse_specifications,
)

if TYPE_CHECKING:
    from sphinx.application import Sphinx

CHECKOUT = Path(__file__).resolve().parents[2]

INTRODUCTION = """\
# Specifications

Which rules the server keeps, and on purpose which not.
*Yes* is: all that the document asks of a server of this kind.
*Partly* and *no* say what is missing.

Below the table, each document has a section that tells which code carries out which
part of it, and which tests show that; it is made from what code and tests cite.
The name of a test can be given to `trial` as it stands.
"""


class ContradictionError(Exception):
    """What is said of the RFCs, and what is cited, do not agree."""


def read_specifications() -> tuple[Specification, ...]:
    """
    What is said of each RFC.

    @raise ValueError: see L{parse_specifications}.
    """
    return parse_specifications((CHECKOUT / TABLE).read_text("utf-8"))


def render_specifications(
    specifications: Iterable[Specification], citations: Iterable[Citation]
) -> str:
    """
    The page, in MyST Markdown.

    @raise ContradictionError: if the arguments do not agree.
    """
    rows, places = tuple(specifications), frozenset(citations)
    if wrong := list(find_contradictions(rows, places)):
        raise ContradictionError("\n".join(wrong))
    overview = ["| document | title | kept | note |", "|---|---|---|---|"]
    overview += map(_overview_row, rows)
    sections = (_section(row, places) for row in rows)
    return "\n".join([INTRODUCTION, *overview, "", *filter(None, sections)])


def _overview_row(row: Specification) -> str:
    name = f"[RFC {row.number}](https://www.rfc-editor.org/rfc/rfc{row.number})"
    return f"| {name} | {row.title} | {row.kept.value} | {row.note} |"


def _section(row: Specification, citations: Iterable[Citation]) -> str:
    parts: dict[str, list[Citation]] = {}
    for each in sorted(citations):
        if each.number == row.number and (each.is_code or each.is_test):
            parts.setdefault(each.section, []).append(each)
    if not parts:
        return ""
    lines = [_part(section, parts[section]) for section in sorted(parts, key=_order)]
    heading = [f"## RFC {row.number}: {row.title}", ""]
    return "\n".join(
        [*heading, "| section | code | tests |", "|---|---|---|", *lines, ""]
    )


def _order(section: str) -> tuple[bool, list[tuple[bool, int, str]]]:
    """Numbers by their value, appendices after them, the whole document first."""
    words = section.split(".") if section else []
    return (
        bool(section) and section[0].isalpha(),
        [(word.isalpha(), int(word) if word.isdigit() else 0, word) for word in words],
    )


def _part(section: str, places: Iterable[Citation]) -> str:
    code = sorted(each.path for each in places if each.is_code)
    tests = sorted(_test_name(each.path) for each in places if each.is_test)
    return f"| {section or 'as a whole'} | {_listed(code)} | {_listed(tests)} |"


def _test_name(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".") if path.endswith(".py") else path


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def setup(app: "Sphinx") -> dict[str, bool]:
    """Have the page written before Sphinx looks for sources."""
    page = Path(app.srcdir) / "specifications.md"

    def write(_: object) -> None:
        page_text = render_specifications(
            read_specifications(), collect_citations(CHECKOUT)
        )
        write_page(page, page_text)

    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
