"""Reading the project's files."""

from twisted.trial.unittest import SynchronousTestCase

from tests.rules.source import SourceFile, functions, read_sources


class SourceTests(SynchronousTestCase):
    """What is known of a file."""

    def test_package(self) -> None:
        """The package's own file goes by the package's name."""
        found = {source.path: source for source in read_sources("tests/rules")}
        self.assertEqual(found["tests/rules/__init__.py"].name, "tests.rules")
        self.assertTrue(found["tests/rules/__init__.py"].is_package)
        self.assertEqual(found["tests/rules/source.py"].name, "tests.rules.source")
        self.assertFalse(found["tests/rules/source.py"].is_package)

    def test_missing_folder(self) -> None:
        """A rule over a folder that is gone fails instead of finding nothing wrong."""
        self.assertRaises(FileNotFoundError, read_sources, "harakatw/no_such_folder")

    def test_docstring_only(self) -> None:
        """A file with a docstring, or with nothing, does nothing when it is loaded."""
        verdicts = [
            SourceFile("m", "m.py", text).is_docstring_only
            for text in ("", '"""Text."""\n', '"""Text."""\nx = 1\n', "import re\n")
        ]
        self.assertEqual(verdicts, [True, True, False, False])

    def test_functions(self) -> None:
        """Methods, coroutines and nested functions count as functions."""
        text = "class C:\n  def a(self):\n    def b(): pass\nasync def c(): pass\n"
        names = {found.name for found in functions(SourceFile("m", "m", text).tree)}
        self.assertEqual(names, {"a", "b", "c"})
