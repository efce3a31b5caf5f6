"""Measuring functions."""

from twisted.trial.unittest import SynchronousTestCase

from tests.rules.sizes import FunctionSize, function_sizes
from tests.rules.source import SourceFile


def measure(text: str) -> FunctionSize:
    """The size of the only function of C{text}."""
    (size,) = function_sizes(SourceFile("m", "m.py", text))
    return size


class FunctionSizesTests(SynchronousTestCase):
    """What counts towards the length of a function."""

    def test_without_docstring(self) -> None:
        """A long description does not make a function long."""
        text = 'def f():\n    """\n    Text.\n    """\n    a = 1\n    return a\n'
        self.assertEqual(measure(text).lines, 3)

    def test_without_decorators(self) -> None:
        """Neither do decorators, and a function on one line has one."""
        self.assertEqual(measure("@a\n@b\ndef f(): pass\n").lines, 1)

    def test_only_docstring(self) -> None:
        """A method of an interface is as long as its signature."""
        self.assertEqual(measure('def f():\n    """Text."""\n').lines, 1)

    def test_explained(self) -> None:
        """A comment above a function, or before its first statement, explains it."""
        for text in (
            "# One piece, because.\ndef f():\n    pass\n",
            "# One piece, because.\n@a\ndef f():\n    pass\n",
            "def f():\n    # One piece, because.\n    pass\n",
            'def f():\n    """Text."""\n    # One piece, because.\n    pass\n',
            "def f():  # One piece, because.\n    pass\n",
        ):
            self.assertTrue(measure(text).is_explained, text)

    def test_not_explained(self) -> None:
        """A comment further down explains a line, and a C{#} in a string nothing."""
        for text in (
            "def f():\n    a = 1\n    # Then.\n    return a\n",
            'def f():\n    """# Text."""\n    pass\n',
            "# Far away.\n\n\ndef f():\n    pass\n",
        ):
            self.assertFalse(measure(text).is_explained, text)
