"""
Counts what trial reported, and refuses skips that nobody expects.

Run as C{python3 -m tests.ci.summary LOG EXPECTED}. It must also work where the virtual
environment could not be made, so it imports the standard library only.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

_RAN = re.compile(r"^Ran \d+ tests in .*\n\n((?:PASSED|FAILED).*)$", re.MULTILINE)
_COUNT = re.compile(r"(\w+)=(\d+)")
_RULER = re.compile(r"^(?:={70,}|-{70,})\n", re.MULTILINE)
_SKIPPED = "[SKIPPED]\n"


class Summary(NamedTuple):
    """
    The outcome of a run.

    @ivar verdict: trial's last line, or what is wrong with its output.
    @ivar skipped_tests: the names of the tests that were skipped.
    """

    verdict: str
    passed: int
    failed: int
    skipped: int
    skipped_tests: tuple[str, ...] = ()

    @property
    def counts(self) -> str:
        """The closing line."""
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def read_summary(log: str) -> Summary:
    """
    Read the output of one run of trial with its usual reporter.

    @param log: may hold other output before trial's.
    @return: a run that did not end, or ran nothing, counts as one failure.
    """
    ends = _RAN.findall(log)
    if not ends:
        return Summary("trial did not come to its summary", 0, 1, 0)
    counts = {name: int(number) for name, number in _COUNT.findall(ends[-1])}
    passed = counts.get("successes", 0) + counts.get("expectedFailures", 0)
    failed = sum(
        counts.get(kind, 0) for kind in ("failures", "errors", "unexpectedSuccesses")
    )
    skipped = counts.get("skips", 0)
    if not passed + failed + skipped:
        return Summary("trial ran no test", 0, 1, 0)
    if ends[-1].startswith("FAILED") and not failed:
        return Summary(f"trial contradicts itself: {ends[-1]}", passed, 1, skipped)
    return Summary(ends[-1], passed, failed, skipped, tuple(_skipped_tests(log)))


def _skipped_tests(log: str) -> Iterator[str]:
    """The names below each reason for skipping, which an empty line sets off."""
    for block in _RULER.split(log):
        if block.startswith(_SKIPPED):
            yield from block.rstrip("\n").rpartition("\n\n")[2].split("\n")


def unexpected_skips(summary: Summary, expected: Iterable[str]) -> list[str]:
    """
    The skipped tests that no pattern allows.

    @param expected: shell patterns of full test names, a line each; empty lines
        and what follows a C{#} are comments.
    @return: also a line for skips whose names the log does not give.
    """
    patterns = [line.partition("#")[0].strip() for line in expected]
    unexpected = [
        name
        for name in summary.skipped_tests
        if not any(pattern and fnmatchcase(name, pattern) for pattern in patterns)
    ]
    unnamed = summary.skipped - len(summary.skipped_tests)
    return unexpected + ([f"{unnamed} skips without a name"] if unnamed > 0 else [])


def main() -> None:
    """Print the summary, the closing line last; exit with 1 unless all is well."""
    log, expected = (Path(name).read_text("utf-8", "replace") for name in sys.argv[1:])
    summary = read_summary(log)
    unexpected = unexpected_skips(summary, expected.splitlines())
    for name in unexpected:
        print(f"skipped, and not in {sys.argv[2]}: {name}")
    print(f"trial: {summary.verdict}")
    print(summary.counts, flush=True)
    sys.exit(1 if summary.failed or unexpected else 0)


if __name__ == "__main__":
    main()
