"""Sizes, descriptions, and the company that a plugin keeps."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from types import MappingProxyType

from twisted.trial.unittest import SynchronousTestCase

from tests.rules.docstrings import interface_methods, undocumented, untold_tests
from tests.rules.sizes import LONG_FUNCTION_LINES, FunctionSize, function_sizes
from tests.rules.source import CHECKOUT, SourceFile, read_sources

MAX_FILE_LINES = 400
"""Of a file of the package; a test may list many cases of one thing."""

MAX_FILE_LINES_AT_ALL = 500

LONG_FILES: Mapping[str, str] = MappingProxyType({})
"""Files over C{MAX_FILE_LINES}, and why each is one concept all the same."""

SHORT_FUNCTION_LINES = 25
SHORT_FUNCTIONS_SHARE = 0.9
"""How much of all functions stays within C{SHORT_FUNCTION_LINES}."""


def plugin_paths(sources: Iterable[SourceFile]) -> list[PurePosixPath]:
    """Where each plugin is below C{harakatw/plugins}, without C{.py}."""
    plugins = PurePosixPath("harakatw/plugins")
    return [
        path.relative_to(plugins).with_suffix("")
        for source in sources
        for path in (PurePosixPath(source.path),)
        if path.is_relative_to(plugins) and not path.name.startswith("_")
    ]


class SizeTests(SynchronousTestCase):
    """No file and no function grows beyond what one can keep in mind."""

    sources: Sequence[SourceFile]
    sizes: Sequence[FunctionSize]

    def setUp(self) -> None:
        """Read the package and measure it."""
        self.sources = read_sources("harakatw")
        self.sizes = [size for each in self.sources for size in function_sizes(each)]

    def test_files(self) -> None:
        """A file is split before it holds two concepts."""
        wrong = [
            f"{source.path}: {source.line_count} lines"
            for source in self.sources
            if source.line_count > MAX_FILE_LINES and source.path not in LONG_FILES
        ]
        self.assertEqual(wrong, [])

    def test_files_at_all(self) -> None:
        """No reason is good enough for a file of a length that nobody reads."""
        wrong = [
            f"{source.path}: {source.line_count} lines"
            for source in (*self.sources, *read_sources("tests"))
            if source.line_count > MAX_FILE_LINES_AT_ALL
        ]
        self.assertEqual(wrong, [])

    def test_excuses(self) -> None:
        """A file that has become short loses its excuse."""
        long = {each.path for each in self.sources if each.line_count > MAX_FILE_LINES}
        self.assertEqual(LONG_FILES.keys() - long, set())

    def test_long_functions(self) -> None:
        """A very long function says why it must be one piece."""
        wrong = [
            f"{size.where}: {size.lines} lines and no comment why"
            for size in self.sizes
            if size.lines > LONG_FUNCTION_LINES and not size.is_explained
        ]
        self.assertEqual(wrong, [])

    def test_most_functions_are_short(self) -> None:
        """Nine functions in ten are read without scrolling."""
        long = [size for size in self.sizes if size.lines > SHORT_FUNCTION_LINES]
        allowed = len(self.sizes) * (1 - SHORT_FUNCTIONS_SHARE)
        listing = "\n".join(f"{each.where}: {each.lines}" for each in long)
        self.assertLessEqual(len(long), allowed, listing)


class DescriptionTests(SynchronousTestCase):
    """Whatever another file may use says what it is for."""

    def test_package(self) -> None:
        """Every public name of the package is described."""
        sources = read_sources("harakatw")
        contracts = interface_methods(sources)
        wrong = [each for source in sources for each in undocumented(source, contracts)]
        self.assertEqual(wrong, [])

    def test_tests(self) -> None:
        """Every test says, for a postmaster, what the server does."""
        wrong = [
            each for source in read_sources("tests") for each in untold_tests(source)
        ]
        self.assertEqual(wrong, [])


class PluginTests(SynchronousTestCase):
    """A plugin is one file, and its page and its test have the file's name."""

    def test_page_and_test(self) -> None:
        """No plugin is undocumented or untested."""
        missing = [
            wanted
            for path in plugin_paths(read_sources("harakatw"))
            for wanted in (
                f"docs/plugins/{path}.md",
                f"tests/plugins/{path.with_name(f'test_{path.name}')}.py",
            )
            if not (CHECKOUT / wanted).is_file()
        ]
        self.assertEqual(missing, [])

    def test_no_orphan_page(self) -> None:
        """No page describes a plugin that is gone."""
        pages = {
            page.relative_to(CHECKOUT / "docs/plugins").with_suffix("").as_posix()
            for page in (CHECKOUT / "docs/plugins").rglob("*.md")
        }
        plugins = {path.as_posix() for path in plugin_paths(read_sources("harakatw"))}
        self.assertEqual(pages - plugins - {"index"}, set())

    def test_plugin_paths(self) -> None:
        """Packages and private helpers among the plugins are no plugins."""
        sources = [
            SourceFile("m", f"harakatw/{path}", "")
            for path in (
                "plugins/__init__.py",
                "plugins/tls.py",
                "plugins/queue/smtp_forward.py",
                "plugins/_helper.py",
                "smtp/rcpt.py",
            )
        ]
        found = [path.as_posix() for path in plugin_paths(sources)]
        self.assertEqual(found, ["tls", "queue/smtp_forward"])
