"""
Kill a server under load again and again: is all that was answered 250 delivered, and
only what was in flight twice?

C{python -m benchmarks.crash [KILLS [SEED]]}; ends with 1 if not.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from benchmarks._server import machine
from tests.functional.crash import crash
from tests.functional.crash_ledger import Outcome

KILLS = 100


def failures(outcome: Outcome) -> list[str]:
    """What must not have happened."""
    found = {
        "lost": outcome.lost,
        "damaged": outcome.damaged,
        "twice, but not in flight": outcome.late,
    }
    lines = [f"{name}: {each}" for name, several in found.items() for each in several]
    if outcome.left:
        lines.append(f"{outcome.left} items are left in the queue")
    return lines


def main() -> None:
    """Kill, count, and compare."""
    print(machine())
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else KILLS
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns()
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="harakatw-crash-") as folder:
        began = time.monotonic()
        outcome = asyncio.run(crash(Path(folder, "instance"), kills, seed))
    print(
        f"{outcome.kills} kills in {time.monotonic() - began:.0f} s:"
        f" {outcome.acknowledged} messages answered 250 to {outcome.owed} recipients;"
        f" lost {len(outcome.lost)}, damaged {len(outcome.damaged)},"
        f" duplicates {outcome.duplicates}, of which not in flight {len(outcome.late)}"
    )
    print(
        f"at most {outcome.longest_flight:.2f} s from a first copy to the kill;"
        f" {outcome.unheard} came whose 250 was not heard;"
        f" a restart took {outcome.slowest_start:.2f} s to the next 250 at most"
    )
    if found := failures(outcome):
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
