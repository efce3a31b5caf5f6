"""The project's own source as syntax trees: what the tests of its rules read."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import attrs

CHECKOUT = Path(__file__).resolve().parents[2]
"""The folder that holds C{harakatw/}, C{tests/} and C{docs/}."""


@attrs.frozen
class SourceFile:
    """
    One Python file.

    @ivar name: what an import statement calls it, a package without C{__init__}.
    @ivar path: where it is, relative to the checkout.
    @ivar text: its source.
    @ivar is_package: is this an C{__init__.py}?
    """

    name: str
    path: str
    text: str
    is_package: bool = False
    tree: ast.Module = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "tree", ast.parse(self.text, self.path))

    @property
    def line_count(self) -> int:
        """How many lines the file has."""
        return len(self.text.splitlines())

    @property
    def is_docstring_only(self) -> bool:
        """Does the file hold no more than one string?"""
        body = self.tree.body
        return not body or (len(body) == 1 and ast.get_docstring(self.tree) is not None)


@functools.cache  # many tests read the same files, which do not change meanwhile
def read_sources(*folders: str) -> tuple[SourceFile, ...]:
    """
    Read every Python file below some folders of the checkout.

    @param folders: such as C{"harakatw"}, relative to the checkout.
    @raise FileNotFoundError: a folder is missing, or holds no Python file: a rule that
        looks at nothing would pass whatever the code says.
    """
    found = []
    for folder in folders:
        paths = sorted((CHECKOUT / folder).rglob("*.py"))
        if not paths:
            raise FileNotFoundError(f"no Python file in {CHECKOUT / folder}")
        found += [_read(path) for path in paths]
    return tuple(found)


def _read(path: Path) -> SourceFile:
    relative = path.relative_to(CHECKOUT)
    parts = relative.with_suffix("").parts
    is_package = parts[-1] == "__init__"
    name = ".".join(parts[:-1] if is_package else parts)
    return SourceFile(name, str(relative), path.read_text("utf-8"), is_package)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a tree, nested ones too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
