"""Finding names without a description."""

from twisted.trial.unittest import SynchronousTestCase

from tests.rules.docstrings import interface_methods, undocumented, untold_tests
from tests.rules.source import SourceFile


def source(text: str) -> SourceFile:
    """A file with a docstring, then C{text}."""
    return SourceFile("m", "m.py", f'"""Text."""\n{text}')


def names(text: str) -> list[str]:
    """The names that C{text} leaves without a word."""
    contracts = {"IRcptHook": {"hook_rcpt"}}
    found = undocumented(source(text), contracts)
    return [each.rpartition(" ")[2] for each in found]


class UndocumentedTests(SynchronousTestCase):
    """Which names need a description."""

    def test_public(self) -> None:
        """Functions, coroutines, classes and their methods need one."""
        self.assertEqual(names("def f(): pass\n"), ["f"])
        self.assertEqual(names("async def f(): pass\n"), ["f"])
        self.assertEqual(names("class C:\n  def m(self): pass\n"), ["C", "m"])

    def test_module(self) -> None:
        """So does a file."""
        found = list(undocumented(SourceFile("m", "m.py", "import re\n"), {}))
        self.assertEqual(found, ["m.py:1: the module"])

    def test_private(self) -> None:
        """What begins with an underscore needs none, with all that is in it."""
        self.assertEqual(names("def _f(): pass\nclass _C:\n  def m(): pass\n"), [])

    def test_interface(self) -> None:
        """A plugin's hook is described where the hook is, its other methods are not."""
        text = (
            "@implementer(IRcptHook)\nclass C:\n  'Text.'\n"
            "  def hook_rcpt(self): pass\n  def shutdown(self): pass\n"
        )
        self.assertEqual(names(text), ["shutdown"])

    def test_override(self) -> None:
        """A method in Twisted's spelling is described by Twisted; a function is not."""
        text = "class C:\n  'Text.'\n  def dataReceived(self): pass\n"
        self.assertEqual(names(text), [])
        self.assertEqual(names("def makeService(): pass\n"), ["makeService"])

    def test_second_of_a_name(self) -> None:
        """A setter and an overload go with the first of their name."""
        text = (
            "class C:\n  'Text.'\n  @property\n  def x(self): 'Text.'\n"
            "  @x.setter\n  def x(self, value): pass\n"
            "@overload\ndef f(): ...\ndef f(): 'Text.'\n"
        )
        self.assertEqual(names(text), [])

    def test_interface_methods(self) -> None:
        """An interface's methods are read from its class; other classes are none."""
        text = "class IRcptHook(Interface):\n  def hook_rcpt(): pass\nclass C: pass\n"
        found = interface_methods([source(text)])
        self.assertEqual(found, {"IRcptHook": {"hook_rcpt"}})

    def test_untold_tests(self) -> None:
        """A test without a sentence is found, a helper is not."""
        text = "def test_a(): pass\ndef test_b(): 'Text.'\ndef help(): pass\n"
        self.assertEqual(list(untold_tests(source(text))), ["m.py:2: test_a"])
