"""What is wrong with a postmaster's files, said so that it can be found and mended."""

import difflib
from collections.abc import Iterable
from typing import Literal

import attrs

Severity = Literal["error", "notice"]


@attrs.frozen
class Problem:
    """
    One thing that a postmaster should look at.

    @ivar file: as a postmaster names it, such as C{config/smtp.ini}.
    @ivar line: counted from 1; 0 where no one line is to blame.
    @ivar section: of an ini file; C{""} for the file as a whole and for other files.
    @ivar key: of that section; C{""} for the section as a whole.
    @ivar message: what is wrong and what was expected.
    @ivar severity: C{error} when the file does not do what it says, C{notice} when the
        server knows of it and runs as it would have run anyway.
    """

    file: str
    line: int
    section: str
    key: str
    message: str
    severity: Severity = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:" if self.line else f"{self.file}:"
        section = f" [{self.section}]" if self.section else ""
        key = f" {self.key}:" if self.key else ":" if section else ""
        return f"{place}{section}{key} {self.message}"


class BadFile(ValueError):
    """
    A file cannot be read or makes no sense from some line on.

    @ivar message: what is wrong.
    @ivar line: counted from 1, or 0 if unknown.
    """

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message, self.line = message, line

    def problem(self, file: str) -> Problem:
        """Say the same of C{file}."""
        return Problem(file, self.line, "", "", self.message)


def nearest(word: str, names: Iterable[str]) -> str:
    """
    The question to add to C{word} being unknown.

    @return: such as C{", did you mean hooks_to_delay?"}, or C{""} if nothing is near.
    """
    close = difflib.get_close_matches(word, sorted(set(names)), n=1, cutoff=0.6)
    return f", did you mean {close[0]}?" if close else ""
