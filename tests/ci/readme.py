"""
Takes the set-up lines out of README.md, so that they are tested as they are printed.

Run as C{python3 -m tests.ci.readme NAME}, before anything is installed: only the
standard library may be imported here.
"""

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"


def marked_line(text: str, name: str) -> str:
    """
    The one command in the code block that follows a marker.

    @param text: Markdown with a comment C{<!-- name -->} and then a fenced block.
    @raise ValueError: there is not just one such block, or not just one line in it.
    """
    block = rf"<!-- {re.escape(name)} -->\s*```[a-z]*\n(.*?)^```"
    found = re.findall(block, text, re.DOTALL | re.MULTILINE)
    if len(found) != 1:
        raise ValueError(f"{len(found)} code blocks are marked <!-- {name} -->, not 1")
    lines: list[str] = found[0].split("\n")[:-1]
    if len(lines) != 1:
        raise ValueError(f"the block <!-- {name} --> has {len(lines)} lines, not 1")
    return lines[0]


def main() -> None:
    """Print the line that the first argument names."""
    print(marked_line(README.read_text("utf-8"), sys.argv[1]))


if __name__ == "__main__":
    main()
