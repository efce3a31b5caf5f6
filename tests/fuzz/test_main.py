"""The command that runs targets for long."""

import io
from contextlib import redirect_stderr, redirect_stdout

from twisted.trial.unittest import SynchronousTestCase

from tests.fuzz.__main__ import ROUND, main, rounds, run_for
from tests.fuzz.all_targets import all_targets


class MainTests(SynchronousTestCase):
    """What C{python -m tests.fuzz} does."""

    def run_main(self, *arguments: str) -> tuple[int, str]:
        """The exit status, and what is said."""
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            return main(arguments), said.getvalue()

    def test_one(self) -> None:
        """A target that is named is run, once at least, and its inputs counted."""
        self.assertEqual(self.run_main("helo", "0"), (0, f"helo: {ROUND} inputs\n"))

    def test_all_known(self) -> None:
        """Every target can be run, and the sessions of the state machine."""
        self.assertEqual(rounds().keys() - all_targets().keys(), {"sessions"})

    def test_time(self) -> None:
        """Rounds go on until the time is over, and end with what breaks."""
        calls: list[None] = []

        def once() -> None:
            calls.append(None)
            if len(calls) == 3:
                raise ZeroDivisionError

        self.assertRaises(ZeroDivisionError, run_for, "x", once, 60.0)
        self.assertEqual(len(calls), 3)

    def test_wrong(self) -> None:
        """A target or a time that is none is refused with status 2."""
        status, said = self.run_main("hello")
        self.assertEqual(status, 2)
        self.assertIn("helo", said)
        self.assertEqual(self.run_main("helo", "long")[0], 2)
