"""
Property tests that are the same in every run: import Hypothesis from here.
"""

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

settings.register_profile("steady", derandomize=True, deadline=None, database=None)
settings.load_profile("steady")

__all__ = ["assume", "example", "given", "settings", "st"]
