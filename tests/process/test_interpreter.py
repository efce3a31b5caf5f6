"""Tests of C{harakatw.process.interpreter}."""

from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from harakatw.process import interpreter


class InterpreterTests(SynchronousTestCase):
    """How soon the queue's writer has its turn."""

    def _tuned_from(self, seconds: float) -> list[float]:
        tuned: list[float] = []
        system = SimpleNamespace(
            getswitchinterval=lambda: seconds, setswitchinterval=tuned.append
        )
        self.patch(interpreter, "sys", system)
        interpreter.tune_interpreter()
        return tuned

    def test_sooner(self) -> None:
        """Sooner than with Python's own setting."""
        self.assertEqual(self._tuned_from(0.005), [0.002])

    def test_not_later(self) -> None:
        """A process that wants it sooner still keeps its setting."""
        self.assertEqual(self._tuned_from(0.001), [0.001])
