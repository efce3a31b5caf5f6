"""
Renders the sample configuration, which stands in C{config/}.

C{python -m tests.rules.samples} writes it anew after an option has changed.
"""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from harakatw.config.samples import render_samples
from tests.rules.option_classes import OWNER, Pair, option_classes
from tests.rules.source import CHECKOUT

SAMPLES = CHECKOUT / "config"


def all_samples(pairs: Iterable[Pair]) -> Mapping[str, str]:
    """
    The text of every sample by its name.

    Where several owners read one file, their parts follow one another. A file that each
    plugin may have, such as its time-out, has no sample.
    """
    parts: dict[str, list[str]] = {}
    for name, cls in pairs:
        for file, text in render_samples(cls, name).items():
            if OWNER not in file and text not in parts.setdefault(file, []):
                parts[file].append(text)
    return {file: "\n".join(texts) for file, texts in sorted(parts.items())}


def differences(folder: Path, wanted: Mapping[str, str]) -> list[str]:
    """Which files of a folder are missing, other than wanted, or too many."""
    there = {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }
    return sorted(
        file for file in there.keys() | wanted if there.get(file) != wanted.get(file)
    )


def write(folder: Path, wanted: Mapping[str, str]) -> None:
    """Make a folder hold just these files."""
    for file in differences(folder, wanted):
        path = folder / file
        if file in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[file], "utf-8")
        else:
            path.unlink()
        print(path, file=sys.stderr)


if __name__ == "__main__":
    write(SAMPLES, all_samples(option_classes()))
