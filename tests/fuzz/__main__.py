"""
C{python -m tests.fuzz [TARGET [SECONDS]]}: inputs without end, other ones each time.

Without a TARGET each has its turn, a tenth of a minute at least; C{sessions} is the
state machine of C{tests.conformance}. The first input that breaks something is shown,
as small as it can be made, and the exit status is 1.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence

from tests.conformance.machine import ClientMachine
from tests.fuzz.all_targets import all_targets
from tests.fuzz.target import Target
from tests.properties import given, run_state_machine_as_test, settings

ROUND = 300
"""Inputs between two looks at the clock."""

SECONDS = 6.0
"""For each target, unless it is said."""

Round = Callable[[], None]


def rounds() -> Mapping[str, Round]:
    """What can be run, by name: each call is a round of new inputs."""
    found = {name: _round_of(target) for name, target in all_targets().items()}
    return {**found, "sessions": _sessions}


def _round_of(target: Target) -> Round:
    @settings(max_examples=ROUND, derandomize=False)
    @given(target.inputs)
    def run(arguments: tuple[object, ...]) -> None:
        target.check(*arguments)

    return run


def _sessions() -> None:
    run_state_machine_as_test(
        ClientMachine,
        settings=settings(
            max_examples=ROUND, stateful_step_count=25, derandomize=False
        ),
    )


def run_for(name: str, once: Round, seconds: float) -> None:
    """Run rounds until the time is over, one at least."""
    end, count = time.monotonic() + seconds, 0
    while not count or time.monotonic() < end:
        once()
        count += ROUND
    print(f"{name}: {count} inputs", flush=True)


def main(arguments: Sequence[str]) -> int:
    """
    Run what is asked for.

    @param arguments: of the command line.
    @return: the exit status: 2 for arguments that make no sense.
    @raise Exception: whatever broke.
    """
    known = rounds()
    name, seconds = (*arguments, "", "")[:2]
    if name and name not in known:
        print(f"{name!r} is none of: {', '.join(sorted(known))}", file=sys.stderr)
        return 2
    try:
        length = float(seconds or SECONDS)
    except ValueError:
        print(f"{seconds!r} is no number of seconds", file=sys.stderr)
        return 2
    for each in [name] if name else sorted(known):
        run_for(each, known[each], length)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
