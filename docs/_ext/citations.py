"""Finds where code and tests name an RFC, and which section of it."""

import re
from collections.abc import Iterator
from pathlib import Path

import attrs

# A line of a docstring or comment may end between any two words.
_GAP = r"[\s#]+"
_SECTION = r"\d+(?:\.\d+)*|(?<=appendix )[A-Z](?:\.\d+)*"
_SECTIONS = re.compile(
    rf"[\s#,(]*(?:and{_GAP})?(?:sections?|appendix){_GAP}"
    rf"((?:{_SECTION})(?:(?:,|{_GAP}and|{_GAP}to){_GAP}\d+(?:\.\d+)*)*)"
    r"(?:[\s#]*\([^()]*\))?"
)
_CITATION = re.compile(rf"\bRFC{_GAP}(\d{{3,5}})\b")
_NUMBER = re.compile(r"[A-Z]?(?:\.?\d+)+|[A-Z]")


@attrs.frozen(order=True)
class Citation:
    """
    A place that names an RFC.

    @ivar number: of the RFC.
    @ivar section: C{""} for the RFC as a whole; letters are those of an appendix.
    @ivar path: of the file, relative to the checkout.
    """

    number: int
    section: str
    path: str

    @property
    def is_code(self) -> bool:
        """Does the server's own code say so?"""
        return self.path.startswith("harakatw/")

    @property
    def is_test(self) -> bool:
        """Is it something that is run as a test, and not what tests stand on?"""
        name = self.path.rpartition("/")[2]
        return not self.is_code and (name.startswith("test_") or name.endswith(".txt"))


def cited(text: str) -> Iterator[tuple[int, str]]:
    """
    Find citations in a text.

    @param text: source, with comments and docstrings, or a transcript.
    @return: the number of each RFC, with each section that is named after it, or once
        with C{""} if none is.
    """
    for found in _CITATION.finditer(text):
        sections = list(_sections_after(text, found.end()))
        for section in sections or [""]:
            yield int(found[1]), section


def _sections_after(text: str, position: int) -> Iterator[str]:
    while found := _SECTIONS.match(text, position):
        yield from _NUMBER.findall(found[1])
        position = found.end()


def collect_citations(checkout: Path) -> frozenset[Citation]:
    """
    Read the package, its tests and their transcripts.

    @param checkout: the folder that holds C{harakatw} and C{tests}.
    """
    return frozenset(
        Citation(number, section, path.relative_to(checkout).as_posix())
        for path in _sources(checkout)
        for number, section in cited(path.read_text("utf-8"))
    )


def _sources(checkout: Path) -> Iterator[Path]:
    yield from (checkout / "harakatw").rglob("*.py")
    yield from (checkout / "tests").rglob("*.py")
    yield from (checkout / "tests" / "transcripts").rglob("*.txt")
