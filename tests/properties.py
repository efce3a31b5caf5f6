"""
Property tests that are the same in every run: import Hypothesis from here.
"""

from hypothesis import assume, event, example, given, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

settings.register_profile("steady", derandomize=True, deadline=None, database=None)
settings.load_profile("steady")

__all__ = [
    "RuleBasedStateMachine",
    "assume",
    "event",
    "example",
    "given",
    "initialize",
    "invariant",
    "note",
    "precondition",
    "rule",
    "run_state_machine_as_test",
    "settings",
    "st",
]
