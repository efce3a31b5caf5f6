"""
Runs the benchmarks: C{python -m benchmarks [NAME ...]}, all without a name.

A benchmark is a script beside this file. It prints its figures, one line each with its
unit, and exits with 0. They run one after the other, each in a process of its own, so
that none warms the caches of the next.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent


def scripts(names: Sequence[str]) -> list[Path]:
    """
    The benchmarks of these names, or all.

    @raise SystemExit: there is none of a name, or none at all.
    """
    known = {p.stem: p for p in sorted(HERE.glob("*.py")) if p.stem[0] != "_"}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"no benchmark {', '.join(unknown)}; there are: {', '.join(known)}")
    if not known:
        sys.exit(f"there is no benchmark in {HERE}")
    return [known[name] for name in names or known]


def main() -> None:
    """Run them; exit with 1 if one of them failed."""
    failed = []
    for script in scripts(sys.argv[1:]):
        print(f"== {script.stem}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{script.stem}"]
        if subprocess.run(command, cwd=HERE.parent).returncode:
            failed.append(script.stem)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
