"""Ranges in words."""

from attrs.validators import (
    and_,
    deep_iterable,
    ge,
    gt,
    in_,
    le,
    lt,
    matches_re,
    max_len,
    min_len,
    not_,
    optional,
)
from twisted.trial.unittest import SynchronousTestCase

from harakatw.config.ranges import complaint, describe


class RangeTests(SynchronousTestCase):
    """A range is said in words that need no manual."""

    def test_words(self) -> None:
        """Each validator of attrs that has a range says it."""
        cases: dict[object, str] = {
            ge(1): "at least 1",
            gt(1): "more than 1",
            le(1): "at most 1",
            lt(1): "less than 1",
            and_(ge(1), le(2)): "at least 1 and at most 2",
            optional(ge(1)): "at least 1",
            in_(("a", "b")): "one of a, b",
            max_len(3): "not longer than 3",
            min_len(3): "not shorter than 3",
            deep_iterable(ge(1)): "at least 1",
            not_(ge(1)): "",
            None: "",
        }
        for validator, words in cases.items():
            self.assertEqual(describe(validator), words)

    def test_own_words(self) -> None:
        """Other validators speak for themselves."""
        error = ValueError("is not even", 3)
        self.assertEqual(complaint(matches_re("x"), 3, error), "is not even")
        self.assertEqual(complaint(None, 3, ValueError()), "3 is not possible")
        self.assertEqual(
            complaint(ge(5), 3, error), "3 is out of range: it must be at least 5"
        )
